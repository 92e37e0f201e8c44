"""A small country for the stand-ins, made of the embedded sample, and a big one of the real size."""

import json
import math
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from standins.odata import ODataV3, ODataV4, Row, Table
from standins.places import Downloads, Features, zip_of
from standins.server import StandIn
from wijkatlas.catalog import Catalogue
from wijkatlas.geometry import RD_NEW, WGS84, transformer
from wijkatlas.settings import NetworkSettings, UserSettings
from wijkatlas.snapshots import SnapshotStore
from wijkatlas.sources import parse_table, read_documents

SAMPLE = Path(__file__).parents[2] / "data" / "sample" / "rotterdam-2024"
YEAR = 2024
LIVEABILITY = "open-data-leefbaarometer-meting-2024.zip"
FOLDER = "Leefbaarometer 3.0 - Meting 2024 - open data"
MEMBER = f"{FOLDER}/Leefbaarometer-scores buurten 2002-2024.csv"
OTHERS = {
    f"{FOLDER}/Leefbaarometer-scores wijken 2002-2024.csv": b"wk_code\n",
    f"{FOLDER}/lees mij.txt": b"CC0",
}

Figures = Mapping[str, Mapping[str, float | None]]  # by area code, by indicator


@dataclass
class World:
    """Everything that the stand-ins serve. Change it, and the next request sees the change."""

    v3: ODataV3
    v4: ODataV4
    features: Features
    downloads: Downloads = field(default_factory=Downloads)

    def serve(self) -> StandIn:
        return StandIn({"/v3": self.v3, "/v4": self.v4, "/pdok": self.features, "/files": self.downloads})

    @property
    def tables(self) -> dict[str, Table]:
        return self.v3.tables


def settings(root: str, **network: Any) -> UserSettings:
    """Return settings that lead every source to the stand-ins, and lose no time."""
    return UserSettings.model_validate(
        {
            "network": {"backoff": 0, "read_timeout": 5, "attempts": 3, **network},
            "sources": {
                "kwb": {"address": f"{root}/v3"},
                "ses": {"address": f"{root}/v3"},
                "misdrijven": {"address": f"{root}/v3"},
                "gezondheid": {"address": f"{root}/v3"},
                "grenzen": {"address": f"{root}/pdok/{{table}}/ogc/v1/collections/buurten/items"},
                "leefbaarometer": {"address": f"{root}/files/open-data-leefbaarometer-meting-{{table}}.zip"},
            },
        }
    )


def quick(**changes: Any) -> NetworkSettings:
    """Return settings for one client that loses no time."""
    return NetworkSettings.model_validate({"backoff": 0, "read_timeout": 5, "attempts": 3, **changes})


def small_world(catalogue: Catalogue, *, page: int = 40) -> World:
    """Return Rotterdam, served in pages small enough that there are several."""
    store = SnapshotStore(SAMPLE)
    lock = store.lock()
    documents = read_documents(store, lock, "kwb", "85984NED")[1]
    figures = parse_table(documents, catalogue, "kwb", YEAR).frame
    cells = {code: row.dropna().to_dict() for code, row in figures.iterrows()}
    given = {name: json.loads(documents[name][0])["value"] for name in ("DataProperties", "TypedDataSet")}
    tables = [
        Table("85984NED", "Kerncijfers 2024", given["DataProperties"], given["TypedDataSet"]),
        *(table_of_figures(catalogue, "kwb", year, cells) for year in (2021, 2022, 2023)),
        table_of_figures(catalogue, "ses", YEAR, some_figures(catalogue, "ses", cells)),
        table_of_figures(catalogue, "gezondheid", YEAR, some_figures(catalogue, "gezondheid", cells)),
        table_of_figures(
            catalogue, "misdrijven", 2025, some_figures(catalogue, "misdrijven", cells, year=2025)
        ),
    ]
    by_id = {table.id: table for table in tables}
    outlines = read_documents(store, lock, "grenzen", "wijken-en-buurten-2024")[1]["buurten"]
    buurten = [feature for content in outlines for feature in json.loads(content)["features"]]
    scores = read_documents(store, lock, "leefbaarometer", "2024")[1]["buurten"][0]
    return World(
        ODataV3(by_id, page),
        ODataV4(by_id, page * 20),
        Features({f"wijken-en-buurten-{year}": buurten for year in (2022, 2023, 2024)}, page),
        Downloads({LIVEABILITY: zip_of({**OTHERS, MEMBER: scores})}),
    )


def big_world(catalogue: Catalogue, *, sizes: Mapping[int, int], columns: int = 121) -> World:
    """
    Return a country of the real size: squares of two kilometres, figures made up.

    `sizes` tells how many rows the table of each year has, the country's own row included.
    """
    codes = {year: some_codes(size - 1) for year, size in sizes.items()}
    tables = {
        year: table_of_figures(
            catalogue,
            "kwb",
            year,
            some_figures(catalogue, "kwb", ["NL00", *found], year=year),
            columns=columns,
        )
        for year, found in codes.items()
    }
    by_id = {table.id: table for table in tables.values()}
    buurten = {year: [code for code in found if code.startswith("BU")] for year, found in codes.items()}
    features = {f"wijken-en-buurten-{year}": some_squares(found) for year, found in buurten.items()}
    scores = some_scores(buurten[max(buurten)][:12_147], (2002, 2008, *range(2012, 2025, 2)))
    return World(
        ODataV3(by_id), ODataV4(by_id), Features(features), Downloads({LIVEABILITY: zip_of({MEMBER: scores})})
    )


