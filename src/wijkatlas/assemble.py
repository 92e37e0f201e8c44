"""Join the sources into one table a level: rates from counts, parents from parts, a status for every cell."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

import geopandas as gpd
import pandas as pd

from wijkatlas.areas import Level, LevelTable, Status, level_of
from wijkatlas.catalog import Catalogue
from wijkatlas.errors import SourceError, some
from wijkatlas.figures import Figures, Newest, denominators_of, newest_figures, own_figures
from wijkatlas.sources import Sources, SourceTable

AREA_COLUMNS = ["naam", "wijk_code", "wijk_naam", "gemeente_code", "gemeente_naam", "geometry"]


@dataclass(frozen=True)
class Assembly:
    """One table a level, and what of the sources found no place in them."""

    tables: dict[Level, LevelTable]
    unmatched: pd.DataFrame  # source, table, code: rows of a source whose area is not in the division
    changes: pd.DataFrame  # `Crosswalk.ledger` of the years that figures were carried over from


def assemble(sources: Sources, catalogue: Catalogue) -> Assembly:
    """
    Make the tables of buurten, wijken and gemeenten.

    A parent's figure is the source's own where it publishes one, else it is aggregated from the buurten.

    Raises
    ------
    SourceError
        A source has inhabitants in a buurt without a boundary, or a rate falls outside its valid range.
    """
    divisions = divide(sources.boundaries)
    newest = newest_figures(sources, catalogue)
    buurten = observe(Level.BUURT, divisions[Level.BUURT], newest.figures, sources, catalogue)
    tables = {Level.BUURT: buurten}
    for level in (Level.WIJK, Level.GEMEENTE):
        areas = divisions[level]
        aggregated = aggregate(buurten, newest.figures.raw, areas, level, catalogue)
        own = published_parents(areas.index, buurten, newest, sources, catalogue)
        tables[level] = fill(observe(level, areas, own, sources, catalogue), aggregated)
    return Assembly(tables, unmatched(sources, divisions), newest.changes)


def divide(buurten: gpd.GeoDataFrame) -> dict[Level, gpd.GeoDataFrame]:
    """Return the areas of every level, parents dissolved from their buurten (EPSG:28992, sorted by code)."""
    divisions = {Level.BUURT: buurten[AREA_COLUMNS].sort_index()}
    for parent in (Level.WIJK, Level.GEMEENTE):
        code, name = f"{parent}_code", f"{parent}_naam"
        areas = divisions[Level.BUURT].dissolve(by=code, method="coverage", aggfunc="first", as_index=False)
        areas = areas.set_index(code, drop=False).rename_axis("code").sort_index()
        areas["naam"] = areas[name]
        if parent is Level.GEMEENTE:
            areas[["wijk_code", "wijk_naam"]] = None
        divisions[parent] = areas[AREA_COLUMNS]
    return divisions


def published_parents(
    codes: pd.Index, buurten: LevelTable, newest: Newest, sources: Sources, catalogue: Catalogue
) -> Figures:
    """
    Return what the sources themselves publish of a parent level, of this year's indicators only.

    A count that is published without its denominator is divided by that of all buurten together.
    """
    own = own_figures(codes, sources.tables, catalogue)
    parent = buurten.areas[f"{level_of(codes[0])}_code"].to_numpy()
    sums = newest.figures.raw.groupby(parent).sum(skipna=False).reindex(codes)
    raw = own.raw.drop(columns=list(newest.earlier)).reindex(columns=own.raw.columns)
    return replace(own, raw=raw, denominators=denominators_of(own.raw.fillna(sums), catalogue))


def observe(
    level: Level, areas: gpd.GeoDataFrame, figures: Figures, sources: Sources, catalogue: Catalogue
) -> LevelTable:
    """Make the table of what the sources publish of a level: rates from counts, and why there is none."""
    values = rates(figures.raw, figures.denominators, catalogue)
    check_ranges(values, catalogue, sources.tables)
    present = values.notna()
    lost = figures.raw.notna() & ~present
    status = figures.status.mask(lost, Status.NOT_APPLICABLE.value)
    return LevelTable(
        level=level,
        year=sources.year,
        areas=areas,
        values=values,
        denominators=figures.denominators,
        status=status.mask(lost & figures.denominators.isna(), Status.NOT_PUBLISHED.value),
        peiljaar=figures.peiljaar.astype("Int16").where(present),
        parts_missing=pd.DataFrame(0, index=values.index, columns=values.columns, dtype="Int32"),
    )


def rates(raw: pd.DataFrame, denominators: pd.DataFrame, catalogue: Catalogue) -> pd.DataFrame:
    """Turn counts into rates, count / denominator * per; too small a denominator leaves the rate missing."""
    values = raw.copy()
    for indicator in catalogue.indicators.values():
        if indicator.kind == "extensive" and indicator.denominator:
            denominator = denominators[indicator.id]
            enough = denominator.where((denominator > 0) & (denominator >= indicator.min_denominator))
            values[indicator.id] = raw[indicator.id] / enough * indicator.per
    return values


def check_ranges(values: pd.DataFrame, catalogue: Catalogue, tables: Mapping[str, SourceTable]) -> None:
    """Refuse a figure outside its indicator's valid range: it is an error somewhere, never a finding."""
    for indicator in catalogue.indicators.values():
        low, high = indicator.valid
        column = values[indicator.id]
        wrong = column[(column < low) | (column > high)]
        if len(wrong):
            table = tables.get(indicator.source)
            raise SourceError(
                f"outside {low:g} to {high:g} {indicator.unit}: "
                + some(f"{code} ({value:g})" for code, value in wrong.items()),
                source=indicator.source,
                table=table.table if table else "",
                column=(table.columns if table else {}).get(indicator.id, indicator.id),
            )


