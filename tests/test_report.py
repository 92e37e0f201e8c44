"""The report of a run: what it made, what is new, who moved."""

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from wijkatlas.report import cell, moves, report


@pytest.fixture
def before(edition: Path, tmp_path: Path) -> Path:
    """Return the edition as if another one had been published before it."""
    folder = tmp_path / "rotterdam-2024-deltaplan-00000000"
    shutil.copytree(edition, folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["edition"] = folder.name
    manifest["sources"][0]["sha256"] = "0" * 64
    (folder / "manifest.json").write_text(json.dumps(manifest))
    ranked = pd.read_csv(folder / "downloads" / "buurten.csv", dtype={"buurt_code": "str"})
    ranked.loc[0, "rang"], ranked.loc[20, "rang"] = ranked.loc[20, "rang"], ranked.loc[0, "rang"]
    ranked.to_csv(folder / "downloads" / "buurten.csv", index=False)
    return folder


def section(text: str, title: str) -> list[str]:
    return text.partition(f"## {title}")[2].partition("\n## ")[0].splitlines()[1:]


def test_report_shows_ten_areas_with_their_interval(edition: Path) -> None:
    ranked = [line for line in section(report(edition), "Highest priorities") if "Rotterdam" in line]
    assert len(ranked) == 10
    assert all("-" in line.split("|")[1] for line in ranked)
    assert [int(line.split()[1]) for line in ranked] == list(range(1, 11))


def test_report_names_every_table_that_was_used(edition: Path) -> None:
    told = section(report(edition), "Sources")
    assert [line.split(" | ")[1] for line in told[2:] if line] == [
        "wijken-en-buurten-2024",
        "85984NED",
        "2024",
    ]


def test_first_and_unchanged_editions_are_told(edition: Path) -> None:
    assert section(report(edition), "News")[0] == "The first edition on this shelf."
    assert section(report(edition, edition), "News")[0] == "None: the edition stood on the shelf already."
    assert "## Moves" not in report(edition, edition)


def test_news_and_moves_are_told(edition: Path, before: Path) -> None:
    text = report(edition, before)
    assert section(text, "News")[0] == "- grenzen, table wijken-en-buurten-2024"
    moved = section(text, f"Moves since `{before.name}`")
    assert moved[0] == "2 of 76 ranks moved; 0 came, 0 went."
    assert moved[1].endswith(": 21 became 1")
    assert moved[2].endswith(": 1 became 21")


def test_what_came_and_went_is_counted() -> None:
    earlier = pd.DataFrame({"rang": [1.0, 2.0], "buurt_naam": "x", "gemeente_naam": "y"}, index=["a", "b"])
    later = earlier.set_axis(["b", "c"])
    assert next(moves(earlier, later)) == "1 of 1 ranks moved; 1 came, 1 went."


def test_hostile_name_stays_in_its_cell() -> None:
    assert cell("a|b\n<script> [x](y)") == r"a\|b \<script\> \[x\]\(y\)"