def some_codes(number: int) -> list[str]:
    """Return so many codes: 342 gemeenten, some with letters, ten wijken in each, buurten for the rest."""
    gemeenten = [f"{number:04}" for number in range(1, 343)]
    wijken = [
        f"{gemeente}{letter}{n}"
        for gemeente in gemeenten
        for letter, n in zip("01234ABCDE", range(10), strict=True)
    ]
    buurten = [f"{wijk}{n:02}" for n in range(100) for wijk in wijken]
    rest = number - len(gemeenten) - len(wijken)
    return [
        *(f"GM{code}" for code in gemeenten),
        *(f"WK{code}" for code in wijken),
        *(f"BU{code}" for code in sorted(buurten[:rest])),
    ]


def some_squares(buurten: Sequence[str]) -> list[Row]:
    """Return a feature with a square for every buurt, side by side, in longitude and latitude."""
    across = math.ceil(math.sqrt(len(buurten)))
    x, y = np.divmod(np.arange(len(buurten)), across)
    corners = shapely.box(20_000 + 2000 * x, 300_000 + 2000 * y, 22_000 + 2000 * x, 302_000 + 2000 * y)
    shapes = shapely.transform(corners, transformer(RD_NEW, WGS84))
    return [
        {
            "type": "Feature",
            "id": number,
            "properties": {
                "buurtcode": code,
                "buurtnaam": "Centrum",
                "wijkcode": f"WK{code[2:8]}",
                "gemeentecode": f"GM{code[2:6]}",
                "gemeentenaam": f"Gemeente {code[2:6]}",
                "water": "JA" if number % 500 == 0 else "NEE",
            },
            "geometry": json.loads(text),
        }
        for number, (code, text) in enumerate(zip(buurten, shapely.to_geojson(shapes), strict=True))
    ]


def some_scores(buurten: Sequence[str], metingen: Iterable[int]) -> bytes:
    """Return a Leefbaarometer file with every buurt in every meting."""
    lines = ["bu_code,bu_naam,jaar,lbm,afw,fys,onv,soc,vrz,won"]
    lines += [
        f"{code},Centrum,{meting},4.2,0.15,0.01,0.02,0.03,0.04,0.05"
        for meting in metingen
        for code in buurten
    ]
    return "\n".join([*lines, ""]).encode()


def some_figures(
    catalogue: Catalogue, source: str, codes: Iterable[str], *, year: int = YEAR, seed: int = 7
) -> Figures:
    """Make up a figure per area and indicator, some missing."""
    draw = random.Random(seed)
    indicators = list(catalogue.of_source(source, year))
    return {
        code: {name: None if draw.random() < 0.1 else round(draw.uniform(0, 2), 1) for name in indicators}
        for code in codes
    }


def table_of_figures(
    catalogue: Catalogue, source: str, year: int, figures: Figures, *, columns: int = 0
) -> Table:
    """
    Lay figures out as CBS lays out the table of that source and year.

    `columns` is filled up with topics that nobody asked for. Every further dimension has the category that
    is read, and another one whose figures must never be seen.
    """
    stems = catalogue.of_source(source, year)
    keys = {
        i: names[0] if "_" in names[0][-3:] else f"{names[0]}_{n}"
        for n, (i, names) in enumerate(stems.items(), 5)
    }
    filler = [f"Vulling_{number}" for number in range(len(keys) + 5, columns + 5)]
    slice_of = catalogue.sources[source].slice_of(year)
    properties: list[Row] = [
        {
            "ID": 0,
            "Type": "GeoDetail",
            "Key": "WijkenEnBuurten",
            "Title": "Wijken en buurten",
            "ParentID": None,
        }
    ]
    for name in slice_of:
        kind = "TimeDimension" if name == "Perioden" else "Dimension"
        properties.append({"ID": len(properties), "Type": kind, "Key": name, "Title": name, "ParentID": None})
    properties.append(
        {"ID": len(properties), "Type": "TopicGroup", "Key": "", "Title": "Alles", "ParentID": None}
    )
    for key in ("Indelingswijziging_4", *keys.values(), *filler):
        title = key.rpartition("_")[0].removeprefix("k_")
        properties.append(
            {"ID": len(properties), "Type": "Topic", "Key": key, "Title": title, "Datatype": "Double"}
        )
    categories = {name: [{"Key": padded(wanted), "Title": "dit"}] for name, wanted in slice_of.items()}
    categories["WijkenEnBuurten"] = [{"Key": f"{code:<10}", "Title": "Centrum"} for code in figures]
    rows: list[Row] = []
    wanted = {name: padded(key) for name, key in slice_of.items()}
    slices = [wanted]
    for name in slice_of:
        categories[name].append({"Key": padded("X"), "Title": "iets anders"})
        slices.append({**wanted, name: padded("X")})
    for which in slices:
        for code, cells in figures.items():
            values = {key: cells.get(i) if which == wanted else -1 for i, key in keys.items()}
            rows.append(
                {"ID": len(rows), "WijkenEnBuurten": f"{code:<10}", **which, "Indelingswijziging_4": 1}
                | values
                | dict.fromkeys(filler, 1.5)
            )
    return Table(catalogue.sources[source].tables[year], f"{source} {year}", properties, rows, categories)


def padded(key: str) -> str:
    """Pad a category's key as CBS does: to six places or more."""
    return f"{key:<6}"
