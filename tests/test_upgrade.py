"""After an upgrade: editions and settings of the previous version are read, or refused in so many words."""

import json
import shutil
from pathlib import Path

import pytest

from editions import quick_settings
from wijkatlas.edition import make_edition
from wijkatlas.errors import PublishError, SettingsError
from wijkatlas.publish.manifest import MANIFEST, list_files, read_manifest, verify, write_manifest
from wijkatlas.publish.release import list_shelf
from wijkatlas.report import report
from wijkatlas.settings import load_settings
from wijkatlas.status import look_at_shelf

EARLIER = "0.0.9"


@pytest.fixture
def shelf(edition: Path, tmp_path: Path) -> Path:
    """Return a shelf as the previous version left it."""
    out = tmp_path / "outputs"
    old = out / "editions" / "rotterdam-2024-deltaplan-00000000"
    shutil.copytree(edition, old)
    about = read_manifest(old) | {"wijkatlas": EARLIER, "edition": old.name}
    del about["files"]
    write_manifest(old, about)
    (out / "latest").symlink_to(old.relative_to(out))
    return out


def test_edition_of_the_previous_version_is_read(shelf: Path) -> None:
    old = (shelf / "latest").resolve()
    assert verify(old) == len(list_files(old)) + 1
    assert look_at_shelf(shelf).edition == old.name
    assert [shelved.folder for shelved in list_shelf(shelf)] == [old]


def test_next_edition_stands_beside_it_and_tells_of_the_program(shelf: Path, tmp_path: Path) -> None:
    old = (shelf / "latest").resolve()
    made = make_edition(quick_settings(tmp_path))
    assert made.parent == old.parent
    assert verify(old)
    assert f"- the program: {EARLIER} became " in report(made, old)


def test_edition_of_a_form_that_is_not_known_is_refused_and_left_alone(shelf: Path, tmp_path: Path) -> None:
    old = (shelf / "latest").resolve()
    manifest = json.loads((old / MANIFEST).read_text()) | {"wijkatlas": "9.1.0"}
    del manifest["levels"]
    (old / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(PublishError, match=r"made by wijkatlas 9\.1\.0, .* cannot read .*lacks levels"):
        read_manifest(old)
    assert list_shelf(shelf) == []
    made = make_edition(quick_settings(tmp_path))
    assert (shelf / "latest").resolve() == made
    assert (old / MANIFEST).exists()


def test_setting_of_the_previous_version_is_refused_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "wijkatlas.toml").write_text("[schedule]\nevery = 'day'\n")
    with pytest.raises(SettingsError, match=r"wijkatlas\.toml .*schedule\.every: Extra inputs"):
        load_settings(tmp_path / "wijkatlas.toml", {})
