"""A municipality's own table: CSV, XLSX, Parquet or GeoPackage, described by one catalogue file beside it."""

import csv
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio
from pyogrio.errors import DataLayerError, DataSourceError

from wijkatlas.areas import Level, level_of
from wijkatlas.catalog import Catalogue
from wijkatlas.catalog.own import OwnTable, extend, read_own
from wijkatlas.errors import SourceError, some
from wijkatlas.sources.table import NO_FIGURE, SourceTable, make_table


def load_own(file: Path, catalogue: Catalogue) -> tuple[Catalogue, SourceTable]:
    """
    Read a municipality's own table by its catalogue file.

    Parameters
    ----------
    file
        The own catalogue file (TOML); the table's path in it is relative to its folder.
    catalogue
        The catalogue to extend: the package's own, or one that was extended before.

    Returns
    -------
    catalogue, table
        The catalogue with the source and indicators of the file, and the figures by area code. A table keyed
        by wijk holds no figures of buurten: nothing is divided over them.

    Raises
    ------
    CatalogueError
        The catalogue file is wrong; the message names the key.
    SourceError
        The table is absent or unreadable, lacks a column, has a wrong or repeated code, or a figure that is
        no number or cannot be; names the column and the codes.
    """
    own = read_own(file)
    extended = extend(catalogue, own, file.name)
    source = str(own.source["id"])
    cells = read_cells(file.parent / own.file, own)
    table = make_table(cells, own.columns, extended, source=source, table=own.file, year=own.year)
    for indicator, column in own.columns.items():
        if table.frame[indicator].isna().all():
            raise SourceError("not a single figure in it", source=source, table=own.file, column=column)
    return extended, table


def describe(table: SourceTable) -> pd.DataFrame:
    """
    Say what a table holds, for a person to check.

    Returns
    -------
    summary
        One row per indicator id: column; buurten, wijken and gemeenten with a figure; rows without one;
        lowest, median and highest figure in the table's own unit.
    """
    figures = table.frame
    levels = figures.index.map(level_of)
    names = {Level.BUURT: "buurten", Level.WIJK: "wijken", Level.GEMEENTE: "gemeenten"}
    return pd.DataFrame(
        {
            "column": pd.Series(table.columns),
            **{name: figures[levels == level].notna().sum() for level, name in names.items()},
            "missing": figures.isna().sum(),
            "lowest": figures.min(),
            "median": figures.median(),
            "highest": figures.max(),
        }
    )


def read_cells(path: Path, own: OwnTable) -> pd.DataFrame:
    """Return the cells of the table's figures, indexed by area code, as the file has them."""
    where = {"source": str(own.source["id"]), "table": own.file}
    if path.suffix.lower() not in READERS:
        raise SourceError(f"no table that can be read; it can be {', '.join(sorted(READERS))}", **where)
    if not path.is_file():
        raise SourceError(f"there is no such file beside the catalogue file ({path})", **where)
    try:
        cells = READERS[path.suffix.lower()](path, own)
    except (OSError, ValueError, csv.Error, DataSourceError, DataLayerError) as error:
        raise SourceError(f"cannot be read as {path.suffix[1:].upper()}: {error}", **where) from error
    names = [str(name).strip() for name in cells.columns]
    cells = cells.astype(object).where(cells.notna(), None).set_axis(names, axis=1)
    for column in (own.key, *own.columns.values()):
        if names.count(column) != 1:
            problem = "occurs more than once" if column in names else "no such column"
            raise SourceError(f"{problem}; there are {', '.join(names)}", column=column, **where)
    blank = cells.map(lambda cell: cell is None or str(cell).strip() == "").all(axis=1)
    return cells[~blank].set_index(own.key, drop=False)


def read_csv(path: Path, own: OwnTable) -> pd.DataFrame:
    """Read a CSV: commas and decimal points, or semicolons and decimal commas, as a Dutch Excel writes it."""
    text = path.read_bytes().decode("utf-8-sig")
    head = text.partition("\n")[0]
    dutch = head.count(";") > head.count(",")
    rows = list(csv.reader(StringIO(text, newline=""), delimiter=";" if dutch else ",", strict=True))
    header, *rows = [row for row in rows if row] or [[]]
    uneven = [row[0] for row in rows if len(row) != len(header)]
    if uneven:
        raise ValueError(f"rows that do not have {len(header)} fields: {some(uneven)}")
    if dutch:
        figures = {place for place, name in enumerate(header) if name.strip() in own.columns.values()}
        rows = [[decimal_comma(c) if i in figures else c for i, c in enumerate(row)] for row in rows]
    return pd.DataFrame(rows, columns=header, dtype="str")


def decimal_comma(cell: str) -> str:
    """Write a figure with a decimal point; one that has a point already may be 1.5 or 1500, so is refused."""
    if "." in cell and cell.strip() not in NO_FIGURE:
        raise ValueError(
            f"{cell}: with semicolons the decimal sign is a comma, and there is none for thousands"
        )
    return cell.replace(",", ".")


def read_layer(path: Path, own: OwnTable) -> pd.DataFrame:
    """Read a workbook's sheet or a GeoPackage's layer, without its shapes."""
    layers = [str(name) for name, _ in pyogrio.list_layers(path)]
    if own.layer is None and len(layers) != 1:
        raise ValueError(f"it has {len(layers)} layers or sheets; name one as 'layer': {', '.join(layers)}")
    if own.layer is not None and own.layer not in layers:
        raise ValueError(f"no layer or sheet {own.layer!r}; it has {', '.join(layers)}")
    # As text, so that a code or a lone "." in a column of figures does not decide how the rest is read.
    workbook = {"HEADERS": "FORCE", "FIELD_TYPES": "STRING"} if path.suffix.lower() == ".xlsx" else {}
    layer = own.layer or layers[0]
    cells: pd.DataFrame = pyogrio.read_dataframe(path, layer=layer, read_geometry=False, **workbook)
    return cells


def read_parquet(path: Path, own: OwnTable) -> pd.DataFrame:  # noqa: ARG001
    """Read a Parquet file without its binary columns, which hold shapes."""
    plain = [field.name for field in pq.read_schema(path) if not pa.types.is_binary(field.type)]
    cells: pd.DataFrame = pq.read_table(path, columns=plain).to_pandas(ignore_metadata=True)
    return cells


READERS: dict[str, Callable[[Path, OwnTable], pd.DataFrame]] = {
    ".csv": read_csv,
    ".xlsx": read_layer,
    ".gpkg": read_layer,
    ".parquet": read_parquet,
}
