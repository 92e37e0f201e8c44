"""Allocation: sums are exact, need decides, people count, and what cannot take part is told."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.scoring.synthetic import shuffled, synthetic_table
from tests.scoring.worlds import level_table, random_worse, specification
from wijkatlas.areas import LevelTable
from wijkatlas.catalog import load_catalogue
from wijkatlas.errors import CatalogueError, ScoringError
from wijkatlas.scoring.allocation import (
    MOST_STEPS,
    Allocation,
    Scenario,
    allocate,
    largest_remainder,
    load_scenarios,
)
from wijkatlas.scoring.score import score
from wijkatlas.scoring.spec import ScoreSpec

CATALOGUE = load_catalogue()
PER_PERSON = {"method": "per_person"}
EXCESS = {"method": "excess", "above": 0.5}
ALL = {"method": "all"}


def scenario(**changes: object) -> Scenario:
    return Scenario.model_validate(
        {
            "id": "voorbeeld",
            "label": "Voorbeeld",
            "origin": "Aanname",
            "total": 100,
            "unit": "jongerenwerkers",
            "step": 1,
            "level": "buurt",
            "people": ["inwoners"],
            "need": EXCESS,
            "among": ALL,
        }
        | changes
    )


def quick(**changes: object) -> ScoreSpec:
    uncertainty = specification().uncertainty.model_dump(by_alias=True) | {"replications": 40} | changes
    return specification(uncertainty=uncertainty)


def world(n: int = 60, seed: int = 1, **extra: np.ndarray) -> LevelTable:
    rng = np.random.default_rng(seed)
    table = level_table(random_worse(n, seed), extra)
    table.values["inwoners"] = 5.0 * rng.integers(20, 1000, n)
    return table


def divided(table: LevelTable, *, spec: ScoreSpec | None = None, **changes: object) -> Allocation:
    return allocate(table, spec or quick(), CATALOGUE, [scenario(**changes)], chances_of(table))[0]


def chances_of(table: LevelTable) -> pd.Series:
    """Return a chance of 1 for the first half of the areas, and none for the others."""
    half = len(table.values) // 2
    return pd.Series([1.0] * half + [0.0] * (len(table.values) - half), table.values.index.sort_values())


# How `steps` are divided

NEEDS = st.lists(st.one_of(st.just(0.0), st.floats(1e-9, 1e9)), min_size=1, max_size=60)


@given(NEEDS, st.integers(0, MOST_STEPS))
def test_amounts_add_up_are_never_negative_and_need_need(needs: list[float], steps: int) -> None:
    array = np.array(needs)
    amounts = largest_remainder(array, steps)
    assert amounts.sum() == (steps if array.any() else 0)
    assert (amounts >= 0).all()
    assert (amounts[array == 0] == 0).all()


@given(NEEDS, st.integers(0, 10_000))
def test_more_need_never_gets_less(needs: list[float], steps: int) -> None:
    array = np.array(needs)
    amounts = largest_remainder(array, steps)
    order = np.lexsort((-np.arange(len(array)), array))  # of equals the first may have one more
    assert (np.diff(amounts[order]) >= 0).all()


@given(NEEDS, st.integers(0, 10_000), st.integers(0, 59), st.floats(1.0, 100.0))
def test_an_area_whose_need_grows_never_loses(needs: list[float], steps: int, which: int, by: float) -> None:
    array = np.array(needs)
    grown = array.copy()
    grown[which % len(array)] *= by
    before, after = largest_remainder(array, steps), largest_remainder(grown, steps)
    assert after[which % len(array)] >= before[which % len(array)]


@given(NEEDS, st.integers(0, 10_000))
def test_nobody_is_a_whole_step_from_its_quota(needs: list[float], steps: int) -> None:
    array = np.array(needs)
    if array.any():
        assert np.abs(largest_remainder(array, steps) - array / array.sum() * steps).max() < 1 + 1e-6


def test_by_hand() -> None:
    assert largest_remainder(np.array([3.0, 2.0, 0.0, 1.0]), 7).tolist() == [4, 2, 0, 1]
    assert largest_remainder(np.array([1.0, 1.0, 1.0]), 2).tolist() == [1, 1, 0]


# A scenario on a table


@pytest.mark.parametrize("total", [100, 1, 33, 12345])
@pytest.mark.parametrize("step", ["1", "0.5", "0.25"])
def test_the_total_is_divided_exactly(total: int, step: str) -> None:
    areas = divided(world(), total=total, step=Decimal(step)).areas
    assert sum(areas["toegekend"], Decimal(0)) == total
    assert all(amount % Decimal(step) == 0 for amount in areas["toegekend"])


def test_cents_add_up_exactly() -> None:
    areas = divided(world(), total=Decimal("1234567.89"), step=Decimal("0.01"), unit="euro").areas
    assert sum(areas["toegekend"]) == Decimal("1234567.89")
    assert sum(Decimal(str(amount)) for amount in areas["toegekend"]) == Decimal("1234567.89")


def test_excess_counts_people_times_points_above_the_median() -> None:
    table, spec = world(), quick()
    points = score(table, spec, CATALOGUE).overview["score"]
    above = (points - np.quantile(points, 0.5, method="inverted_cdf")).clip(lower=0)
    expected = above * table.values["inwoners"]
    areas = divided(table, spec=spec).areas
    assert areas["behoefte"].to_numpy() == pytest.approx((expected / expected.sum()).to_numpy())
    assert (areas["toegekend"][above == 0] == 0).all()


def test_per_person_is_by_people_alone() -> None:
    table = world()
    areas = divided(table, need=PER_PERSON).areas
    people = table.values["inwoners"]
    assert areas["behoefte"].to_numpy() == pytest.approx((people / people.sum()).to_numpy())
    assert (areas["toegekend"] == areas["toegekend_p05"]).all()  # no rank decides, so nothing is in doubt
    assert (areas["toegekend"] == areas["toegekend_p95"]).all()


def test_a_domain_can_say_what_the_need_is() -> None:
    table, spec = world(), quick()
    domain = score(table, spec, CATALOGUE).domains["meedoen_en_werk"]
    areas = divided(table, spec=spec, domain="meedoen_en_werk").areas
    assert ((areas["behoefte"] > 0) == (domain > np.quantile(domain, 0.5, method="inverted_cdf"))).all()


def test_only_the_top_takes_part() -> None:
    table, spec = world(), quick()
    areas = divided(table, spec=spec, need=PER_PERSON, among={"method": "top", "share": 0.10}).areas
    top = score(table, spec, CATALOGUE).overview["rang"] <= 6
    assert ((areas["toegekend"] > 0) == top).all()
    assert ((areas["kans"] > 0) & ~top).any()  # others are in the top in some replications


def test_only_the_likely_take_part() -> None:
    table = world()
    likely = chances_of(table) >= 0.5
    among = {"method": "likely", "min_probability": 0.5}
    areas = divided(table, total=10_000, need=PER_PERSON, among=among).areas
    assert ((areas["toegekend"] > 0) == likely).all()
    assert set(areas["kans"]) == {0.0, 1.0}


def test_age_groups_are_counts() -> None:
    table = world(leeftijd_0_15=np.full(60, 20.0), leeftijd_15_25=np.full(60, 10.0))
    table.denominators[["leeftijd_0_15", "leeftijd_15_25"]] = 500.0
    areas = divided(table, people=["leeftijd_0_15", "leeftijd_15_25"]).areas
    assert areas["doelgroep"].to_numpy() == pytest.approx(150.0)


def test_one_gemeente_divides_its_own() -> None:
    table = world()
    code = table.areas["gemeente_code"].iloc[0]
    table.areas.loc[table.areas.index[:30], "gemeente_code"] = "GM9999"
    small = table.values.index[[29, 30]]  # the last one inside, the first one outside
    table.values.loc[small, "inwoners"] = 10.0  # too few to be scored
    areas = divided(table, gemeente="GM9999", need=PER_PERSON).areas
    assert sum(areas["toegekend"]) == 100
    assert sum(areas["toegekend"].iloc[30:]) == 0
    assert areas.index[areas["reden_geen"].notna()].tolist() == [small[0]]
    with pytest.raises(ScoringError, match="GM1234"):
        divided(table, gemeente="GM1234")
    assert code != "GM9999"


def test_the_interval_holds_what_the_replications_gave() -> None:
    areas = divided(world()).areas
    assert (areas["toegekend_p05"] <= areas["toegekend_p95"]).all()
    assert (areas["toegekend_p05"] < areas["toegekend_p95"]).any()
    assert ((areas["kans"] > 0) | (areas["toegekend_p95"] == 0)).all()


def test_who_has_no_score_or_no_known_people_gets_nothing_and_is_told() -> None:
    table = world()
    codes = table.values.index
    table.values.loc[codes[0], "inwoners"] = 10.0  # too few to be scored
    groups = np.full(60, 300.0)
    groups[1] = np.nan
    groups[2] = 0.0
    table.values["huishoudens"] = groups
    areas = divided(table, people=["huishoudens"], need=PER_PERSON).areas
    assert (areas.loc[codes[:3], ["toegekend", "toegekend_p95", "kans"]] == 0).all(axis=None)
    assert "inwoners" in areas.loc[codes[0], "reden_geen"]
    assert areas.loc[codes[1], "reden_geen"] == "aantal mensen onbekend"
    assert areas["reden_geen"].iloc[2:].isna().all()
    assert sum(areas["toegekend"]) == 100


def test_replications_without_anybody_are_told() -> None:
    table = world()
    last = score(table, quick(), CATALOGUE).overview["rang"].sort_values().index[6]
    table.areas.loc[last, "gemeente_code"] = "GM9999"
    allocation = divided(table, gemeente="GM9999", need=PER_PERSON, among={"method": "top", "share": 7 / 60})
    assert 0 < allocation.empty < 1
    assert allocation.areas.loc[last, "kans"] == pytest.approx(1 - allocation.empty)
    assert divided(table).empty == 0


def test_order_of_rows_and_number_of_workers_do_not_matter() -> None:
    table = synthetic_table(200)
    scenarios = [scenario(need=EXCESS), scenario(need=PER_PERSON, among={"method": "top", "share": 0.1})]
    spec = quick()
    table.values["inwoners"] = table.values["inwoners"] + np.arange(200) % 7
    first = allocate(table, spec, CATALOGUE, scenarios, chances_of(table), workers=1)
    again = allocate(shuffled(table, 3), spec, CATALOGUE, scenarios, chances_of(table), workers=3)
    for one, other in zip(first, again, strict=True):
        pd.testing.assert_frame_equal(one.areas, other.areas)


def test_several_scenarios_give_what_each_gives_alone() -> None:
    table = world()
    changes: list[dict[str, Any]] = [{}, {"total": 7}, {"need": PER_PERSON}]
    together = allocate(table, quick(), CATALOGUE, [scenario(**each) for each in changes], chances_of(table))
    for own, each in zip(together, changes, strict=True):
        pd.testing.assert_frame_equal(own.areas, divided(table, **each).areas)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"domain": "wonen"}, "no domain wonen"),
        ({"people": ["woningvoorraad"]}, "lacks woningvoorraad"),
        ({"level": "wijk"}, "divides over a wijk"),
        ({"need": {"method": "excess", "above": 1.0}}, "no area"),
    ],
)
def test_what_cannot_be_divided_is_told(changes: dict[str, object], told: str) -> None:
    with pytest.raises(ScoringError, match=told):
        divided(world(), **changes)


# Scenario files


def test_the_examples_are_valid_and_call_their_totals_assumed() -> None:
    examples = load_scenarios(None, CATALOGUE)
    assert {each.unit for each in examples} == {"jongerenwerkers", "euro", "voltijdbanen"}
    assert all("Rekenvoorbeeld" in each.origin for each in examples)
    assert all("aan" in each.origin for each in examples)


TEXT = """
[[scenario]]
id = "een"
label = "Een"
origin = "Begroting 2026"
total = 10
unit = "euro"
step = 0.01
level = "buurt"
people = ["inwoners"]
need = { method = "per_person" }
among = { method = "all" }
"""


def test_a_file_is_read_exactly(tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text(TEXT.replace("total = 10", "total = 0.07"), encoding="utf-8")
    (own,) = load_scenarios(file, CATALOGUE)
    assert (own.total, own.step, own.steps) == (Decimal("0.07"), Decimal("0.01"), 7)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('label = "Een"', "", "label"),
        ('origin = "Begroting 2026"', "", "origin"),
        ('label = "Een"', 'label = "Een"\nweight = 3', "weight"),
        ("total = 10", "total = 10.001", "no multiple"),
        ("total = 10", "total = -1", "greater than 0"),
        ("total = 10", "total = 1e18", "larger step"),
        ("step = 0.01", "step = 0", "greater than 0"),
        ("total = 10", 'total = "veel"', "total"),
        ("total = 10", "total = nan", "total"),
        ('["inwoners"]', '["mensen"]', "unknown indicator: mensen"),
        ('["inwoners"]', '["woz_waarde"]', "woz_waarde"),
        ('["inwoners"]', "[]", "people"),
        ('level = "buurt"', 'level = "gemeente"', "level"),
        ('level = "buurt"', 'level = "buurt"\ndomain = "geluk"', "unknown domain: geluk"),
        ('level = "buurt"', 'level = "buurt"\ngemeente = "Rotterdam"', "gemeente"),
        ('"per_person"', '"by_hand"', "need"),
        ('"all"', '"top"', "share"),
        ('id = "een"', 'id = "Een twee"', "id"),
        ("[[scenario]]", "[scenario", "scenarios"),
        (TEXT, TEXT + TEXT, "twice: een"),
        (TEXT, "", "scenario"),
    ],
)
def test_a_wrong_file_is_refused_by_name(tmp_path: Path, old: str, new: str, told: str) -> None:
    file = tmp_path / "own.toml"
    assert old in TEXT
    file.write_text(TEXT.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(CatalogueError, match=told) as error:
        load_scenarios(file, CATALOGUE)
    assert "\n" not in str(error.value)


def test_an_absent_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match="absent"):
        load_scenarios(tmp_path / "absent.toml", CATALOGUE)
