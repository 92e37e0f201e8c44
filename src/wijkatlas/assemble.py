"""Join the sources into one table a level: rates from counts, parents from parts, a status for every cell."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

import geopandas as gpd
import numpy as np
import pandas as pd

from wijkatlas.areas import Level, LevelTable, Status, level_of
from wijkatlas.catalog import Catalogue
from wijkatlas.errors import SourceError, some
from wijkatlas.sources import Sources, SourceTable

AREA_COLUMNS = ["naam", "wijk_code", "wijk_naam", "gemeente_code", "gemeente_naam", "geometry"]


@dataclass(frozen=True)
class Assembly:
    """One table a level, and what of the sources found no place in them."""

    tables: dict[Level, LevelTable]
    unmatched: pd.DataFrame  # source, table, code: rows of a source whose area is not in the division


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
    raw = {level: raw_figures(areas.index, sources.tables, catalogue) for level, areas in divisions.items()}
    tables = {
        level: observe(level, areas, raw[level], sources, catalogue) for level, areas in divisions.items()
    }
    for parent in (Level.WIJK, Level.GEMEENTE):
        aggregated = aggregate(tables[Level.BUURT], raw[Level.BUURT], divisions[parent], parent, catalogue)
        tables[parent] = fill(tables[parent], aggregated)
    return Assembly(tables, unmatched(sources, divisions))


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


def raw_figures(codes: pd.Index, tables: Mapping[str, SourceTable], catalogue: Catalogue) -> pd.DataFrame:
    """Return the sources' own figures of these areas, counts still counts; NaN where there is none."""
    columns = {
        indicator: table.frame[indicator].reindex(codes)
        for table in tables.values()
        for indicator in table.frame.columns
    }
    return pd.DataFrame(columns, index=codes).reindex(columns=list(catalogue.indicators)).astype("float64")


def observe(
    level: Level, areas: gpd.GeoDataFrame, raw: pd.DataFrame, sources: Sources, catalogue: Catalogue
) -> LevelTable:
    """Make the table of what the sources themselves publish of a level."""
    denominators = denominators_of(raw, catalogue)
    values = rates(raw, denominators, catalogue)
    status = pd.DataFrame(Status.NOT_CARRIED.value, index=raw.index, columns=raw.columns, dtype="str")
    peiljaar = pd.DataFrame(np.nan, index=raw.index, columns=raw.columns)
    for table in sources.tables.values():
        held = list(table.frame.columns)
        in_source = areas.index.isin(table.frame.index)
        status.loc[in_source, held] = Status.NOT_PUBLISHED.value
        status.loc[~in_source, held] = Status.NO_ROW.value
        peiljaar[held] = table.year
    status = status.mask(raw.notna() & values.isna(), Status.NOT_APPLICABLE.value)
    status = status.mask(values.notna(), Status.OBSERVED.value)
    check_ranges(values, catalogue, sources.tables)
    return LevelTable(
        level=level,
        year=sources.year,
        areas=areas,
        values=values,
        denominators=denominators,
        status=status,
        peiljaar=peiljaar.astype("Int16").where(values.notna()),
        parts_missing=pd.DataFrame(0, index=raw.index, columns=raw.columns, dtype="Int32"),
    )


def denominators_of(raw: pd.DataFrame, catalogue: Catalogue) -> pd.DataFrame:
    """Return the persons, households or dwellings under each cell; NaN if any part of it is missing."""
    columns = {
        indicator.id: raw[list(indicator.denominator)].sum(axis=1, skipna=False)
        if indicator.denominator
        else pd.Series(np.nan, index=raw.index)
        for indicator in catalogue.indicators.values()
    }
    return pd.DataFrame(columns, index=raw.index)


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
            raise SourceError(
                f"outside {low:g} to {high:g} {indicator.unit}: "
                + some(f"{code} ({value:g})" for code, value in wrong.items()),
                source=indicator.source,
                table=tables[indicator.source].table,
                column=tables[indicator.source].columns[indicator.id],
            )


def aggregate(
    buurten: LevelTable, raw: pd.DataFrame, areas: gpd.GeoDataFrame, level: Level, catalogue: Catalogue
) -> LevelTable:
    """
    Make the figures of a parent level from the raw figures of its buurten.

    Counts are summed, and a rate of counts is made from the sums; any other rate is the mean weighted with
    its denominator. A rate needs buurten with a figure that hold `min_parts_covered` of the denominator.
    """
    parent = buurten.areas[f"{level}_code"].to_numpy()
    present = raw.notna()
    means = [i.id for i in catalogue.indicators.values() if i.kind == "intensive"]
    with_denominator = [i.id for i in catalogue.indicators.values() if i.denominator]
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
        parts_missing=(~present).groupby(parent).sum().reindex(areas.index).astype("Int32"),
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
