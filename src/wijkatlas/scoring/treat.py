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
    ends = _winsorised_ends(np.sort(known), limits, points, upper=bool(skew >= 0))
    if ends:
        return Treated(np.clip(values, *ends), "winsorised")
    lowest, highest = known.min(), known.max()
    return Treated(np.log(values - lowest + LOG_OFFSET * (highest - lowest)), "log")


def _winsorised_ends(
    ordered: Floats, limits: Limits, points: int, *, upper: bool
) -> tuple[float, float] | None:
    """
    Return the ends within which clipping makes sorted values pass, or None where no such ends are found.

    Each step replaces the highest values (where the skew is positive, else the lowest) by the next
    distinct one. All steps in one direction are tried at once; the direction seldom changes.
    """
    tails = _Tails(ordered)
    above = below = 0
    while above + below < points:
        steps = tails.steps(above if upper else below, points - (below if upper else above), upper=upper)
        if not len(steps):
            return None
        replaced = (steps, np.full_like(steps, below)) if upper else (np.full_like(steps, above), steps)
        skew, kurtosis = tails.shape(*replaced)
        fails = limits.fails(skew, kurtosis)
        stops = ~fails | ((skew >= 0) != upper)
        last = int(np.argmax(stops)) if stops.any() else len(steps) - 1
        above, below = int(replaced[0][last]), int(replaced[1][last])
        if not fails[last]:
            return float(ordered[below]), float(ordered[len(ordered) - 1 - above])
        upper = bool(skew[last] >= 0)
    return None


class _Tails:
    """
    Power sums of sorted values with any number of them winsorised at either end.

    Summed outwards from the median, so that an extreme value is never added and then subtracted.
    """

    def __init__(self, ordered: Floats) -> None:
        self.ordered = ordered
        self.middle = len(ordered) // 2
        self.centre = ordered[self.middle]
        deviations = ordered - self.centre
        squares = deviations * deviations
        powers = np.stack([deviations, squares, squares * deviations, squares * squares])
        zero = np.zeros((4, 1))
        self.upward = np.concatenate([zero, powers[:, self.middle :].cumsum(axis=1)], axis=1)
        self.downward = np.concatenate([zero, powers[:, self.middle - 1 :: -1].cumsum(axis=1)], axis=1)

    def steps(self, replaced: int, allowed: int, *, upper: bool) -> NDArray[np.intp]:
        """Return how many values are replaced at one end after each further step, up to `allowed` or more."""
        half = self.ordered[self.middle :][::-1] if upper else self.ordered[: self.middle]
        counts = np.flatnonzero(half[1:] != half[:-1]) + 1
        counts = counts[counts > replaced]
        return counts[: np.searchsorted(counts, allowed) + 1]

    def shape(self, above: NDArray[np.intp], below: NDArray[np.intp]) -> tuple[Floats, Floats]:
        """Return skew and kurtosis with the `above` highest and `below` lowest values winsorised."""
        n = len(self.ordered)
        high = self.ordered[n - 1 - above] - self.centre
        low = self.ordered[below] - self.centre
        kept_up, kept_down = n - self.middle - above, self.middle - below
        s1, s2, s3, s4 = (
            self.upward[p - 1, kept_up] + self.downward[p - 1, kept_down] + above * high**p + below * low**p
            for p in (1, 2, 3, 4)
        )
        mean = s1 / n
        return _shape(
            n,
            s2 - n * mean**2,
            s3 - 3 * mean * s2 + 2 * n * mean**3,
            s4 - 4 * mean * s3 + 6 * mean**2 * s2 - 3 * n * mean**4,
        )
