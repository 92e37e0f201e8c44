"""What an edition says of itself: schemas, data package, DCAT, dictionaries, compressed copies."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from wijkatlas.areas import Level
from wijkatlas.catalog import load_catalogue
from wijkatlas.catalog.publication import load_english, load_publication
from wijkatlas.publish.columns import fields
from wijkatlas.publish.schema import properties_schema
from wijkatlas.snapshots import sha256


@pytest.mark.parametrize("level", list(Level))
def test_every_feature_fits_the_published_schema(edition: Path, level: Level) -> None:
    schema = json.loads((edition / "downloads" / "schema" / f"{level}.v1.schema.json").read_bytes())
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    collection = json.loads((edition / "downloads" / f"{level.plural}.geojson").read_bytes())
    for feature in collection["features"]:
        errors = [
            f"{error.json_path}: {error.message}" for error in validator.iter_errors(feature["properties"])
        ]
        assert errors == []


@pytest.mark.parametrize(
    "spoil",
    [
        {"buurt_code": "BU599"},
        {"buurt_code": None},
        {"rang": 1.5},
        {"kans_top10": 1.2},
        {"corporatiebezit": "12,5"},
        {"corporatiebuurt": "ja"},
    ],
)
def test_schema_refuses_what_a_program_could_not_use(edition: Path, spoil: dict[str, object]) -> None:
    schema = json.loads((edition / "downloads" / "schema" / "buurt.v1.schema.json").read_bytes())
    collection = json.loads((edition / "downloads" / "buurten.geojson").read_bytes())
    properties = collection["features"][0]["properties"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(properties | spoil, schema)
    del properties["rang"]
    with pytest.raises(jsonschema.ValidationError, match="required"):
        jsonschema.validate(properties, schema)


def test_published_columns_keep_their_type() -> None:
    """An older consumer's columns stay, and stay of the type they had (null allowed)."""
    agreed = json.loads((Path(__file__).parent / "published_columns.json").read_text(encoding="utf-8"))
    catalogue = load_catalogue()
    for level in Level:
        properties = properties_schema(catalogue, level, [])["properties"]
        for name, kind in agreed[f"{level.plural}.csv"].items():
            assert name in properties, f"{level}: {name} has disappeared"
            now = properties[name]["type"]
            assert kind == (now if isinstance(now, str) else now[0]), f"{level}: {name} changed its type"


def test_frictionless_reads_every_csv_as_described(edition: Path) -> None:
    from frictionless import Package, system  # noqa: PLC0415  slow to import

    with system.use_context(trusted=False):
        package = Package(str(edition / "downloads" / "datapackage.json"))
        report = package.validate()
        assert report.valid, report.flatten(["type", "rowNumber", "fieldName", "message"])[:5]
        tables = {resource.path: resource.read_rows() for resource in package.resources if resource.tabular}
    assert {"buurten.csv", "buurten-excel.csv", "gemeenten.csv"} <= tables.keys()
    features = json.loads((edition / "downloads" / "buurten.geojson").read_bytes())["features"]
    for name in ("buurten.csv", "buurten-excel.csv"):
        for row, feature in zip(tables[name], features, strict=True):
            expected = feature["properties"]
            assert set(row) == set(expected)
            for column in ("buurt_code", "rang", "corporatiebuurt", "buurt_naam", "reden_niet_gescoord"):
                assert row[column] == expected[column]
            for column in ("score", "lbm_fysiek", "kans_top10"):
                found = None if row[column] is None else float(row[column])
                assert found == expected[column]


def test_datapackage_describes_every_column_and_file(edition: Path) -> None:
    folder = edition / "downloads"
    package = json.loads((folder / "datapackage.json").read_bytes())
    listed = {resource["path"]: resource for resource in package["resources"]}
    data = {
        path.name for path in folder.iterdir() if path.suffix in {".csv", ".geojson", ".parquet", ".gpkg"}
    }
    assert listed.keys() == data
    for resource in listed.values():
        assert resource["hash"] == f"sha256:{sha256((folder / resource['path']).read_bytes())}"
    columns = {c["name"]: c for c in listed["buurten.csv"]["schema"]["fields"]}
    assert all(column["title"] and column["description"] for column in columns.values())
    assert columns["corporatiebezit"]["unit"] == "%"
    assert columns["corporatiebezit"]["constraints"] == {"minimum": 0, "maximum": 100}
    assert package["licenses"][0]["name"] == "CC-BY-4.0"
    assert any("CBS" in source["title"] for source in package["sources"])


