"""Where the marks of a chart stand."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wijkatlas.publish.charts import Axis, histogram

finite = st.floats(-1e6, 1e6)


def test_an_axis_runs_from_0_to_100() -> None:
    axis = Axis(1, 201)
    assert [axis.at(value) for value in (1, 101, 201)] == [0, 50, 100]


def test_what_lies_beyond_an_end_stands_at_that_end() -> None:
    assert Axis(0, 10).at(-3) == 0
    assert Axis(0, 10).at(11) == 100


def test_an_axis_without_length_has_one_place() -> None:
    assert Axis(4, 4).at(4) == 50


@given(lowest=finite, first=finite, second=finite, highest=finite)
def test_an_axis_keeps_the_order(lowest: float, first: float, second: float, highest: float) -> None:
    axis = Axis(min(lowest, highest), max(lowest, highest))
    smaller, larger = sorted([first, second])
    assert 0 <= axis.at(smaller) <= axis.at(larger) <= 100


def test_a_histogram_counts_every_known_value_once() -> None:
    values = pd.Series([0.0, 1.0, 1.5, 9.0, 10.0, None])
    spread = histogram(values, bins=10)
    assert spread.counts == (1, 2, 0, 0, 0, 0, 0, 0, 0, 2)
    assert (spread.axis.lowest, spread.axis.highest) == (0, 10)


def test_the_bars_touch_and_the_tallest_is_100_high() -> None:
    bars = histogram(pd.Series([1.0, 2.0, 2.1, 5.0]), bins=4).bars
    assert [left for left, _, _ in bars] == [0, 25, 50, 75]
    assert [height for _, _, height in bars] == [50, 100, 0, 50]


def test_equal_values_still_give_a_histogram() -> None:
    assert sum(histogram(pd.Series([3.0, 3.0, 3.0])).counts) == 3


@pytest.mark.parametrize(("value", "share"), [(1.0, 0), (2.0, 0.25), (9.0, 1)])
def test_share_below_is_that_of_the_other_values(value: float, share: float) -> None:
    assert histogram(pd.Series([1.0, 2.0, 2.0, 4.0, 9.0])).share_below(value) == share
