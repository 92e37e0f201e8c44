"""From the raw store to all sources of a year."""

import shutil
from pathlib import Path

import pytest

from wijkatlas.catalog import Catalogue
from wijkatlas.errors import SnapshotError, SourceError
from wijkatlas.snapshots import Lock, Snapshot, SnapshotStore
from wijkatlas.sources import read_sources


def test_the_sample_gives_every_source(store: SnapshotStore, catalogue: Catalogue) -> None:
    sources = read_sources(store, store.lock(), catalogue, 2024)
    assert sources.year == 2024
    assert set(sources.tables) | {"grenzen"} == {s.id for s in catalogue.sources.values() if not s.optional}
    assert len(sources.boundaries) == 91
    assert set(sources.tables["kwb"].frame.index) == set(sources.boundaries.index)
    assert set(sources.tables["leefbaarometer"].frame.index) < set(sources.boundaries.index)
    assert Lock.of(sources.snapshots) == store.lock()
    assert all(isinstance(snapshot, Snapshot) for snapshot in sources.snapshots)


def test_every_indicator_of_the_year_is_read(store: SnapshotStore, catalogue: Catalogue) -> None:
    sources = read_sources(store, store.lock(), catalogue, 2024)
    read = {indicator for table in sources.tables.values() for indicator in table.frame.columns}
    assert read == {
        indicator.id
        for indicator in catalogue.indicators.values()
        if indicator.stems(2024) and not catalogue.sources[indicator.source].optional
    }


def test_altered_snapshot_is_refused(store: SnapshotStore, catalogue: Catalogue, tmp_path: Path) -> None:
    copy = SnapshotStore(Path(shutil.copytree(store.root, tmp_path / "store")))
    (file,) = copy.root.glob("leefbaarometer/*.csv")
    file.write_bytes(file.read_bytes().replace(b"-0.221863", b"-0.121863"))
    with pytest.raises(
        SnapshotError, match=rf"{file.name}: expected sha256 {file.stem}, found [0-9a-f]{{64}}"
    ):
        read_sources(copy, copy.lock(), catalogue, 2024)


def test_lock_without_a_source(store: SnapshotStore, catalogue: Catalogue) -> None:
    lock = Lock.of(pin for pin in store.lock().snapshots if pin.source != "leefbaarometer")
    with pytest.raises(SnapshotError, match=r"names no snapshot of leefbaarometer, table 2024; fetch"):
        read_sources(store, lock, catalogue, 2024)


def test_lock_without_a_page(store: SnapshotStore, catalogue: Catalogue) -> None:
    lock = Lock.of(pin for pin in store.lock().snapshots if (pin.source, pin.page) != ("grenzen", 1))
    with pytest.raises(
        SnapshotError, match=r"lacks page 1 of grenzen, table wijken-en-buurten-2024, buurten"
    ):
        read_sources(store, lock, catalogue, 2024)


def test_year_without_a_table(store: SnapshotStore, catalogue: Catalogue) -> None:
    with pytest.raises(SourceError, match=r"the catalogue has no table for 2017"):
        read_sources(store, store.lock(), catalogue, 2017)
