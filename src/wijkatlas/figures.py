"""The sources' own figures on one division: of each indicator the newest filled year, carried over."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from wijkatlas.areas import Level, Status
from wijkatlas.catalog import Catalogue
from wijkatlas.crosswalk import Crosswalk, carry_counts, carry_means, make_crosswalk
from wijkatlas.sources import Sources, SourceTable
from wijkatlas.sources.filled import filled_shares, newest_filled_year

INHABITANTS_FROM = "kwb"  # the source that says how many people live where


@dataclass(frozen=True)
class Figures:
    """
    What the sources say of the areas of one level, before any rate is made; all by code and indicator id.

    `denominators` are of the same division as the figures over them.
    """

    raw: pd.DataFrame  # float64: counts still counts; NaN is missing
    denominators: pd.DataFrame  # float64: persons, households or dwellings; NaN if none or unknown
    status: pd.DataFrame  # Status, as text
    peiljaar: pd.DataFrame  # float64; NaN where no table carries the indicator


@dataclass(frozen=True)
class Newest:
    """The newest figures of the buurten, and what it took to get them."""

    figures: Figures
    earlier: dict[str, int]  # the year of the division that serves an indicator, where it is not this year's
    changes: pd.DataFrame  # `Crosswalk.ledger` of each year that figures were carried over from


def own_figures(codes: pd.Index, tables: Mapping[str, SourceTable], catalogue: Catalogue) -> Figures:
    """Lay the tables' own rows onto these areas, with the reason wherever there is none."""
    ids = list(catalogue.indicators)
    status = pd.DataFrame(Status.NOT_CARRIED.value, index=codes, columns=ids, dtype="str")
    peiljaar = pd.DataFrame(np.nan, index=codes, columns=ids)
    columns: dict[str, pd.Series] = {}
    for table in tables.values():
        held = list(table.frame.columns)
        in_source = codes.isin(table.frame.index)
        status.loc[in_source, held] = Status.NOT_PUBLISHED.value
        status.loc[~in_source, held] = Status.NO_ROW.value
        peiljaar[held] = table.year
        columns |= {str(name): table.frame[name].reindex(codes) for name in held}
    raw = pd.DataFrame(columns, index=codes).reindex(columns=ids).astype("float64")
    status = status.mask(raw.notna(), Status.OBSERVED.value)
    return Figures(raw, denominators_of(raw, catalogue), status, peiljaar)


def denominators_of(raw: pd.DataFrame, catalogue: Catalogue) -> pd.DataFrame:
    """Return the persons, households or dwellings under each cell; NaN if any part of it is missing."""
    columns = {
        indicator.id: raw[list(indicator.denominator)].sum(axis=1, skipna=False)
        if indicator.denominator
        else pd.Series(np.nan, index=raw.index)
        for indicator in catalogue.indicators.values()
    }
    return pd.DataFrame(columns, index=raw.index)


def newest_figures(sources: Sources, catalogue: Catalogue) -> Newest:
    """
    Return for each indicator the buurten's figures of the newest year that is filled.

    A year serves where `min_filled` of the inhabitants have a figure; where none does, the division's own
    year stands as it is. Figures of an earlier division are carried over to this one and marked.
    """
    codes = sources.boundaries.sort_index().index
    figures = own_figures(codes, sources.tables, catalogue)
    serving = _serving_years(sources, catalogue)
    changes = []
    for before in sources.earlier:
        ids = [name for name, year in serving.items() if year == before.year]
        if not ids:
            continue
        told = sources.tables[INHABITANTS_FROM].changed if before.year == sources.year - 1 else None
        crosswalk = make_crosswalk(
            before.boundaries, sources.boundaries, years=(before.year, sources.year), changed=told
        )
        old = own_figures(before.boundaries.sort_index().index, before.tables, catalogue)
        carried = _carry(old, ids, crosswalk, catalogue)
        for name in ("raw", "denominators", "status", "peiljaar"):
            getattr(figures, name)[ids] = getattr(carried, name).reindex(codes)
        changes.append(crosswalk.ledger())
    return Newest(
        figures,
        {name: year for name, year in serving.items() if year != sources.year},
        pd.concat(changes, ignore_index=True) if changes else pd.DataFrame(),
    )


def _serving_years(sources: Sources, catalogue: Catalogue) -> dict[str, int]:
    """Return by indicator the year of the division whose tables serve it."""
    shares: dict[str, dict[int, float]] = {}
    for division in (sources, *sources.earlier):
        inhabitants = division.tables[INHABITANTS_FROM].frame["inwoners"]
        for table in division.tables.values():
            for name, share in filled_shares(table, inhabitants, Level.BUURT).items():
                shares.setdefault(str(name), {})[division.year] = float(share)
    least = catalogue.rules.min_filled
    return {name: newest_filled_year(by_year, least) or sources.year for name, by_year in shares.items()}


def _carry(old: Figures, ids: list[str], crosswalk: Crosswalk, catalogue: Catalogue) -> Figures:
    """Carry the figures of these indicators over to the new division, each with its own denominators."""
    means = [name for name in ids if catalogue.indicators[name].kind == "intensive"]
    counts = [name for name in ids if name not in means]
    raw = pd.concat(
        [
            carry_counts(old.raw[counts], crosswalk),
            carry_means(
                old.raw[means],
                old.denominators[means],
                crosswalk,
                min_covered=catalogue.rules.min_parts_covered,
            ),
        ],
        axis=1,
    )[ids]
    denominators = carry_counts(old.denominators[ids], crosswalk)
    first = crosswalk.pairs.groupby("new_code")["old_code"].first()
    reason = old.status[ids].reindex(first.to_numpy()).set_axis(first.index).reindex(raw.index)
    status = reason.fillna(Status.NO_ROW.value).replace(Status.OBSERVED.value, Status.NOT_PUBLISHED.value)
    status = status.mask(raw.notna(), Status.OBSERVED.value)
    redrawn = raw.index.isin(crosswalk.redrawn)
    status = status.mask(raw.notna() & redrawn[:, np.newaxis], Status.CONVERTED.value)
    peiljaar = pd.DataFrame({name: old.peiljaar[name].max() for name in ids}, index=raw.index)
    return Figures(raw, denominators, status, peiljaar)
