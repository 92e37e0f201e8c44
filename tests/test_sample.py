"""The embedded sample: real figures in the sources' own formats, made by the script beside it."""

import csv
import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

import pytest

from wijkatlas.catalog import load_catalogue
from wijkatlas.snapshots import SnapshotStore

FOLDER = Path(__file__).parents[1] / "data" / "sample"
STORE = SnapshotStore(FOLDER / "rotterdam-2024")


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_rotterdam", FOLDER / "make_rotterdam.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def files(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def rows(part: str) -> list[dict[str, Any]]:
    (pin,) = (pin for pin in STORE.lock().select("kwb", "85984NED") if pin.part == part)
    listed: list[dict[str, Any]] = json.loads(STORE.read(pin))["value"]
    return listed


def test_script_makes_exactly_the_committed_sample(script: ModuleType, shared: Path, tmp_path: Path) -> None:
    for folder in (tmp_path / "once", tmp_path / "twice"):
        script.make(shared / "data" / "rotterdam", folder)
        assert files(folder) == files(STORE.root)


def test_every_file_is_pinned_verified_and_credited() -> None:
    sources = load_catalogue().sources
    expected = {"sources.lock"}
    for pin in STORE.lock().snapshots:
        sidecar = STORE.describe(pin)
        assert len(STORE.read(pin)) == sidecar.size
        assert sidecar.licence == sources[pin.source].licence
        assert sidecar.attribution == sources[pin.source].attribution
        host = urlsplit(next(iter(sources[pin.source].services.values()))).netloc
        assert urlsplit(sidecar.address).netloc == host
        assert sidecar.note.startswith("The 91 buurten of Rotterdam only")
        expected |= {f"{pin.source}/{pin.sha256}.{end}" for end in (pin.format, "sidecar.json")}
    assert set(files(STORE.root)) == expected


def test_feed_has_the_sets_that_cbs_publishes() -> None:
    parts = {pin.part for pin in STORE.lock().select("kwb", "85984NED")}
    assert parts == {
        "ServiceRoot",
        "TableInfos",
        "DataProperties",
        "WijkenEnBuurten",
        "CategoryGroups",
        "TypedDataSet",
    }
    assert parts - {"ServiceRoot"} < {entry["name"] for entry in rows("ServiceRoot")}


def test_feed_is_padded_and_null_as_at_cbs(shared: Path) -> None:
    with (shared / "data" / "rotterdam" / "kwb_85984NED_2024.csv").open(newline="") as file:
        given = {row["WijkenEnBuurten"]: row for row in csv.DictReader(file)}
    typed = rows("TypedDataSet")
    assert len(typed) == len(given) == 91
    for row in typed:
        assert row["SoortRegio_2"] == "Buurt     "
        assert row["Gemeentenaam_1"] == "Rotterdam".ljust(40)
        assert row["WijkenEnBuurten"] == row["Codering_3"]
        for key, text in given[row["WijkenEnBuurten"]].items():
            if key not in {"SoortRegio_2", "IndelingswijzigingGemeenteWijkBuurt_4", "WijkenEnBuurten"}:
                assert row[key] == (float(text) if text else None)


def test_properties_describe_the_columns_and_their_groups() -> None:
    properties = {entry["ID"]: entry for entry in rows("DataProperties")}
    topics = [entry for entry in properties.values() if entry["Type"] == "Topic"]
    assert {entry["Key"] for entry in topics} | {"ID", "WijkenEnBuurten"} == set(rows("TypedDataSet")[0])
    assert all(properties[entry["ParentID"]]["Type"] == "TopicGroup" for entry in topics)
    corporation = next(entry for entry in topics if entry["Key"] == "InBezitWoningcorporatie_49")
    ownership = properties[corporation["ParentID"]]
    assert (ownership["Title"], properties[ownership["ParentID"]]["Title"]) == (
        "Woningen naar eigendom",
        "Wonen",
    )


def test_types_of_the_cells_are_those_of_the_properties() -> None:
    types = {"Long": int, "Double": float, "String": str}
    expected = {
        entry["Key"]: types[entry["Datatype"]] for entry in rows("DataProperties") if entry["Type"] == "Topic"
    }
    for row in rows("TypedDataSet"):
        assert all(row[key] is None or type(row[key]) is kind for key, kind in expected.items())


def test_sample_is_small_and_carries_no_origin() -> None:
    content = files(STORE.root)
    assert sum(map(len, content.values())) < 400_000
    text = b"".join(content.values()).lower()
    for word in (b"herkomst", b"migratie", b"geboorteland", b"buiteneuropa", b"westers"):
        assert word not in text
