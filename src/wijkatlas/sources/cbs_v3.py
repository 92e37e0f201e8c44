"""
Tables of StatLine and of its third-party catalogue (police, RIVM), by OData v3.

cbsodata finds the tables: which there are, when each was last published, how many rows it has. The rows come
from the same ODataFeed that cbsodata reads, but through our own page loop: `cbsodata.get_data` has no
time-out, gives up on the first lost connection, follows any link, replaces codes by titles that are not
unique, and keeps nothing of what was sent.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from threading import Lock
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import pandas as pd
from cbsodata import cbsodata3
from requests import PreparedRequest, Response

from wijkatlas.catalog import Catalogue
from wijkatlas.errors import SourceError, some
from wijkatlas.snapshots import Snapshot
from wijkatlas.sources.documents import Documents, Page, read_rows
from wijkatlas.sources.http import Client, TransientError
from wijkatlas.sources.job import Job
from wijkatlas.sources.stems import match_dimensions, match_stems, stem_of_key
from wijkatlas.sources.table import SourceTable, make_table, table_of, to_numbers

BOUNDARY_CHANGE = "Indelingswijziging"  # how the stem starts of what became of an area's border
ONE_AT_A_TIME = Lock()
ENTRY = ("Identifier", "Title", "Period", "Modified", "Updated", "RecordCount")

Row = Mapping[str, Any]


def parse_odata_v3(documents: Documents, catalogue: Catalogue, source: str, year: int) -> SourceTable:
    """
    Read the table of a source that serves a year.

    Parameters
    ----------
    documents
        The pages of each set of the feed by its name; TableInfos, DataProperties and TypedDataSet are read.

    Returns
    -------
    table
        Rows of every level that the table holds, without the country as a whole. Only the columns that the
        catalogue names are read, and of each dimension but the area's only the category that it names.

    Raises
    ------
    SourceError
        The documents are of another table, cut short, or do not hold what the catalogue expects.
    """
    table = table_of(catalogue, source, year)
    sets = {
        name: read_rows(documents, name, next_of=next_link, source=source, table=table)
        for name in ("TableInfos", "DataProperties", "TypedDataSet")
    }
    identifiers = [info.get("Identifier") for info in sets["TableInfos"]]
    if identifiers != [table]:
        raise SourceError(f"TableInfos describes {identifiers}", source=source, table=table)
    columns = resolve_columns(sets["DataProperties"], catalogue, source, year)
    area, categories = dimensions(sets["DataProperties"], catalogue, source, year)
    needed = (area, *categories, *columns.values())
    rows = rows_of(sets["TypedDataSet"], needed, categories, source=source, table=table)
    codes = pd.Index([row[area] for row in rows], dtype=object)
    raw = pd.DataFrame(
        {key: pd.Series([row[key] for row in rows], dtype=object) for key in columns.values()}
    ).set_axis(codes)
    figures = make_table(
        raw,
        columns,
        catalogue,
        source=source,
        table=table,
        year=catalogue.sources[source].year_of_figures(year),
    )
    told = [key for key in boundary_changes(sets["DataProperties"]) if all(key in row for row in rows)]
    if not told:
        return figures
    cells = pd.Series([row[told[0]] for row in rows], index=codes.str.strip(), dtype=object, name=told[0])
    changed = to_numbers(cells, source=source, table=table).reindex(figures.frame.index).astype("Int8")
    return replace(figures, changed=changed)


def rows_of(
    rows: list[dict[str, Any]],
    needed: Sequence[str],
    categories: Mapping[str, str],
    *,
    source: str,
    table: str,
) -> list[dict[str, Any]]:
    """Return the rows of these categories; refuse rows without a `needed` key, the first of them the area."""
    for key in needed:
        without = [row.get(needed[0], "a row without a code") for row in rows if key not in row]
        if without:
            raise SourceError(
                f"TypedDataSet has rows without it: {some(without)}", source=source, table=table, column=key
            )
    for key, wanted in categories.items():
        met = {str(row[key]).strip() for row in rows}
        rows = [row for row in rows if str(row[key]).strip() == wanted]
        if not rows:
            raise SourceError(
                f"no rows of {wanted!r}, only of {some(met)}", source=source, table=table, column=key
            )
    return rows


def boundary_changes(properties: Sequence[Row]) -> list[str]:
    """Return the key of the column that tells what became of an area's border, if the table has it."""
    return [str(entry["Key"]) for entry in properties if str(entry.get("Key")).startswith(BOUNDARY_CHANGE)]


def next_link(page: Page) -> str | None:
    """Return the link to the next page, if there is one."""
    return page.get("odata.nextLink")


def resolve_columns(
    properties: Sequence[Row], catalogue: Catalogue, source: str, year: int
) -> dict[str, str]:
    """
    Find the table's own key of each indicator that the catalogue expects of it.

    Parameters
    ----------
    properties
        The rows of DataProperties.

    Raises
    ------
    SourceError
        A stem is not found, or found twice; names the stems and the keys that come near.
    """
    keys = [entry.get("Key") or "" for entry in properties if entry.get("Type") == "Topic"]
    stems = [(stem, key) for key in keys if (stem := stem_of_key(key))]
    return match_stems(stems, catalogue, year, source=source, table=table_of(catalogue, source, year))


