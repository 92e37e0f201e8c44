"""The parser of OData v3, on KWB: real oddities survive, bad input stops with a sentence that names it."""

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from wijkatlas.areas import Level, level_of
from wijkatlas.catalog import Catalogue
from wijkatlas.errors import SourceError
from wijkatlas.sources.cbs_v3 import parse_odata_v3, resolve_columns
from wijkatlas.sources.documents import Documents

Edit = Callable[[Documents, str, Callable[[Any], None]], Documents]
YEAR = 2024
CORPORATION = "InBezitWoningcorporatie_49"


def topics(keys: list[str]) -> list[dict[str, Any]]:
    return [{"Type": "Topic", "Key": key} for key in keys]


def keys_of(catalogue: Catalogue, year: int, number: int = 1) -> dict[str, str]:
    """Return a key by indicator for a made-up table that has every expected column."""
    return {i: f"{stems[0]}_{number}" for i, stems in catalogue.of_source("kwb", year).items()}


def set_cell(code: str, key: str, value: object) -> Callable[[Any], None]:
    def change(page: Any) -> None:
        (row,) = [row for row in page["value"] if row["WijkenEnBuurten"] == code]
        row[key] = value

    return change


def test_sample_is_read_as_it_is(kwb: Documents, catalogue: Catalogue) -> None:
    table = parse_odata_v3(kwb, catalogue, "kwb", YEAR)
    assert (table.source, table.table, table.year) == ("kwb", "85984NED", 2024)
    assert table.frame.shape == (91, len(catalogue.of_source("kwb", YEAR)))
    assert table.frame.index.is_monotonic_increasing
    assert set(table.frame.dtypes) == {pd.Series(dtype="float64").dtype}
    assert table.columns["corporatiebezit"] == CORPORATION
    feijenoord = table.frame.loc["BU05991087"]
    assert feijenoord[["inwoners", "corporatiebezit", "bijstand"]].tolist() == [7820, 84, 820]


def test_oddities_of_rotterdam_survive(kwb: Documents, catalogue: Catalogue) -> None:
    frame = parse_odata_v3(kwb, catalogue, "kwb", YEAR).frame
    assert frame.loc["BU05992459", ["inwoners", "leeftijd_25_45"]].tolist() == [0, 5]
    assert frame.loc["BU05990558", "woningvoorraad"] == 1
    assert frame.loc["BU05990558", ["corporatiebezit", "woz_waarde", "koopwoningen"]].isna().all()
    assert frame.loc["BU05990113", "jeugdzorg"] == 25.0


def test_missing_never_becomes_zero(kwb: Documents, catalogue: Catalogue) -> None:
    table = parse_odata_v3(kwb, catalogue, "kwb", YEAR)
    rows = {row["WijkenEnBuurten"]: row for row in json.loads(kwb["TypedDataSet"][0])["value"]}
    for indicator, key in table.columns.items():
        null = {code for code, row in rows.items() if row[key] is None}
        assert set(table.frame.index[table.frame[indicator].isna()]) == null
        zero = {code for code, row in rows.items() if row[key] == 0 and row[key] is not None}
        assert set(table.frame.index[table.frame[indicator] == 0]) == zero


@pytest.mark.parametrize("nothing", [None, "         .", "", -99997, -99995, -99990.0, -99999999])
def test_what_stands_for_missing_is_missing(
    kwb: Documents, catalogue: Catalogue, edit: Edit, nothing: object
) -> None:
    spoilt = edit(
        kwb, "TypedDataSet", set_cell("BU05991087", "MediaanVermogenVanParticuliereHuish_86", nothing)
    )
    frame = parse_odata_v3(spoilt, catalogue, "kwb", YEAR).frame
    assert pd.isna(frame.loc["BU05991087", "mediaan_vermogen"])


def test_real_negative_wealth_stays(kwb: Documents, catalogue: Catalogue, edit: Edit) -> None:
    spoilt = edit(kwb, "TypedDataSet", set_cell("BU05991087", "MediaanVermogenVanParticuliereHuish_86", -1.5))
    assert parse_odata_v3(spoilt, catalogue, "kwb", YEAR).frame.loc["BU05991087", "mediaan_vermogen"] == -1.5


