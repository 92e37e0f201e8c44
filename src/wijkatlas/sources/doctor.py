"""Examine every source: can it be reached, is the table there, are its columns, how filled are they."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

import pandas as pd

from wijkatlas.areas import Level
from wijkatlas.catalog import Catalogue, Protocol, Source
from wijkatlas.errors import WijkatlasError
from wijkatlas.settings import UserSettings
from wijkatlas.snapshots import SnapshotStore
from wijkatlas.sources import boundaries, parse_table
from wijkatlas.sources.cbs_v3 import newest_table
from wijkatlas.sources.fetch import Run, fetch_job, years_needed
from wijkatlas.sources.filled import filled_shares
from wijkatlas.sources.http import Progress

POPULATION = "inwoners"


@dataclass(frozen=True)
class Finding:
    """What was found of one table of one source."""

    source: str
    table: str
    year: int  # that it serves
    address: str = ""
    problem: str = ""  # empty if all is well
    areas: int = 0
    filled: dict[Level, float] = field(default_factory=dict)  # share of inhabitants, mean of the indicators
    empty: tuple[str, ...] = ()  # indicators without a single figure
    newer: str = ""  # a table of a newer year that the catalogue does not know


def examine(
    store: SnapshotStore,
    catalogue: Catalogue,
    year: int,
    settings: UserSettings,
    progress: Progress = lambda _tally: None,
) -> list[Finding]:
    """
    Examine every table that an edition of a year needs.

    What has to be read for it is kept in the store, so that a fetch need not ask for it again; the store's
    lock is not touched. A source that fails is a finding, and the others are examined all the same.

    Returns
    -------
    findings
        One a table, in the order of the catalogue and of years.
    """
    run = Run(store, catalogue, settings, progress, datetime.now(UTC).date())
    findings: list[Finding] = []
    inhabitants: dict[int, pd.Series] = {}
    for source in catalogue.sources.values():
        if not settings.enabled(source):
            continue
        try:
            years = years_needed(catalogue, source, year)
        except WijkatlasError as error:
            findings.append(Finding(source.id, "", year, problem=str(error)))
            continue
        findings += [examine_table(run, source, needed, inhabitants) for needed in years]
    return findings


def examine_table(run: Run, source: Source, year: int, inhabitants: dict[int, pd.Series]) -> Finding:
    """Examine one table; the source that has `inhabitants` fills them in by year, the others use them."""
    table, address, newer = source.tables[year], "", ""
    try:
        protocol, address = run.settings.service(source, year)
        with run.job(source, year) as job:
            if protocol is Protocol.ODATA_V3 and (newest := newest_table(job)):
                newer = f"{newest[1]} ({newest[0]})" if newest[0] > max(source.tables) else ""
            snapshots = fetch_job(job)
        documents: dict[str, list[bytes]] = {}
        for snapshot in snapshots:
            documents.setdefault(snapshot.part, []).append(run.store.read(snapshot))
        if source.id == boundaries.SOURCE:
            areas = len(boundaries.parse_boundaries(documents, run.catalogue, year).areas)
            return Finding(source.id, table, year, address, areas=areas, newer=newer)
        figures = parse_table(documents, run.catalogue, source.id, year)
    except WijkatlasError as error:
        return Finding(source.id, table, year, address, problem=str(error), newer=newer)
    if POPULATION in figures.frame:
        inhabitants[year] = figures.frame[POPULATION]
    weights = inhabitants.get(year, pd.Series(1.0, index=figures.frame.index))
    return Finding(
        source.id,
        table,
        year,
        address,
        areas=len(figures.frame),
        filled={level: float(filled_shares(figures, weights, level).mean()) for level in Level},
        empty=tuple(figures.frame.columns[figures.frame.isna().all()]),
        newer=newer,
    )
