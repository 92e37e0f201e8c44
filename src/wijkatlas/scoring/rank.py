"""Ranks, deciles and the exponential view of a score."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ranks = NDArray[np.int32]


def rank(scores: Floats) -> Ranks:
    """
    Rank by descending score.

    Parameters
    ----------
    scores
        Shape (n,), higher is more reason to invest.

    Returns
    -------
    ranks
        1 is the highest score; ties share the smallest rank. A missing score ranks after all others.
    """
    order = ascending(-scores)
    ordered = scores[order]
    starts = np.empty(len(scores), bool)
    starts[:1] = True
    np.not_equal(ordered[1:], ordered[:-1], out=starts[1:])
    known = len(scores) - int(np.isnan(scores).sum())
    starts[known + 1 :] = False
    first = np.maximum.accumulate(np.where(starts, np.arange(1, len(scores) + 1, dtype=np.int32), 0))
    ranks = np.empty(len(scores), np.int32)
    ranks[order] = first
    return ranks


def ascending(values: Floats) -> NDArray[np.intp]:
    """
    Return the stable order of `values` from low to high, missing ones last.

    Notes
    -----
    Two passes, because ranking is most of a replication: a radix sort of the values cut into 65,535
    steps, then a merge sort that finds them nearly in order; a third of the time of one argsort.
    """
    lowest, highest = np.fmin.reduce(values), np.fmax.reduce(values)
    if not lowest < highest:
        return np.argsort(values, kind="stable")
    steps = (values - lowest) * (65_534 / (highest - lowest))
    steps[np.isnan(values)] = 65_535
    rough = np.argsort(steps.astype(np.uint16), kind="stable")
    return rough[np.argsort(values[rough], kind="stable")]


def decile(ranks: Ranks) -> NDArray[np.int8]:
    """Return the decile, ceil(10 rank / n), of `ranks` over n areas; 1 is the highest priority."""
    return np.ceil(10 * ranks / len(ranks)).astype(np.int8)


def exponential(ranks: Ranks) -> Floats:
    """
    Return the exponential view of `ranks`: 0 to 100, spreading out the most deprived tenth.

    Notes
    -----
    English Indices of Deprivation: R = (n - rank + 1) / n, X = -23 ln(1 - R (1 - exp(-100/23))), so
    that the most deprived tenth covers the upper half of the scale.
    """
    n = len(ranks)
    shares = (n - ranks + 1) / n
    return np.asarray(-23 * np.log1p(-shares * -np.expm1(-100 / 23)), np.float64)
