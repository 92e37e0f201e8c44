"""The lists of priority areas: complete, well-formed, and refused where they contradict themselves."""

import pytest
from pydantic import ValidationError

from wijkatlas.catalog import load_catalogue
from wijkatlas.catalog.references import ReferenceList, load_references


def test_each_list_holds_the_areas_that_its_source_names() -> None:
    lists = load_references().lists
    assert {key: len(entry.areas) for key, entry in lists.items()} == {"nplv": 20, "vogelaar": 41, "nprz": 7}
    assert len({area.gemeente for area in lists["nplv"].areas}) == 19


def test_areas_without_known_codes_say_so() -> None:
    without = [area for entry in load_references().lists.values() for area in entry.areas if not area.codes]
    assert {area.name for area in without} == {
        "Amsterdam: delen van Oost",
        "Amsterdam: delen van Noord",
        "Utrecht: Zuilen-Oost",
    }
    assert all("gevonden" in area.note for area in without)


def test_the_held_out_leefbaarometer_leaves_all_of_its_indicators_out() -> None:
    catalogue = load_catalogue()
    check = load_references().held_out["leefbaarometer"]
    inputs = {i.id for i in catalogue.indicators.values() if i.source == "leefbaarometer" and i.scored}
    assert set(check.without) == inputs - {check.outcome}


@pytest.mark.parametrize(
    ("area", "message"),
    [
        ({"codes": {2020: ["WK036303"]}}, "does not lie in GM0599"),
        ({"codes": {2020: ["WK05990"]}}, "should match pattern"),
        ({"codes": {2020: []}, "doubtful": ["GM0599"]}, "should match pattern"),
    ],
)
def test_a_wrong_code_is_refused(area: dict[str, object], message: str) -> None:
    entry = {"name": "Feijenoord", "gemeente": "GM0599", "note": "Zelfde naam.", **area}
    with pytest.raises(ValidationError, match=message):
        ReferenceList.model_validate(
            {
                "id": "x",
                "title": "x",
                "year": 2020,
                "source": "x",
                "source_url": "https://example.org",
                "note": "x",
                "area": [entry],
            }
        )
