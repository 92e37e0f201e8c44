"""What every source of figures gives: one tidy, validated table."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd
import pandera.pandas as pa

from wijkatlas.areas import level_of
from wijkatlas.catalog import Catalogue, Indicator
from wijkatlas.errors import SourceError, some

COUNTRY = "NL00"  # the row of the country as a whole, which is no area of the atlas
NO_FIGURE = {"", "."}  # how a text says that there is no figure


@dataclass(frozen=True)
class SourceTable:
    """
    The figures of one source's table as the source gives them: counts are still counts.

    `frame` has one float64 column per indicator id in the source's own unit, NaN where the source gives no
    figure, and is indexed by area code: stripped, unique, sorted, of any level.
    """

    source: str
    table: str
    year: int  # peiljaar of the figures
    frame: pd.DataFrame
    columns: dict[str, str]  # the source's key by indicator id
    changed: pd.Series | None = None  # by code, what CBS says of its border since a year ago: 1, 2 or 3


def table_of(catalogue: Catalogue, source: str, year: int) -> str:
    """Return the id of the source's table that serves a year, or raise a SourceError where there is none."""
    tables = catalogue.sources[source].tables
    if year not in tables:
        raise SourceError(
            f"the catalogue has no table for {year}; it has {some(tables, most=20)}", source=source
        )
    return tables[year]


def make_table(
    raw: pd.DataFrame, columns: Mapping[str, str], catalogue: Catalogue, *, source: str, table: str, year: int
) -> SourceTable:
    """
    Turn a source's cells into a validated table.

    Parameters
    ----------
    raw
        Cells as the source gives them, one column per key in `columns`, indexed by area code, which may be
        padded with blanks. Missing is null, an empty text or a lone ".".
    columns
        The source's key by indicator id; no other column is looked at.

    Raises
    ------
    SourceError
        There are no rows; a code is malformed or occurs twice; a figure is no number or cannot be: a
        negative count, a percentage of 140. Names the column and the codes.
    """
    codes = [code.strip() if isinstance(code, str) else code for code in raw.index]
    cells = raw.set_axis(pd.Index(codes, dtype=object)).drop(index=COUNTRY, errors="ignore")
    if cells.empty:
        raise SourceError("no areas: the table is empty", source=source, table=table)
    malformed = [code for code in cells.index if not isinstance(code, str) or level_of(code) is None]
    if malformed:
        raise SourceError(f"not an area code: {some(malformed)}", source=source, table=table)
    figures = {
        indicator: to_numbers(cells[key], source=source, table=table) for indicator, key in columns.items()
    }
    frame = pd.DataFrame(figures).set_axis(cells.index.astype("str").rename("code")).sort_index()
    frame = frame.where(frame > catalogue.rules.missing_at_or_below)
    check_figures(frame, columns, catalogue, source=source, table=table)
    return SourceTable(source=source, table=table, year=year, frame=frame, columns=dict(columns))


def to_numbers(cells: pd.Series, *, source: str, table: str) -> pd.Series:
    """Return the cells as float64, NaN where the source gives no figure; refuse what is no number."""
    numbers = [to_number(cell) for cell in cells]
    wrong = cells[[number is None for number in numbers]]
    if len(wrong):
        raise SourceError(f"not a number: {cases(wrong)}", source=source, table=table, column=str(cells.name))
    return pd.Series(numbers, index=cells.index, dtype="float64")


def to_number(cell: object) -> float | None:
    """Return a cell's finite number, NaN if it says that there is none, or None if it is something else."""
    if cell is None or (isinstance(cell, str) and cell.strip() in NO_FIGURE):
        return math.nan
    if isinstance(cell, bool) or not isinstance(cell, int | float | str):
        return None
    if isinstance(cell, str) and "_" in cell:  # which Python takes for a separator of thousands
        return None
    try:
        number = float(cell)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def check_figures(
    frame: pd.DataFrame, columns: Mapping[str, str], catalogue: Catalogue, *, source: str, table: str
) -> None:
    """Refuse areas that occur twice and figures that cannot be, by a schema made from the catalogue."""
    schema = pa.DataFrameSchema(
        {indicator: figure_column(catalogue.indicators[indicator]) for indicator in columns},
        index=pa.Index("str", unique=True, name="code"),
        strict=True,
    )
    try:
        schema.validate(frame, lazy=True)
    except pa.errors.SchemaErrors as error:
        failures = error.failure_cases
        on_index = failures[failures["schema_context"] == "Index"]
        if len(on_index):
            twice = on_index["failure_case"].unique()
            raise SourceError(
                f"areas that occur more than once: {some(twice)}", source=source, table=table
            ) from error
        first = failures["column"].iloc[0]
        wrong = failures[failures["column"] == first].set_index("index")["failure_case"]
        low, high = bounds(catalogue.indicators[first])
        raise SourceError(
            f"outside {low:g} to {high:g}: {cases(wrong)}", source=source, table=table, column=columns[first]
        ) from error


def figure_column(indicator: Indicator) -> pa.Column:
    """Return the schema of an indicator's column as its source gives it."""
    return pa.Column("float64", pa.Check.in_range(*bounds(indicator)), nullable=True)


def bounds(indicator: Indicator) -> tuple[float, float]:
    """Return the least and the most that a source may give: a count is published as a rate only later."""
    return (0, float("inf")) if indicator.kind == "extensive" else indicator.valid


def cases(figures: pd.Series) -> str:
    """Name cells by their area's code, for an error's text."""
    return some(f"{code} ({figure})" for code, figure in figures.items())
