"""Each spatial format through readers that did not write it: Debian's GDAL, pyarrow, and plain JSON."""

import csv
import io
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import shapely

from conftest import skip_or_fail
from wijkatlas.areas import Level
from wijkatlas.catalog import load_catalogue
from wijkatlas.publish.columns import Field, fields

GDAL_TYPES = {"text": "String (", "integer": "Integer", "number": "Real (", "boolean": "Integer(Boolean)"}


@pytest.fixture(scope="module")
def gdal() -> None:
    if not (shutil.which("ogr2ogr") and shutil.which("ogrinfo")):
        skip_or_fail("no ogr2ogr on this machine (Debian: gdal-bin)")


def run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, check=True, text=True, encoding="utf-8")
    assert not done.stderr.strip(), done.stderr
    return done.stdout


def read(path: Path, level: Level, *, to_wgs84: bool = False) -> list[dict[str, str]]:
    """Let GDAL turn a layer into CSV with WKT, and return its rows."""
    options = ["-lco", "GEOMETRY=AS_WKT", "-lco", "STRING_QUOTING=ALWAYS"]
    options += ["-t_srs", "OGC:CRS84"] if to_wgs84 else []
    text = run("ogr2ogr", "-f", "CSV", "/vsistdout/", str(path), level.plural, *options)
    return list(csv.DictReader(io.StringIO(text, newline="")))


def published(edition: Path, level: Level) -> list[dict[str, Any]]:
    collection = json.loads((edition / "downloads" / f"{level.plural}.geojson").read_bytes())
    return [dict(feature) for feature in collection["features"]]


def columns(level: Level, rows: list[dict[str, Any]]) -> dict[str, Field]:
    held = rows[0]["properties"]
    return {field.name: field for field in fields(load_catalogue(), level) if field.name in held}


def value(text: str, field: Field) -> object:
    """Return what GDAL wrote as the column says it should be understood."""
    if text == "":
        return None
    match field.type:
        case "integer":
            return int(text)
        case "number":
            return float(text)
        case "boolean":
            return {"1": True, "0": False, "true": True, "false": False}[text]
        case _:
            return text


@pytest.mark.usefixtures("gdal")
@pytest.mark.parametrize("level", list(Level))
@pytest.mark.parametrize("name", ["{plural}.geojson", "gebieden.gpkg"])
def test_gdal_reads_the_same_areas_and_figures(edition: Path, level: Level, name: str) -> None:
    path = edition / "downloads" / name.format(plural=level.plural)
    expected = published(edition, level)
    known = columns(level, expected)
    rows = read(path, level)
    assert len(rows) == len(expected)
    for row, feature in zip(rows, expected, strict=True):
        found = {column: value(row[column], field) for column, field in known.items()}
        assert found == feature["properties"]


@pytest.mark.usefixtures("gdal")
@pytest.mark.parametrize("level", list(Level))
@pytest.mark.parametrize(("name", "system"), [("{plural}.geojson", 4326), ("gebieden.gpkg", 28992)])
def test_gdal_sees_the_types_and_the_system(edition: Path, level: Level, name: str, system: int) -> None:
    path = edition / "downloads" / name.format(plural=level.plural)
    expected = published(edition, level)
    told = run("ogrinfo", "-so", str(path), level.plural)
    assert f'ID["EPSG",{system}]]\nData axis' in told
    assert f"Feature Count: {len(expected)}" in told
    types = dict(line.split(": ", 1) for line in told.splitlines() if ": " in line)
    for column, field in columns(level, expected).items():
        typeless = path.suffix == ".geojson" and all(f["properties"][column] is None for f in expected)
        if not typeless:  # JSON has no type for nothing
            assert types[column].startswith(GDAL_TYPES[field.type]), column


@pytest.mark.usefixtures("gdal")
@pytest.mark.parametrize("level", list(Level))
def test_shapes_are_the_same_in_every_format(edition: Path, level: Level) -> None:
    folder = edition / "downloads"
    geojson = [shapely.geometry.shape(feature["geometry"]) for feature in published(edition, level)]
    package = [shapely.from_wkt(row["WKT"]) for row in read(folder / "gebieden.gpkg", level, to_wgs84=True)]
    for one, other in zip(geojson, package, strict=True):
        # Within half a metre: Debian's PROJ may use another grid than ours.
        assert one.symmetric_difference(other).area <= 5e-6 * one.length
    table = pq.read_table(folder / f"{level.plural}.parquet", columns=["geometry", "bbox"])
    parquet = shapely.from_wkb(table["geometry"].to_numpy())
    in_rd = [shapely.from_wkt(row["WKT"]) for row in read(folder / "gebieden.gpkg", level)]
    for one, other, box in zip(parquet, in_rd, table["bbox"].to_pylist(), strict=True):
        assert shapely.MultiPolygon(getattr(one, "geoms", [one])).equals_exact(other, 1e-6, normalize=True)
        assert [box["xmin"], box["ymin"], box["xmax"], box["ymax"]] == list(one.bounds)
    assert shapely.is_valid(parquet).all()
    assert shapely.is_valid(geojson).all()


@pytest.mark.usefixtures("gdal")
def test_geopackage_is_as_its_standard_wants(edition: Path) -> None:
    """Layers, identifiers, extents and spatial index as GDAL's own check of the database finds them."""
    path = edition / "downloads" / "gebieden.gpkg"
    listed = run("ogrinfo", str(path))
    assert [line.split()[1] for line in listed.splitlines() if line[:1].isdigit()] == [
        "buurten", "wijken", "gemeenten", "layer_styles",
    ]  # fmt: skip
    assert "integrity_check (String) = ok" in run("ogrinfo", str(path), "-sql", "pragma integrity_check")
    described = run("ogrinfo", "-so", str(path), "buurten")
    assert "DESCRIPTION=Bron: CBS" in described
    assert "(Integer) = 1" in run("ogrinfo", str(path), "-sql", "select HasSpatialIndex('buurten', 'geom')")
