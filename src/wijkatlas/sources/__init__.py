"""One module a source: fetch (all of it through `http`, the only door to the network) and parse (pure)."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import geopandas as gpd

from wijkatlas.catalog import Catalogue, Source
from wijkatlas.errors import SnapshotError
from wijkatlas.snapshots import LOCK_NAME, Lock, Snapshot, SnapshotStore
from wijkatlas.sources import boundaries, leefbaarometer
from wijkatlas.sources.boundaries import Repair
from wijkatlas.sources.cbs_v3 import parse_odata_v3
from wijkatlas.sources.cbs_v4 import OBSERVATIONS, parse_odata_v4
from wijkatlas.sources.documents import Documents, understood
from wijkatlas.sources.table import SourceTable, table_of

__all__ = ["SourceTable", "Sources", "read_sources"]


@dataclass(frozen=True)
class Sources:
    """Everything that the sources say of one year, parsed and validated."""

    year: int
    tables: dict[str, SourceTable]  # by source id
    boundaries: gpd.GeoDataFrame  # buurten by code: names, codes of parents, shapes; see `Boundaries.areas`
    water: tuple[str, ...]  # codes of buurten left out of `boundaries`
    snapshots: tuple[Snapshot, ...]  # all that was read, by source, table, part and page
    repair: Repair = field(default_factory=Repair)  # what it took to make the boundaries fit each other
    earlier: tuple["Sources", ...] = ()  # the years before that may fill gaps, newest first


def read_sources(store: SnapshotStore, lock: Lock, catalogue: Catalogue, year: int) -> Sources:
    """
    Read and parse the snapshots of a year, and of the years before it that the lock holds.

    Parameters
    ----------
    store
        Where the snapshots are.
    lock
        Which snapshots to read.
    year
        The year of the division; the catalogue says which table of each source serves it.

    Raises
    ------
    SnapshotError
        The lock does not name what is needed, or a snapshot is absent or altered.
    SourceError
        A source does not hold what the catalogue says it holds.
    """
    needed = {
        source.id: table_of(catalogue, source.id, year)
        for source in catalogue.sources.values()
        if not source.optional or held(lock, source, year)
    }
    newest = read_year(store, lock, catalogue, year, needed)
    earlier = []
    for before in range(year - 1, year - catalogue.rules.years_back - 1, -1):
        tables = {
            source.id: source.tables[before]
            for source in catalogue.sources.values()
            if held(lock, source, before) and source.tables[before] != needed.get(source.id)
        }
        if boundaries.SOURCE in tables:
            earlier.append(read_year(store, lock, catalogue, before, tables))
    snapshots = {snapshot.place: snapshot for read in (newest, *earlier) for snapshot in read.snapshots}
    return replace(
        newest, earlier=tuple(earlier), snapshots=tuple(snapshots[place] for place in sorted(snapshots))
    )


def held(lock: Lock, source: Source, year: int) -> bool:
    """Whether a lock pins the table of a source that serves a year."""
    return year in source.tables and bool(lock.select(source.id, source.tables[year]))


def read_year(
    store: SnapshotStore, lock: Lock, catalogue: Catalogue, year: int, needed: Mapping[str, str]
) -> Sources:
    """Read and parse the tables in `needed`, by source, as they serve `year`."""
    read = {source: read_documents(store, lock, source, table) for source, table in sorted(needed.items())}
    division = boundaries.parse_boundaries(read[boundaries.SOURCE][1], catalogue, year)
    return Sources(
        year=year,
        tables={
            source: parse_table(documents, catalogue, source, year)
            for source, (_, documents) in read.items()
            if source != boundaries.SOURCE
        },
        boundaries=division.areas,
        water=division.water,
        snapshots=tuple(snapshot for described, _ in read.values() for snapshot in described),
        repair=division.repair,
    )


def parse_table(documents: Documents, catalogue: Catalogue, source: str, year: int) -> SourceTable:
    """Read a table of figures, by the form in which it was stored."""
    with understood(source, table_of(catalogue, source, year)):
        if source == leefbaarometer.SOURCE:
            return leefbaarometer.parse_leefbaarometer(documents, catalogue, year)
        parse = parse_odata_v4 if OBSERVATIONS in documents else parse_odata_v3
        return parse(documents, catalogue, source, year)


def read_documents(
    store: SnapshotStore, lock: Lock, source: str, table: str
) -> tuple[list[Snapshot], Documents]:
    """Return what the lock pins of one table: the sidecars, and the verified pages of each part."""
    pins = lock.select(source, table)
    if not pins:
        raise SnapshotError(f"{LOCK_NAME} names no snapshot of {source}, table {table}; fetch the source")
    pages: dict[str, list[bytes]] = {}
    for pin in pins:
        read = pages.setdefault(pin.part, [])
        read.append(store.read(pin))
        if pin.page != len(read):
            raise SnapshotError(
                f"{LOCK_NAME} lacks page {len(read)} of {source}, table {table}, {pin.part}; fetch the source"
            )
    return [store.describe(pin) for pin in pins], pages
