"""Each format, read back with another reader than its writer."""

import csv
import io
import json
import sqlite3
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import geopandas as gpd
import pandas as pd
import pyarrow.parquet as pq
import pytest
import shapely

from wijkatlas.areas import Level
from wijkatlas.catalog import load_catalogue
from wijkatlas.publish.columns import fields
from wijkatlas.publish.geojson import Features
from wijkatlas.publish.tables import Lines


@pytest.fixture(scope="module")
def geojson(edition: Path) -> dict[str, Any]:
    return dict(json.loads((edition / "downloads" / "buurten.geojson").read_text(encoding="utf-8")))


def test_geojson_has_every_area_ranked_or_with_a_reason(geojson: dict[str, Any]) -> None:
    rows = [feature["properties"] for feature in geojson["features"]]
    assert len(rows) == 91
    assert all((row["rang"] is None) == bool(row["reden_niet_gescoord"]) for row in rows)
    ranks = [row["rang"] for row in rows if row["rang"] is not None]
    assert ranks == sorted(ranks)
    assert rows[: len(ranks)] == [row for row in rows if row["rang"] is not None]
    for place, rank in enumerate(ranks, start=1):  # without gaps but for ties
        assert rank == place or ranks[place - 2] == rank
    assert all(row["rang_p05"] <= row["rang_p95"] for row in rows if row["rang"] is not None)


def test_geojson_keeps_to_rfc_7946(geojson: dict[str, Any]) -> None:
    assert "crs" not in geojson
    ids = [feature["id"] for feature in geojson["features"]]
    assert ids == [feature["properties"]["buurt_code"] for feature in geojson["features"]]
    assert len(set(ids)) == len(ids)
    shapes = {feature["id"]: shapely.geometry.shape(feature["geometry"]) for feature in geojson["features"]}
    for shape in shapes.values():
        for polygon in getattr(shape, "geoms", [shape]):
            assert polygon.exterior.is_ccw
            assert not any(hole.is_ccw for hole in polygon.interiors)
    together = shapely.unary_union(list(shapes.values())).bounds
    assert geojson["bbox"] == pytest.approx(together, abs=1e-6)
    # BU05990328 lies as an island inside BU05990327
    assert shapes["BU05990327"].intersection(shapes["BU05990328"]).area == pytest.approx(0, abs=1e-12)
    digits = {len(str(x).partition(".")[2]) for f in geojson["features"] for x in f["bbox"]}
    assert max(digits) <= 6


def test_well_known_areas_stand_where_one_expects_them(geojson: dict[str, Any]) -> None:
    ranks = {row["properties"]["buurt_naam"]: row["properties"]["rang"] for row in geojson["features"]}
    high = ["Oud Crooswijk", "Feijenoord", "Bloemhof", "Afrikaanderwijk", "Hillesluis", "Tussendijken"]
    assert all(ranks[name] <= 15 for name in high)
    assert all(ranks[name] >= 60 for name in ("Nesselande", "'s-Gravenland"))


def test_every_format_holds_the_same_figures(edition: Path, geojson: dict[str, Any]) -> None:
    folder = edition / "downloads"
    expected = pd.DataFrame([feature["properties"] for feature in geojson["features"]])
    plain = pd.read_csv(folder / "buurten.csv", dtype={"deciel": "Int64", "rang": "Int64"})
    excel = pd.read_csv(folder / "buurten-excel.csv", sep=";", decimal=",", encoding="utf-8-sig")
    parquet = pq.read_table(folder / "buurten.parquet").to_pandas()
    with sqlite3.connect(folder / "gebieden.gpkg") as database:
        package = pd.read_sql("select * from buurten", database)
    for frame in (plain, excel, parquet, package):
        assert [column for column in frame if column in set(expected)] == list(expected)
        for column in ("buurt_code", "buurt_naam", "reden_niet_gescoord"):
            assert frame[column].fillna("").tolist() == expected[column].fillna("").tolist()
        for column in ("score", "rang", "rang_p95", "corporatiebezit", "mediaan_vermogen"):
            found = frame[column].astype("Float64").astype(float)
            pd.testing.assert_series_equal(found, expected[column].astype(float), check_names=False)


def test_geopackage_and_geoparquet_are_in_rd(edition: Path) -> None:
    folder = edition / "downloads"
    for frame in (
        gpd.read_file(folder / "gebieden.gpkg", layer="wijken"),
        gpd.read_parquet(folder / "buurten.parquet"),
    ):
        assert frame.crs.to_epsg() == 28992
        assert frame.geometry.is_valid.all()
    metadata = json.loads(pq.read_metadata(folder / "buurten.parquet").metadata[b"geo"])
    assert metadata["version"] == "1.1.0"


def test_the_gemeente_is_the_whole_of_the_sample(edition: Path) -> None:
    own = edition / "gemeenten" / "GM0599-rotterdam"
    for name in ("buurten.geojson", "wijken.csv", "gebieden.gpkg"):
        assert (own / name).read_bytes() == (edition / "downloads" / name).read_bytes()


def test_every_figure_tells_its_year_and_status(edition: Path) -> None:
    cells = pd.read_csv(edition / "gemeenten" / "GM0599-rotterdam" / "buurten-cijfers.csv")
    assert len(cells) == 91 * len(load_catalogue().indicators)
    assert (cells["peiljaar"].notna() == cells["waarde"].notna()).all()
    assert (cells.loc[cells["waarde"].notna(), "status"] == "waargenomen").all()
    assert cells["status"].notna().all()
    empty = cells[(cells["code"] == "BU05992459") & (cells["cijfer"] == "leeftijd_25_45")].iloc[0]
    assert empty["status"] == "te klein om te berekenen"  # 5 persons of 25-45 among 0 inhabitants