def test_order_of_rows_does_not_matter(kwb: Documents, catalogue: Catalogue, edit: Edit) -> None:
    shuffled = edit(kwb, "TypedDataSet", lambda page: random.Random(7).shuffle(page["value"]))
    assert shuffled["TypedDataSet"] != kwb["TypedDataSet"]
    again = parse_odata_v3(shuffled, catalogue, "kwb", YEAR).frame
    pd.testing.assert_frame_equal(again, parse_odata_v3(kwb, catalogue, "kwb", YEAR).frame)


def test_pages_are_joined(kwb: Documents, catalogue: Catalogue) -> None:
    whole = json.loads(kwb["TypedDataSet"][0])
    first = {**whole, "value": whole["value"][:60], "odata.nextLink": "https://example.org/?$skip=60"}
    pages = [json.dumps(page).encode() for page in (first, {**whole, "value": whole["value"][60:]})]
    paged = parse_odata_v3({**kwb, "TypedDataSet": pages}, catalogue, "kwb", YEAR)
    pd.testing.assert_frame_equal(paged.frame, parse_odata_v3(kwb, catalogue, "kwb", YEAR).frame)
    with pytest.raises(SourceError, match=r"kwb, table 85984NED: TypedDataSet, page 1 of 1 points to a page"):
        parse_odata_v3({**kwb, "TypedDataSet": pages[:1]}, catalogue, "kwb", YEAR)
    with pytest.raises(SourceError, match=r"page 1 of 2 points to no next page"):
        parse_odata_v3({**kwb, "TypedDataSet": pages[::-1]}, catalogue, "kwb", YEAR)


def test_every_level_is_read_but_the_country(kwb: Documents, catalogue: Catalogue, edit: Edit) -> None:
    def add_parents(page: Any) -> None:
        for code in ("NL00      ", "GM0599    ", "WK059901  "):
            page["value"].append({**page["value"][0], "WijkenEnBuurten": code})

    frame = parse_odata_v3(edit(kwb, "TypedDataSet", add_parents), catalogue, "kwb", YEAR).frame
    assert {level_of(code) for code in frame.index} == set(Level)
    assert len(frame) == 93


def test_columns_that_the_catalogue_does_not_name_are_never_read(
    kwb: Documents, catalogue: Catalogue, edit: Edit
) -> None:
    def add_origin(page: Any) -> None:
        for row in page["value"]:
            row["BuitenEuropa_19"] = "never looked at, or this would not be a number"

    table = parse_odata_v3(edit(kwb, "TypedDataSet", add_origin), catalogue, "kwb", YEAR)
    pd.testing.assert_frame_equal(table.frame, parse_odata_v3(kwb, catalogue, "kwb", YEAR).frame)
    assert list(table.frame.columns) == list(catalogue.of_source("kwb", YEAR))


@pytest.mark.parametrize(("year", "number"), [(2020, 42), (2023, 43), (2024, 49)])
def test_a_stem_is_found_whatever_its_number(catalogue: Catalogue, year: int, number: int) -> None:
    keys = keys_of(catalogue, year) | {"corporatiebezit": f"InBezitWoningcorporatie_{number}"}
    found = resolve_columns(
        topics([*keys.values(), "BuitenEuropa_19", "Huurwoning_48"]), catalogue, "kwb", year
    )
    assert found == keys


def test_a_stem_is_found_whatever_its_capitals_and_after_a_renaming(catalogue: Catalogue) -> None:
    keys = keys_of(catalogue, 2020) | {
        "netto_arbeidsparticipatie": "NettoArbeidsparticipatie_67",
        "woz_waarde": "GemiddeldeWoningwaarde_35",
    }
    assert resolve_columns(topics(list(keys.values())), catalogue, "kwb", 2020) == keys


def test_a_group_or_a_longer_key_is_no_column(catalogue: Catalogue) -> None:
    keys = keys_of(catalogue, YEAR)
    others = [{"Type": "TopicGroup", "Key": ""}, {"Type": "GeoDetail", "Key": "WijkenEnBuurten"}]
    longer = topics(["AantalInwonersTotaal_6", "AantalInwoners_5bis", "OppervlakteLandEnWater_7"])
    assert resolve_columns([*others, *topics(list(keys.values())), *longer], catalogue, "kwb", YEAR) == keys


