"""Validation: codes are matched by what they stand for, and nothing is dropped or made up."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom, spearmanr

from tests.national import buurten_2024, national_catalogue, wijken_2022
from tests.scoring.worlds import level_table, random_worse, scored, specification
from wijkatlas.areas import Level
from wijkatlas.catalog import load_catalogue
from wijkatlas.catalog.references import HeldOut, ReferenceList, References, load_references
from wijkatlas.errors import ScoringError
from wijkatlas.scoring.score import score
from wijkatlas.scoring.validate import Validation, matching, validate


def references(codes: dict[int, list[str]], *, without: tuple[str, ...] = ()) -> References:
    area = {"name": "Proefwijk", "gemeente": "GM0000", "codes": codes, "note": "Zelfde naam."}
    listed = ReferenceList.model_validate(
        {
            "id": "proef",
            "title": "Proef",
            "year": 2020,
            "source": "proef",
            "source_url": "https://example.org",
            "note": "Alleen een proef.",
            "area": [area, area | {"name": "Elders", "codes": {}}],
        }
    )
    check = HeldOut(
        id="proef",
        label="Proef",
        outcome="lbm_afwijking",
        higher_is_worse=False,
        without=without or ("lbm_overlast", "lbm_samenhang"),
        note="Alleen een proef.",
    )
    return References(lists={"proef": listed}, held_out={"proef": check})


def validation(codes: dict[int, list[str]], **kwargs: tuple[str, ...]) -> Validation:
    """Validate twenty buurten in two wijken, of which the first two are the worst."""
    worse = np.repeat(np.arange(20.0, 0, -1)[:, None], 5, axis=1)
    table = level_table(worse, {"lbm_afwijking": np.arange(20.0)})
    spec = specification()
    return validate(scored(table), table, spec, load_catalogue(), references(codes, **kwargs))


@pytest.mark.parametrize(
    ("listed", "level", "expected"),
    [
        ("WK0363AC", Level.BUURT, ["BU0363AC01", "BU0363AC02"]),
        ("WK0363A*", Level.BUURT, ["BU0363AC01", "BU0363AC02", "BU0363AD01"]),
        ("BU0363AC02", Level.BUURT, ["BU0363AC02"]),
        ("WK036301", Level.BUURT, []),
        ("WK0363AC", Level.WIJK, ["WK0363AC"]),
        ("WK0363A*", Level.WIJK, ["WK0363AC", "WK0363AD"]),
        ("BU0363AC02", Level.WIJK, ["WK0363AC"]),
    ],
)
def test_a_listed_code_stands_for(listed: str, level: Level, expected: list[str]) -> None:
    codes = {
        Level.BUURT: pd.Index(["BU0363AC01", "BU0363AC02", "BU0363AD01", "BU05991081"]),
        Level.WIJK: pd.Index(["WK0363AC", "WK0363AD", "WK059910"]),
    }[level]
    assert matching(codes, listed, level).tolist() == expected


def test_the_newest_division_that_the_table_knows_is_used() -> None:
    row = validation({2020: ["WK000001"], 2022: ["BU00000000", "BU00000099"]}).recall.iloc[0]
    assert (row["gebieden"], row["top10"], row["niet_gevonden"]) == (1, 1, "BU00000099")
    older = validation({2020: ["WK000001"], 2022: ["WK0000X*"]}).recall.iloc[0]
    assert (older["gebieden"], older["top10"], older["niet_gevonden"]) == (10, 0, "")


def test_any_and_most_of_the_scored_buurten() -> None:
    recall = validation({2020: ["BU00000000", "BU00000001", "BU00000002"]}).recall.iloc[0]
    assert (recall["gescoord"], recall["top10"], recall["beste_rang"]) == (3, 2, 1)
    assert recall["enkele"]
    assert recall["meeste"]
    half = validation({2020: ["BU00000001", "BU00000002"]}).recall.iloc[0]
    assert half["enkele"]
    assert not half["meeste"]


def test_what_cannot_be_found_is_reported_and_counts_nowhere() -> None:
    found = validation({2020: ["WK000099"]})
    row = found.recall.iloc[0]
    assert row["niet_gevonden"] == "WK000099"
    assert row[["enkele", "meeste", "beste_rang"]].isna().all()
    assert found.lists.loc["proef", ["genoemd", "getoetst", "enkele"]].tolist() == [2, 0, 0]
    assert (
        "Niet te toetsen in deze tabel: Proefwijk (WK000099); Elders (Zelfde naam.)." in found.to_markdown()
    )


def test_chance_is_that_of_as_many_parts() -> None:
    lists = validation({2020: ["WK000000"]}).lists.loc["proef"]
    assert lists["enkele_bij_toeval"] == pytest.approx(1 - 0.9**10)
    assert lists["meeste_bij_toeval"] == pytest.approx(sum(binom.pmf(k, 10, 0.1) for k in range(6, 11)))


def test_a_held_out_outcome_is_compared_with_a_score_without_it() -> None:
    worse = random_worse(60, 8)
    outcome = np.random.default_rng(0).normal(size=60) - worse[:, 0]
    outcome[5] = np.nan
    table = level_table(worse, {"lbm_afwijking": outcome})
    found = validate(scored(table), table, specification(), load_catalogue(), references({}))
    without = {"lbm_overlast", "lbm_samenhang"}
    alone = scored(table, specification().carried_by(set(table.values.columns) - without))
    known = ~np.isnan(outcome)
    expected = spearmanr(alone.overview["score"][known], -outcome[known]).statistic
    row = found.held_out.loc["proef"]
    assert row["spearman"] == pytest.approx(expected)
    assert row["spearman"] > 0.2
    assert row["gebieden"] == 59
    assert row["gewicht_over"] == pytest.approx(4.5 / 6.5)
    top = outcome[(alone.overview["deciel"] == 1).to_numpy()]
    assert found.deciles.loc["proef", 1] == pytest.approx(np.nanmean(top))


def test_an_outcome_that_the_table_lacks_or_that_leaves_nothing_is_named() -> None:
    table = level_table(random_worse(30, 9))
    lacking = validate(scored(table), table, specification(), load_catalogue(), references({}))
    assert lacking.held_out.loc["proef", "reden"] == "geen cijfers: lbm_afwijking"
    assert lacking.deciles.empty
    everything = tuple(i.id for i in specification().indicators)
    nothing = validation({}, without=everything)
    assert nothing.held_out.loc["proef", "reden"] == "er blijft niets te scoren over"


def test_the_report_is_a_table_of_dutch_text() -> None:
    text = validation({2020: ["WK000000"]}).to_markdown()
    assert text.startswith("# Toetsing van deltaplan, buurt 2024\n")
    assert "| proef | Proefwijk | GM0000 | 10 | 10 | 2 | ja | nee | 1 |  |  |" in text
    assert "- Alleen een proef." in text
    assert "nan" not in text
    assert "<NA>" not in text
    widths = {line.count("|") for line in text.splitlines() if line.startswith("| proef | Proefwijk")}
    assert widths == {12}


def test_a_gemeente_cannot_be_validated() -> None:
    table = level_table(random_worse(30, 9))
    as_gemeente = type(table)(**{**vars(table), "level": Level.GEMEENTE})
    with pytest.raises(ScoringError, match="gemeente"):
        validate(scored(table), as_gemeente, specification(), load_catalogue(), references({}))


@pytest.mark.national
def test_most_focus_areas_stand_at_the_top_of_the_real_buurten(national: Path) -> None:
    table, spec = buurten_2024(national)
    found = validate(
        score(table, spec, national_catalogue()), table, spec, national_catalogue(), load_references()
    )
    nplv = found.lists.loc["nplv"]
    assert nplv[["genoemd", "getoetst", "enkele"]].tolist() == [20, 20, 20]
    assert nplv["meeste"] >= 14
    assert nplv["meeste_bij_toeval"] < 1
    assert found.recall.loc[found.recall["niet_gevonden"] != "", "naam"].tolist() == []
    assert found.held_out["spearman"].between(0.2, 0.8).all()


@pytest.mark.national
def test_most_focus_areas_stand_at_the_top_of_the_real_wijken(national: Path) -> None:
    table, spec = wijken_2022(national)
    found = validate(
        score(table, spec, national_catalogue()), table, spec, national_catalogue(), load_references()
    )
    nplv = found.lists.loc["nplv"]
    assert nplv[["genoemd", "getoetst"]].tolist() == [20, 20]
    assert nplv["enkele"] >= 17
    assert nplv["enkele_bij_toeval"] < 7
    assert nplv["meeste"] >= 13
    assert found.held_out["spearman"].isna().all()  # this set holds neither outcome
