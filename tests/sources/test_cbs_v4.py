"""The parser of OData v4: that it gives what v3 gives is tested where both are fetched."""

import json
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

from standins.odata import ODataV4, Row
from standins.server import Request
from standins.world import small_world
from wijkatlas.catalog import Catalogue
from wijkatlas.errors import SourceError
from wijkatlas.sources.cbs_v4 import parse_odata_v4
from wijkatlas.sources.documents import Documents

Edit = Callable[[Documents, str, Callable[[Any], None]], Documents]
YEAR = 2024


@pytest.fixture(scope="module")
def documents(whole_catalogue: Catalogue) -> Documents:
    service = ODataV4(small_world(whole_catalogue).tables)
    sets = ("Dimensions", "MeasureCodes", "WijkenEnBuurtenCodes", "Observations")
    return {name: [service(Request("http://x", f"/85984NED/{name}", {}, {})).body] for name in sets}


def change_first(**changes: object) -> Callable[[Any], None]:
    return lambda page: page["value"][0].update(changes)


def forget(key: str) -> Callable[[Any], None]:
    return lambda page: page["value"][0].pop(key)


def repeat(page: Any) -> None:
    measured = next(
        row for row in page["value"] if isinstance(row["Value"], float) and row["Measure"] != "M000001"
    )
    page["value"].append(dict(measured))


def rename(page: Any) -> None:
    for measure in page["value"]:
        if measure["Title"] == "In bezit woningcorporatie":
            measure["Title"] = "Bezit van corporaties"


def test_area_without_observations_is_a_row_without_figures(
    documents: Documents, catalogue: Catalogue, edit: Edit
) -> None:
    def silence(page: Any) -> None:
        page["value"] = [row for row in page["value"] if row["WijkenEnBuurten"] != "BU05991087"]

    frame = parse_odata_v4(edit(documents, "Observations", silence), catalogue, "kwb", YEAR).frame
    assert frame.loc["BU05991087"].isna().all()
    assert len(frame) == 91


def test_order_of_observations_does_not_matter(
    documents: Documents, catalogue: Catalogue, edit: Edit
) -> None:
    turned = edit(documents, "Observations", lambda page: page["value"].reverse())
    expected = parse_odata_v4(documents, catalogue, "kwb", YEAR).frame
    pd.testing.assert_frame_equal(parse_odata_v4(turned, catalogue, "kwb", YEAR).frame, expected)


@pytest.mark.parametrize(
    ("part", "change", "problem"),
    [
        ("Observations", repeat, r"cells that occur more than once: \('BU0599"),
        ("Observations", forget("Value"), r"column Value: there are observations without it"),
        ("Observations", lambda page: page["value"].clear(), r"there are no observations"),
        ("MeasureCodes", rename, r"corporatiebezit: no column InBezitWoningcorporatie"),
        (
            "Dimensions",
            change_first(Kind="Dimension"),
            r"has dimensions WijkenEnBuurten; expected one",
        ),
        ("WijkenEnBuurtenCodes", change_first(Identifier="0599"), r"not an area code: 0599"),
    ],
)
def test_bad_documents_are_named(
    documents: Documents,
    catalogue: Catalogue,
    edit: Edit,
    part: str,
    change: Callable[[Any], None],
    problem: str,
) -> None:
    spoilt = edit(documents, part, change)
    with pytest.raises(SourceError, match=problem) as caught:
        parse_odata_v4(spoilt, catalogue, "kwb", YEAR)
    assert str(caught.value).startswith("kwb, table 85984NED")


def test_page_that_is_missing(documents: Documents, catalogue: Catalogue, edit: Edit) -> None:
    more = edit(documents, "Observations", lambda page: page.update({"@odata.nextLink": "https://x"}))
    with pytest.raises(SourceError, match=r"Observations, page 1 of 1 points to a page that is absent"):
        parse_odata_v4(more, catalogue, "kwb", YEAR)


def test_stand_in_gives_observations_as_cbs_does(documents: Documents) -> None:
    rows: list[Row] = json.loads(documents["Observations"][0])["value"]
    keys = {"Id", "Measure", "ValueAttribute", "Value", "StringValue", "WijkenEnBuurten"}
    assert set(rows[0]) == keys
    assert {row["ValueAttribute"] for row in rows} == {"None", "Impossible"}
