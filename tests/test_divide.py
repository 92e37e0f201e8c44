"""The example scenarios on a real edition: exact in every form, and only by the published score."""

import json
import re
import shutil
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest

from editions import DATA
from wijkatlas.divide import divide
from wijkatlas.errors import CatalogueError, PublishError
from wijkatlas.publish.allocations import Divisions, to_markdown, write_divisions
from wijkatlas.publish.release import ALLOCATIONS
from wijkatlas.publish.shelf import write_shelf

OWN = """
[[scenario]]
id = "a"
label = "<b>A</b>"
origin = "Begroting"
total = 7
unit = "banen"
step = 1
level = "wijk"
people = ["inwoners"]
need = { method = "per_person" }
among = { method = "all" }
"""


@pytest.fixture(scope="module")
def divisions(edition: Path) -> Divisions:
    return divide(edition, None, DATA)


@pytest.fixture(scope="module")
def page(edition: Path, divisions: Divisions, tmp_path_factory: pytest.TempPathFactory) -> Path:
    shelf = tmp_path_factory.mktemp("divide") / "outputs"
    shutil.copytree(edition, shelf / "editions" / edition.name)
    write_shelf(shelf)
    folder = shelf / ALLOCATIONS / edition.name / "voorbeeld"
    write_divisions(divisions, folder, shelf / "editions" / edition.name)
    return folder / "index.html"


def test_what_the_files_say_adds_up_exactly(divisions: Divisions, page: Path) -> None:
    for divided in divisions.divided:
        texts = pd.read_csv(page.with_name(f"{divided.scenario.id}.csv"), dtype="str")
        assert sum(map(Decimal, texts["toegekend"])) == divided.scenario.total
        excel = pd.read_csv(
            page.with_name(f"{divided.scenario.id}-excel.csv"), sep=";", dtype="str", encoding="utf-8-sig"
        )
        amounts = (Decimal(text.replace(",", ".")) for text in excel["toegekend"])
        assert sum(amounts) == divided.scenario.total


def test_every_area_has_a_row_and_who_cannot_take_part_a_reason(divisions: Divisions, edition: Path) -> None:
    published = pd.read_csv(edition / "downloads" / "buurten.csv", index_col="buurt_code")
    for divided in divisions.divided:
        frame = divided.frame.set_index("buurt_code")
        assert set(frame.index) == set(published.index)
        unscored = published.index[published["rang"].isna()]
        assert (frame.loc[unscored, "toegekend"] == 0).all()
        assert frame.loc[unscored, "reden_geen"].notna().all()
        told = sum(size for size, _ in divided.left_out.values())
        assert told == frame["reden_geen"].notna().sum() >= len(unscored)


def test_people_that_nobody_counted_are_not_none(divisions: Divisions) -> None:
    divided = divisions.divided[0]
    areas = divided.allocation.areas
    without = areas.assign(doelgroep=areas["doelgroep"].mask(areas["reden_geen"].notna()))
    uncounted = replace(divided, allocation=replace(divided.allocation, areas=without))
    assert {people for _, people in uncounted.left_out.values()} == {"doelgroep onbekend"}
    assert all(people.endswith(" in de doelgroep") for _, people in divided.left_out.values())


def test_a_scenario_of_one_gemeente_says_its_name(divisions: Divisions) -> None:
    divided = divisions.divided[0]
    limited = divided.scenario.model_copy(update={"gemeente": "GM0599"})
    assert replace(divided, allocation=replace(divided.allocation, scenario=limited)).gemeente == "Rotterdam"


def test_gemeenten_add_up_too(divisions: Divisions) -> None:
    for divided in divisions.divided:
        assert sum(row["toegekend"] for row in divided.gemeenten) == divided.scenario.total


def test_age_groups_of_the_source_are_the_people(divisions: Divisions) -> None:
    youth = divisions.divided[0].frame.set_index("buurt_code")["doelgroep"]
    rows = [
        row
        for path in (DATA / "sample" / "rotterdam-2024" / "kwb").glob("*.json")
        if ".sidecar" not in path.name
        for row in json.loads(path.read_bytes())["value"]
        if "k_0Tot15Jaar_8" in row
    ]
    counted = {r["WijkenEnBuurten"].strip(): r["k_0Tot15Jaar_8"] + r["k_15Tot25Jaar_9"] for r in rows}
    assert len(youth.dropna()) > 70
    for code, people in youth.dropna().items():
        assert people == pytest.approx(counted[code], abs=0.1)


def test_the_page_calls_the_totals_assumed_and_shows_margins(divisions: Divisions, page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for divided in divisions.divided:
        assert divided.scenario.origin in text
        row = divided.top[0]
        margin = f"({divided.amount(row['toegekend_p05'])}–{divided.amount(row['toegekend_p95'])})"
        assert f'{divided.amount(row["toegekend"])} <span class="margin">{margin}' in text
    assert "Ze zijn geen feiten en geen advies" in text


def test_every_link_of_the_page_leads_somewhere(page: Path) -> None:
    targets = re.findall(r'(?:href|src)="([^"#:]+)(?:#[^"]*)?"', page.read_text(encoding="utf-8"))
    assert len(targets) > 30
    assert all((page.parent / target).is_file() for target in targets)


def test_the_same_input_gives_the_same_bytes(edition: Path, divisions: Divisions, page: Path) -> None:
    folder = page.parent.with_name("again")
    write_divisions(divide(edition, None, DATA), folder, page.parents[3] / "editions" / edition.name)
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == {
        p.name: p.read_bytes() for p in page.parent.iterdir()
    }
    assert to_markdown(divide(edition, None, DATA)) == to_markdown(divisions)


def test_an_own_file_at_the_level_of_wijken(edition: Path, tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text(OWN, encoding="utf-8")
    divisions = divide(edition, file, DATA)
    assert len(divisions.divided[0].frame) == 21
    write_divisions(divisions, tmp_path / "page", edition)
    assert "<b>A</b>" not in (tmp_path / "page" / "index.html").read_text(encoding="utf-8")
    with pytest.raises(CatalogueError, match="absent"):
        divide(edition, tmp_path / "absent.toml", DATA)


def test_another_score_than_the_published_one_is_refused(edition: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(edition, other)
    path = other / "downloads" / "buurten.csv"
    frame = pd.read_csv(path)
    frame.loc[[0, 1], "rang"] = [2, 1]
    frame.astype({"rang": "Int32", "rang_p05": "Int32", "rang_p95": "Int32"}).to_csv(path, index=False)
    with pytest.raises(PublishError, match="ranks 2 areas otherwise"):
        divide(other, None, DATA)
