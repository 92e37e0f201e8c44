"""Ranks, deciles and the exponential view."""

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from wijkatlas.scoring.rank import ascending, decile, exponential, rank


@given(st.lists(st.integers(0, 20) | st.just(None), min_size=1, max_size=60))
def test_rank_agrees_with_pandas(values: list[int | None]) -> None:
    scores = np.array([np.nan if v is None else v for v in values], float)
    expected = pd.Series(scores).rank(method="min", ascending=False, na_option="bottom")
    np.testing.assert_array_equal(rank(scores), expected)


@given(st.lists(st.floats(-1e300, 1e300) | st.just(float("nan")), min_size=1, max_size=60))
def test_the_order_is_that_of_a_plain_stable_sort(values: list[float]) -> None:
    np.testing.assert_array_equal(ascending(np.array(values)), np.argsort(values, kind="stable"))


def test_deciles_round_up() -> None:
    np.testing.assert_array_equal(decile(np.arange(1, 21, dtype=np.int32)), np.repeat(np.arange(1, 11), 2))
    np.testing.assert_array_equal(decile(np.array([1, 2, 3], np.int32)), [4, 7, 10])


@given(st.integers(2, 500))
def test_the_exponential_view_falls_with_rank_from_100(n: int) -> None:
    view = exponential(np.arange(1, n + 1, dtype=np.int32))
    assert np.isclose(view[0], 100)
    assert (np.diff(view) < 0).all()
    assert view[-1] > 0
