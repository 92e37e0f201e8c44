"""The same tables by OData v4, to which CBS is moving: one observation a row instead of one area a row."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode

import orjson
import pandas as pd

from wijkatlas.catalog import Catalogue
from wijkatlas.errors import SourceError, some
from wijkatlas.snapshots import Snapshot
from wijkatlas.sources.documents import Documents, Page, read_rows
from wijkatlas.sources.job import Job
from wijkatlas.sources.stems import match_dimensions, match_stems, stem_of_title
from wijkatlas.sources.table import SourceTable, make_table, table_of

OBSERVATIONS = "Observations"
MEASURE, VALUE = "Measure", "Value"

Row = Mapping[str, Any]


def parse_odata_v4(documents: Documents, catalogue: Catalogue, source: str, year: int) -> SourceTable:
    """
    Read the table of a source that serves a year; gives what `parse_odata_v3` gives of the same figures.

    Parameters
    ----------
    documents
        The pages of Dimensions, MeasureCodes, Observations and the codes of the areas' dimension.

    Raises
    ------
    SourceError
        The documents are cut short, or do not hold what the catalogue expects.
    """
    table = table_of(catalogue, source, year)

    def rows(name: str) -> list[dict[str, Any]]:
        return read_rows(documents, name, next_of=next_link, source=source, table=table)

    columns = resolve_measures(rows("MeasureCodes"), catalogue, source, year)
    area, categories = dimensions(rows("Dimensions"), catalogue, source, year)
    observed = rows(OBSERVATIONS)
    needed = (area, MEASURE, VALUE, *categories)
    absent = [key for key in needed if any(key not in row for row in observed)]
    if not observed:
        raise SourceError("there are no observations: the table is empty", source=source, table=table)
    if absent:
        raise SourceError(
            "there are observations without it", source=source, table=table, column=some(absent)
        )
    long = pd.DataFrame({key: pd.Series([row[key] for row in observed], dtype=object) for key in needed})
    for key, wanted in categories.items():
        long = long[long[key].astype("str").str.strip() == wanted]
    cells = long[long[MEASURE].isin(columns.values())].set_index([area, MEASURE])[VALUE]
    if cells.index.has_duplicates:
        twice = cells.index[cells.index.duplicated()].unique()
        raise SourceError(f"cells that occur more than once: {some(twice)}", source=source, table=table)
    codes = pd.Index([row.get("Identifier") for row in rows(f"{area}Codes")], dtype=object)
    raw = cells.unstack(MEASURE).reindex(index=codes, columns=list(columns.values()))  # noqa: PD010  cells are unique
    return make_table(
        raw.astype(object).where(raw.notna(), None),
        columns,
        catalogue,
        source=source,
        table=table,
        year=catalogue.sources[source].year_of_figures(year),
    )


def next_link(page: Page) -> str | None:
    """Return the link to the next page, if there is one."""
    return page.get("@odata.nextLink")


def resolve_measures(measures: Sequence[Row], catalogue: Catalogue, source: str, year: int) -> dict[str, str]:
    """Find the measure of each indicator by its title, from which CBS also makes the stems of OData v3."""
    keys = [
        (stem_of_title(str(measure.get("Title"))), str(measure.get("Identifier"))) for measure in measures
    ]
    return match_stems(keys, catalogue, year, source=source, table=table_of(catalogue, source, year))


def dimensions(
    described: Sequence[Row], catalogue: Catalogue, source: str, year: int
) -> tuple[str, dict[str, str]]:
    """Return what `match_dimensions` finds among the Dimensions."""
    kinds = {str(entry.get("Identifier")): str(entry.get("Kind")) for entry in described}
    return match_dimensions(kinds, catalogue, year, source=source, table=table_of(catalogue, source, year))


def fetch_odata_v4(job: Job) -> list[Snapshot]:
    """
    Fetch the description of a table and the observations that the catalogue needs of it.

    Nothing but the table's properties is asked for while they are what they were.

    Raises
    ------
    SourceError
        The observations are not as many as the service counts.
    """
    root = f"{job.address}/{job.table}"
    properties, _ = job.fetch(
        job.place("Properties"), f"{root}/Properties", orjson.loads, form="json", always=True
    )
    version = properties.sha256

    def follow(name: str, query: Mapping[str, str]) -> list[Snapshot]:
        return job.follow(
            name,
            f"{root}/{name}?{urlencode({'$count': 'true', **query}, quote_via=quote, safe='$,')}",
            form="json",
            items="value",
            next_of=next_link,
            count_of=lambda page: page.get("@odata.count"),
            version=version,
        )

    described, measures = follow("Dimensions", {}), follow("MeasureCodes", {})
    area, categories = dimensions(job.read_items(described, "value"), job.catalogue, job.source.id, job.year)
    columns = resolve_measures(job.read_items(measures, "value"), job.catalogue, job.source.id, job.year)
    wanted = ",".join(f"'{measure}'" for measure in sorted(set(columns.values())))
    conditions = [f"{MEASURE} in ({wanted})", *(f"{name} eq '{code}'" for name, code in categories.items())]
    query = {
        "$select": ",".join([MEASURE, "ValueAttribute", VALUE, area, *categories]),
        "$filter": " and ".join(conditions),
    }
    codes = follow(f"{area}Codes", {})
    return [properties, *described, *measures, *codes, *follow(OBSERVATIONS, query)]
