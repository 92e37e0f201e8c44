"""Shrinkage: drawing uncertain shares of small areas towards their municipality's share."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def log_odds(counts: Floats, totals: Floats) -> Floats:
    """Return the log odds of `counts` out of `totals`, with half a person added to each side."""
    return np.log((counts + 0.5) / (totals - counts + 0.5))


def sampling_variance(counts: Floats, totals: Floats) -> Floats:
    """Return the variance of the log odds of `counts` out of `totals`."""
    return (totals + 1) * (totals + 2) / (totals * (counts + 1) * (totals - counts + 1))


def shrunk(own: Floats, variance: Floats, parent: Floats, between: Floats) -> Floats:
    """
    Return the share between an area's own log odds and its parent's.

    Parameters
    ----------
    own, variance
        The area's log odds and their sampling variance.
    parent, between
        The parent's log odds, and the variance of the log odds between its areas.

    Notes
    -----
    w = (1/s2) / (1/s2 + 1/t2), m* = w m + (1 - w) M, share = e^m* / (1 + e^m*); English Indices of
    Deprivation, technical report, "shrinkage estimation".
    """
    weight = between / (variance + between)
    return np.asarray(1 / (1 + np.exp(-(weight * own + (1 - weight) * parent))))


def shrink(shares: Floats, totals: Floats, parents: NDArray[np.intp]) -> Floats:
    """
    Shrink one indicator's shares towards those of their parents.

    Parameters
    ----------
    shares
        Shape (n,), 0 to 1; NaN is missing. More than 1 is a rate, such as crimes a person, and no share.
    totals
        Shape (n,), the persons, households or dwellings under each share; NaN is unknown.
    parents
        Shape (n,), which municipality each area is in.

    Returns
    -------
    shares
        Shape (n,). As they were where they are no share, where the total is unknown or zero, or where the
        area is the only one of its municipality with a figure, so that the variance between areas is not
        defined.
    """
    totals = np.where((shares <= 1) & (totals > 0), totals, np.nan)
    frame = pd.DataFrame({"count": shares * totals, "total": totals})
    own = log_odds(frame["count"].to_numpy(), totals)
    groups = frame.assign(own=own, parent=parents).groupby("parent")
    sums = groups[["count", "total"]].transform("sum")
    parent = log_odds(sums["count"].to_numpy(), sums["total"].to_numpy())
    # About the parent's own log odds, as in the source, not about the mean of the areas.
    squares = pd.Series((own - parent) ** 2).groupby(parents)
    between = (squares.transform("sum") / (squares.transform("count") - 1)).to_numpy()
    result = shrunk(own, sampling_variance(frame["count"].to_numpy(), totals), parent, between)
    return np.where(np.isfinite(result), result, shares)