def dimensions(
    properties: Sequence[Row], catalogue: Catalogue, source: str, year: int
) -> tuple[str, dict[str, str]]:
    """Return what `match_dimensions` finds among the dimensions in DataProperties."""
    kinds = {entry["Key"]: entry["Type"] for entry in properties if "Topic" not in entry.get("Type", "Topic")}
    return match_dimensions(kinds, catalogue, year, source=source, table=table_of(catalogue, source, year))


def fetch_odata_v3(job: Job) -> list[Snapshot]:
    """
    Fetch the description of a table and the rows and columns that the catalogue needs of it.

    Nothing but its entry in the catalogue is asked for while the publisher's stamp is what it was.

    Raises
    ------
    SourceError
        The table is not listed, was published anew meanwhile, or its rows are not as many as it counts.
    """
    feed = f"{job.address}/ODataFeed/odata/{job.table}"
    entry = table_entry(job)
    version = stamp(entry)

    def follow(name: str, query: Mapping[str, str], rows: int | None = None) -> list[Snapshot]:
        return job.follow(
            name,
            f"{feed}/{name}?{urlencode({'$format': 'json', **query}, quote_via=quote, safe='$,')}",
            form="json",
            items="value",
            next_of=next_link,
            count_of=lambda _page: rows,
            version=version,
        )

    kept = follow("TableInfos", {})
    described = follow("DataProperties", {})
    properties = job.read_items(described, "value")
    columns = resolve_columns(properties, job.catalogue, job.source.id, job.year)
    area, categories = dimensions(properties, job.catalogue, job.source.id, job.year)
    wanted = [area, *categories, *boundary_changes(properties), *columns.values()]
    query = {"$select": ",".join(wanted)}
    kept += described
    conditions = []
    for name, category in categories.items():
        listed = follow(name, {})
        kept += listed
        conditions.append(f"{name} eq '{padded_key(job, name, job.read_items(listed, 'value'), category)}'")
    if conditions:
        query["$filter"] = " and ".join(conditions)
    news = job.client.tally.news
    kept += follow(
        "TypedDataSet",
        query,
        rows=None if conditions else entry["RecordCount"],  # a slice has no count of its own
    )
    if job.client.tally.news > news and stamp(table_entry(job)) != version:
        raise job.place("TypedDataSet").error("was published anew while it was read; fetch again", feed)
    return kept


def padded_key(job: Job, name: str, rows: Sequence[Row], wanted: str) -> str:
    """Return a category's key with the blanks that CBS pads it with: a filter without them finds nothing."""
    keys = [str(row.get("Key")) for row in rows]
    found = [key for key in keys if key.strip() == wanted]
    if len(found) != 1:
        raise SourceError(
            f"{name} has no category {wanted!r}, only {some({key.strip() for key in keys})}",
            source=job.source.id,
            table=job.table,
            column=name,
        )
    return found[0]


def table_entry(job: Job) -> Row:
    """Return what the publisher's catalogue says of a table."""
    query = f"Identifier eq '{job.table}'"
    listed = [row for row in list_tables(job, query) if row.get("Identifier") == job.table]
    if len(listed) != 1 or not isinstance(listed[0].get("RecordCount"), int):
        raise job.place("catalogue").error(
            f"lists {len(listed)} tables with a count of its rows", job.address
        )
    return listed[0]


def newest_table(job: Job) -> tuple[int, str] | None:
    """Return the newest year for which the publisher lists a table of the source's series, and its id."""
    if job.source.series is None:
        return None
    query = f"substringof('{job.source.series}',Title) and OutputStatus eq 'Regulier' and Language eq 'nl'"
    years = [(str(row.get("Period")).strip(), str(row.get("Identifier"))) for row in list_tables(job, query)]
    return max(((int(year), table) for year, table in years if year.isdecimal()), default=None)


def stamp(entry: Row) -> str:
    """Return what changes whenever a table is published anew, its figures or its description."""
    return f"{entry.get('Modified')} {entry.get('Updated')}"


def list_tables(job: Job, query: str) -> list[Row]:
    """
    Ask the catalogue service which tables there are.

    Parameters
    ----------
    query
        An OData filter, such as `Identifier eq '85984NED'`.
    """
    parts = urlsplit(job.address)
    service = parts.netloc + parts.path.rstrip("/")

    def ask() -> list[Row]:
        try:
            with spoken_by(job.client, parts.scheme):
                listed: list[Row] = cbsodata3.get_table_list(
                    select=list(ENTRY), filters=query, catalog_url=service
                )
        except (KeyError, TypeError) as error:  # JSON, but not what the service gives
            raise TransientError(f"an unusable reply (no {error})") from error
        return listed

    return job.client.patiently(ask, f"{job.address}/ODataCatalog/Tables", job.place("catalogue"))


@contextmanager
def spoken_by(client: Client, scheme: str) -> Iterator[None]:
    """
    Let cbsodata speak through `client`, over https, or http on this machine.

    The session that it opens by itself has no limit of size or duration. Both are global to cbsodata, so one
    thread at a time.
    """

    class Session:
        def send(self, request: PreparedRequest, **_options: object) -> Response:
            return client.whole(str(request.url))

    with ONE_AT_A_TIME:
        before = cbsodata3.options.use_https, cbsodata3.Session
        cbsodata3.options.use_https, cbsodata3.Session = scheme == "https", Session
        try:
            yield
        finally:
            cbsodata3.options.use_https, cbsodata3.Session = before
