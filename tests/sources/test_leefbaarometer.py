"""The Leefbaarometer parser."""

import random

import pandas as pd
import pytest

from wijkatlas.catalog import Catalogue
from wijkatlas.errors import SourceError
from wijkatlas.sources.documents import Documents
from wijkatlas.sources.leefbaarometer import parse_leefbaarometer

HEADER = "bu_code,bu_naam,jaar,lbm,afw,fys,onv,soc,vrz,won"
GOOD = "BU05990110,Stadsdriehoek,2024,4.27,0.15,0.01,0.02,0.03,0.04,0.05"


def csv(*lines: str, header: str = HEADER) -> Documents:
    return {"buurten": ["\n".join([header, *lines, ""]).encode()]}


def test_sample_is_read_as_it_is(leefbaarometer: Documents, catalogue: Catalogue) -> None:
    table = parse_leefbaarometer(leefbaarometer, catalogue, 2024)
    assert (table.source, table.table, table.year) == ("leefbaarometer", "2024", 2024)
    assert table.frame.shape == (77, 6)
    assert table.frame.notna().all(axis=None)
    assert table.frame.loc["BU05991087", "lbm_overlast"] == -0.221863
    assert table.columns["lbm_woningvoorraad"] == "won"


def test_only_the_meting_in_force_is_read(catalogue: Catalogue) -> None:
    older = GOOD.replace("2024", "2022").replace("0.15,0.01", "0.25,0.11")
    documents = csv(older, GOOD)
    assert parse_leefbaarometer(documents, catalogue, 2024).frame["lbm_fysiek"].tolist() == [0.01]
    table = parse_leefbaarometer(documents, catalogue, 2023)
    assert table.frame["lbm_fysiek"].tolist() == [0.11]
    assert (table.table, table.year) == ("2024", 2022)


def test_order_of_rows_does_not_matter(leefbaarometer: Documents, catalogue: Catalogue) -> None:
    header, *lines = leefbaarometer["buurten"][0].decode().splitlines()
    random.Random(7).shuffle(lines)
    again = parse_leefbaarometer(csv(*lines, header=header), catalogue, 2024).frame
    pd.testing.assert_frame_equal(again, parse_leefbaarometer(leefbaarometer, catalogue, 2024).frame)


def test_missing_score_stays_missing(catalogue: Catalogue) -> None:
    frame = parse_leefbaarometer(csv("BU05990110,Stadsdriehoek,2024,,,,,,,"), catalogue, 2024).frame
    assert frame.isna().all(axis=None)


@pytest.mark.parametrize(
    ("documents", "problem"),
    [
        (csv(), r"table 2024: no rows of meting 2024: the file has no rows"),
        (csv(GOOD.replace("2024", "2018")), r"no rows of meting 2024: the file has 2018"),
        (csv(GOOD, GOOD), r"areas that occur more than once: BU05990110"),
        (csv(GOOD.replace("BU0599", "0599")), r"not an area code: 05990110"),
        (csv(GOOD.replace("BU05990110", "WK059901")), r"not a code of a buurt: WK059901"),
        (csv(GOOD.replace("0.15", "veel")), r"column afw: not a number: BU05990110 \(veel\)"),
        (csv(GOOD.replace("0.15", "0.16")), r"column afw: .*\+ won differs from afw: BU05990110 \(-0\.01\)"),
        (csv(GOOD.replace("0.15,0.01", "7.15,7.01")), r"column \w+: outside -3 to 3: BU05990110"),
        (csv(GOOD, header=HEADER.replace("onv", "xxx")), r"table 2024, column onv: no such column .*xxx"),
        (csv(GOOD[:-5]), r"rows that do not have 10 fields: BU05990110"),
        (csv(GOOD + ",1,2"), r"rows that do not have 10 fields: BU05990110"),
        ({"buurten": [b""]}, r"no valid CSV"),
        ({"buurten": [b"\xff\xfe\x00"]}, r"no valid CSV"),
        ({}, r"there is no buurten"),
    ],
)
def test_bad_input_is_named(documents: Documents, problem: str, catalogue: Catalogue) -> None:
    with pytest.raises(SourceError, match=problem) as caught:
        parse_leefbaarometer(documents, catalogue, 2024)
    assert str(caught.value).startswith("leefbaarometer, table 2024")
    assert "\n" not in str(caught.value)
