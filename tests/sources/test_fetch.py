"""A fetch is whole or leaves no trace; the next one asks only for what is new."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import geopandas as gpd
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from standins.places import zip_of
from standins.server import Request, Response, StandIn, reply_json
from standins.world import FOLDER, LIVEABILITY, MEMBER, OTHERS, World, settings
from wijkatlas.catalog import Catalogue, Protocol
from wijkatlas.errors import SettingsError, SnapshotError, SourceError
from wijkatlas.settings import UserSettings
from wijkatlas.snapshots import Lock, SnapshotStore
from wijkatlas.sources import Sources, parse_table, read_documents, read_sources
from wijkatlas.sources.documents import Documents
from wijkatlas.sources.fetch import Run, fetch_all, fetch_job, years_needed
from wijkatlas.sources.http import Tally

YEAR = 2024


@pytest.fixture
def raw(tmp_path: Path) -> SnapshotStore:
    return SnapshotStore(tmp_path / "raw")


class Fetch:
    """Fetches into one store from one stand-in."""

    def __init__(self, raw: SnapshotStore, catalogue: Catalogue, server: StandIn) -> None:
        self.raw, self.catalogue, self.server = raw, catalogue, server
        self.tallies: dict[tuple[str, str], Tally] = {}
        self.asked: list[str] = []

    def all(self, chosen: UserSettings | None = None) -> Lock:
        before = len(self.server.asked)
        self.tallies.clear()
        try:
            return fetch_all(self.raw, self.catalogue, YEAR, chosen or settings(self.server.root), self.note)
        finally:
            self.asked = self.server.asked[before:]

    def table(self, source: str, year: int = YEAR, *, today: date | None = None, **network: Any) -> Documents:
        """Fetch one table and return its documents."""
        day = today or datetime.now(UTC).date()
        run = Run(self.raw, self.catalogue, settings(self.server.root, **network), self.note, day)
        before = len(self.server.asked)
        with run.job(self.catalogue.sources[source], year) as job:
            snapshots = fetch_job(job)
        self.asked = self.server.asked[before:]
        return read_documents(
            self.raw, Lock.of(snapshots), source, self.catalogue.sources[source].tables[year]
        )[1]

    def note(self, tally: Tally) -> None:
        self.tallies[tally.source, tally.table] = tally

    def sources(self) -> Sources:
        return read_sources(self.raw, self.raw.lock(), self.catalogue, YEAR)


@pytest.fixture
def fetch(raw: SnapshotStore, catalogue: Catalogue, server: StandIn) -> Fetch:
    return Fetch(raw, catalogue, server)


# ---- whole -----------------------------------------------------------------------------------------------


def test_everything_arrives_and_reads_as_the_sample_does(
    fetch: Fetch, store: SnapshotStore, catalogue: Catalogue
) -> None:
    lock = fetch.all()
    assert fetch.raw.lock() == lock
    assert fetch.raw.verify() == []
    found, sample = fetch.sources(), read_sources(store, store.lock(), catalogue, YEAR)
    for source in ("kwb", "leefbaarometer"):
        assert_frame_equal(found.tables[source].frame, sample.tables[source].frame)
    assert found.boundaries.equals(sample.boundaries)
    assert set(found.tables) == {"kwb", "leefbaarometer", "ses", "gezondheid"}
    assert [(e.year, set(e.tables)) for e in found.earlier] == [(2023, {"kwb"}), (2022, {"kwb"})]


def test_what_a_fetch_brings_is_not_pruned_before_its_lock_names_it(
    raw: SnapshotStore, catalogue: Catalogue, server: StandIn
) -> None:
    refused = []

    def prune(_tally: Tally) -> None:
        with pytest.raises(SnapshotError, match="another run is writing here"):
            raw.prune([], dry_run=False)
        refused.append(raw.prune([]))

    lock = fetch_all(raw, catalogue, YEAR, settings(server.root), prune)
    assert any(refused)  # there was something that no lock named
    assert all(raw.holds(pin) for pin in lock.snapshots)


def test_progress_tells_rows_bytes_and_retries_of_every_table(fetch: Fetch, server: StandIn) -> None:
    server.fail("cut", "*TypedDataSet*85318NED*", times=0)
    server.fail("status", "*85984NED/TypedDataSet*", times=1)
    fetch.all()
    assert len(fetch.tallies) == 9
    assert all(tally.done for tally in fetch.tallies.values())
    kwb = fetch.tallies["kwb", "85984NED"]
    assert (kwb.rows, kwb.retries) == (91, 1)
    assert kwb.received > 50_000
    assert kwb.news == kwb.pages > 5


def test_only_the_columns_that_are_needed_are_asked_for(fetch: Fetch, catalogue: Catalogue) -> None:
    (first, *_) = fetch.table("kwb")["TypedDataSet"]
    keys = set(json.loads(first)["value"][0])
    wanted = len(catalogue.of_source("kwb", YEAR))
    assert len(keys) == wanted + 2
    assert {"WijkenEnBuurten", "IndelingswijzigingGemeenteWijkBuurt_4"} < keys


def test_slice_of_a_table_with_more_dimensions(fetch: Fetch, catalogue: Catalogue, world: World) -> None:
    documents = fetch.table("gezondheid")
    (address,) = {asked for asked in fetch.asked if "TypedDataSet" in asked and "skip" not in asked}
    assert "Leeftijd eq '20300 ' and Marges eq 'MW00000' and Perioden eq '2024JJ00'" in address
    table = parse_table(documents, catalogue, "gezondheid", YEAR)
    assert (len(table.frame), table.year) == (91, 2024)
    given = {row["WijkenEnBuurten"].strip(): row for row in world.tables["50150NED"].rows[:91]}
    key = table.columns["eenzaamheid"]
    expected = pd.Series({code: row[key] for code, row in given.items()}, dtype=float).sort_index()
    assert table.frame["eenzaamheid"].tolist() == pytest.approx(expected.tolist(), nan_ok=True)


def test_figures_of_another_year_say_so(fetch: Fetch, catalogue: Catalogue) -> None:
    table = parse_table(fetch.table("ses"), catalogue, "ses", YEAR)
    assert (table.table, table.year, list(table.frame)) == ("86092NED", 2023, ["ses_woa"])
    assert table.columns == {"ses_woa": "GemiddeldeScore_29"}


def test_crime_counts_are_counts(fetch: Fetch, catalogue: Catalogue) -> None:
    documents = fetch.table("misdrijven", 2025)
    table = parse_table(documents, catalogue, "misdrijven", 2025)
    assert table.columns == {"misdrijven": "GeregistreerdeMisdrijven_5"}
    assert any("SoortMisdrijf eq '0.0.0 ' and Perioden eq '2025JJ00'" in asked for asked in fetch.asked)


def test_server_that_ignores_a_filter_does_no_harm(
    fetch: Fetch, catalogue: Catalogue, server: StandIn, world: World
) -> None:
    whole = world.v3

    def unfiltered(request: Request) -> Response:
        query = {
            key: value for key, value in request.query.items() if key != "$filter" or "Identifier" in value
        }
        return whole(replace(request, query=query))

    expected = parse_table(fetch.table("ses"), catalogue, "ses", YEAR).frame
    server.services["/v3"] = unfiltered
    world.tables["86092NED"].modified = "2026-09-01T02:00:00"
    again = fetch.table("ses")
    assert sum(len(json.loads(page)["value"]) for page in again["TypedDataSet"]) == 2 * 91
    assert_frame_equal(parse_table(again, catalogue, "ses", YEAR).frame, expected)


@pytest.mark.parametrize(("source", "year"), [("kwb", 2024), ("kwb", 2023), ("gezondheid", 2024)])
def test_version_4_gives_the_same_table(
    fetch: Fetch, catalogue: Catalogue, server: StandIn, source: str, year: int
) -> None:
    expected = parse_table(fetch.table(source, year), catalogue, source, year)
    both = catalogue.sources[source].model_copy(update={"services": {Protocol.ODATA_V4: "https://set.below"}})
    catalogue = catalogue.model_copy(update={"sources": {**catalogue.sources, source: both}})
    chosen = settings(server.root).model_dump(mode="json")
    chosen["sources"][source] = {"protocol": "odata_v4", "address": f"{server.root}/v4"}
    run = Run(fetch.raw, catalogue, UserSettings.model_validate(chosen), fetch.note, datetime.now(UTC).date())
    with run.job(catalogue.sources[source], year) as job:
        snapshots = fetch_job(job)
    assert sum(snapshot.part == "Observations" for snapshot in snapshots) > (1 if source == "kwb" else 0)
    table = catalogue.sources[source].tables[year]
    documents = read_documents(fetch.raw, Lock.of(snapshots), source, table)[1]
    found = parse_table(documents, catalogue, source, year)
    assert_frame_equal(found.frame, expected.frame)
    assert (found.table, found.year) == (expected.table, expected.year)
    before = len(server.asked)
    with run.job(catalogue.sources[source], year) as job:
        assert fetch_job(job) == snapshots
        assert job.client.tally.news == 0
    assert [asked.rpartition("/")[2] for asked in server.asked[before:]] == ["Properties"]


def test_boundaries_can_come_in_bulk(fetch: Fetch, server: StandIn, world: World, tmp_path: Path) -> None:
    features = list(world.features.collections["wijken-en-buurten-2024"])
    gpd.GeoDataFrame.from_features(features, crs=4326).to_crs(28992).to_file(
        tmp_path / "b.gpkg", layer="buurten"
    )
    for year in (2022, 2023, 2024):
        world.downloads.files[f"{year}.gpkg"] = (tmp_path / "b.gpkg").read_bytes() + f"{year}".encode()
    chosen = settings(server.root).model_dump(mode="json")
    bulk = {"protocol": "geopackage", "address": f"{server.root}/files/{{year}}.gpkg"}
    chosen["sources"]["grenzen"] = bulk
    lock = fetch.all(UserSettings.model_validate(chosen))
    assert {pin.format for pin in lock.select("grenzen", "wijken-en-buurten-2024")} == {"gpkg"}
    assert len(fetch.sources().boundaries) == 91


def test_real_codes_and_padding_survive(fetch: Fetch, catalogue: Catalogue, world: World) -> None:
    rows = world.tables["85984NED"].rows
    names = {"BU0363AC01": "Centrum", "WK0363TA": "Centrum", "GM0363": "Amsterdam", "NL00": "Nederland"}
    for number, (code, name) in enumerate(names.items()):
        rows[number] |= {
            "WijkenEnBuurten": f"{code:<10}",
            "Codering_3": f"{code:<10}",
            "Gemeentenaam_1": name,
        }
    rows[0]["AantalInwoners_5"] = "         ."
    frame = parse_table(fetch.table("kwb"), catalogue, "kwb", YEAR).frame
    assert {"BU0363AC01", "WK0363TA", "GM0363"} < set(frame.index)
    assert "NL00" not in frame.index
    assert pd.isna(frame.loc["BU0363AC01", "inwoners"])


# ---- no news ---------------------------------------------------------------------------------------------


def test_second_run_without_news_asks_for_no_data_and_says_so(fetch: Fetch) -> None:
    lock = fetch.all()
    assert fetch.all() == lock
    assert all(tally.news == 0 for tally in fetch.tallies.values())
    data = [asked for asked in fetch.asked if "ODataCatalog" not in asked]
    assert data == [f"/files/{LIVEABILITY}"]  # answered by "not modified"
    assert fetch.tallies["leefbaarometer", "2024"].received == 0
    assert len(fetch.asked) == 6


def test_only_the_table_that_was_published_anew_is_fetched(fetch: Fetch, world: World) -> None:
    before = fetch.all()
    table = world.tables["85618NED"]
    table.modified = "2026-09-01T02:00:00"
    table.rows[3]["Indelingswijziging_4"] = 3
    after = fetch.all()
    assert {tally.table for tally in fetch.tallies.values() if tally.news} == {"85618NED"}
    changed = set(after.snapshots) - set(before.snapshots)
    assert {(pin.table, pin.part, pin.page) for pin in changed} == {
        ("85618NED", "TableInfos", 1),
        ("85618NED", "TypedDataSet", 1),
    }
    assert fetch.all() == after
    assert all(tally.news == 0 for tally in fetch.tallies.values())


def test_other_columns_are_asked_for_when_the_catalogue_changes(fetch: Fetch, catalogue: Catalogue) -> None:
    fetch.table("kwb")
    fewer = {i: entry for i, entry in catalogue.indicators.items() if i != "woz_waarde"}
    fetch.catalogue = catalogue.model_copy(update={"indicators": fewer})
    assert b"WOZ" not in fetch.table("kwb")["TypedDataSet"][0]
    assert all("TypedDataSet" in asked or "Catalog" in asked for asked in fetch.asked)


def test_time_on_a_page_is_no_news(fetch: Fetch, world: World) -> None:
    first = fetch.table("grenzen")
    in_a_while = datetime.now(UTC).date() + timedelta(days=40)
    assert fetch.table("grenzen", today=in_a_while) == first
    assert len(fetch.asked) == 3
    assert fetch.tallies["grenzen", "wijken-en-buurten-2024"].news == 0
    feature = world.features.collections["wijken-en-buurten-2024"][0]
    feature["properties"]["buurtnaam"] = "Anders"
    assert fetch.table("grenzen", today=in_a_while + timedelta(days=40)) != first
    assert fetch.tallies["grenzen", "wijken-en-buurten-2024"].news == 1


def test_reply_without_a_way_to_ask_is_trusted_for_some_days(fetch: Fetch) -> None:
    first = fetch.table("grenzen")
    assert fetch.table("grenzen") == first
    assert fetch.asked == []
    fetch.table("grenzen", trust_days=0)
    assert len(fetch.asked) == 3


def test_server_with_etags_is_asked_whether_anything_changed(fetch: Fetch, world: World) -> None:
    world.features.etags = True
    first = fetch.table("grenzen")
    assert fetch.table("grenzen") == first
    assert len(fetch.asked) == 3
    assert fetch.tallies["grenzen", "wijken-en-buurten-2024"].received == 0


def test_altered_snapshot_is_fetched_again(fetch: Fetch) -> None:
    lock = fetch.all()
    pin = lock.select("kwb", "85984NED")[-1]
    file = fetch.raw.root / "kwb" / f"{pin.sha256}.json"
    file.write_bytes(b"{}")
    assert fetch.all() == lock
    assert fetch.raw.verify() == []
    assert sum("TypedDataSet" in asked for asked in fetch.asked) == 1


# ---- trouble ---------------------------------------------------------------------------------------------

TROUBLES: dict[str, Callable[[World, StandIn], None]] = {
    "reset in mid-body": lambda _, s: s.fail("reset", "*TypedDataSet*skip=40*"),
    "500": lambda _, s: s.fail("status", "*TypedDataSet*skip=40*"),
    "503 with Retry-After": lambda _, s: s.fail("status", "*.zip", status=503, headers={"Retry-After": "0"}),
    "429": lambda _, s: s.fail("status", "*ODataCatalog*", status=429, headers={"Retry-After": "0"}),
    "truncated JSON": lambda _, s: s.fail("cut", "*cursor=40*"),
    "wrong JSON": lambda _, s: s.fail("html", "*DataProperties*"),
    "no catalogue for a moment": lambda _, s: s.fail("html", "*ODataCatalog*"),
    "truncated zip": lambda _, s: s.fail("cut", "*.zip"),
}


@pytest.mark.parametrize("trouble", TROUBLES)
def test_passing_trouble_costs_one_request_for_one_page(
    fetch: Fetch, world: World, server: StandIn, trouble: str
) -> None:
    TROUBLES[trouble](world, server)
    fetch.all()
    assert sum(tally.retries for tally in fetch.tallies.values()) == 1
    # the catalogue is asked again after each of the five tables of CBS and RIVM
    assert len(fetch.asked) == len(set(fetch.asked)) + 5 + 1
    assert fetch.raw.verify() == []


def change_table(**changes: object) -> Callable[[World, StandIn], None]:
    def change(world: World, _server: StandIn) -> None:
        for name, value in changes.items():
            setattr(world.tables["85984NED"], name, value)

    return change


def rename_column(world: World, _server: StandIn) -> None:
    for entry in world.tables["85984NED"].properties:
        if entry.get("Key") == "InBezitWoningcorporatie_49":
            entry["Key"] = "BezitVanCorporaties_49"


def publish_meanwhile(world: World, _server: StandIn) -> None:
    world.tables["85984NED"].rows[0]["AantalInwoners_5"] += 5
    world.tables["85984NED"].republished = "2026-10-01T02:00:00"


def empty_table(world: World, _server: StandIn) -> None:
    world.tables["85984NED"].rows.clear()


def drop_category(world: World, _server: StandIn) -> None:
    world.tables["50150NED"].categories["Perioden"][0]["Key"] = "2023JJ00"


def answer(match: str, content: object) -> Callable[[World, StandIn], None]:
    """Let whatever is asked with such an address be answered with this JSON."""

    def change(_world: World, server: StandIn) -> None:
        usual = server.answer
        server.answer = lambda address, headers: (  # type: ignore[method-assign]
            reply_json(content) if fnmatchcase(unquote(address), match) else usual(address, headers)
        )

    return change


LASTING: dict[str, tuple[Callable[[World, StandIn], None], str]] = {
    "reset": (
        lambda _, s: s.fail("reset", "*85984NED/TypedDataSet*skip=40*", times=9),
        r"kwb, table 85984NED: TypedDataSet, page 2, http://\S+/TypedDataSet\S+skip=40: the connection",
    ),
    "truncated JSON": (
        lambda _, s: s.fail("cut", "*2024*cursor=80*", times=9),
        r"grenzen, table wijken-en-buurten-2024: buurten, page 3, http://\S+cursor=80: an unusable reply",
    ),
    "no catalogue": (
        lambda _, s: s.fail("status", "*ODataCatalog*", status=404),
        r"kwb, table \w+: catalogue, page 1, http://\S+/ODataCatalog/Tables: answered 404",
    ),
    "wrong catalogue": (
        lambda _, s: s.fail("html", "*ODataCatalog*", times=9),
        r"kwb, table \w+: catalogue, page 1, http://\S+: an unusable reply \(Expecting value.*tried 3",
    ),
    "nextLink loop": (
        change_table(looping=True),
        r"85984NED: TypedDataSet, page 4, http://\S+: the pages link back to each other",
    ),
    "next page on another host": (
        change_table(elsewhere="https://evil.example.org"),
        r"85984NED: \w+, page 2, https://evil\S+: points to https://evil\S+, which is not on the",
    ),
    "changed totals": (
        change_table(record_count=90),
        r"85984NED: TypedDataSet, page 3, http://\S+: 91 rows came in and the source itself counts 90",
    ),
    "published meanwhile": (
        publish_meanwhile,
        r"85984NED: TypedDataSet, page 1, http://\S+: was published anew while it was read",
    ),
    "renamed column": (
        rename_column,
        r"kwb, table 85984NED: .*corporatiebezit: no column InBezitWoningcorporatie_<number>",
    ),
    "table that is not listed": (
        lambda w, _: w.tables.pop("85984NED") and None,
        r"kwb, table 85984NED: catalogue, page 1, http://\S+: lists 0 tables",
    ),
    "category that is gone": (
        drop_category,
        r"gezondheid, table 50150NED, column Perioden: .*no category '2024JJ00', only 2023JJ00, X",
    ),
    "features lost": (
        lambda w, _: setattr(w.features, "counts", 92),
        r"buurten, page 3, http://\S+: 91 rows came in and the source itself counts 92",
    ),
    "link that is no text": (
        answer("*85984NED/TypedDataSet*", {"value": [{}], "odata.nextLink": 5}),
        r"kwb, table 85984NED: the reply has a shape that cannot be read",
    ),
    "links that are no objects": (
        answer("*2024*/items*", {"features": [{}], "links": ["next"]}),
        r"grenzen, table wijken-en-buurten-2024: the reply has a shape that cannot be read",
    ),
    "column of no kind": (
        lambda w, _: w.tables["85984NED"].properties.append({"Key": "x", "Type": None}),
        r"kwb, table 85984NED: the reply has a shape that cannot be read",
    ),
    "catalogue of no objects": (
        answer("*ODataCatalog*", {"value": [5]}),
        r"kwb, table \w+: the reply has a shape that cannot be read",
    ),
    "catalogue of nothing": (
        answer("*ODataCatalog*", {"value": None}),
        r"kwb, table \w+: the reply has a shape that cannot be read",
    ),
    "zip with two such files": (
        lambda w, _: w.downloads.files.update(
            {LIVEABILITY: zip_of({MEMBER: b"x", f"{FOLDER}/Leefbaarometer-scores buurten 2026.csv": b"y"})}
        ),
        r"leefbaarometer, table 2024: buurten, page 1, http://\S+zip: .*2 files in the zip match",
    ),
    "zip without the file": (
        lambda w, _: w.downloads.files.update({LIVEABILITY: zip_of(OTHERS)}),
        r"leefbaarometer, table 2024: .*0 files in the zip match",
    ),
}


@pytest.mark.parametrize("trouble", LASTING)
def test_lasting_trouble_leaves_the_last_state_as_it_was(
    fetch: Fetch, world: World, server: StandIn, catalogue: Catalogue, trouble: str
) -> None:
    lock = fetch.all()
    for table in world.tables.values():
        table.modified = "2026-09-01T02:00:00"
    world.downloads.files[LIVEABILITY] += b" "
    make_trouble, problem = LASTING[trouble]
    make_trouble(world, server)
    chosen = settings(server.root, trust_days=0)
    with pytest.raises(SourceError, match=problem) as caught:
        fetch.all(chosen)
    assert "\n" not in str(caught.value)
    assert fetch.raw.lock() == lock
    assert fetch.raw.verify() == []
    assert read_sources(fetch.raw, lock, catalogue, YEAR).year == YEAR
    assert not list(fetch.raw.root.rglob("*.part"))


def test_catalogue_has_the_limits_of_every_other_reply(fetch: Fetch, world: World, server: StandIn) -> None:
    world.tables["85984NED"].title = "x" * 60_000
    with pytest.raises(SourceError, match=r"catalogue, page 1, .*more than the 50000 bytes"):
        fetch.table("kwb", max_reply=50_000)
    assert len(server.asked) == 1


def test_empty_year_is_refused_where_it_is_read(
    fetch: Fetch, world: World, server: StandIn, catalogue: Catalogue
) -> None:
    empty_table(world, server)
    with pytest.raises(SourceError, match=r"kwb, table 85984NED: no areas: the table is empty"):
        parse_table(fetch.table("kwb"), catalogue, "kwb", YEAR)


def test_zip_that_unpacks_to_too_much(fetch: Fetch, world: World) -> None:
    world.downloads.files[LIVEABILITY] = zip_of({MEMBER: b"0" * 10_000_000})
    with pytest.raises(SourceError, match=r"buurten 2002-2024\.csv' unpacks to more than 1000000 bytes"):
        fetch.table("leefbaarometer", max_reply=1_000_000)


@pytest.mark.parametrize("name", ["../../evil.csv", "/etc/evil.csv", "..\\evil.csv"])
def test_no_path_in_a_zip_is_used(fetch: Fetch, world: World, tmp_path: Path, name: str) -> None:
    scores = f"{name}/Leefbaarometer-scores buurten 2024.csv"
    world.downloads.files[LIVEABILITY] = zip_of({name: b"no", scores: b"bu_code\n"})
    assert fetch.table("leefbaarometer") == {"buurten": [b"bu_code\n"]}
    outside = [path for path in tmp_path.rglob("*") if path.is_file() and fetch.raw.root not in path.parents]
    assert outside == []


def test_setting_for_an_unknown_source(fetch: Fetch, server: StandIn) -> None:
    chosen = settings(server.root).model_dump(mode="json")
    chosen["sources"]["kwbb"] = {}
    with pytest.raises(SettingsError, match=r"sources\.kwbb: not in the catalogue, which has gezondheid"):
        fetch.all(UserSettings.model_validate(chosen))


def test_optional_source_can_be_left_out(fetch: Fetch, server: StandIn) -> None:
    chosen = settings(server.root).model_dump(mode="json")
    chosen["sources"]["gezondheid"]["enabled"] = False
    lock = fetch.all(UserSettings.model_validate(chosen))
    assert {pin.source for pin in lock.snapshots} == {"kwb", "leefbaarometer", "grenzen", "ses"}
    assert "gezondheid" not in fetch.sources().tables


def test_pages_that_go_on_without_anything_in_them(fetch: Fetch, server: StandIn) -> None:
    def endless(request: Request) -> Response:
        number = int(request.query.get("cursor", 0)) + 1
        link = {"rel": "next", "href": f"{request.root}{request.path}?cursor={number}"}
        return reply_json({"features": [], "links": [link]})

    server.services["/pdok"] = endless
    with pytest.raises(SourceError, match=r"buurten, page 1, http://\S+: an empty page links to a next one"):
        fetch.table("grenzen")


def test_own_table_is_never_fetched(catalogue: Catalogue) -> None:
    own = catalogue.sources["ses"].model_copy(update={"services": {Protocol.FILE: "voedselbank.csv"}})
    assert years_needed(catalogue, own, YEAR) == []
    assert years_needed(catalogue, catalogue.sources["ses"], YEAR) == [2024]
    assert years_needed(catalogue, catalogue.sources["kwb"], YEAR) == [2022, 2023, 2024]
    assert years_needed(catalogue, catalogue.sources["leefbaarometer"], YEAR) == [2024]
    assert years_needed(catalogue, catalogue.sources["misdrijven"], YEAR) == []


# ---- killed ----------------------------------------------------------------------------------------------

CHILD = """
import sys
from pathlib import Path
from standins.world import settings
from wijkatlas.catalog import load_catalogue
from wijkatlas.snapshots import SnapshotStore
from wijkatlas.sources.fetch import fetch_all
fetch_all(SnapshotStore(Path(sys.argv[1])), load_catalogue(), 2024, settings(sys.argv[2], read_timeout=60))
"""


def test_killed_in_the_middle_the_next_run_goes_on(fetch: Fetch, server: StandIn) -> None:
    server.fail("stall", "*85984NED/TypedDataSet*skip=40*")
    paths = os.pathsep.join(["src", "tests"])
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(fetch.raw.root), server.root],
        env={**os.environ, "PYTHONPATH": paths},
        cwd=Path(__file__).parents[2],
    )
    try:
        while not any("85984NED/TypedDataSet" in asked and "skip=40" in asked for asked in server.asked):
            assert child.poll() is None, "the fetch ended before it could be killed"
            time.sleep(0.02)
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()
    assert not (fetch.raw.root / "sources.lock").exists()
    assert fetch.raw.verify() == []
    fetch.all()
    again = [asked for asked in fetch.asked if "ODataFeed" in asked and "NED/" in asked]
    assert "skip=40" in again[0]  # the page that hung, and then what had not been asked for
    assert not any("85318NED" in asked or "85618NED" in asked for asked in again)
    assert len(fetch.sources().tables["kwb"].frame) == 91
    assert fetch.raw.verify() == []
