"""
Make data/sample/rotterdam-2024 from the shared figures of Rotterdam: `python data/sample/make_rotterdam.py`.

The figures and outlines are real; only their packing is made here, in the formats in which CBS, PDOK and the
Leefbaarometer publish them. What the shared figures do not hold is left empty, and the sidecars say so.
"""

import csv
import io
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, Literal

from wijkatlas.catalog import load_catalogue
from wijkatlas.snapshots import Lock, Snapshot, SnapshotStore, sha256

HERE = Path(__file__).parent
TOPICS = HERE / "topics_85984NED.csv"
SHARED = HERE.parents[2] / "shared" / "data" / "rotterdam"
TARGET = HERE / "rotterdam-2024"

YEAR = 2024
OBTAINED = date(2026, 11, 23)  # when these figures reached the project; the publishers' own files are older
TABLE = "85984NED"
FEED = f"https://opendata.cbs.nl/ODataFeed/OData/{TABLE}"
SETS = ("TableInfos", "UntypedDataSet", "TypedDataSet", "DataProperties", "CategoryGroups", "WijkenEnBuurten")
ITEMS = f"https://api.pdok.nl/cbs/wijken-en-buurten-{YEAR}/ogc/v1/collections/buurten/items?f=json"
PAGE_SIZE = 50
LIVEABILITY = "https://www.leefbaarometer.nl/resources/open-data-leefbaarometer-meting-2024.zip"
FORMATS: dict[str, Literal["json", "geojson", "csv"]] = {
    "kwb": "json",
    "grenzen": "geojson",
    "leefbaarometer": "csv",
}

SAMPLE = (
    "The 91 buurten of Rotterdam only, packed by data/sample/make_rotterdam.py in the source's own format."
)
NOTES = {
    "kwb": "Only the columns listed in DataProperties are carried. Left out: the other columns, the rows of "
    "the country, the gemeente and the wijken, descriptions of topics, CBS's own texts and dates.",
    "grenzen": "Outlines are generalised; `wijknaam` is added; only codes and names are carried.",
    "leefbaarometer": "Only meting 2024; the absolute score `lbm` is left empty. The address is the zip's.",
}

Row = dict[str, Any]
Table = Sequence[Mapping[str, str]]


def data_properties(topics: Table) -> list[Row]:
    """Lay out the dimension, the groups and their topics as rows that point to their parent."""
    dimension = {"Key": "WijkenEnBuurten", "Title": "Wijken en buurten", "Description": "", "MapYear": YEAR}
    rows = [property_head("GeoDetail", 0, None, 0) | dimension]
    groups: dict[tuple[str, ...], int] = {}

    def group_id(*path: str) -> int:
        if path not in groups:
            parent = group_id(*path[:-1]) if path[1:] else None
            groups[path] = len(rows)
            described = {"Key": "", "Title": path[-1], "Description": ""}
            rows.append(property_head("TopicGroup", len(rows), parent, None) | described)
        return groups[path]

    for topic in topics:
        parent = group_id(*filter(None, (topic["group"], topic["subgroup"])))
        position = int(topic["key"].rpartition("_")[2])
        rows.append(
            property_head("Topic", len(rows), parent, position)
            | {
                "Key": topic["key"],
                "Title": topic["title"],
                "Description": "",
                "Datatype": topic["datatype"],
                "Unit": topic["unit"],
                "Decimals": int(topic["decimals"]),
                "Default": "Impossible",
                "PresentationType": topic["presentation"],
            }
        )
    return rows


def property_head(kind: str, number: int, parent: int | None, position: int | None) -> Row:
    return {
        "odata.type": f"Cbs.OData.{kind}",
        "ID": number,
        "Position": position,
        "ParentID": parent,
        "Type": kind,
    }


def table_infos() -> Row:
    """Fill the fields that are known; CBS's own texts and dates are not in the shared figures."""
    unknown = dict.fromkeys(
        ("Summary", "Modified", "ReasonDelivery", "ExplanatoryText", "Description", "ShortDescription")
    )
    known = {
        "ID": 0,
        "Title": f"Kerncijfers wijken en buurten {YEAR}",
        "ShortTitle": f"Kerncijfers wijken en buurten {YEAR}",
        "Identifier": TABLE,
        "Language": "nl",
        "Catalog": "CBS",
        "Period": str(YEAR),
        "OutputStatus": "Regulier",
        "Source": "CBS",
    }
    return known | unknown


def typed_rows(figures: Table, names: Mapping[str, Row], topics: Table) -> list[Row]:
    """Type the figures as CBS does: an empty field is null, texts are padded with blanks."""
    types = {topic["key"]: {"Long": int, "Double": float}.get(topic["datatype"], str) for topic in topics}
    rows = []
    for figure in figures:
        code = f"{figure['WijkenEnBuurten']:<10}"
        texts = {
            "Gemeentenaam_1": f"{names[figure['WijkenEnBuurten']]['gemeentenaam']:<40}",
            "SoortRegio_2": f"{figure['SoortRegio_2']:<10}",
            "Codering_3": code,
        }
        cells = {key: types[key](figure[key]) if figure[key] else None for key in types if key not in texts}
        rows.append({"ID": int(figure["ID"]), "WijkenEnBuurten": code} | texts | cells)
    return rows


