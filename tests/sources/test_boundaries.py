"""The boundaries parser."""

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas as gpd
import pytest
import shapely
from geopandas.testing import assert_geodataframe_equal

from wijkatlas.catalog import Catalogue
from wijkatlas.errors import SourceError
from wijkatlas.geometry import to_wgs84
from wijkatlas.sources.boundaries import parse_boundaries
from wijkatlas.sources.documents import Documents

Edit = Callable[[Documents, str, Callable[[Any], None]], Documents]
YEAR = 2024
FIRST = "BU05990110"
BOW_TIE = {
    "type": "Polygon",
    "coordinates": [[[4.4, 51.9], [4.5, 51.95], [4.5, 51.9], [4.4, 51.95], [4.4, 51.9]]],
}
RD_SQUARE = [[90000, 435000], [91000, 435000], [91000, 436000], [90000, 436000], [90000, 435000]]


def set_geometry(geometry: object) -> Callable[[Any], None]:
    def change(page: Any) -> None:
        page["features"][0]["geometry"] = geometry

    return change


def set_property(key: str, value: object) -> Callable[[Any], None]:
    def change(page: Any) -> None:
        page["features"][0]["properties"][key] = value

    return change


def test_sample_is_read_as_it_is(grenzen: Documents, catalogue: Catalogue) -> None:
    assert len(grenzen["buurten"]) == 2
    division = parse_boundaries(grenzen, catalogue, YEAR)
    areas = division.areas
    assert (division.year, division.water, len(areas)) == (2024, (), 91)
    assert areas.crs.to_epsg() == 28992
    assert areas.index.is_monotonic_increasing
    assert shapely.coverage_is_valid(areas.geometry.to_numpy())
    names = ["naam", "wijk_code", "wijk_naam", "gemeente_code", "gemeente_naam"]
    assert list(areas.columns) == [*names, "geometry"]
    assert areas.loc["BU05991444", names].tolist() == [
        "'s-Gravenland",
        "WK059914",
        "Prins Alexander",
        "GM0599",
        "Rotterdam",
    ]
    # Rotterdam measures about 320 km² with its ports and rivers, the outlines are of its land
    assert 200e6 < areas.area.sum() < 330e6


def test_island_within_a_buurt_survives(grenzen: Documents, catalogue: Catalogue) -> None:
    geometry = parse_boundaries(grenzen, catalogue, YEAR).areas.geometry
    island, around = geometry["BU05990328"], geometry["BU05990327"]
    assert len(around.interiors) == 1
    assert shapely.Polygon(around.interiors[0]).equals(island)


def test_coordinates_return_to_where_they_came_from(grenzen: Documents, catalogue: Catalogue) -> None:
    given = gpd.GeoDataFrame.from_features(
        [feature for page in grenzen["buurten"] for feature in json.loads(page)["features"]]
    ).set_index("buurtcode")
    returned = to_wgs84(parse_boundaries(grenzen, catalogue, YEAR).areas)
    distance = shapely.hausdorff_distance(
        given.geometry.sort_index().to_numpy(), returned.geometry.to_numpy()
    )
    assert distance.max() < 1e-8  # degrees: a millimetre


def test_order_of_features_does_not_matter(grenzen: Documents, catalogue: Catalogue, edit: Edit) -> None:
    shuffled = edit(grenzen, "buurten", lambda page: random.Random(7).shuffle(page["features"]))
    again = parse_boundaries(shuffled, catalogue, YEAR).areas
    assert_geodataframe_equal(again, parse_boundaries(grenzen, catalogue, YEAR).areas)


@pytest.mark.parametrize("kind", ["JA", "B"])
def test_water_is_left_out_and_counted(
    grenzen: Documents, catalogue: Catalogue, edit: Edit, kind: str
) -> None:
    def flood(page: Any) -> None:
        page["features"][0]["properties"]["water"] = kind
        page["features"][0]["geometry"] = None  # what is left out need not be a good shape

    division = parse_boundaries(edit(grenzen, "buurten", flood), catalogue, YEAR)
    assert division.water == (FIRST,)
    assert len(division.areas) == 90


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", 'De "Kolk" & Zn.', "Fryslân-súd ü"])
def test_names_stay_as_they_are(grenzen: Documents, catalogue: Catalogue, edit: Edit, name: str) -> None:
    renamed = edit(grenzen, "buurten", set_property("buurtnaam", name))
    assert parse_boundaries(renamed, catalogue, YEAR).areas.loc[FIRST, "naam"] == name


