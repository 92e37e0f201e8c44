"""Weighted means of indicators into domains and of domains into a score."""

import numpy as np
from numpy.typing import NDArray

from wijkatlas.scoring.spec import Mean

Floats = NDArray[np.float64]
CONTESTS_AT_ONCE = 2_000_000


def weighted_mean(parts: Floats, weights: Floats, mean: Mean) -> Floats:
    """
    Average the columns of `parts`, dropping what is missing and renormalising the weights.

    Parameters
    ----------
    parts
        Shape (n, k); NaN is missing.
    weights
        Shape (k,), positive, of any total.
    mean
        Arithmetic, geometric or harmonic.

    Returns
    -------
    means
        Shape (n,). NaN where all parts are missing, and where one of them is not positive and the mean
        is geometric or harmonic: no such mean exists.

    Notes
    -----
    Summed column by column, so that equal areas get equal bits on every machine and tie.
    """
    total = np.zeros(len(parts))
    known = ~np.isnan(parts)
    complete = bool(known.all())
    present = np.full(len(parts), weights.sum()) if complete else np.zeros(len(parts))
    for j, weight in enumerate(weights):
        column = parts[:, j]
        if mean == "arithmetic":
            terms = column * weight
        else:
            positive = np.where(column <= 0, np.inf, column)
            terms = np.log(positive) * weight if mean == "geometric" else weight / positive
            terms[column <= 0] = np.inf
        if complete:
            total += terms
        else:
            total += np.where(known[:, j], terms, 0.0)
            present += np.where(known[:, j], weight, 0.0)
    undefined = np.isinf(total) | (present == 0)
    total[undefined] = np.nan
    present[undefined] = 1.0
    if mean == "harmonic":
        return present / total
    return np.exp(total / present) if mean == "geometric" else total / present


def copeland(parts: Floats, weights: Floats) -> Floats:
    """
    Score each area by its contests with every other, each decided by the weight of the parts it wins.

    Parameters
    ----------
    parts
        Shape (n, k), higher is more reason to invest. A part that either area misses decides nothing.
    weights
        Shape (k,), positive.

    Returns
    -------
    scores
        Shape (n,): contests won minus contests lost, from -(n - 1) to n - 1. NaN where all parts are
        missing.

    Notes
    -----
    Copeland's rule, as in the OECD/JRC Handbook and COINr: a high figure cannot make up for a low one.
    Time grows with n squared, memory stays bounded.
    """
    scores = np.empty(len(parts))
    rows = max(1, CONTESTS_AT_ONCE // len(parts))
    negligible = weights.sum() * 1e-12  # weights that balance may leave rounding error
    for start in range(0, len(parts), rows):
        block = parts[start : start + rows]
        margin = np.zeros((len(block), len(parts)))
        for j, weight in enumerate(weights):
            margin += weight * np.nan_to_num(np.sign(block[:, j, None] - parts[:, j]))
        margin[np.abs(margin) < negligible] = 0
        scores[start : start + rows] = np.sign(margin).sum(axis=1)
    scores[np.isnan(parts).all(axis=1)] = np.nan
    return scores
