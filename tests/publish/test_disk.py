"""Publishing on a disk that is full or cannot be written: one clear error, and `latest` stays whole."""

import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from conftest import skip_or_fail
from editions import quick_settings
from wijkatlas.edition import publish
from wijkatlas.errors import PublishError
from wijkatlas.publish import Contents
from wijkatlas.publish.manifest import verify, write_manifest
from wijkatlas.publish.release import EDITIONS, LATEST, only_writer, shelved

Mount = Callable[[str], Path]


@pytest.fixture
def mount() -> Iterator[Mount]:
    """Return a function that mounts a small disk, or mounts it again with other options."""
    # Not under tmp_path: a run that is killed would leave a disk that pytest cannot clear away.
    disk = Path(tempfile.mkdtemp(prefix="wijkatlas-disk-"))
    mounted = False

    def remount(options: str) -> Path:
        nonlocal mounted
        options = f"remount,{options}" if mounted else options
        if subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", disk], check=False).returncode:
            skip_or_fail("no right to mount a small disk")
        mounted = True
        return disk

    yield remount
    if mounted:
        subprocess.run(["umount", "--lazy", disk], check=True)
    disk.rmdir()


def shelve_small(out: Path) -> None:
    with only_writer(out), shelved(out, "small") as aside:
        (aside / "a.csv").write_text("figures")
        write_manifest(aside, {"sample": "another", "peiljaar": 2023, "date": "2024-01-01"})


# Where it fills up: in the GeoJSON, in a GeoPackage, in the pages, in the compressed copies.
@pytest.mark.parametrize("kilobytes", [100, 500, 1000, 1500, 2000, 2500, 3000, 3500, 4000])
def test_full_disk_is_one_clear_error(
    contents: Contents, mount: Mount, tmp_path: Path, kilobytes: int
) -> None:
    out = mount(f"size={kilobytes}k")
    settings = replace(quick_settings(tmp_path), out=out)
    shelve_small(out)
    with pytest.raises(PublishError, match="could not be written") as error:
        publish(contents, settings, None)
    assert "\n" not in str(error.value)
    assert verify((out / LATEST).resolve()) == 2
    assert [path.name for path in (out / EDITIONS).iterdir()] == ["small"]
    mount("size=100m")
    verify(publish(contents, settings, None))
    assert (out / LATEST).resolve().name == contents.id


def test_read_only_disk_is_one_clear_error(contents: Contents, mount: Mount, tmp_path: Path) -> None:
    out = mount("size=10m")
    shelve_small(out)
    mount("ro")
    with pytest.raises(PublishError, match="cannot be written"), only_writer(out):
        pass
    with pytest.raises(PublishError, match="could not be written"):
        publish(contents, replace(quick_settings(tmp_path), out=out), None)
    assert verify((out / LATEST).resolve()) == 2
