"""The whole run: same inputs, same bytes; bad inputs, an untouched shelf."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from editions import DATA, altered_store, published_files, quick_settings, shuffled
from wijkatlas.edition import make_edition, program_digest
from wijkatlas.errors import SnapshotError, SourceError, WijkatlasError
from wijkatlas.inputs import chosen_settings, sample_settings
from wijkatlas.publish.manifest import read_manifest, verify
from wijkatlas.settings import load_settings
from wijkatlas.snapshots import Snapshot


def test_edition_holds_every_area_and_verifies(edition: Path) -> None:
    counts = read_manifest(edition)["levels"]
    assert counts["buurt"]["areas"] == 91
    assert counts["buurt"]["scored"] + sum(counts["buurt"]["not_scored"].values()) == 91
    assert counts["wijk"]["areas"] == 21
    assert verify(edition) > 30


def test_latest_points_at_the_edition(edition: Path) -> None:
    latest = edition.parents[1] / "latest"
    assert latest.resolve() == edition.resolve()
    assert not latest.readlink().is_absolute()


def test_order_of_rows_and_what_came_before_do_not_change_a_byte(
    edition: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = quick_settings(tmp_path, store=altered_store(tmp_path / "store", shuffled))
    shutil.copytree(edition, settings.out / "editions" / edition.name)
    other = make_edition(settings)
    assert dict(published_files(other)) == dict(published_files(edition))
    assert other.name != edition.name  # other snapshots: another edition
    # its store has not the snapshots of the edition before it, so these two cannot be compared
    assert f"{other.name} is not compared with {edition.name}: no store in" in caplog.text
    assert (settings.out / "latest").resolve() == other
    assert not (settings.out / "wijzigingen").exists()


@pytest.mark.parametrize("seed", ["1", "2"])
def test_hash_seed_and_folder_do_not_change_a_byte(edition: Path, tmp_path: Path, seed: str) -> None:
    settings = quick_settings(tmp_path)
    code = (
        "from pathlib import Path; from wijkatlas.edition import make_edition;"
        "from wijkatlas.inputs import Settings;"
        f"make_edition(Settings({settings.year}, Path({str(settings.store)!r}), Path({str(settings.out)!r}),"
        f" {settings.sample!r}, {settings.spec!r}))"
    )
    environment = {**os.environ, "PYTHONHASHSEED": seed}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment, cwd=tmp_path)
    latest = settings.out / "latest"
    assert latest.resolve().name == edition.name
    assert (latest / "SHA256SUMS").read_bytes() == (edition / "SHA256SUMS").read_bytes()


def test_no_news_makes_nothing(tmp_path: Path) -> None:
    settings = quick_settings(tmp_path)
    first = make_edition(settings)
    before = {path: path.stat().st_mtime_ns for path in first.rglob("*")}
    assert make_edition(settings) == first
    assert {path: path.stat().st_mtime_ns for path in first.rglob("*")} == before


def test_as_many_editions_stay_as_the_settings_file_says(edition: Path, tmp_path: Path) -> None:
    """A run without news keeps to it too."""
    quick, out = quick_settings(tmp_path), tmp_path / "outputs"
    shutil.copytree(edition, out / "editions" / edition.name)
    shutil.copytree(edition, out / "editions" / "older")
    manifest = read_manifest(edition) | {"edition": "older", "date": "2020-01-01"}
    (out / "editions" / "older" / "manifest.json").write_text(json.dumps(manifest))
    file = tmp_path / "wijkatlas.toml"
    asked = f'sample = "rotterdam"\nspec = "{quick.spec}"\nout = "{out}"\ndata = "{DATA}"\n'
    for keep, left in (("", {"older", edition.name}), ("keep = 1", {edition.name})):
        file.write_text(f"[edition]\n{asked}{keep}\n")
        make_edition(chosen_settings(load_settings(file, {})))
        assert {path.name for path in (out / "editions").iterdir() if path.is_dir()} == left


def test_damaged_edition_is_made_again(tmp_path: Path) -> None:
    settings = quick_settings(tmp_path)
    first = make_edition(settings)
    (first / "downloads" / "buurten.csv").write_text("spoiled")
    assert make_edition(settings) == first
    verify(first)


def without_column(snapshot: Snapshot, content: bytes) -> bytes:
    if snapshot.part != "DataProperties":
        return content
    document = json.loads(content)
    document["value"] = [row for row in document["value"] if not row["Key"].startswith("InBezitWoningcorp")]
    return json.dumps(document).encode()


def truncated(snapshot: Snapshot, content: bytes) -> bytes:
    return content[:-200] if snapshot.part == "TypedDataSet" else content


def percentage_of_140(snapshot: Snapshot, content: bytes) -> bytes:
    if snapshot.part != "TypedDataSet":
        return content
    document = json.loads(content)
    next(row for row in document["value"] if row["Koopwoningen_47"])["Koopwoningen_47"] = 140
    return json.dumps(document).encode()


def areas_away(snapshot: Snapshot, content: bytes) -> bytes:
    if snapshot.format != "geojson":
        return content
    document = json.loads(content)
    document["features"] = document["features"][1:]
    return json.dumps(document).encode()


@pytest.mark.parametrize(
    ("alter", "told"),
    [
        (without_column, ["kwb", "85984NED", "InBezitWoningcorporatie"]),
        (truncated, ["kwb", "85984NED", "TypedDataSet"]),
        (percentage_of_140, ["kwb", "85984NED", "Koopwoningen_47", "140", "BU0599"]),
        (areas_away, ["kwb", "85984NED", "no boundary", "BU0599"]),
    ],
)
def test_bad_input_names_itself_and_leaves_the_last_edition(
    tmp_path: Path, alter: object, told: list[str]
) -> None:
    settings = quick_settings(tmp_path)
    good = make_edition(settings)
    store = altered_store(tmp_path / "store", alter)  # type: ignore[arg-type]
    with pytest.raises(SourceError) as error:
        make_edition(replace(settings, store=store))
    assert all(word in str(error.value) for word in told), error.value
    assert (settings.out / "latest").resolve() == good.resolve()
    verify(good)
    assert [path.name for path in good.parent.iterdir() if path.is_dir()] == [good.name]


def test_altered_snapshot_is_refused(tmp_path: Path) -> None:
    store = altered_store(tmp_path / "store", lambda _, content: content)
    victim = max((store / "kwb").iterdir(), key=lambda path: path.stat().st_size)
    victim.write_bytes(victim.read_bytes() + b" ")
    with pytest.raises(SnapshotError, match="sha256"):
        make_edition(quick_settings(tmp_path, store=store))


def test_unknown_sample_names_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(SnapshotError, match="rotterdam"):
        sample_settings("atlantis", data=DATA, out=tmp_path)


def test_unwritable_shelf_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    settings = replace(quick_settings(tmp_path), out=tmp_path / "file" / "outputs")
    with pytest.raises(WijkatlasError, match="cannot be written"):
        make_edition(settings)


def test_program_digest_is_stable() -> None:
    assert program_digest() == program_digest()
