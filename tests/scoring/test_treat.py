"""Outlier treatment against a literal reading of COINr's loop."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from wijkatlas.scoring.treat import Limits, skew_and_kurtosis, treat

LIMITS = Limits(skew=2.0, kurtosis=3.5)


def fails(values: np.ndarray) -> bool:
    if len(np.unique(values)) == 1:
        return True  # nothing is left to compare
    skew, kurtosis = stats.skew(values, bias=False), stats.kurtosis(values, bias=False)
    return bool(abs(skew) >= LIMITS.skew and kurtosis >= LIMITS.kurtosis)


def one_by_one(values: np.ndarray, points: int) -> np.ndarray:
    """Winsorise step by step, or else take the logarithm, as COINr's source reads."""
    treated, high, low = values.copy(), np.zeros(len(values), bool), np.zeros(len(values), bool)
    while fails(treated) and high.sum() + low.sum() < points and np.ptp(treated):
        if stats.skew(treated, bias=False) >= 0:
            high = treated == treated.max()
            treated[high] = treated[~high].max()
        else:
            low = treated == treated.min()
            treated[low] = treated[~low].min()
    if fails(treated):
        lowest, highest = values.min(), values.max()
        return np.log(values - lowest + 0.01 * (highest - lowest))
    return treated


@given(
    st.sampled_from([0, 1, 2, 40]).flatmap(
        lambda most: st.lists(st.integers(0, most), min_size=30, max_size=60)
    ),
    st.lists(st.sampled_from([-900, -300, -120, 120, 150, 200, 400, 900]), min_size=1, max_size=6),
    st.integers(0, 10),
)
def test_the_same_as_one_by_one(bulk: list[int], outliers: list[int], points: int) -> None:
    values = np.array(bulk + outliers, float)
    np.testing.assert_allclose(treat(values, LIMITS, points).values, one_by_one(values, points), rtol=1e-12)


def test_one_outlier_is_winsorised_to_the_next_value() -> None:
    values = np.append(np.arange(30.0), 500)
    treated = treat(values, LIMITS, 5)
    assert treated.how == "winsorised"
    np.testing.assert_array_equal(treated.values, np.append(np.arange(30.0), 29))


def test_a_huge_outlier_does_not_drown_the_rest() -> None:
    """Summing the outlier first and subtracting it again would lose every digit of the rest."""
    values = np.append(np.linspace(0, 1, 50), 1e15)
    np.testing.assert_array_equal(treat(values, LIMITS, 3).values, np.append(np.linspace(0, 1, 50), 1))


def test_without_points_comes_the_logarithm() -> None:
    values = np.append(np.arange(30.0), 500)
    treated = treat(values, LIMITS, 0)
    assert treated.how == "log"
    np.testing.assert_allclose(treated.values, np.log(values + 5))


@pytest.mark.parametrize("values", [[], [np.nan, np.nan], [1.0], [1, 2, 900], [5.0] * 20])
def test_too_little_to_judge_is_left_alone(values: list[float]) -> None:
    treated = treat(np.array(values), LIMITS, 5)
    assert treated.how == "none"
    np.testing.assert_array_equal(treated.values, values)


def test_missing_stays_missing_and_does_not_count() -> None:
    values = np.append(np.arange(30.0), [np.nan, 500])
    treated = treat(values, LIMITS, 5)
    assert np.isnan(treated.values[30])
    np.testing.assert_array_equal(treated.values[[0, 29, 31]], [0, 29, 29])


@given(st.lists(st.floats(-1e3, 1e3), min_size=4, max_size=50))
def test_shape_agrees_with_scipy(values: list[float]) -> None:
    array = np.round(np.array(values), 3)
    skew, kurtosis = skew_and_kurtosis(array)
    if np.ptp(array) > 0.01:
        assert skew == pytest.approx(stats.skew(array, bias=False), rel=1e-6, abs=1e-6)
        assert kurtosis == pytest.approx(stats.kurtosis(array, bias=False), rel=1e-6, abs=1e-6)
