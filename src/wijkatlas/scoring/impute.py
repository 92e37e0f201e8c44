"""Imputation: estimates for missing figures from the areas around or like the area."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Groups = NDArray[np.intp]


@dataclass(frozen=True)
class Estimates:
    """What the other areas say of each cell, known or not, and how far that is from what is known."""

    values: Floats  # shape (n, k); NaN where nothing can be said
    residuals: tuple[Floats, ...]  # by indicator: known value minus estimate, in the order of the areas


def group_median(values: Floats, groups: Groups) -> Floats:
    """
    Estimate every cell by the median of the known values of its group.

    Parameters
    ----------
    values
        Shape (n, k); NaN is missing.
    groups
        Shape (n,), which group each area is in.

    Returns
    -------
    estimates
        Shape (n, k); NaN where the group knows nothing.

    Notes
    -----
    COINr's i_median_grp.
    """
    return pd.DataFrame(values).groupby(groups).transform("median").to_numpy()


def parent_adjusted(values: Floats, weights: Floats, parents: list[Groups], groups: Groups) -> Floats:
    """
    Estimate every cell by its parent's figure, adjusted to the area's group.

    Parameters
    ----------
    values
        Shape (n, k); NaN is missing.
    weights
        Shape (n, k), the denominators; an unknown one weighs nothing.
    parents
        Which wijk and which gemeente each area is in, each of shape (n,), in the order to be tried.
    groups
        Shape (n,), which areas are alike.

    Returns
    -------
    estimates
        Shape (n, k): the weighted mean of the other areas with the same parent, plus the median
        difference between an area of the group and that mean. NaN where no parent knows another area.

    Notes
    -----
    An area's own value is left out of its parent's mean, so that value minus estimate shows the real error.
    """
    known = ~np.isnan(values) & (weights > 0)
    weight = np.where(known, weights, 0.0)
    product = np.where(known, values * weight, 0.0)
    figures = np.full(values.shape, np.nan)
    for parent in parents:
        others = pd.DataFrame(weight).groupby(parent).transform("sum").to_numpy() - weight
        total = pd.DataFrame(product).groupby(parent).transform("sum").to_numpy() - product
        usable = np.isnan(figures) & (others > 0)
        figures[usable] = total[usable] / others[usable]
    return figures + np.nan_to_num(group_median(values - figures, groups))


def estimates_of(values: Floats, estimates: Floats, valid: Floats) -> Estimates:
    """Bundle `estimates`, clipped to the `valid` ranges (k, 2), with their errors where values are known."""
    clipped = np.clip(estimates, valid[:, 0], valid[:, 1])
    errors = (values - clipped).T
    return Estimates(clipped, tuple(error[~np.isnan(error)] for error in errors))
