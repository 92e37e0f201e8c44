"""The shelf's own pages: every edition listed, and only as many kept as was asked."""

import json
import os
from pathlib import Path

import pytest

from wijkatlas.publish.manifest import write_manifest
from wijkatlas.publish.release import (
    CHANGES,
    EDITIONS,
    LATEST,
    last_edition,
    list_shelf,
    only_writer,
    prune,
    shelved,
)
from wijkatlas.publish.shelf import write_shelf


def shelve(out: Path, edition: str, *, year: int, date: str, sample: str = "") -> None:
    with only_writer(out), shelved(out, edition) as aside:
        (aside / "index.html").write_text(edition)
        write_manifest(
            aside,
            {
                "edition": edition,
                "title": f"<b>Nederland</b> {year}",
                "sample": sample,
                "peiljaar": year,
                "date": date,
                "specification": {"title": "Deltaplan"},
                "wijkatlas": "0.1.0",
                "levels": {"buurt": {"areas": 3, "scored": 2}},
                "sources": [],
            },
        )


@pytest.fixture
def out(tmp_path: Path) -> Path:
    shelve(tmp_path, "nl-2023", year=2023, date="2024-09-01")
    shelve(tmp_path, "nl-2024-b", year=2024, date="2025-09-01")
    shelve(tmp_path, "nl-2024-a", year=2024, date="2025-03-01")
    shelve(tmp_path, "rotterdam-2024", year=2024, date="2025-06-01", sample="Rotterdam")
    return tmp_path


def names(out: Path) -> list[str]:
    return [shelved.folder.name for shelved in list_shelf(out)]


def test_shelf_is_listed_newest_first(out: Path) -> None:
    assert names(out) == ["nl-2024-b", "rotterdam-2024", "nl-2024-a", "nl-2023"]
    write_shelf(out)
    listed = json.loads((out / "index.json").read_bytes())["editions"]
    assert [entry["edition"] for entry in listed] == names(out)
    assert [entry["latest"] for entry in listed] == [False, True, False, False]
    assert all((out / entry["page"]).is_file() and (out / entry["manifest"]).is_file() for entry in listed)
    page = (out / "index.html").read_text(encoding="utf-8")
    assert page.count("<tr>") == 5
    assert "<b>Nederland" not in page


def test_shelf_is_not_written_when_nothing_changed(out: Path) -> None:
    write_shelf(out)
    for name in ("index.html", "index.json"):
        os.utime(out / name, ns=(1, 1))
    write_shelf(out)
    assert all((out / name).stat().st_mtime_ns == 1 for name in ("index.html", "index.json"))


def test_last_edition_is_of_the_same_region_whole_and_not_of_a_later_year(out: Path) -> None:
    assert last_edition(out, "", 2024) == out / EDITIONS / "nl-2024-b"
    assert last_edition(out, "", 2023) == out / EDITIONS / "nl-2023"
    assert last_edition(out, "", 2022) is None
    assert last_edition(out, "Rotterdam", 2030) == out / EDITIONS / "rotterdam-2024"
    (out / EDITIONS / "nl-2024-b" / "index.html").write_text("spoiled")
    assert last_edition(out, "", 2024) == out / EDITIONS / "nl-2024-a"


def test_retention_keeps_the_newest_of_each_region(out: Path) -> None:
    prune(out, 1)
    assert names(out) == ["nl-2024-b", "rotterdam-2024"]
    assert (out / LATEST).resolve().name == "rotterdam-2024"


def test_retention_takes_comparisons_with_an_edition_along(out: Path) -> None:
    older, newer = (out / CHANGES / name for name in ("nl-2023--nl-2024-a", "nl-2024-a--nl-2024-b"))
    beside = out / CHANGES / "nl-2024-b--rotterdam-2024"
    for folder in (older, newer, beside):
        folder.mkdir(parents=True)
        (folder / "index.html").write_text(folder.name)
    write_shelf(out)
    assert changes(out) == {
        "nl-2024-b": ["nl-2024-a"],
        "nl-2024-a": ["nl-2023"],
        "rotterdam-2024": ["nl-2024-b"],
    }
    prune(out, 2)
    write_shelf(out)
    assert list((out / CHANGES).iterdir()) != []
    assert changes(out) == {"nl-2024-b": ["nl-2024-a"], "rotterdam-2024": ["nl-2024-b"]}
    prune(out, 1)
    write_shelf(out)
    assert list((out / CHANGES).iterdir()) == [beside]


def changes(out: Path) -> dict[str, list[str]]:
    """Return by edition since which others the shelf tells what changed."""
    listed = json.loads((out / "index.json").read_bytes())["editions"]
    return {e["edition"]: [change["since"] for change in e["changes"]] for e in listed if e["changes"]}


def test_without_a_number_everything_stays(out: Path) -> None:
    before = names(out)
    prune(out, None)
    assert names(out) == before


def test_a_folder_without_editions_gets_no_page(tmp_path: Path) -> None:
    write_shelf(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_retention_never_takes_what_latest_points_at(out: Path) -> None:
    shelve(out, "nl-2022", year=2022, date="2023-09-01")
    prune(out, 1)
    assert names(out) == ["nl-2024-b", "rotterdam-2024", "nl-2022"]
    assert not list((out / EDITIONS).glob(".*"))


def test_what_is_no_edition_is_not_listed_and_not_pruned(out: Path) -> None:
    (out / EDITIONS / "notes").mkdir()
    prune(out, 1)
    assert "notes" not in names(out)
    assert (out / EDITIONS / "notes").is_dir()
