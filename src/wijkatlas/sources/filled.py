"""How filled a table is, and which year serves: a column can exist and hold nothing yet."""

from collections.abc import Mapping

import pandas as pd

from wijkatlas.areas import Level, level_of
from wijkatlas.sources.table import SourceTable


def filled_shares(table: SourceTable, inhabitants: pd.Series, level: Level) -> pd.Series:
    """
    Return for each indicator how much of a level has a figure.

    Parameters
    ----------
    inhabitants
        By area code; an area that is not in it, or has none, weighs nothing.

    Returns
    -------
    shares
        0 to 1 by indicator id: the share of inhabitants who live in an area with a figure. 0 where the table
        has no inhabited area of the level.

    Notes
    -----
    Counted by inhabitants and not by areas, because figures of small areas are never published: of the
    buurten of 2020, 30% have fewer than the 100 households that a household income needs, so by areas no
    year would ever be filled for 80%.
    """
    codes = [code for code in table.frame.index if level_of(code) is level]
    weights = inhabitants.reindex(codes).fillna(0.0)
    total = weights.sum()
    if not total:
        return pd.Series(0.0, index=table.frame.columns)
    present = table.frame.loc[codes].notna()
    return present.mul(weights, axis=0).sum() / total


def newest_filled_year(shares: Mapping[int, float], least: float) -> int | None:
    """
    Return the newest year of which at least `least` is filled, or None where no year is.

    Parameters
    ----------
    shares
        How much is filled, 0 to 1, by year.
    """
    return max((year for year, share in shares.items() if share >= least), default=None)