def feed(figures: Table, names: Mapping[str, Row], topics: Table) -> dict[str, bytes]:
    """Make one document per set of the OData feed."""
    dimension = [
        {
            "Key": f"{code:<10}",
            "Title": names[code]["buurtnaam"],
            "Description": None,
            "Municipality": names[code]["gemeentecode"],
            "DetailRegionCode": code,
        }
        for code in (figure["WijkenEnBuurten"] for figure in figures)
    ]
    contents: dict[str, Sequence[Row]] = {
        "ServiceRoot": [{"name": name, "url": f"{FEED}/{name}"} for name in SETS],
        "TableInfos": [table_infos()],
        "DataProperties": data_properties(topics),
        "CategoryGroups": [],
        "WijkenEnBuurten": dimension,
        "TypedDataSet": typed_rows(figures, names, topics),
    }
    return {
        part: json_lines(
            {"odata.metadata": f"{FEED}/$metadata" + (f"#Cbs.OData.WebAPI.{part}" if part in SETS else "")},
            "value",
            rows,
        )
        for part, rows in contents.items()
    }


def feature_pages(features: Sequence[Row]) -> Iterator[tuple[str, bytes]]:
    """Give the features in pages that link to each other, each with its address."""
    starts = range(0, len(features), PAGE_SIZE)
    for start in starts:
        address = f"{ITEMS}&limit={PAGE_SIZE}" + (f"&cursor={start}" if start else "")
        links = [{"rel": "self", "type": "application/geo+json", "href": address}]
        following = start + PAGE_SIZE
        if following in starts:
            href = f"{ITEMS}&limit={PAGE_SIZE}&cursor={following}"
            links.append({"rel": "next", "type": "application/geo+json", "href": href})
        page = [
            {"type": "Feature", "id": number, "properties": {**feature["properties"], "water": "NEE"}}
            | {"geometry": feature["geometry"]}
            for number, feature in enumerate(features[start:following], start=start + 1)
        ]
        head = {"type": "FeatureCollection", "links": links, "numberReturned": len(page)}
        yield address, json_lines(head, "features", page)


def liveability(scores: Table) -> bytes:
    """Give the deviations under the names of the published file; the absolute score stays empty."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    dimensions = ("afw", "fys", "onv", "soc", "vrz", "won")
    writer.writerow(("bu_code", "bu_naam", "jaar", "lbm", *dimensions))
    for score in scores:
        writer.writerow(
            (score["code"], score["naam"], score["year"], "", *(score[name] for name in dimensions))
        )
    return text.getvalue().encode()


def json_lines(head: Row, key: str, rows: Sequence[Row]) -> bytes:
    """Write a JSON object whose last member is a list with one row a line, so that a diff can be read."""
    lines = ",".join("\n" + json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in rows)
    start = json.dumps(head, ensure_ascii=False, separators=(",", ":"))[:-1]
    return f'{start},"{key}":[{lines}]}}\n'.encode()


def make(shared: Path, target: Path) -> None:
    """Write the sample's raw store, with its lock, into an empty folder."""
    catalogue, store = load_catalogue(), SnapshotStore(target)
    pins = []

    def keep(source: str, part: str, content: bytes, address: str, page: int = 1) -> None:
        entry = catalogue.sources[source]
        snapshot = Snapshot(
            source=source,
            table=entry.tables[YEAR],
            part=part,
            page=page,
            format=FORMATS[source],
            sha256=sha256(content),
            address=address,
            licence=entry.licence,
            attribution=entry.attribution,
            retrieved=OBTAINED,
            size=len(content),
            note=f"{SAMPLE} {NOTES[source]}",
        )
        pins.append(store.add(snapshot, content))

    outlines = json.loads((shared / "buurten_2024.geojson").read_bytes())["features"]
    names = {outline["properties"]["buurtcode"]: outline["properties"] for outline in outlines}
    figures = read_csv(shared / "kwb_85984NED_2024.csv")
    for part, content in feed(figures, names, read_csv(TOPICS)).items():
        address = FEED if part == "ServiceRoot" else f"{FEED}/{part}?$format=json"
        keep("kwb", part, content, address)
    for page, (address, content) in enumerate(feature_pages(outlines), start=1):
        keep("grenzen", "buurten", content, address, page)
    scores = liveability(read_csv(shared / "leefbaarometer_2024.csv"))
    keep("leefbaarometer", "buurten", scores, LIVEABILITY)
    store.write_lock(Lock.of(pins))


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


if __name__ == "__main__":
    shutil.rmtree(TARGET, ignore_errors=True)
    make(SHARED, TARGET)
    print(TARGET)
