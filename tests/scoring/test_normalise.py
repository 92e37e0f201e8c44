"""Normalisation: known values, invariances and what has no range."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wijkatlas.errors import ScoringError
from wijkatlas.scoring.normalise import normalise
from wijkatlas.scoring.spec import Goalposts, MinMax, Normalisation, PercentileRank, ZScore

MIN_MAX = MinMax(method="min_max", lower=0, upper=100)
Z_SCORE = ZScore(method="z_score", mean=100, sd=15)
PERCENTILE = PercentileRank(method="percentile_rank", lower=0, upper=1)
GOALPOSTS = Goalposts(method="goalposts", lower=0, upper=100, posts={"x": (10, 20)})
RELATIVE = [MIN_MAX, Z_SCORE, PERCENTILE]

figures = st.lists(st.one_of(st.integers(-50, 50), st.just(None)), min_size=3, max_size=30).filter(
    lambda values: len({v for v in values if v is not None}) > 1
)


def array(values: list[int | None]) -> np.ndarray:
    return np.array([np.nan if v is None else v for v in values], float)


def test_min_max() -> None:
    np.testing.assert_allclose(normalise(np.array([2.0, 4, 10]), 1, MIN_MAX, indicator="x"), [0, 25, 100])
    np.testing.assert_allclose(normalise(np.array([2.0, 4, 10]), -1, MIN_MAX, indicator="x"), [100, 75, 0])


def test_z_score_has_its_mean_and_sample_deviation() -> None:
    scores = normalise(np.array([1.0, 2, 4, np.nan]), 1, Z_SCORE, indicator="x")[:3]
    assert scores.mean() == pytest.approx(100)
    assert scores.std(ddof=1) == pytest.approx(15)


@given(figures, st.sampled_from([1, -1]))
def test_percentile_rank_agrees_with_pandas(values: list[int | None], direction: int) -> None:
    series = pd.Series(array(values)) * direction
    expected = (series.rank(method="min") - 1) / (series.count() - 1)
    np.testing.assert_allclose(normalise(array(values), direction, PERCENTILE, indicator="x"), expected)


def test_goalposts_clip_and_do_not_depend_on_the_other_areas() -> None:
    values = np.array([5.0, 10, 12.5, 20, 30])
    np.testing.assert_allclose(normalise(values, 1, GOALPOSTS, indicator="x"), [0, 0, 25, 100, 100])
    np.testing.assert_allclose(normalise(values, -1, GOALPOSTS, indicator="x"), [100, 100, 75, 0, 0])
    np.testing.assert_allclose(normalise(values[2:3], 1, GOALPOSTS, indicator="x"), [25])


@pytest.mark.parametrize("method", RELATIVE, ids=lambda m: m.method)
@given(values=figures, shift=st.integers(-1000, 1000), scale=st.sampled_from([0.5, 2, 8, 1000]))
def test_shift_and_scale_do_not_matter(
    method: Normalisation, values: list[int | None], shift: int, scale: float
) -> None:
    before = normalise(array(values), 1, method, indicator="x")
    after = normalise(array(values) * scale + shift, 1, method, indicator="x")
    np.testing.assert_allclose(after, before, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("method", [*RELATIVE, GOALPOSTS], ids=lambda m: m.method)
@given(values=figures)
def test_missing_stays_missing_and_order_is_kept(method: Normalisation, values: list[int | None]) -> None:
    before = array(values)
    after = normalise(before, 1, method, indicator="x")
    np.testing.assert_array_equal(np.isnan(after), np.isnan(before))
    order = np.argsort(before)[: (~np.isnan(before)).sum()]
    assert (np.diff(after[order]) >= 0).all()


@pytest.mark.parametrize("method", RELATIVE, ids=lambda m: m.method)
@pytest.mark.parametrize(
    ("values", "problem"), [([3.0, 3, np.nan], "is the same"), ([np.nan, np.nan], "has no figures")]
)
def test_what_does_not_vary_is_refused(method: Normalisation, values: list[float], problem: str) -> None:
    with pytest.raises(ScoringError, match=f"bijstand {problem} in all scored areas"):
        normalise(np.array(values), 1, method, indicator="bijstand")