# DCAT-AP-NL 3.0 (Geonovum, docs.geostandaarden.nl/dcat/dcat-ap-nl30, chapters "Klassen" and "Ondersteunende
# klassen") with the DCAT-AP 3.0 it sharpens: what is mandatory, and how often it may occur.
MANDATORY = {
    "dcat:Catalog": {
        "dct:title": (1, None), "dct:description": (1, None), "dct:publisher": (1, 1),
        "dcat:contactPoint": (1, 1), "dcat:dataset": (1, None),
    },
    "dcat:Dataset": {
        "dct:title": (1, None), "dct:description": (1, None), "dct:identifier": (1, 1),
        "dct:publisher": (1, 1), "dct:creator": (1, None), "dcat:contactPoint": (1, 1),
        "dct:accessRights": (1, 1), "dcat:theme": (1, None), "dcat:version": (0, 1),
        "dct:modified": (0, 1), "dct:accrualPeriodicity": (0, 1),
    },
    "dcat:Distribution": {
        "dcat:accessURL": (1, 1), "dct:license": (1, 1), "dcat:downloadURL": (0, 1), "dct:format": (0, 1),
        "dcat:mediaType": (0, 1), "dcat:byteSize": (0, 1), "spdx:checksum": (0, 1),
    },
    "foaf:Agent": {"foaf:name": (1, None)},
    "vcard:Kind": {"vcard:fn": (1, None), "vcard:hasURL": (1, None)},
    "spdx:Checksum": {"spdx:algorithm": (1, 1), "spdx:checksumValue": (1, 1)},
}  # fmt: skip
# Its chapter "Waardelijsten": properties whose values come from a list, by the start of their address.
LISTS = {
    "dcat:theme": "http://publications.europa.eu/resource/authority/data-theme/",
    "dct:accrualPeriodicity": "http://publications.europa.eu/resource/authority/frequency/",
    "dct:format": "http://publications.europa.eu/resource/authority/file-type/",
    "dct:language": "http://publications.europa.eu/resource/authority/language/",
    "dct:accessRights": "http://publications.europa.eu/resource/authority/access-right/",
    "dcat:mediaType": "https://www.iana.org/assignments/media-types/",
    "dct:license": "http://publications.europa.eu/resource/authority/licence/",
}


def nodes(value: object) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from nodes(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from nodes(inner)


def test_dcat_has_all_that_the_dutch_profile_asks(edition: Path) -> None:
    document = json.loads((edition / "dcat.jsonld").read_bytes())
    seen = set()
    for node in nodes({key: value for key, value in document.items() if key != "@context"}):
        for name, (least, most) in MANDATORY.get(node.get("@type", ""), {}).items():
            values = node.get(name, [])
            count = len(values) if isinstance(values, list) else 1
            assert count >= least, f"{node.get('@id')} lacks {name}"
            assert most is None or count <= most, f"{node.get('@id')} has more than one {name}"
            seen.add(node["@type"])
        for name, start in LISTS.items():
            for value in nodes(node.get(name, [])):
                assert value["@id"].startswith(start), f"{name}: {value['@id']} is not in the list"
        for name in node:
            prefix = name.partition(":")[0]
            assert name.startswith("@") or prefix in document["@context"], f"{name} has no meaning"
    assert seen == MANDATORY.keys()


def test_dcat_points_at_files_of_the_edition(edition: Path) -> None:
    document = json.loads((edition / "dcat.jsonld").read_bytes())
    addresses = [node["@id"] for node in nodes(document) if "@id" in node]
    own = [
        address for address in addresses if "://" not in address and not address.startswith(("#", "spdx:"))
    ]
    assert "downloads/buurten.geojson" in own
    for address in own:
        assert (edition / address).is_file(), f"{address} is not in the edition"


def test_dictionaries_explain_every_column_in_both_languages(edition: Path) -> None:
    dutch, english = (
        (edition / "downloads" / name).read_text(encoding="utf-8")
        for name in ("woordenboek.html", "dictionary.html")
    )
    header = (edition / "downloads" / "buurten.csv").read_text(encoding="utf-8").splitlines()[0].split(",")
    for column in header:
        assert f"<code>{column}</code>" in dutch
        assert f"<code>{column}</code>" in english
    assert "Owned by housing associations" in english
    assert "Aandeel van alle woningen in bezit van een woningcorporatie." in dutch


def test_english_covers_the_whole_catalogue_and_no_more() -> None:
    offered = {field.name: field for level in Level for field in fields(load_catalogue(), level)}
    english = load_english()
    assert english.columns.keys() == offered.keys()
    assert english.units.keys() == {field.unit for field in offered.values() if field.unit}


def test_every_download_has_a_format(edition: Path) -> None:
    for path in (edition / "downloads").glob("*.*"):
        known = load_publication().format_of(path.name)
        assert (known is not None) == (path.suffix in {".csv", ".geojson", ".parquet", ".gpkg"}), path.name


def test_gzip_copies_hold_the_same_and_pay(edition: Path) -> None:
    copies = sorted(edition.rglob("*.gz"))
    assert len(copies) > 10
    for copy in copies:
        whole = copy.with_suffix("").read_bytes()
        packed = copy.read_bytes()
        assert gzip.decompress(packed) == whole
        assert len(packed) < 0.9 * len(whole)
        assert packed[4:8] == bytes(4)  # no clock
        assert not packed[3] & 0x08  # no name
    assert (edition / "downloads" / "buurten.geojson.gz") in copies
    assert not list(edition.rglob("*.parquet.gz"))
