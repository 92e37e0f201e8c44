"""Outliers: winsorise the extreme values one by one, or else take the logarithm."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LOG_OFFSET = 0.01  # of the range, so that the lowest value has a logarithm; COINr's log_CT
FEWEST = 4  # values with which the kurtosis is defined


@dataclass(frozen=True)
class Treated:
    """One indicator after treatment, with how it came about."""

    values: Floats  # shape (n,); NaN where it was missing
    how: Literal["none", "winsorised", "log"]


@dataclass(frozen=True)
class Limits:
    """An indicator passes when its |skew| is below the one or its kurtosis is below the other."""

    skew: float
    kurtosis: float

    def fails(self, skew: Floats, kurtosis: Floats) -> NDArray[np.bool_]:
        """Tell where both are exceeded; what is not defined passes."""
        return np.asarray((np.abs(skew) >= self.skew) & (kurtosis >= self.kurtosis))


def skew_and_kurtosis(values: Floats) -> tuple[Floats, Floats]:
    """
    Return the sample skewness and excess kurtosis of `values` (no NaN), as 0-d arrays.

    Notes
    -----
    skew = sqrt(n (n-1)) / (n-2) * sqrt(n) S3 / S2^1.5 and kurtosis = ((n+1)(r-3) + 6)(n-1) / ((n-2)(n-3))
    with r = n S4 / S2^2 and Sp the sum of the p-th powers of the deviations from the mean, as in COINr.
    NaN where fewer than four values, or no spread, leave them undefined.
    """
    deviations = values - values.mean()
    squares = deviations * deviations
    return _shape(len(values), squares.sum(), (squares * deviations).sum(), (squares * squares).sum())


def _shape(n: int, s2: Floats, s3: Floats, s4: Floats) -> tuple[Floats, Floats]:
    if n < FEWEST:
        return np.full_like(s2, np.nan), np.full_like(s2, np.nan)
    s2 = np.where(s2 > 0, s2, np.nan)
    skew = (n * (n - 1)) ** 0.5 / (n - 2) * n**0.5 * s3 / s2**1.5
    kurtosis = ((n + 1) * (n * s4 / s2**2 - 3) + 6) * (n - 1) / ((n - 2) * (n - 3))
    return skew, kurtosis


def treat(values: Floats, limits: Limits, points: int) -> Treated:
    """
    Bring an indicator's tail within limits.

    Parameters
    ----------
    values
        Shape (n,), in any unit; NaN is missing.
    limits
        What skew and kurtosis are still let through.
    points
        After how many replaced values no further one is replaced; areas that tie are replaced together.

    Returns
    -------
    treated
        The values as they were where they pass; else with the extreme ones winsorised where that makes
        them pass; else log(x - min + 0.01 range) of the untreated values.

    Notes
    -----
    COINr's `Treat` with `winsorise`, `log_CT` and `check_SkewKurt`.
    """
    missing = np.isnan(values)
    known = values[~missing] if missing.any() else values
    if not len(known):
        return Treated(values, "none")
    skew, kurtosis = skew_and_kurtosis(known)
    if not limits.fails(skew, kurtosis):
        return Treated(values, "none")
    ends = _winsorised_ends(known, limits, points, upper=bool(skew >= 0))
    if ends:
        return Treated(np.clip(values, *ends), "winsorised")
    lowest, highest = known.min(), known.max()
    return Treated(np.log(values - lowest + LOG_OFFSET * (highest - lowest)), "log")


def _winsorised_ends(
    values: Floats, limits: Limits, points: int, *, upper: bool
) -> tuple[float, float] | None:
    """
    Return the ends within which clipping makes `values` pass, or None where no such ends are found.

    Each step replaces the highest values (where the skew is positive, else the lowest) by the next
    distinct one. All steps in one direction are tried at once; the direction seldom changes. At most
    half of the values are ever replaced.
    """
    points = min(points, (len(values) - 1) // 2)
    if points == 0:
        return None
    low, high = np.partition(values, (points - 1, len(values) - points))[[points - 1, len(values) - points]]
    if low < high:
        in_top, in_bottom = values >= high, values <= low
    else:  # more values tie than may be replaced: they stay between the tails
        in_top, in_bottom = values > high, values < low
    core = values[~in_top & ~in_bottom]
    centre = core.mean() if len(core) else (low + high) / 2
    top = _Tail(np.append(np.sort(values[in_top])[::-1], values[~in_top].max()), centre)
    bottom = _Tail(np.append(np.sort(values[in_bottom]), values[~in_bottom].min()), centre)
    inner = _powers(core - centre).sum(axis=1, keepdims=True)
    above = below = 0
    while above + below < points:
        tail, other = (top, bottom) if upper else (bottom, top)
        same = below if upper else above
        steps = tail.steps(above if upper else below, points - same)
        if not len(steps):
            return None
        sums = inner + tail.sums(steps) + other.sums(np.array([same]))
        skew, kurtosis = _shape_about(len(values), sums)
        fails = limits.fails(skew, kurtosis)
        stops = ~fails | ((skew >= 0) != upper)
        last = int(np.argmax(stops)) if stops.any() else len(steps) - 1
        above, below = (int(steps[last]), below) if upper else (above, int(steps[last]))
        if not fails[last]:
            ends = float(bottom.values[below]), float(top.values[above])
            return ends if ends[0] < ends[1] else None  # a figure that is the same everywhere says nothing
        upper = bool(skew[last] >= 0)
    return None


class _Tail:
    """The values that may be winsorised at one end, the most extreme first, and the next one after them."""

    def __init__(self, values: Floats, centre: float) -> None:
        self.values = values
        self._powers = _powers(values - centre)
        # From the inside out, so that an extreme value is never added and then subtracted.
        inward = self._powers[:, -2::-1].cumsum(axis=1)[:, ::-1]
        self._kept = np.append(inward, np.zeros((4, 1)), axis=1)

    def steps(self, replaced: int, allowed: int) -> NDArray[np.intp]:
        """Return how many values each further step has replaced, up to the first with `allowed` or more."""
        counts = np.flatnonzero(self.values[1:] != self.values[:-1]) + 1
        counts = counts[counts > replaced]
        return counts[: np.searchsorted(counts, allowed) + 1]

    def sums(self, replaced: NDArray[np.intp]) -> Floats:
        """Return the four power sums with so many values replaced by the next one, shape (4, len)."""
        return np.asarray(self._kept[:, replaced] + replaced * self._powers[:, replaced])


def _powers(deviations: Floats) -> Floats:
    squares = deviations * deviations
    return np.stack([deviations, squares, squares * deviations, squares * squares])


def _shape_about(n: int, sums: Floats) -> tuple[Floats, Floats]:
    """Return skew and kurtosis from power sums (4, len) about any centre near the mean."""
    s1, s2, s3, s4 = sums
    mean = s1 / n
    return _shape(
        n,
        s2 - n * mean**2,
        s3 - 3 * mean * s2 + 2 * n * mean**3,
        s4 - 4 * mean * s3 + 6 * mean**2 * s2 - 3 * n * mean**4,
    )
