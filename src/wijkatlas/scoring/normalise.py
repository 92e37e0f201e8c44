"""Normalisation: indicators of any unit onto one scale, on which higher is more reason to invest."""

import numpy as np
from numpy.typing import NDArray

from wijkatlas.errors import ScoringError
from wijkatlas.scoring.spec import Normalisation

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
    match normalisation.method:
        case "min_max":
            lowest, highest = np.fmin.reduce(directed), np.fmax.reduce(directed)
            _check_range(lowest, highest, indicator)
            return _rescaled(directed, (lowest, highest), normalisation.lower, normalisation.upper)
        case "z_score":
            _check_range(np.fmin.reduce(directed), np.fmax.reduce(directed), indicator)
            known = directed[~np.isnan(directed)]
            z = (directed - known.mean()) / known.std(ddof=1)
            return np.asarray(normalisation.mean + normalisation.sd * z)
        case "percentile_rank":
            return _rescaled(
                _percentile_rank(directed, indicator), (0.0, 1.0), normalisation.lower, normalisation.upper
            )
        case "goalposts":
            lowest, highest = sorted(post * direction for post in normalisation.posts[indicator])
            _check_range(lowest, highest, indicator)
            clipped = np.clip(directed, lowest, highest)
            return _rescaled(clipped, (lowest, highest), normalisation.lower, normalisation.upper)


def _rescaled(values: Floats, ends: tuple[float, float], lower: float, upper: float) -> Floats:
    return lower + (upper - lower) * ((values - ends[0]) / (ends[1] - ends[0]))


def _percentile_rank(values: Floats, indicator: str) -> Floats:
    """Return (smallest shared rank - 1) / (n - 1) over the n known values, in ascending order."""
    order = np.argsort(values)
    known = len(values) - int(np.isnan(values).sum())
    ordered = values[order[:known]]
    lowest, highest = (ordered[0], ordered[-1]) if known else (np.nan, np.nan)
    _check_range(lowest, highest, indicator)
    starts = np.zeros(known, np.intp)
    starts[1:] = np.where(ordered[1:] != ordered[:-1], np.arange(1, known), 0)
    shares = np.full(len(values), np.nan)
    shares[order[:known]] = np.maximum.accumulate(starts) / (known - 1)
    return shares


def _check_range(lowest: float, highest: float, indicator: str) -> None:
    if not lowest < highest:
        known = "has no figures" if np.isnan(lowest) else "is the same"
        raise ScoringError(
            f"{indicator} {known} in all scored areas: it cannot be scored; leave it out of the specification"
        )
