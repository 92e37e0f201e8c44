"""Every parser of bytes from outside, with a real reply to start from."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import geopandas as gpd
import orjson
import pandas as pd
import pyogrio

from conftest import ROOT
from standins.odata import ODataV4
from standins.server import Request
from standins.world import SAMPLE, YEAR, small_world
from wijkatlas.catalog import load_catalogue
from wijkatlas.publish.manifest import verify
from wijkatlas.scoring.spec import SCORES, load_spec
from wijkatlas.serve import accepts_gzip, find, parse_range
from wijkatlas.settings import load_settings
from wijkatlas.snapshots import Lock, Snapshot, SnapshotStore, read_model
from wijkatlas.sources import parse_table, read_documents
from wijkatlas.sources.boundaries import parse_boundaries
from wijkatlas.sources.documents import Page
from wijkatlas.sources.http import retry_after
from wijkatlas.sources.own_table import load_own

FEW = 6  # areas: enough for a shape to touch another, few enough to be quick
GUIDE = (ROOT / "docs" / "eigen-cijfers.md").read_text(encoding="utf-8")
OWN = re.findall(r"```toml\n(.*?)```", GUIDE, flags=re.DOTALL)[0]


def description(file: str) -> str:
    """Return the guide's own catalogue file, of another table."""
    return re.sub(r"(?m)^file = .*$", f'file = "{file}"', OWN)


@dataclass(frozen=True)
class Target:
    """A parser of one piece of bytes, and a piece that it reads well."""

    real: bytes
    parse: Callable[[bytes], object]


def in_file(name: str, parse: Callable[[Path], object]) -> Callable[[bytes], object]:
    """Let a parser of a file read bytes."""

    def parse_bytes(content: bytes) -> object:
        with TemporaryDirectory() as folder:
            path = Path(folder) / name
            path.write_bytes(content)
            return parse(path)

    return parse_bytes


def own_table(suffix: str) -> Callable[[bytes], object]:
    def parse(path: Path) -> object:
        beside = path.with_name("own.toml")
        beside.write_text(description(path.name), encoding="utf-8")
        return load_own(beside, load_catalogue())

    return in_file(f"table{suffix}", parse)


def own_bytes(driver: str, suffix: str) -> bytes:
    cells = pd.DataFrame({"buurtcode": ["BU05991081", "BU05991082"], "huishoudens_bij_voedselbank": [3, 40]})
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"table{suffix}"
        if driver:
            pyogrio.write_dataframe(cells, path, driver=driver)
        else:
            cells.to_parquet(path, index=False)
        return path.read_bytes()


def v4_documents() -> dict[str, bytes]:
    """Return what OData v4 gives of a few rows of the Kerncijfers."""
    table = small_world(load_catalogue()).tables["85984NED"]
    service = ODataV4({table.id: replace(table, rows=table.rows[:FEW])})
    parts = ("Dimensions", "MeasureCodes", "Observations", "WijkenEnBuurtenCodes")
    return {
        part: service(Request("https://example.org", f"/{table.id}/{part}", {}, {})).body for part in parts
    }


def geopackage(page: Page) -> bytes:
    """Return a page of outlines as a GeoPackage."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "buurten.gpkg"
        outlines = gpd.GeoDataFrame.from_features(page["features"], crs=4326)
        outlines.to_file(path, layer="buurten")
        return path.read_bytes()


@cache
def targets() -> dict[str, Target]:
    """Return every target by its name."""
    store, catalogue = SnapshotStore(SAMPLE), load_catalogue()
    lock = store.lock()
    kwb = read_documents(store, lock, "kwb", "85984NED")[1]
    outlines = read_documents(store, lock, "grenzen", "wijken-en-buurten-2024")[1]
    scores = read_documents(store, lock, "leefbaarometer", "2024")[1]
    rows = orjson.loads(kwb["TypedDataSet"][0])
    rows["value"] = rows["value"][:FEW]
    page = orjson.loads(outlines["buurten"][-1])
    page["features"] = page["features"][:FEW]
    v4 = v4_documents()
    found = {
        f"kwb_v3_{part}": Target(
            orjson.dumps(rows) if part == "TypedDataSet" else kwb[part][0],
            lambda content, part=part: parse_table(  # type: ignore[misc]
                {**kwb, "TypedDataSet": [orjson.dumps(rows)], part: [content]}, catalogue, "kwb", YEAR
            ),
        )
        for part in kwb
    }
    found |= {
        f"kwb_v4_{part}": Target(
            v4[part],
            lambda content, part=part: parse_table(  # type: ignore[misc]
                {**{name: [reply] for name, reply in v4.items()}, part: [content]}, catalogue, "kwb", YEAR
            ),
        )
        for part in v4
    }
    few = b"\n".join(scores["buurten"][0].splitlines()[: FEW + 1]) + b"\n"
    pin = lock.snapshots[0]
    found |= {
        "boundaries_geojson": Target(
            orjson.dumps(page), lambda content: parse_boundaries({"buurten": [content]}, catalogue, YEAR)
        ),
        "boundaries_gpkg": Target(
            geopackage(page), lambda content: parse_boundaries({"geopackage": [content]}, catalogue, YEAR)
        ),
        "leefbaarometer": Target(
            few, lambda content: parse_table({"buurten": [content]}, catalogue, "leefbaarometer", YEAR)
        ),
        "own_csv": Target(
            b"buurtcode;huishoudens_bij_voedselbank\nBU05991081;3\nBU05991082;40\n", own_table(".csv")
        ),
        "own_xlsx": Target(own_bytes("XLSX", ".xlsx"), own_table(".xlsx")),
        "own_gpkg": Target(own_bytes("GPKG", ".gpkg"), own_table(".gpkg")),
        "own_parquet": Target(own_bytes("", ".parquet"), own_table(".parquet")),
        "own_description": Target(
            description("absent.csv").encode(),
            in_file("own.toml", lambda path: load_own(path, catalogue)),
        ),
        "specification": Target(
            (SCORES / "deltaplan.toml").read_bytes(),
            in_file("spec.toml", lambda path: load_spec(path, catalogue)),
        ),
        "settings": Target(
            b'[network]\nattempts = 7\n[sources.kwb]\naddress = "https://x.org"\n[schedule]\nlog = "json"\n',
            in_file("wijkatlas.toml", lambda path: load_settings(path, {})),
        ),
        "lock": Target(lock.render().encode(), in_file("sources.lock", lambda path: read_model(Lock, path))),
        "sidecar": Target(
            store.describe(pin).model_dump_json().encode(),
            in_file("x.json", lambda path: read_model(Snapshot, path)),
        ),
        "manifest": Target(
            b'{"edition": "x", "files": {"a.csv": {"bytes": 1, "sha256": "00"}}}',
            in_file("manifest.json", lambda path: verify(path.parent)),
        ),
        "retry_after": Target(
            b"Wed, 21 Oct 2026 07:28:00 GMT", lambda content: retry_after(content.decode("latin-1"))
        ),
        "range": Target(b"bytes=0-15", lambda content: parse_range(content.decode("latin-1"), 100)),
        "accept": Target(b"gzip;q=0.5, br", lambda content: accepts_gzip(content.decode("latin-1"))),
        "address": Target(
            b"/latest/%2e%2e/index.html", lambda content: find(SAMPLE, content.decode("latin-1"))
        ),
    }
    return found
