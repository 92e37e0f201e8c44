"""An edition can be made again from its own lock, byte by byte."""

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from editions import DATA
from wijkatlas.cli import app
from wijkatlas.errors import PublishError, SnapshotError
from wijkatlas.rebuild import rebuild


def by_command(folder: Path) -> Result:
    return CliRunner().invoke(app, ["rebuild", str(folder), "--data", str(DATA)])


def test_rebuilding_gives_the_same_bytes(edition: Path) -> None:
    done = by_command(edition)
    count = len([path for path in edition.rglob("*") if path.is_file()])
    assert done.exit_code == 0
    assert done.stdout == f"{edition}: all {count} files are the same, byte by byte\n"


def test_rebuilding_names_what_was_altered(edition: Path, tmp_path: Path) -> None:
    copy = tmp_path / edition.name
    shutil.copytree(edition, copy)
    (copy / "downloads" / "buurten.csv").write_text("better figures")
    (copy / "kaart.html").unlink()
    (copy / "stray.txt").write_text("")
    geojson = copy / "downloads" / "wijken.geojson"
    content = bytearray(geojson.read_bytes())
    content[len(content) // 2] ^= 1
    geojson.write_bytes(content)
    done = by_command(copy)
    assert done.exit_code == 1
    assert done.stdout.split() == [
        "downloads/buurten.csv",
        "downloads/wijken.geojson",
        "kaart.html",
        "stray.txt",
    ]


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
