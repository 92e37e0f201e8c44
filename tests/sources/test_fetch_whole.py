"""The whole country at its real size: every row arrives, and a run without news fetches no data set."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from standins.server import StandIn
from standins.world import World, big_world, settings
from wijkatlas.areas import Level, level_of
from wijkatlas.catalog import Catalogue
from wijkatlas.settings import UserSettings
from wijkatlas.snapshots import SnapshotStore
from wijkatlas.sources import read_sources
from wijkatlas.sources.fetch import fetch_all
from wijkatlas.sources.http import Tally

SIZES = {2023: 17_341, 2024: 18_495}  # rows of KWB: the fewest and the most of these years


@pytest.fixture(scope="module")
def catalogue_of_two_years(whole_catalogue: Catalogue) -> Catalogue:
    """Return the catalogue with one earlier year, and without the sources that an edition can do without."""
    rules = whole_catalogue.rules.model_copy(update={"years_back": 1})
    return whole_catalogue.model_copy(update={"rules": rules})


@pytest.fixture(scope="module")
def world(catalogue_of_two_years: Catalogue) -> World:
    return big_world(catalogue_of_two_years, sizes=SIZES)


@pytest.fixture(scope="module")
def server(world: World) -> Iterator[StandIn]:
    with world.serve() as server:
        yield server


def test_every_row_of_the_country_arrives_once(
    catalogue_of_two_years: Catalogue, server: StandIn, tmp_path: Path
) -> None:
    catalogue, store = catalogue_of_two_years, SnapshotStore(tmp_path)
    chosen = settings(server.root).model_dump(mode="json")
    for source in ("ses", "gezondheid"):
        chosen["sources"][source]["enabled"] = False
    settled = UserSettings.model_validate(chosen)
    tallies = {}

    def note(tally: Tally) -> None:
        tallies[tally.table] = tally

    lock = fetch_all(store, catalogue, 2024, settled, note)
    assert [tallies[table].rows for table in ("85618NED", "85984NED")] == [17_341, 18_495]
    assert len([pin for pin in lock.select("kwb", "85984NED") if pin.part == "TypedDataSet"]) == 2
    buurten = 18_495 - 1 - 342 - 3420
    assert len(lock.select("grenzen", "wijken-en-buurten-2024")) == -(-buurten // 1000)
    assert sum(tally.retries for tally in tallies.values()) == 0

    sources = read_sources(store, lock, catalogue, 2024)
    kwb = sources.tables["kwb"].frame
    assert kwb.shape == (18_494, len(catalogue.of_source("kwb", 2024)))
    assert sum(level_of(code) is Level.BUURT for code in kwb.index) == buurten
    assert len(sources.boundaries) + len(sources.water) == buurten
    assert len(sources.water) == -(-buurten // 500)
    assert len(sources.tables["leefbaarometer"].frame) == 12_147
    assert [(e.year, len(e.tables["kwb"].frame)) for e in sources.earlier] == [(2023, 17_340)]

    before = len(server.asked)
    assert fetch_all(store, catalogue, 2024, settled, note) == lock
    asked = server.asked[before:]
    assert len(asked) == 3  # the catalogue for each year of KWB, and whether the zip has changed
    assert sum(tally.news for tally in tallies.values()) == 0
