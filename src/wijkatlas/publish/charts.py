"""Charts: where the marks of a chart stand; the templates draw them as SVG."""

from bisect import bisect_left
from dataclasses import dataclass

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Axis:
    """A linear axis from `lowest` to `highest`, drawn 100 wide."""

    lowest: float
    highest: float

    def at(self, value: float) -> float:
        """Return where `value` stands, 0 to 100; a value beyond an end stands at that end."""
        span = self.highest - self.lowest
        place = 100 * (value - self.lowest) / span if span else 50.0
        return round(min(100.0, max(0.0, place)), 2)


@dataclass(frozen=True)
class Histogram:
    """How many values lie in each of some bins of equal width; the tallest is 100 high."""

    axis: Axis
    counts: tuple[int, ...]
    middle: float  # the median of the values
    values: tuple[float, ...]  # sorted

    @property
    def bars(self) -> list[tuple[float, float, float]]:
        """Return left side, width and height of each bar."""
        width = 100 / len(self.counts)
        return [
            (round(i * width, 2), round(width, 2), round(100 * count / max(self.counts), 1))
            for i, count in enumerate(self.counts)
        ]

    def share_below(self, value: float) -> float:
        """Return the share of the other values that is lower, 0 to 1."""
        return bisect_left(self.values, value) / max(1, len(self.values) - 1)


def histogram(values: pd.Series, bins: int = 24) -> Histogram:
    """
    Count values in bins over their range.

    Parameters
    ----------
    values
        At least one known number; nulls are left out.
    bins
        How many bars.
    """
    known = np.sort(values.dropna().to_numpy(float))
    counts, edges = np.histogram(known, bins)
    return Histogram(
        Axis(float(edges[0]), float(edges[-1])),
        tuple(counts.tolist()),
        float(np.median(known)),
        tuple(known.tolist()),
    )