def test_wijk_is_called_by_its_code_where_the_collection_has_no_name(
    grenzen: Documents, catalogue: Catalogue
) -> None:
    pages = [json.loads(page) for page in grenzen["buurten"]]
    for page in pages:
        for feature in page["features"]:
            del feature["properties"]["wijknaam"]
    nameless = {"buurten": [json.dumps(page).encode() for page in pages]}
    assert parse_boundaries(nameless, catalogue, YEAR).areas.loc[FIRST, "wijk_naam"] == "WK059901"


def test_declared_rd_is_not_transformed(grenzen: Documents, catalogue: Catalogue, edit: Edit) -> None:
    def declare(page: Any) -> None:
        page["crs"] = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::28992"}}
        for number, feature in enumerate(page["features"]):
            square = [[x + 2000 * number, y] for x, y in RD_SQUARE]
            feature["geometry"] = {"type": "Polygon", "coordinates": [square]}

    elsewhere = {"buurten": [edit(grenzen, "buurten", declare)["buurten"][0]]}
    alone = edit(elsewhere, "buurten", lambda page: page.update(links=[]))
    areas = parse_boundaries(alone, catalogue, YEAR).areas
    assert areas.geometry[FIRST].equals(shapely.Polygon(RD_SQUARE))


def squares(edit: Edit, grenzen: Documents, *rings: list[list[float]]) -> Documents:
    """Return a page with only so many buurten, of these outlines in EPSG:28992."""

    def change(page: Any) -> None:
        page.update(crs={"properties": {"name": "EPSG::28992"}}, links=[])
        page["features"] = page["features"][: len(rings)]
        for feature, ring in zip(page["features"], rings, strict=True):
            feature["geometry"] = {"type": "Polygon", "coordinates": [ring]}

    return {"buurten": [edit(grenzen, "buurten", change)["buurten"][0]]}


def test_neighbours_are_made_to_fit_and_the_repair_is_told(
    grenzen: Documents, catalogue: Catalogue, edit: Edit
) -> None:
    overlapping = [[x + 990, y] for x, y in RD_SQUARE]  # ten metres of a kilometre square
    found = parse_boundaries(squares(edit, grenzen, RD_SQUARE, overlapping), catalogue, YEAR)
    assert shapely.coverage_is_valid(found.areas.geometry.to_numpy())
    assert found.areas.area.sum() == pytest.approx(1_990_000)
    assert (found.repair.invalid, found.repair.changed) == (0, 1)
    assert found.repair.moved == pytest.approx(10_000)


def test_shape_that_is_invalid_by_a_spike_is_repaired(
    grenzen: Documents, catalogue: Catalogue, edit: Edit
) -> None:
    spike = [*RD_SQUARE[:2], [91500, 435000], *RD_SQUARE[1:]]
    found = parse_boundaries(squares(edit, grenzen, spike), catalogue, YEAR)
    assert found.repair.invalid == 1
    assert found.areas.is_valid.all()
    assert found.areas.area.tolist() == [1_000_000]


def test_shapes_that_lie_over_each_other_are_refused(
    grenzen: Documents, catalogue: Catalogue, edit: Edit
) -> None:
    with pytest.raises(SourceError, match=r"column geometry: overlapping its neighbours: BU0599011"):
        parse_boundaries(squares(edit, grenzen, RD_SQUARE, RD_SQUARE), catalogue, YEAR)


def test_bulk_download_gives_what_the_pages_give(
    grenzen: Documents, catalogue: Catalogue, tmp_path: Path
) -> None:
    from_pages = parse_boundaries(grenzen, catalogue, YEAR).areas
    raw = [feature for page in grenzen["buurten"] for feature in json.loads(page)["features"]]
    layer = gpd.GeoDataFrame.from_features(raw, crs=4326).to_crs(28992)
    layer.to_file(tmp_path / "bulk.gpkg", layer="buurten")
    content = (tmp_path / "bulk.gpkg").read_bytes()
    from_bulk = parse_boundaries({"geopackage": [content]}, catalogue, YEAR).areas
    assert from_bulk.drop(columns="geometry").equals(from_pages.drop(columns="geometry"))
    assert shapely.hausdorff_distance(from_bulk.geometry.values, from_pages.geometry.values).max() < 0.001


@pytest.mark.parametrize("content", [b"no file of that kind", b"SQLite format 3\x00 cut off"])
def test_bulk_download_that_is_none(catalogue: Catalogue, content: bytes) -> None:
    with pytest.raises(SourceError, match=r"table wijken-en-buurten-2024: no GeoPackage with a layer"):
        parse_boundaries({"geopackage": [content]}, catalogue, YEAR)


