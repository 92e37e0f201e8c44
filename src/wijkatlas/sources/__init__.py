"""One module a source: fetch (the only code that touches the network) and parse (pure)."""

from dataclasses import dataclass

import geopandas as gpd

from wijkatlas.catalog import Catalogue
from wijkatlas.errors import SnapshotError
from wijkatlas.snapshots import LOCK_NAME, Lock, Snapshot, SnapshotStore
from wijkatlas.sources import boundaries, kwb, leefbaarometer
from wijkatlas.sources.documents import Documents
from wijkatlas.sources.table import SourceTable, table_of

__all__ = ["SourceTable", "Sources", "read_sources"]

PARSERS = {
    kwb.SOURCE: kwb.parse_kwb,
    leefbaarometer.SOURCE: leefbaarometer.parse_leefbaarometer,
}


@dataclass(frozen=True)
class Sources:
    """Everything that the sources say of one year, parsed and validated."""

    year: int
    tables: dict[str, SourceTable]  # by source id
    boundaries: gpd.GeoDataFrame  # buurten by code: names, codes of parents, shapes; see `Boundaries.areas`
    water: tuple[str, ...]  # codes of buurten left out of `boundaries`
    snapshots: tuple[Snapshot, ...]  # all that was read, by source, table, part and page


def read_sources(store: SnapshotStore, lock: Lock, catalogue: Catalogue, year: int) -> Sources:
    """
    Read and parse the snapshots of a year.

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
    snapshots: list[Snapshot] = []
    documents: dict[str, Documents] = {}
    for source in sorted((*PARSERS, boundaries.SOURCE)):
        described, documents[source] = read_documents(store, lock, source, table_of(catalogue, source, year))
        snapshots += described
    division = boundaries.parse_boundaries(documents[boundaries.SOURCE], catalogue, year)
    return Sources(
        year=year,
        tables={source: parse(documents[source], catalogue, year) for source, parse in PARSERS.items()},
        boundaries=division.areas,
        water=division.water,
        snapshots=tuple(snapshots),
    )


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
