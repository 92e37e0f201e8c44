"""Screening: which areas are scored, and in Dutch why the others are not."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from wijkatlas.scoring.spec import Universe

Floats = NDArray[np.float64]


def weight_present(values: Floats, shares: Floats) -> Floats:
    """Return the share of the whole weight, 0 to 1, whose figures each area has."""
    return np.asarray((~np.isnan(values) * shares).sum(axis=1) / shares.sum())


def reasons_not_scored(
    universe: Universe, inwoners: pd.Series, huishoudens: pd.Series, values: Floats, shares: Floats
) -> pd.Series:
    """
    Return why each area is not scored.

    Parameters
    ----------
    universe
        The smallest numbers and the smallest share of the weight.
    inwoners, huishoudens
        Numbers by area code, shape (n,); NaN is unknown.
    values
        Shape (n, k), the figures to be scored, before any is imputed.
    shares
        Shape (k,), each indicator's share of the whole weight.

    Returns
    -------
    reasons
        Dutch text by area code; missing where the area is scored. The first reason that holds.
    """
    reasons = pd.Series(pd.NA, index=inwoners.index, dtype="str")
    enough = weight_present(values, shares) >= universe.min_weight_present - 1e-9  # a sum of shares
    found = (~np.isnan(values)).sum(axis=1)
    for code, count in zip(inwoners.index[~enough], found[~enough], strict=True):
        reasons[code] = f"te weinig cijfers: {count} van {values.shape[1]}"
    for numbers, least, what in (
        (huishoudens, universe.min_huishoudens, "huishoudens"),
        (inwoners, universe.min_inwoners, "inwoners"),
    ):
        if least > 0:
            reasons[numbers < least] = f"minder dan {least:g} {what}"
            reasons[numbers.isna()] = f"aantal {what} onbekend"
    return reasons
