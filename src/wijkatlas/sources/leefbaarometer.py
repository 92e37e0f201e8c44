"""Leefbaarometer 3.0, from the open-data file of buurten: a total and five dimensions for every meting."""

import csv
from io import StringIO

import pandas as pd

from wijkatlas.areas import Level, check_codes
from wijkatlas.catalog import Catalogue
from wijkatlas.errors import SourceError, some
from wijkatlas.sources.documents import Documents, pages_of
from wijkatlas.sources.table import SourceTable, cases, make_table, table_of, to_numbers

SOURCE = "leefbaarometer"
PART = "buurten"
CODE, METING, TOTAL = "bu_code", "jaar", "afw"
DIMENSIONS = ["fys", "onv", "soc", "vrz", "won"]
ROUNDING = 0.0005  # six figures of four decimals cannot differ more from their sum


def parse_leefbaarometer(documents: Documents, catalogue: Catalogue, year: int) -> SourceTable:
    """
    Read the meting in force in a year from the file of all metingen.

    Parameters
    ----------
    documents
        `buurten`: one UTF-8 CSV with a row per buurt and meting.

    Returns
    -------
    table
        The buurten that have a score: deviations from the national mean. Its year is the meting's.

    Raises
    ------
    SourceError
        The file is no such CSV, lacks a column or the meting, or its dimensions do not add up to the total.
    """
    meting = table_of(catalogue, SOURCE, year)
    (content,) = pages_of(documents, PART, source=SOURCE, table=meting)
    file = read_csv(content, table=meting)
    columns = {indicator: stems[0] for indicator, stems in catalogue.of_source(SOURCE, year).items()}
    absent = [key for key in (CODE, METING, TOTAL, *DIMENSIONS, *columns.values()) if key not in file]
    if absent:
        raise SourceError(
            f"no such column in the file; it has {', '.join(map(str, file))}",
            source=SOURCE,
            table=meting,
            column=absent[0],
        )
    rows = file[file[METING].str.strip() == meting].set_index(CODE)
    if rows.empty:
        raise SourceError(
            f"no rows of meting {meting}: the file has {some(file[METING].unique(), most=20) or 'no rows'}",
            source=SOURCE,
            table=meting,
        )
    table = make_table(rows, columns, catalogue, source=SOURCE, table=meting, year=int(meting))
    check_codes(table.frame.index, Level.BUURT, source=SOURCE, table=meting)
    check_sums(rows, table=meting)
    return table


def read_csv(content: bytes, *, table: str) -> pd.DataFrame:
    """Return the file's fields as text, refusing rows that are cut short or do not fit the header."""
    try:
        header, *rows = csv.reader(StringIO(content.decode("utf-8-sig"), newline=""))
    except (ValueError, csv.Error) as error:  # not UTF-8, not a single row, or no CSV
        raise SourceError(f"no valid CSV ({error}); fetch it again", source=SOURCE, table=table) from error
    uneven = [row[0] if row else "an empty row" for row in rows if len(row) != len(header)]
    if uneven:
        raise SourceError(
            f"rows that do not have {len(header)} fields: {some(uneven)}; fetch it again",
            source=SOURCE,
            table=table,
        )
    return pd.DataFrame(rows, columns=header, dtype="str")


def check_sums(rows: pd.DataFrame, *, table: str) -> None:
    """Refuse buurten whose five dimensions do not add up to their total."""
    figures = rows[[TOTAL, *DIMENSIONS]].apply(to_numbers, source=SOURCE, table=table)
    difference = figures[DIMENSIONS].sum(axis=1, skipna=False) - figures[TOTAL]
    wrong = difference[difference.abs() > ROUNDING]
    if len(wrong):
        raise SourceError(
            f"{' + '.join(DIMENSIONS)} differs from {TOTAL}: {cases(wrong.round(4))}",
            source=SOURCE,
            table=table,
            column=TOTAL,
        )
