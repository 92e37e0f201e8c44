"""Explanations: exact sums, honest flags and the nearest areas."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.scoring.worlds import INDICATORS, YEAR, level_table, random_worse, scored, specification
from wijkatlas.errors import ScoringError
from wijkatlas.scoring.explain import explain, similar_areas


@given(st.integers(0, 10_000), st.sampled_from([0.0, 0.2]))
@settings(max_examples=30, deadline=None)
def test_gaps_and_rest_sum_to_the_gap_with_the_median(seed: int, missing: float) -> None:
    table = level_table(random_worse(40, seed, missing=missing))
    scores = scored(table)
    found = explain(scores, table)
    score = scores.overview["score"].dropna()
    assert found.median == pytest.approx(score.median())
    np.testing.assert_allclose(found.gaps.sum(axis=1) + found.rest, score - found.median, atol=1e-9)
    np.testing.assert_allclose(found.domain_gaps.sum(axis=1), found.gaps.sum(axis=1), atol=1e-9)


def test_a_gap_has_the_sign_of_being_worse_than_the_median() -> None:
    table = level_table(random_worse(41, 1, missing=0.1))
    scores = scored(table)
    found = explain(scores, table)
    kept = scores.normalised.loc[found.gaps.index]
    expected = np.sign(kept - kept.median()).fillna(0)
    pd.testing.assert_frame_equal(np.sign(found.gaps), expected[INDICATORS], check_names=False)


def test_a_missing_figure_sets_nothing_apart() -> None:
    table = level_table(random_worse(41, 2))
    table.values.loc["BU00000003", "bijstand"] = np.nan
    found = explain(scored(table), table).of("BU00000003")
    assert found.figures.loc["bijstand", ["weight", "gap"]].tolist() == [0, 0]
    assert np.isnan(found.figures.loc["bijstand", "normalised"])


def test_old_small_and_imputed_figures_are_flagged() -> None:
    table = level_table(random_worse(40, 3))
    table.values.loc["BU00000001", "bijstand"] = np.nan
    table.denominators.loc["BU00000001", ["bijstand", "lbm_overlast"]] = 199.0
    table.denominators.loc["BU00000001", "personen_in_armoede"] = 200.0
    table.peiljaar.loc["BU00000001", "lbm_samenhang"] = YEAR - 2
    table.peiljaar.loc["BU00000001", "bijstand"] = pd.NA
    spec = specification(imputation={"method": "group_median", "group": "gemeente_code"})
    figures = explain(scored(table, spec), table).of("BU00000001").figures
    flags = figures[["imputed", "old", "small"]].astype(bool)
    assert {name: set(flags.index[flags[name]]) for name in flags} == {
        "imputed": {"bijstand"},
        "old": {"lbm_samenhang"},
        "small": {"lbm_overlast"},
    }


def test_one_area_is_explained_in_full() -> None:
    table = level_table(random_worse(60, 4))
    scores = scored(table)
    found = explain(scores, table)
    first = scores.overview["rang"].astype(float).idxmin()
    one = found.of(str(first))
    assert one.rank == 1
    assert one.score == scores.overview["score"].max()
    assert one.domain_gaps.sum() + one.rest == pytest.approx(one.score - one.median)
    assert one.tipping is not None
    assert len(one.similar) == 5
    assert first not in one.similar
    last = scores.overview["rang"].astype(float).idxmax()
    assert found.of(str(last)).tipping is None


def test_an_area_that_is_unknown_or_not_scored_is_refused_with_the_reason() -> None:
    table = level_table(random_worse(30, 5))
    table.values.loc["BU00000002", "inwoners"] = 40
    found = explain(scored(table), table)
    assert "BU00000002" not in found.gaps.index
    with pytest.raises(ScoringError, match="minder dan 100 inwoners"):
        found.of("BU00000002")
    with pytest.raises(ScoringError, match="BU99999999"):
        found.of("BU99999999")


def frame(points: list[list[float]]) -> tuple[pd.DataFrame, pd.Series]:
    codes = [f"BU{i:08d}" for i in range(len(points))]
    domains = pd.DataFrame(points, codes, [f"d{j}" for j in range(len(points[0]))])
    return domains, domains.mean(axis=1)


@given(st.integers(0, 10_000), st.integers(2, 30), st.integers(1, 5))
def test_similar_areas_are_the_nearest_by_brute_force(seed: int, n: int, count: int) -> None:
    domains, score = frame(np.random.default_rng(seed).normal(size=(n, 3)).tolist())
    found = similar_areas(domains, score, count)
    points = (domains / domains.std(ddof=0)).to_numpy()
    distance = np.linalg.norm(points[:, None] - points, axis=2)
    np.fill_diagonal(distance, np.inf)
    for i in range(n):
        nearest = domains.index[np.argsort(distance[i])][: min(count, n - 1)]
        assert found.iloc[i].dropna().tolist() == nearest.tolist()
    assert found.shape == (n, count)


def test_equal_areas_are_listed_by_code_and_never_themselves() -> None:
    domains, score = frame([[1.0, 2.0]] * 4 + [[5.0, 2.0]])
    found = similar_areas(domains, score, 2)
    assert found.loc["BU00000001"].tolist() == ["BU00000000", "BU00000002"]
    assert all(code not in row.tolist() for code, row in found.iterrows())


def test_a_missing_domain_counts_as_the_own_score() -> None:
    domains, _ = frame([[10.0, np.nan], [10.0, 10.0], [10.0, 50.0], [50.0, 10.0]])
    assert similar_areas(domains, domains.mean(axis=1), 1).loc["BU00000000", 1] == "BU00000001"


def test_the_order_of_rows_does_not_matter() -> None:
    table = level_table(random_worse(50, 6, missing=0.1))
    order = np.random.default_rng(1).permutation(50)
    frames = {
        name: getattr(table, name).iloc[order] for name in ("values", "areas", "denominators", "peiljaar")
    }
    shuffled = replace(table, **frames)
    one, other = explain(scored(table), table), explain(scored(shuffled), shuffled)
    for name in ("gaps", "old", "small", "imputed", "similar", "tipping"):
        pd.testing.assert_frame_equal(getattr(one, name), getattr(other, name), check_exact=True)
