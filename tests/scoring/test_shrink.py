"""Shrinkage: between an area's own share and its municipality's."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from wijkatlas.scoring.shrink import log_odds, sampling_variance, shrink, shrunk


def test_by_hand() -> None:
    shares, totals = np.array([0.1, 0.2, 0.4]), np.array([50.0, 100, 200])
    counts = shares * totals
    own, parent = log_odds(counts, totals), log_odds(counts.sum(keepdims=True), totals.sum(keepdims=True))
    between = ((own - parent) ** 2).sum() / 2
    expected = shrunk(own, sampling_variance(counts, totals), parent, np.array(between))
    np.testing.assert_allclose(shrink(shares, totals, np.zeros(3, int)), expected)


@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(40, 400)), min_size=2, max_size=15).filter(
        lambda pairs: len(set(pairs)) > 1
    )
)
def test_towards_the_parent_and_no_further(pairs: list[tuple[int, int]]) -> None:
    counts, totals = np.array(pairs, float).T
    own = 1 / (1 + np.exp(-log_odds(counts, totals)))
    parent = 1 / (1 + np.exp(-log_odds(counts.sum(keepdims=True), totals.sum(keepdims=True))))
    result = shrink(counts / totals, totals, np.zeros(len(pairs), int))
    assert (result >= np.minimum(own, parent) - 1e-12).all()
    assert (result <= np.maximum(own, parent) + 1e-12).all()


def test_a_small_area_moves_further_than_a_large_one() -> None:
    shares, totals = np.array([0.3, 0.3, 0.1, 0.05]), np.array([40.0, 4000, 2000, 2000])
    small, large, *_ = shrink(shares, totals, np.zeros(4, int))
    assert 0.1 < small < large < 0.3


def test_what_cannot_be_shrunk_stays_as_it_was() -> None:
    shares = np.array([0.1, np.nan, 0.3, 0.2])
    totals = np.array([np.nan, 100, 0, 100])
    np.testing.assert_array_equal(shrink(shares, totals, np.array([0, 0, 0, 1])), shares)


def test_a_rate_above_one_a_person_is_no_share() -> None:
    shares, totals = np.array([2.0, 0.1, 0.2, 0.15]), np.array([150.0, 1000, 1000, 1000])
    result = shrink(shares, totals, np.zeros(4, int))
    assert result[0] == 2
    np.testing.assert_array_equal(result[1:], shrink(shares[1:], totals[1:], np.zeros(3, int)))
