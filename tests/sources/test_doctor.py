"""Examining the sources: every one of them, whatever the others do."""

from pathlib import Path

from standins.server import StandIn
from standins.world import World, settings, small_world
from wijkatlas.areas import Level
from wijkatlas.catalog import Catalogue
from wijkatlas.snapshots import SnapshotStore
from wijkatlas.sources.doctor import Finding, examine
from wijkatlas.sources.fetch import fetch_all


def found(
    store: SnapshotStore, catalogue: Catalogue, server: StandIn, year: int = 2024
) -> dict[tuple[str, str], Finding]:
    findings = examine(store, catalogue, year, settings(server.root))
    return {(finding.source, finding.table): finding for finding in findings}


def test_all_is_well(catalogue: Catalogue, server: StandIn, tmp_path: Path) -> None:
    store = SnapshotStore(tmp_path)
    findings = found(store, catalogue, server)
    assert len(findings) == 9
    assert not any(finding.problem for finding in findings.values())
    kwb = findings["kwb", "85984NED"]
    assert (kwb.areas, kwb.empty, kwb.newer) == (91, (), "")
    assert 0.9 < kwb.filled[Level.BUURT] < 1
    assert kwb.filled[Level.WIJK] == kwb.filled[Level.GEMEENTE] == 0
    assert findings["grenzen", "wijken-en-buurten-2024"].areas == 91
    assert findings["leefbaarometer", "2024"].areas == 77
    assert not (tmp_path / "sources.lock").exists()
    before = len(server.asked)
    fetch_all(store, catalogue, 2024, settings(server.root))
    assert not any("TypedDataSet" in asked for asked in server.asked[before:])


def test_one_that_fails_does_not_hide_the_others(
    catalogue: Catalogue, world: World, server: StandIn, tmp_path: Path
) -> None:
    server.fail("status", "*.zip", status=404)
    del world.tables["50150NED"]
    for entry in world.tables["85984NED"].properties:
        if entry.get("Key") == "AantalInwoners_5":
            entry["Key"] = "Inwoners_5"
    findings = found(SnapshotStore(tmp_path), catalogue, server)
    wrong = {source: finding.problem for (source, _), finding in findings.items() if finding.problem}
    assert set(wrong) == {"kwb", "leefbaarometer", "gezondheid"}
    assert "inwoners: no column AantalInwoners_<number>" in wrong["kwb"]
    assert "answered 404" in wrong["leefbaarometer"]
    assert "lists 0 tables" in wrong["gezondheid"]


def test_columns_that_hold_nothing_and_newer_tables_are_told(
    catalogue: Catalogue, world: World, server: StandIn, tmp_path: Path
) -> None:
    for row in world.tables["85984NED"].rows:
        row["PersonenInArmoede_81"] = None
    world.tables["85984NED"].title = "Kerncijfers wijken en buurten 2024"
    world.tables["86999NED"] = newest = small_world(catalogue).tables["85618NED"]
    newest.id, newest.title, newest.period = "86999NED", "Kerncijfers wijken en buurten 2027", "2027"
    findings = found(SnapshotStore(tmp_path), catalogue, server)
    assert findings["kwb", "85984NED"].empty == ("personen_in_armoede",)
    assert findings["kwb", "85984NED"].newer == "86999NED (2027)"


def test_year_without_a_table(catalogue: Catalogue, server: StandIn, tmp_path: Path) -> None:
    findings = examine(SnapshotStore(tmp_path), catalogue, 1999, settings(server.root))
    assert [finding.source for finding in findings] == ["kwb", "leefbaarometer", "grenzen"]
    assert all("the catalogue has no table for 1999" in finding.problem for finding in findings)
