"""Weighted means and Copeland's rule against literal readings of their definitions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from wijkatlas.scoring import aggregate
from wijkatlas.scoring.aggregate import copeland, weighted_mean
from wijkatlas.scoring.spec import Mean

PARTS = np.array([[1.0, 4, 16], [2, np.nan, 8], [np.nan, np.nan, np.nan], [0, 5, 5], [7, 7, 7]])
WEIGHTS = np.array([1.0, 2, 1])
parts = arrays(
    float, st.tuples(st.integers(1, 12), st.just(4)), elements=st.floats(0.5, 100) | st.just(np.nan)
)
weights = arrays(float, 4, elements=st.floats(0.1, 10))


def test_arithmetic_drops_what_is_missing() -> None:
    np.testing.assert_allclose(weighted_mean(PARTS, WEIGHTS, "arithmetic"), [6.25, 5, np.nan, 3.75, 7])


def test_geometric_and_harmonic_do_not_exist_over_zero() -> None:
    np.testing.assert_allclose(weighted_mean(PARTS, WEIGHTS, "geometric"), [4, 4, np.nan, np.nan, 7])
    np.testing.assert_allclose(weighted_mean(PARTS, WEIGHTS, "harmonic"), [64 / 25, 3.2, np.nan, np.nan, 7])


@pytest.mark.parametrize(
    ("mean", "reference"),
    [("arithmetic", np.average), ("geometric", stats.gmean), ("harmonic", stats.hmean)],
)
@given(parts=parts, weights=weights)
def test_agrees_with_the_reference(
    mean: Mean, reference: object, parts: np.ndarray, weights: np.ndarray
) -> None:
    for row, ours in zip(parts, weighted_mean(parts, weights, mean), strict=True):
        known = ~np.isnan(row)
        if known.any():
            assert ours == pytest.approx(reference(row[known], weights=weights[known]), rel=1e-9)  # type: ignore[operator]
        else:
            assert np.isnan(ours)


@pytest.mark.parametrize("mean", ["arithmetic", "geometric", "harmonic"])
@given(parts=parts, weights=weights, scale=st.floats(0.01, 100))
def test_weights_scaled_together_change_nothing(
    mean: Mean, parts: np.ndarray, weights: np.ndarray, scale: float
) -> None:
    np.testing.assert_allclose(
        weighted_mean(parts, weights * scale, mean), weighted_mean(parts, weights, mean), rtol=1e-9
    )


@given(parts=parts, weights=weights)
def test_equal_areas_tie_to_the_last_bit(parts: np.ndarray, weights: np.ndarray) -> None:
    """Wherever an area stands among the others, its mean has the same bits."""
    repeated = np.repeat(parts, 9, axis=0)
    for mean in ("arithmetic", "geometric", "harmonic"):
        means = weighted_mean(repeated, weights, mean).reshape(-1, 9)
        assert all(len({value.tobytes() for value in row}) == 1 for row in means)


def literal_copeland(parts: np.ndarray, weights: np.ndarray) -> list[int]:
    def contest(own: np.ndarray, other: np.ndarray) -> int:
        margin = sum(w * int(np.sign(a - b)) for a, b, w in zip(own, other, weights, strict=True))
        return int(np.sign(margin))

    return [sum(contest(own, other) for other in parts) for own in parts]


@given(arrays(float, st.tuples(st.integers(2, 12), st.just(4)), elements=st.integers(0, 5)))
def test_copeland_agrees_with_its_definition(parts: np.ndarray) -> None:
    weights = np.array([1.0, 2, 3, 4])
    np.testing.assert_array_equal(copeland(parts, weights), literal_copeland(parts, weights))


def test_copeland_in_blocks_and_with_missing_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = np.array([[3.0, 3], [1, np.nan], [2, 1], [np.nan, np.nan]])
    expected = [2, -2, 0, np.nan]
    np.testing.assert_array_equal(copeland(parts, np.ones(2)), expected)
    monkeypatch.setattr(aggregate, "CONTESTS_AT_ONCE", 4)
    np.testing.assert_array_equal(copeland(parts, np.ones(2)), expected)
