"""Normalisation: indicators of any unit onto one scale, on which higher is more reason to invest."""

import numpy as np
from numpy.typing import NDArray

from wijkatlas.errors import ScoringError
from wijkatlas.scoring.rank import rank
from wijkatlas.scoring.spec import Goalposts, MinMax, Normalisation, PercentileRank

Floats = NDArray[np.float64]


def normalise(values: Floats, direction: int, normalisation: Normalisation, *, indicator: str) -> Floats:
    """
    Rescale one indicator.

    Parameters
    ----------
    values
        Shape (n,), in any unit; NaN is missing.
    direction
        1 where a higher value is worse, -1 where a lower one is.
    normalisation
        The method with its parameters.
    indicator
        The indicator's id, for its goalposts and for an error's text.

    Returns
    -------
    normalised
        Shape (n,), dimensionless; NaN where `values` is, never imputed here.

    Raises
    ------
    ScoringError
        Nothing is known, or all known values are equal, so that there is no range.

    Notes
    -----
    OECD/JRC Handbook on Constructing Composite Indicators (2008), step 5; the same as COINr's
    n_minmax, n_zscore, n_prank and n_goalposts.
    """
    directed = values * direction
    if normalisation.method == "goalposts":
        lowest, highest = sorted(post * direction for post in normalisation.posts[indicator])
        return _rescaled(np.clip(directed, lowest, highest), (lowest, highest), normalisation)
    lowest, highest = np.fmin.reduce(directed), np.fmax.reduce(directed)
    _check_range(lowest, highest, indicator)
    if normalisation.method == "min_max":
        return _rescaled(directed, (lowest, highest), normalisation)
    missing = np.isnan(directed)
    if normalisation.method == "z_score":
        known = directed[~missing]
        return np.asarray(
            normalisation.mean + normalisation.sd * (directed - known.mean()) / known.std(ddof=1)
        )
    ranks = rank(-directed).astype(np.float64)
    ranks[missing] = np.nan
    return _rescaled(ranks, (1.0, len(ranks) - float(missing.sum())), normalisation)


def _rescaled(
    values: Floats, ends: tuple[float, float], scale: MinMax | PercentileRank | Goalposts
) -> Floats:
    return scale.lower + (scale.upper - scale.lower) * ((values - ends[0]) / (ends[1] - ends[0]))


def _check_range(lowest: float, highest: float, indicator: str) -> None:
    if not lowest < highest:
        known = "has no figures" if np.isnan(lowest) else "is the same"
        raise ScoringError(
            f"{indicator} {known} in all scored areas: it cannot be scored; leave it out of the specification"
        )