def test_absent_column_names_the_near_misses(kwb: Documents, catalogue: Catalogue, edit: Edit) -> None:
    def rename(page: Any) -> None:
        for entry in page["value"]:
            entry["Key"] = entry["Key"].replace("InBezitWoningcorporatie_", "InBezitWoningcorporaties_")

    with pytest.raises(SourceError) as caught:
        parse_odata_v3(edit(kwb, "DataProperties", rename), catalogue, "kwb", YEAR)
    text = str(caught.value)
    assert text.startswith("kwb, table 85984NED: ")
    assert "corporatiebezit: no column InBezitWoningcorporatie_<number>; near misses: " in text
    assert "InBezitWoningcorporaties_49" in text
    assert "\n" not in text


def test_column_found_twice(kwb: Documents, catalogue: Catalogue, edit: Edit) -> None:
    extra = {"Type": "Topic", "Key": "InBezitWoningcorporatie_50"}
    spoilt = edit(kwb, "DataProperties", lambda page: page["value"].append(extra))
    with pytest.raises(
        SourceError, match=r"found as InBezitWoningcorporatie_49 and InBezitWoningcorporatie_50"
    ):
        parse_odata_v3(spoilt, catalogue, "kwb", YEAR)


def test_column_absent_from_a_row(kwb: Documents, catalogue: Catalogue, edit: Edit) -> None:
    spoilt = edit(kwb, "TypedDataSet", lambda page: page["value"][3].pop(CORPORATION))
    with pytest.raises(SourceError, match=rf"85984NED, column {CORPORATION}: .*without it: BU05990113"):
        parse_odata_v3(spoilt, catalogue, "kwb", YEAR)


@pytest.mark.parametrize("value", [140, -1, 100.5])
def test_percentage_that_cannot_be(kwb: Documents, catalogue: Catalogue, edit: Edit, value: float) -> None:
    spoilt = edit(kwb, "TypedDataSet", set_cell("BU05991087", CORPORATION, value))
    with pytest.raises(SourceError) as caught:
        parse_odata_v3(spoilt, catalogue, "kwb", YEAR)
    assert str(caught.value) == (
        f"kwb, table 85984NED, column {CORPORATION}: outside 0 to 100: BU05991087 ({float(value)})"
    )


def test_negative_count(kwb: Documents, catalogue: Catalogue, edit: Edit) -> None:
    spoilt = edit(kwb, "TypedDataSet", set_cell("BU05991087", "AantalInwoners_5", -5))
    with pytest.raises(SourceError, match=r"column AantalInwoners_5: .*BU05991087 \(-5\.0\)"):
        parse_odata_v3(spoilt, catalogue, "kwb", YEAR)


@pytest.mark.parametrize("value", ["veel", True, [1], {}, "nan", "inf", "1,5"])
def test_figure_that_is_no_number(kwb: Documents, catalogue: Catalogue, edit: Edit, value: object) -> None:
    spoilt = edit(kwb, "TypedDataSet", set_cell("BU05991087", "AantalInwoners_5", value))
    with pytest.raises(
        SourceError, match=r"table 85984NED, column AantalInwoners_5: not a number: BU05991087"
    ):
        parse_odata_v3(spoilt, catalogue, "kwb", YEAR)


def test_duplicate_area(kwb: Documents, catalogue: Catalogue, edit: Edit) -> None:
    spoilt = edit(kwb, "TypedDataSet", lambda page: page["value"].append(page["value"][5]))
    with pytest.raises(SourceError) as caught:
        parse_odata_v3(spoilt, catalogue, "kwb", YEAR)
    assert str(caught.value) == "kwb, table 85984NED: areas that occur more than once: BU05990119"


@pytest.mark.parametrize("code", ["BU059901", "XX05990110", "", None, 5990110, "../../etc"])
def test_code_that_is_no_code(kwb: Documents, catalogue: Catalogue, edit: Edit, code: object) -> None:
    spoilt = edit(kwb, "TypedDataSet", set_cell("BU05990110", "WijkenEnBuurten", code))
    with pytest.raises(SourceError, match=r"kwb, table 85984NED: not an area code: ") as caught:
        parse_odata_v3(spoilt, catalogue, "kwb", YEAR)
    assert str(code) in str(caught.value)