def aggregate(
    buurten: LevelTable, raw: pd.DataFrame, areas: gpd.GeoDataFrame, level: Level, catalogue: Catalogue
) -> LevelTable:
    """
    Make the figures of a parent level from the raw figures of its buurten.

    Counts are summed, and a rate of counts is made from the sums; any other rate is the mean weighted with
    its denominator. A count needs all of its buurten: a sum of some parts is no count. A rate needs buurten
    with a figure that hold `min_parts_covered` of the denominator.
    """
    parent = buurten.areas[f"{level}_code"].to_numpy()
    present = raw.notna()
    means = [i.id for i in catalogue.indicators.values() if i.kind == "intensive"]
    with_denominator = [i.id for i in catalogue.indicators.values() if i.denominator]
    counts = [i.id for i in catalogue.indicators.values() if not i.denominator]
    everywhere = buurten.denominators
    known = everywhere.where(present)
    parts = raw.where(known.notna() | ~raw.columns.isin(with_denominator))
    parts[means] *= known[means]
    sums = parts.groupby(parent).sum(min_count=1).reindex(areas.index)
    denominators = known.groupby(parent).sum(min_count=1).reindex(areas.index)
    sums[means] /= denominators[means].where(denominators[means] > 0)
    values = rates(sums, denominators, catalogue)
    covered = denominators / everywhere.groupby(parent).sum(min_count=1).reindex(areas.index)
    thin = covered[with_denominator] < catalogue.rules.min_parts_covered
    values[with_denominator] = values[with_denominator].mask(thin)
    parts_missing = (~present).groupby(parent).sum().reindex(areas.index).astype("Int32")
    values[counts] = values[counts].mask(parts_missing[counts] > 0)
    missing = values.isna()
    reason = buurten.status.where(~present).groupby(parent).first().reindex(areas.index)
    return LevelTable(
        level=level,
        year=buurten.year,
        areas=areas,
        values=values,
        denominators=denominators,
        status=reason.fillna(Status.NOT_APPLICABLE.value).where(missing, Status.AGGREGATED.value),
        peiljaar=buurten.peiljaar.groupby(parent).max().reindex(areas.index).astype("Int16").mask(missing),
        parts_missing=parts_missing,
    )


def fill(observed: LevelTable, aggregated: LevelTable) -> LevelTable:
    """Take the source's own figure where there is one, the aggregated one elsewhere."""
    own = observed.values.notna()
    merged = {
        field.name: getattr(observed, field.name).where(own, getattr(aggregated, field.name))
        for field in fields(LevelTable)
        if field.name in {"values", "denominators", "status", "peiljaar", "parts_missing"}
    }
    return replace(observed, **merged)


def unmatched(sources: Sources, divisions: Mapping[Level, gpd.GeoDataFrame]) -> pd.DataFrame:
    """
    List the rows of the sources whose area is not in the division.

    Raises
    ------
    SourceError
        Such a row has inhabitants: a map that leaves people out is wrong.
    """
    known = set().union(*(areas.index for areas in divisions.values()))
    rows = []
    for source, table in sorted(sources.tables.items()):
        strangers = [code for code in table.frame.index if level_of(code) and code not in known]
        if "inwoners" in table.frame:
            peopled = table.frame.loc[strangers, "inwoners"]
            peopled = peopled[peopled > 0]
            if len(peopled):
                raise SourceError(
                    f"{len(peopled)} areas with inhabitants have no boundary: {some(peopled.index)}; "
                    "check that table and boundaries are of the same year",
                    source=source,
                    table=table.table,
                )
        rows += [(source, table.table, code) for code in strangers]
    return pd.DataFrame(rows, columns=["source", "table", "code"])
