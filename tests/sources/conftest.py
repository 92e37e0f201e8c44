"""The sample's documents, and a way to spoil them."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from standins.server import StandIn
from standins.world import World, small_world
from wijkatlas.catalog import Catalogue, load_catalogue
from wijkatlas.snapshots import SnapshotStore
from wijkatlas.sources import read_documents
from wijkatlas.sources.documents import Documents

SAMPLE = Path(__file__).parents[2] / "data" / "sample" / "rotterdam-2024"

Edit = Callable[[Documents, str, Callable[[Any], None]], Documents]


@pytest.fixture(scope="session")
def whole_catalogue() -> Catalogue:
    return load_catalogue()


@pytest.fixture
def catalogue(whole_catalogue: Catalogue) -> Catalogue:
    return whole_catalogue


@pytest.fixture
def world(catalogue: Catalogue) -> World:
    return small_world(catalogue)


@pytest.fixture
def server(world: World) -> Iterator[StandIn]:
    with world.serve() as server:
        yield server


@pytest.fixture
def store() -> SnapshotStore:
    return SnapshotStore(SAMPLE)


@pytest.fixture
def kwb(store: SnapshotStore) -> Documents:
    return read_documents(store, store.lock(), "kwb", "85984NED")[1]


@pytest.fixture
def leefbaarometer(store: SnapshotStore) -> Documents:
    return read_documents(store, store.lock(), "leefbaarometer", "2024")[1]


@pytest.fixture
def grenzen(store: SnapshotStore) -> Documents:
    return read_documents(store, store.lock(), "grenzen", "wijken-en-buurten-2024")[1]


@pytest.fixture
def edit() -> Edit:
    """Return a function that gives documents with the first page of one part changed."""

    def edited(documents: Documents, part: str, change: Callable[[Any], None]) -> Documents:
        page = json.loads(documents[part][0])
        change(page)
        return {**documents, part: [json.dumps(page).encode(), *documents[part][1:]]}

    return edited