def test_published_columns_never_disappear(edition: Path) -> None:
    published = json.loads((Path(__file__).parent / "published_columns.json").read_text(encoding="utf-8"))
    for name, columns in published.items():
        header = next(csv.reader((edition / "downloads" / name).open(encoding="utf-8")))
        assert set(columns) <= set(header), f"{name} lost {set(columns) - set(header)}"


def test_every_column_is_explained(edition: Path) -> None:
    catalogue = load_catalogue()
    for level in Level:
        explained = {field.name: field for field in fields(catalogue, level)}
        name = {"buurt": "buurten", "wijk": "wijken", "gemeente": "gemeenten"}[level]
        header = next(csv.reader((edition / "downloads" / f"{name}.csv").open(encoding="utf-8")))
        assert all(explained[column].label and explained[column].definition for column in header)


HOSTILE = ['<script>alert("x")</script>', "=1+1", "'s-Gravenland", 'Één; "twee", 3,5\nvier', "🏘️" * 50]


def hostile_frame() -> gpd.GeoDataFrame:
    codes = [f"BU0000000{n}" for n in range(len(HOSTILE))]
    squares = [shapely.box(155000 + 100 * n, 463000, 155100 + 100 * n, 463100) for n in range(len(HOSTILE))]
    return gpd.GeoDataFrame(
        {"buurt_code": codes, "buurt_naam": HOSTILE, "score": [1.5, None, 2.5, 3.5, 4.5]},
        geometry=squares,
        crs=28992,
    )


def test_hostile_names_survive_in_geojson_and_csv(tmp_path: Path) -> None:
    frame = hostile_frame()
    Features.of(frame).write(tmp_path / "a.geojson", {})
    features = json.loads((tmp_path / "a.geojson").read_text(encoding="utf-8"))["features"]
    assert [feature["properties"]["buurt_naam"] for feature in features] == HOSTILE
    Lines.of(frame.drop(columns="geometry")).write(tmp_path / "a.csv")
    assert [row["buurt_naam"] for row in csv.DictReader((tmp_path / "a.csv").open(newline=""))] == HOSTILE


def test_no_name_becomes_a_formula_in_excel(tmp_path: Path) -> None:
    Lines.for_excel(hostile_frame().drop(columns="geometry")).write(tmp_path / "a.csv")
    text = (tmp_path / "a.csv").read_bytes().decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text, newline=""), delimiter=";"))
    assert [row["buurt_naam"] for row in rows] == [n if n[0] != "=" else f"'{n}" for n in HOSTILE]
    assert [row["score"] for row in rows] == ["1,5", "", "2,5", "3,5", "4,5"]


def test_shapes_stay_valid_when_they_are_rounded(tmp_path: Path) -> None:
    sliver = shapely.Polygon(
        [(0, 0), (1000, 0), (1000, 0.02), (500, 0.01), (500, 500), (499.99, 0.01), (0, 0.02)]
    )
    frame = (
        hostile_frame().iloc[:1].set_geometry([shapely.affinity.translate(sliver, 155000, 463000)], crs=28992)
    )
    assert frame.geometry.is_valid.all()
    Features.of(frame).write(tmp_path / "a.geojson", {})
    feature = json.loads((tmp_path / "a.geojson").read_text(encoding="utf-8"))["features"][0]
    assert shapely.geometry.shape(feature["geometry"]).is_valid


def test_geopackage_carries_a_style_for_each_layer(edition: Path) -> None:
    with sqlite3.connect(edition / "downloads" / "gebieden.gpkg") as database:
        styles = pd.read_sql("select * from layer_styles", database)
        described = pd.read_sql("select table_name, description from gpkg_contents", database)
        scores = pd.read_sql("select score, klasse from buurten", database)
    assert list(styles["f_table_name"]) == ["buurten", "wijken", "gemeenten"]
    assert styles["useAsDefault"].astype(bool).all()
    root = ET.fromstring(styles["styleQML"].iloc[0])
    rules = [(rule.get("filter", ""), rule.get("symbol")) for rule in root.iter("rule")]
    drawn = dict.fromkeys(scores.index, 0)
    with sqlite3.connect(edition / "downloads" / "gebieden.gpkg") as database:
        for condition, _ in rules[:-1]:  # each area has one colour; QGIS and SQLite read the same expression
            for (fid,) in database.execute(f"select fid from buurten where {condition}"):
                drawn[fid - 1] += 1
        hatched = database.execute(f"select distinct klasse from buurten where {rules[-1][0]}").fetchall()
    assert set(drawn.values()) == {1}
    assert hatched in ([], [("onzeker",)])
    assert {symbol.get("name") for symbol in root.find("renderer-v2/symbols") or ()} == {s for _, s in rules}
    assert described.set_index("table_name").loc["buurten", "description"].startswith("Bron: CBS")


def test_every_format_carries_source_and_licence(edition: Path, geojson: dict[str, Any]) -> None:
    parquet = [
        pq.read_metadata(edition / "downloads" / name).metadata
        for name in ("buurten.parquet", "buurten-cijfers.parquet")
    ]
    for text in (
        geojson["bron"] + geojson["licentie"],
        (edition / "gemeenten" / "GM0599-rotterdam" / "LICENTIE.txt").read_text(encoding="utf-8"),
        *((metadata[b"bron"] + metadata[b"licentie"]).decode() for metadata in parquet),
    ):
        assert "CBS, Kerncijfers wijken en buurten (CC BY 4.0)" in text
        assert "Leefbaarometer (CC0 1.0)" in text
        assert "https://creativecommons.org/licenses/by/4.0/" in text