@pytest.mark.parametrize(
    ("geometry", "problem"),
    [
        (None, "no geometry"),
        ({"type": "Polygon", "coordinates": []}, "no geometry"),
        ({"type": "Polygon"}, "no geometry"),
        ({"type": "Polygon", "coordinates": [[[4.4, 51.9], [4.5, 51.9]]]}, "no geometry"),
        ({"type": "Point", "coordinates": [4.4, 51.9]}, "not a polygon"),
        (BOW_TIE, r"invalid: BU05990110 \(Self-intersection.*\)"),
        ({"type": "Polygon", "coordinates": [RD_SQUARE]}, "outside the Netherlands"),
        ({"type": "Polygon", "coordinates": [[[51.9, 4.4], [51.9, 4.5], [52, 4.5], [51.9, 4.4]]]}, "outside"),
    ],
)
def test_geometry_that_is_no_area(
    grenzen: Documents, catalogue: Catalogue, edit: Edit, geometry: object, problem: str
) -> None:
    with pytest.raises(SourceError, match=problem) as caught:
        parse_boundaries(edit(grenzen, "buurten", set_geometry(geometry)), catalogue, YEAR)
    assert str(caught.value).startswith("grenzen, table wijken-en-buurten-2024, column geometry: ")
    assert FIRST in str(caught.value)


def test_geometry_that_is_absent(grenzen: Documents, catalogue: Catalogue, edit: Edit) -> None:
    with pytest.raises(SourceError, match=rf"column geometry: no geometry: {FIRST}"):
        parse_boundaries(
            edit(grenzen, "buurten", lambda p: p["features"][0].pop("geometry")), catalogue, YEAR
        )


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (set_property("buurtcode", "BU0599"), "not a code of a buurt: BU0599"),
        (set_property("buurtcode", "BU05990111"), "areas that occur more than once: BU05990111"),
        (set_property("buurtcode", None), "not a code of a buurt: None"),
        (set_property("wijkcode", "059901"), "column wijkcode: not a code of a wijk: 059901"),
        (set_property("gemeentecode", None), "column gemeentecode: not a code of a gemeente: None"),
        (set_property("buurtnaam", " "), "column buurtnaam: absent at BU05990110"),
        (set_property("gemeentenaam", None), "column gemeentenaam: absent at BU05990110"),
        (set_property("water", None), "column water: absent at BU05990110"),
        (lambda page: page.update(crs={"properties": {"name": "EPSG:3857"}}), "EPSG:3857"),
        (lambda page: page.update(features=None), "buurten, page 1 of 2 has no list 'features'"),
        (lambda page: page.update(links=[]), "buurten, page 1 of 2 points to no next page"),
    ],
)
def test_bad_page_is_named(
    grenzen: Documents, catalogue: Catalogue, edit: Edit, change: Callable[[Any], None], problem: str
) -> None:
    with pytest.raises(SourceError, match=problem) as caught:
        parse_boundaries(edit(grenzen, "buurten", change), catalogue, YEAR)
    assert str(caught.value).startswith("grenzen, table wijken-en-buurten-2024")


def test_page_that_is_missing(grenzen: Documents, catalogue: Catalogue) -> None:
    with pytest.raises(SourceError, match=r"buurten, page 1 of 1 points to a page that is absent"):
        parse_boundaries({"buurten": grenzen["buurten"][:1]}, catalogue, YEAR)


def test_truncated_page(grenzen: Documents, catalogue: Catalogue) -> None:
    first, last = grenzen["buurten"]
    with pytest.raises(SourceError, match=r"2024: buurten, page 2 of 2 is no valid JSON"):
        parse_boundaries({"buurten": [first, last[:-2000]]}, catalogue, YEAR)


def test_property_that_is_absent(catalogue: Catalogue) -> None:
    page = {"features": [{"properties": {"buurtcode": FIRST, "statnaam": "x"}, "geometry": None}]}
    with pytest.raises(
        SourceError, match=r"column buurtnaam: no such property; there are buurtcode, statnaam"
    ):
        parse_boundaries({"buurten": [json.dumps(page).encode()]}, catalogue, YEAR)


def test_empty_collection(catalogue: Catalogue) -> None:
    with pytest.raises(
        SourceError, match=r"grenzen, table wijken-en-buurten-2024: .*the collection is empty"
    ):
        parse_boundaries({"buurten": [b'{"features": []}']}, catalogue, YEAR)
