"""The published columns: one definition for every download, page and map."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import geopandas as gpd
import pandas as pd

from wijkatlas.areas import Level, LevelTable, Status
from wijkatlas.catalog import Catalogue
from wijkatlas.catalog.models import ColumnType
from wijkatlas.scoring.assessment import Assessment

# Which of the catalogue's columns name the area itself, by level.
IDENTITY = {
    Level.BUURT: ("buurt_code", "buurt_naam", "wijk_code", "wijk_naam", "gemeente_code", "gemeente_naam"),
    Level.WIJK: ("wijk_code", "wijk_naam", "gemeente_code", "gemeente_naam"),
    Level.GEMEENTE: ("gemeente_code", "gemeente_naam"),
}


@dataclass(frozen=True)
class Field:
    """A published column: its name, and what a reader must know to use it."""

    name: str
    label: str
    definition: str
    kind: Literal["identity", "result", "domain", "contribution", "indicator"]
    type: ColumnType
    unit: str = ""
    decimals: int | None = None  # of a figure, which is rounded to them
    valid: tuple[float, float] | None = None  # lowest and highest possible figure


def fields(catalogue: Catalogue, level: Level) -> Iterator[Field]:
    """Yield the columns that a table of `level` may have, in the order in which they are published."""
    identities = {name for names in IDENTITY.values() for name in names}
    for column in catalogue.columns.values():
        if column.id in identities and column.id not in IDENTITY[level]:
            continue
        yield Field(
            column.id,
            column.label,
            column.definition,
            "identity" if column.id in identities else "result",
            column.type,
            unit=column.unit,
            decimals=column.decimals,
        )
    for domain in catalogue.domains.values():
        yield Field(
            f"d_{domain.id}",
            domain.label,
            f"Score op het thema {domain.label}; hoger is meer reden om te investeren.",
            "domain",
            "number",
            decimals=2,
        )
    for domain in catalogue.domains.values():
        yield Field(
            f"bijdrage_{domain.id}",
            f"Bijdrage {domain.label.lower()}",
            f"Deel van de score dat van het thema {domain.label} komt.",
            "contribution",
            "number",
            decimals=3,
        )
    for indicator in catalogue.indicators.values():
        yield Field(
            indicator.id,
            indicator.label,
            indicator.definition,
            "indicator",
            "number" if indicator.decimals else "integer",
            unit=indicator.unit,
            decimals=indicator.decimals,
            valid=indicator.valid,
        )


def published(assessment: Assessment, catalogue: Catalogue) -> gpd.GeoDataFrame:
    """
    Return one level as it is published: columns named and ordered by `fields`, rows by rank, then code.

    Figures are rounded to the decimals that the catalogue gives them. EPSG:28992.
    """
    table = assessment.table
    columns = pd.concat([_identity(table), assessment.results(catalogue), table.values], axis=1)
    held = [field for field in fields(catalogue, table.level) if field.name in columns]
    columns = columns[[field.name for field in held]]
    columns = columns.round({field.name: field.decimals for field in held if field.decimals is not None})
    columns = columns.astype({field.name: "Int64" for field in held if field.type == "integer"})
    texts = [field.name for field in held if field.type == "text"]
    columns[texts] = columns[texts].replace("", None)  # nothing to tell is missing, in every format
    if "rang" in columns:
        columns = columns.sort_values("rang", kind="stable", na_position="last")
    geometry = table.areas.geometry.reindex(columns.index)
    return gpd.GeoDataFrame(columns, geometry=geometry, crs=table.areas.crs)


def _identity(table: LevelTable) -> pd.DataFrame:
    own = pd.DataFrame({f"{table.level}_code": table.areas.index, f"{table.level}_naam": table.areas["naam"]})
    parents = [name for name in IDENTITY[table.level] if name not in own]
    named = pd.DataFrame(table.areas[parents]).astype("str")
    return pd.concat([own, named], axis=1).assign(peiljaar=table.year)


def worse_than(values: pd.Series, end: Literal["high", "low"]) -> pd.Series:
    """
    Return how many percent of the other areas have a better figure, rounded down.

    Parameters
    ----------
    values
        A figure of every area of a level of the edition, as it is published; nulls stay.
    end
        Which end of the figure is reason to invest.
    """
    better = (values if end == "high" else -values).rank(method="min") - 1
    return 100 * better // max(1, values.count() - 1)


def cells(assessment: Assessment, catalogue: Catalogue) -> pd.DataFrame:
    """
    Return every single figure with its provenance, one row a cell.

    Returns
    -------
    cells
        Columns code, cijfer, waarde, eenheid, peiljaar, status, buurten_zonder_cijfer; sorted by code,
        then by the catalogue's order.
    """
    table = assessment.table
    imputed = assessment.imputed.reindex(columns=table.values.columns, fill_value=False)
    status = table.status.mask(imputed, Status.IMPUTED.value)
    rounded = table.values.round({i.id: i.decimals for i in catalogue.indicators.values()})
    long = {
        "waarde": rounded.stack(future_stack=True),  # noqa: PD013  melt loses the order of the codes
        "peiljaar": table.peiljaar.stack(future_stack=True),  # noqa: PD013
        "status": status.stack(future_stack=True),  # noqa: PD013
        "buurten_zonder_cijfer": table.parts_missing.stack(future_stack=True),  # noqa: PD013
    }
    frame = pd.DataFrame(long).rename_axis(["code", "cijfer"]).reset_index()
    units = {i.id: i.unit for i in catalogue.indicators.values()}
    frame.insert(3, "eenheid", frame["cijfer"].map(units))
    return frame
