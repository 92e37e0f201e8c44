"""CBS Kerncijfers wijken en buurten, from the OData v3 feed of StatLine."""

import difflib
import re
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from wijkatlas.catalog import Catalogue
from wijkatlas.errors import SourceError, some
from wijkatlas.sources.documents import Documents, read_pages
from wijkatlas.sources.table import SourceTable, make_table, table_of

SOURCE = "kwb"
AREA = "WijkenEnBuurten"  # the tables' only dimension
NUMBERED_KEY = re.compile(r"(?P<stem>.+)_\d+")


def parse_kwb(documents: Documents, catalogue: Catalogue, year: int) -> SourceTable:
    """
    Read the KWB table of a year.

    Parameters
    ----------
    documents
        The pages of each set of the feed by its name; TableInfos, DataProperties and TypedDataSet are read.

    Returns
    -------
    table
        Rows of every level that the table holds, without the country as a whole. Only the columns that the
        catalogue names are read.

    Raises
    ------
    SourceError
        The documents are of another table, cut short, or do not hold what the catalogue expects.
    """
    table = table_of(catalogue, SOURCE, year)
    sets = {
        name: read_set(documents, name, table=table)
        for name in ("TableInfos", "DataProperties", "TypedDataSet")
    }
    identifiers = [info.get("Identifier") for info in sets["TableInfos"]]
    if identifiers != [table]:
        raise SourceError(f"TableInfos describes {identifiers}", source=SOURCE, table=table)
    columns = resolve_columns(sets["DataProperties"], catalogue, year)
    rows = sets["TypedDataSet"]
    for key in (AREA, *columns.values()):
        without = [row.get(AREA, "a row without a code") for row in rows if key not in row]
        if without:
            raise SourceError(
                f"TypedDataSet has rows without it: {some(without)}", source=SOURCE, table=table, column=key
            )
    raw = pd.DataFrame(
        {key: pd.Series([row[key] for row in rows], dtype=object) for key in columns.values()}
    ).set_axis(pd.Index([row[AREA] for row in rows], dtype=object))
    return make_table(raw, columns, catalogue, source=SOURCE, table=table, year=year)


def read_set(documents: Documents, name: str, *, table: str) -> list[dict[str, Any]]:
    """Return all rows of one set of the feed."""
    pages = read_pages(
        documents,
        name,
        items="value",
        goes_on=lambda page: "odata.nextLink" in page,
        source=SOURCE,
        table=table,
    )
    return [row for page in pages for row in page["value"]]


def resolve_columns(
    properties: Sequence[Mapping[str, Any]], catalogue: Catalogue, year: int
) -> dict[str, str]:
    """
    Find the table's own key of each indicator: its stem and a number that changes every year.

    Parameters
    ----------
    properties
        The rows of DataProperties.

    Returns
    -------
    columns
        Key by indicator id, for every indicator that the catalogue expects of KWB in `year`.

    Raises
    ------
    SourceError
        A stem is not found, or found twice; names the stems and the keys that come near.
    """
    keys: dict[str, list[str]] = {}
    for entry in properties:
        match = NUMBERED_KEY.fullmatch(entry.get("Key") or "") if entry.get("Type") == "Topic" else None
        if match:
            keys.setdefault(match["stem"].lower(), []).append(match[0])
    columns, problems = {}, []
    for indicator, stems in catalogue.of_source(SOURCE, year).items():
        found = [key for stem in stems for key in keys.get(stem.lower(), [])]
        if len(found) == 1:
            columns[indicator] = found[0]
            continue
        wanted = " or ".join(f"{stem}_<number>" for stem in stems)
        near = {name for stem in stems for name in difflib.get_close_matches(stem.lower(), keys)}
        hint = [key for name in sorted(near) for key in keys[name]]
        problems.append(
            f"{indicator}: {wanted} found as {' and '.join(found)}"
            if found
            else f"{indicator}: no column {wanted}; near misses: {', '.join(hint) or 'none'}"
        )
    if problems:
        raise SourceError(
            f"columns that differ from the catalogue: {'; '.join(problems)}",
            source=SOURCE,
            table=table_of(catalogue, SOURCE, year),
        )
    return columns
