"""Leefbaarometer 3.0, from the open-data file of buurten: a total and five dimensions for every meting."""

import csv
import zipfile
import zlib
from fnmatch import fnmatchcase
from io import BytesIO, StringIO

import pandas as pd

from wijkatlas.areas import Level, check_codes
from wijkatlas.catalog import Catalogue
from wijkatlas.errors import SourceError, some
from wijkatlas.snapshots import Snapshot
from wijkatlas.sources.documents import Documents, pages_of
from wijkatlas.sources.job import Job
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
    table = table_of(catalogue, SOURCE, year)
    meting = str(catalogue.sources[SOURCE].year_of_figures(year))
    (content,) = pages_of(documents, PART, source=SOURCE, table=table)
    file = read_csv(content, table=table)
    columns = {indicator: stems[0] for indicator, stems in catalogue.of_source(SOURCE, year).items()}
    absent = [key for key in (CODE, METING, TOTAL, *DIMENSIONS, *columns.values()) if key not in file]
    if absent:
        raise SourceError(
            f"no such column in the file; it has {', '.join(map(str, file))}",
            source=SOURCE,
            table=table,
            column=absent[0],
        )
    rows = file[file[METING].str.strip() == meting].set_index(CODE)
    if rows.empty:
        raise SourceError(
            f"no rows of meting {meting}: the file has {some(file[METING].unique(), most=20) or 'no rows'}",
            source=SOURCE,
            table=table,
        )
    figures = make_table(rows, columns, catalogue, source=SOURCE, table=table, year=int(meting))
    check_codes(figures.frame.index, Level.BUURT, source=SOURCE, table=table)
    check_sums(rows, table=table)
    return figures


def fetch_zip(job: Job) -> list[Snapshot]:
    """
    Fetch the zip of a meting and keep the one file in it that is read.

    Raises
    ------
    SourceError
        The zip cannot be had, or does not hold exactly one file of that name, of a size within the limits.
    """
    snapshot, _ = job.fetch(
        job.place(PART), job.address, bytes.__len__, form="csv", extract=lambda sent: extract(sent, job)
    )
    job.client.progress(job.client.tally)
    return [snapshot]


def extract(content: bytes, job: Job) -> bytes:
    """
    Return the one member of a zip that the catalogue names, in memory: no path in it is ever used.

    Raises
    ------
    ValueError
        It is no whole zip, or the member is absent, ambiguous or too large.
    """
    pattern, limit = job.source.member or "*", job.client.network.max_reply
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            found = [info for info in archive.infolist() if fnmatchcase(info.filename, pattern)]
            if len(found) != 1:
                raise ValueError(f"{len(found)} files in the zip match {pattern!r}")
            with archive.open(found[0]) as member:
                unpacked = member.read(limit + 1)  # what the zip says of a size is not to be trusted
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, OSError, zlib.error) as error:
        raise ValueError(f"no whole zip: {error}") from error
    if len(unpacked) > limit:
        raise ValueError(f"{found[0].filename!r} unpacks to more than {limit} bytes")
    return unpacked


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
