"""An edition can be made again from its own lock, byte by byte."""

import shutil
from pathlib import Path

import pytest

from editions import DATA
from wijkatlas.errors import PublishError, SnapshotError
from wijkatlas.rebuild import rebuild


def test_rebuilding_gives_the_same_bytes(edition: Path) -> None:
    assert rebuild(edition, DATA) == []


def test_rebuilding_names_what_was_altered(edition: Path, tmp_path: Path) -> None:
    copy = tmp_path / edition.name
    shutil.copytree(edition, copy)
    (copy / "downloads" / "buurten.csv").write_text("better figures")
    (copy / "kaart.html").unlink()
    (copy / "stray.txt").write_text("")
    assert rebuild(copy, DATA) == ["downloads/buurten.csv", "kaart.html", "stray.txt"]


def test_rebuilding_needs_the_snapshots_and_the_program(edition: Path, tmp_path: Path) -> None:
    with pytest.raises(SnapshotError, match="no store"):
        rebuild(edition, tmp_path)
    copy = tmp_path / edition.name
    shutil.copytree(edition, copy)
    manifest = copy / "manifest.json"
    manifest.write_text(manifest.read_text().replace(edition.name, "rotterdam-2024-deltaplan-00000000"))
    with pytest.raises(PublishError, match="another program"):
        rebuild(copy, DATA)
    manifest.write_text(manifest.read_text().replace('"weight_noise"', '"noise_of_weights"'))
    with pytest.raises(PublishError, match="cannot be read; use wijkatlas"):
        rebuild(copy, DATA)