def test_letters_are_part_of_codes(kwb: Documents, catalogue: Catalogue, edit: Edit) -> None:
    renamed = edit(kwb, "TypedDataSet", set_cell("BU05990110", "WijkenEnBuurten", "BU0363AC01"))
    assert "BU0363AC01" in parse_odata_v3(renamed, catalogue, "kwb", YEAR).frame.index


@pytest.mark.parametrize("part", ["TypedDataSet", "DataProperties", "TableInfos"])
def test_truncated_json(kwb: Documents, catalogue: Catalogue, part: str) -> None:
    cut = {**kwb, part: [kwb[part][0][:-40]]}
    with pytest.raises(
        SourceError, match=rf"kwb, table 85984NED: {part}, page 1 of 1 is no valid JSON"
    ) as caught:
        parse_odata_v3(cut, catalogue, "kwb", YEAR)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"[]", b'{"value": null}', b'{"value": [1]}', b'"text"'])
def test_json_of_another_shape(kwb: Documents, catalogue: Catalogue, content: bytes) -> None:
    with pytest.raises(SourceError, match=r"TypedDataSet, page 1 of 1 has no list 'value'"):
        parse_odata_v3({**kwb, "TypedDataSet": [content]}, catalogue, "kwb", YEAR)


def test_empty_table(kwb: Documents, catalogue: Catalogue, edit: Edit) -> None:
    with pytest.raises(SourceError, match=r"kwb, table 85984NED: no areas: the table is empty"):
        parse_odata_v3(edit(kwb, "TypedDataSet", lambda page: page["value"].clear()), catalogue, "kwb", YEAR)


def test_set_that_is_absent(kwb: Documents, catalogue: Catalogue) -> None:
    without = {part: pages for part, pages in kwb.items() if part != "TypedDataSet"}
    with pytest.raises(SourceError, match=r"kwb, table 85984NED: there is no TypedDataSet"):
        parse_odata_v3(without, catalogue, "kwb", YEAR)


def test_documents_of_another_table(kwb: Documents, catalogue: Catalogue) -> None:
    with pytest.raises(SourceError, match=r"kwb, table 85618NED: TableInfos describes \['85984NED'\]"):
        parse_odata_v3(kwb, catalogue, "kwb", 2023)


def test_year_that_the_catalogue_does_not_know(kwb: Documents, catalogue: Catalogue) -> None:
    with pytest.raises(SourceError, match=r"kwb: the catalogue has no table for 1999; it has 2017"):
        parse_odata_v3(kwb, catalogue, "kwb", 1999)


@pytest.mark.national
def test_real_rows_of_2020(national: Path, catalogue: Catalogue) -> None:
    """A table that is only partly published, with its real padding: ownership is still missing everywhere."""
    excerpt = json.loads((national / "cbs_84799NED_excerpt.json").read_bytes())
    excerpt["TableInfos"] = [{"Identifier": "84799NED"}]
    documents = {part: [json.dumps({"value": rows}).encode()] for part, rows in excerpt.items()}
    table = parse_odata_v3(documents, catalogue, "kwb", 2020)
    codes = {row["WijkenEnBuurten"].strip() for row in excerpt["TypedDataSet"]} - {"NL00"}
    assert set(table.frame.index) == codes
    assert {level_of(code) for code in codes} == set(Level)
    assert table.columns["corporatiebezit"] == "InBezitWoningcorporatie_42"
    assert table.frame["corporatiebezit"].isna().all()
    assert table.frame["inwoners"].notna().all()
    assert table.frame.loc["GM0599", "inwoners"] == 651157


def test_what_became_of_a_border_is_read_beside_the_figures(
    kwb: Documents, catalogue: Catalogue, edit: Edit
) -> None:
    key = "IndelingswijzigingGemeenteWijkBuurt_4"
    given = edit(kwb, "TypedDataSet", set_cell("BU05991087", key, "         ."))
    given = edit(given, "TypedDataSet", set_cell("BU05991086", key, "3         "))
    changed = parse_odata_v3(given, catalogue, "kwb", YEAR).changed
    assert changed is not None
    assert pd.isna(changed["BU05991087"])
    assert changed["BU05991086"] == 3
    assert set(changed.dropna()) <= {1, 2, 3}

    def forget(page: Any) -> None:
        for row in page["value"]:
            del row[key]

    assert parse_odata_v3(edit(kwb, "TypedDataSet", forget), catalogue, "kwb", YEAR).changed is None
