"""Fetch everything that an edition of a year needs: whole, into the store, or not at all."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime

from wijkatlas.catalog import Catalogue, Protocol, Source
from wijkatlas.errors import SettingsError, some
from wijkatlas.settings import UserSettings
from wijkatlas.snapshots import Lock, Snapshot, SnapshotStore
from wijkatlas.sources.boundaries import SOURCE, fetch_features, fetch_geopackage
from wijkatlas.sources.cbs_v3 import fetch_odata_v3
from wijkatlas.sources.cbs_v4 import fetch_odata_v4
from wijkatlas.sources.documents import understood
from wijkatlas.sources.http import Client, Progress, Tally
from wijkatlas.sources.job import Job
from wijkatlas.sources.leefbaarometer import fetch_zip
from wijkatlas.sources.table import table_of

FETCHERS: dict[Protocol, Callable[[Job], list[Snapshot]]] = {
    Protocol.ODATA_V3: fetch_odata_v3,
    Protocol.ODATA_V4: fetch_odata_v4,
    Protocol.FEATURES: fetch_features,
    Protocol.GEOPACKAGE: fetch_geopackage,
    Protocol.ZIP: fetch_zip,
}


@dataclass(frozen=True)
class Run:
    """What all jobs of one fetch have in common."""

    store: SnapshotStore
    catalogue: Catalogue
    settings: UserSettings
    progress: Progress
    today: date

    @contextmanager
    def job(self, source: Source, year: int) -> Iterator[Job]:
        """Prepare the fetching of the table of a source that serves a year, over a connection of its own."""
        protocol, address = self.settings.service(source, year)
        tally = Tally(source.id, source.tables[year])
        self.progress(tally)
        with Client(address, self.settings.network, tally, self.progress) as client:
            yield Job(
                source, self.catalogue, year, protocol, address.rstrip("/"), client, self.store, self.today
            )


def fetch_all(
    store: SnapshotStore,
    catalogue: Catalogue,
    year: int,
    settings: UserSettings,
    progress: Progress = lambda _tally: None,
) -> Lock:
    """
    Fetch every source of a year, and of the years before it that may have to fill its gaps.

    Parameters
    ----------
    store
        Where snapshots go. Each page is kept as soon as it is whole, so a fetch that was broken off goes on
        where it stopped. `sources.lock` is written last, by a fetch that has everything.
    progress
        Told of every change in what fetching a table has taken.

    Returns
    -------
    lock
        The snapshots that make up the newest state of all sources; those of the last fetch where nothing
        is new.

    Raises
    ------
    SettingsError
        A setting names a source that is not in the catalogue, or an unsafe address.
    SourceError
        A source cannot be had whole. The store's lock is as it was.
    SnapshotError
        Another program writes in the store.
    """
    if unknown := set(settings.sources) - set(catalogue.sources):
        raise SettingsError(
            f"sources.{some(unknown)}: not in the catalogue, which has {some(catalogue.sources)}"
        )
    run = Run(store, catalogue, settings, progress, datetime.now(UTC).date())
    snapshots: list[Snapshot] = []
    with store.only_writer():
        for source in catalogue.sources.values():
            if settings.enabled(source):
                for needed in years_needed(catalogue, source, year):
                    with run.job(source, needed) as job:
                        snapshots += fetch_job(job)
        lock = Lock.of(snapshots)
        store.write_lock(lock)
    return lock


def fetch_job(job: Job) -> list[Snapshot]:
    """
    Fetch one table whole, into the store; the store's lock is not touched.

    Raises
    ------
    SourceError
        It cannot be had whole, or a reply has a shape that cannot be read.
    """
    with understood(job.source.id, job.table):
        snapshots = FETCHERS[job.protocol](job)
    job.client.tally.done = True
    job.client.progress(job.client.tally)
    return snapshots


def years_needed(catalogue: Catalogue, source: Source, year: int) -> list[int]:
    """
    Return the years whose tables a source must give for an edition of `year`, each table once.

    A source that an edition can do without is only asked for the year itself, and for nothing if it has no
    table for it. A municipality's own table is never fetched.
    """
    if Protocol.FILE in source.services or (source.optional and year not in source.tables):
        return []
    needed = {table_of(catalogue, source.id, year): year}
    divisions = catalogue.sources[SOURCE].tables  # without its boundaries a year cannot be carried over
    for earlier in range(year - 1, year - catalogue.rules.years_back - 1, -1):
        if earlier in source.tables and earlier in divisions and not source.optional:
            needed.setdefault(source.tables[earlier], earlier)
    return sorted(needed.values())
