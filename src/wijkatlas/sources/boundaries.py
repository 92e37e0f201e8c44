"""
Boundaries of buurten, from PDOK.

By its OGC API Features: GeoJSON pages in longitude and latitude. Or by the bulk download: one GeoPackage.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import orjson
import pandas as pd
import shapely
from pyogrio.errors import DataLayerError, DataSourceError
from shapely import GeometryType

from wijkatlas.areas import CODE_PATTERNS, Level, check_codes
from wijkatlas.catalog import Catalogue
from wijkatlas.errors import SourceError, some
from wijkatlas.geometry import RD_NEW, WGS84, Geometries, clean_coverage, transformer
from wijkatlas.snapshots import Snapshot
from wijkatlas.sources.documents import Documents, Page, pages_of, read_pages, understood
from wijkatlas.sources.job import Job
from wijkatlas.sources.table import cases, table_of

SOURCE = "grenzen"
PART = "buurten"  # the collection
BULK, LAYER = "geopackage", "buurten"
PAGE_SIZE = 1000  # the most that PDOK gives
CODE, WATER, WIJK_NAME = "buurtcode", "water", "wijknaam"
COLUMNS = {
    "buurtnaam": "naam",
    "wijkcode": "wijk_code",
    "gemeentecode": "gemeente_code",
    "gemeentenaam": "gemeente_naam",
}
LEFT_OUT = {"JA", "B"}  # water, and Belgian land within Baarle
CRS_NAMES = {"CRS84": WGS84, "4326": WGS84, "28992": RD_NEW}  # by what the name of the system holds
RD_EXTENT = ((-7_000, 289_000), (300_000, 629_000))  # metres, lowest and highest x, y of the Netherlands
POLYGONAL = (GeometryType.POLYGON, GeometryType.MULTIPOLYGON)
MAX_REPAIR = 0.1  # of an area's surface; a shape that needs more is no outline of it


@dataclass(frozen=True)
class Repair:
    """What it took to make a source's shapes a valid coverage: no gaps, overlaps or invalid polygons."""

    invalid: int = 0  # shapes that were no valid polygon
    changed: int = 0  # shapes whose surface differs after the repair
    moved: float = 0.0  # m2 that changed hands, appeared or disappeared


@dataclass(frozen=True)
class Boundaries:
    """
    The buurten of one year's division.

    `areas` is indexed by buurt code, sorted, with naam, wijk_code, wijk_naam, gemeente_code, gemeente_naam
    and a valid polygon or multipolygon in EPSG:28992. Names stand as the source writes them.
    """

    year: int
    areas: gpd.GeoDataFrame
    water: tuple[str, ...]  # codes left out: water, and Belgian land
    repair: Repair


def parse_boundaries(documents: Documents, catalogue: Catalogue, year: int) -> Boundaries:
    """
    Read the buurten of a year's division.

    Parameters
    ----------
    documents
        `buurten`: the GeoJSON pages of that collection, whose coordinates are longitude and latitude unless a
        page declares another system. Or `geopackage`: one file with a layer of buurten.

    Raises
    ------
    SourceError
        A page is cut short or missing; a code is malformed or occurs twice; a name is absent; a geometry is
        missing, no polygon, beyond repair, or outside the Netherlands in the system that its page declares.
    """
    table = table_of(catalogue, SOURCE, year)
    with understood(SOURCE, table):
        if BULK in documents:
            properties, shapes = read_geopackage(documents, table)
        else:
            pages = read_pages(
                documents, PART, items="features", next_of=next_link, source=SOURCE, table=table
            )
            properties = read_properties([feature for page in pages for feature in page["features"]], table)
            shapes = np.concatenate([read_shapes(page["features"], page_crs(page, table)) for page in pages])
        land = ~properties[WATER].isin(LEFT_OUT).to_numpy()
        names = properties.loc[land, list(COLUMNS)].rename(columns=COLUMNS)
        names.insert(2, "wijk_naam", properties.get(WIJK_NAME, properties["wijkcode"])[land])
        areas = gpd.GeoDataFrame(names.astype("str"), geometry=shapes[land], crs=RD_NEW).sort_index()
        repair = repair_shapes(areas, table)
    return Boundaries(year=year, areas=areas, water=tuple(sorted(properties.index[~land])), repair=repair)


def repair_shapes(areas: gpd.GeoDataFrame, table: str) -> Repair:
    """Make the shapes of `areas` a valid coverage, in place; refuse what is no area or beyond repair."""
    check_shapes(areas.geometry, table)
    given = areas.geometry.to_numpy()
    valid = shapely.make_valid(given)
    cleaned = clean_coverage(valid)
    surface = shapely.area(given)
    for problem, repaired in (("invalid", valid), ("overlapping its neighbours", cleaned)):
        lost = np.abs(shapely.area(repaired) - surface) > MAX_REPAIR * surface
        if lost.any():
            reasons = pd.Series(shapely.is_valid_reason(given[lost]), index=areas.index[lost])
            raise SourceError(f"{problem}: {cases(reasons)}", source=SOURCE, table=table, column="geometry")
    areas.geometry = gpd.GeoSeries(cleaned, index=areas.index, crs=RD_NEW)
    difference = np.abs(shapely.area(cleaned) - surface)
    return Repair(
        invalid=int((~shapely.is_valid(given)).sum()),
        changed=int((difference > 0).sum()),
        moved=float(difference.sum()),
    )


def read_geopackage(documents: Documents, table: str) -> tuple[pd.DataFrame, Geometries]:
    """Return the properties of the buurten in a GeoPackage by code, and their shapes in EPSG:28992."""
    (content,) = pages_of(documents, BULK, source=SOURCE, table=table)
    try:
        layer = gpd.read_file(io.BytesIO(content), layer=LAYER, engine="pyogrio")
    except (DataSourceError, DataLayerError) as error:
        raise SourceError(
            f"no GeoPackage with a layer {LAYER!r} ({error})", source=SOURCE, table=table
        ) from error
    epsg = layer.crs.to_epsg() if layer.crs else None
    if epsg not in (RD_NEW, WGS84):
        raise SourceError(f"the GeoPackage is in EPSG:{epsg}, not in {RD_NEW}", source=SOURCE, table=table)
    shapes: Geometries = layer.geometry.to_numpy()
    if epsg != RD_NEW:
        shapes = shapely.transform(shapes, transformer(epsg, RD_NEW))
    rows = layer.drop(columns=layer.geometry.name).astype(object).to_dict("records")
    return read_properties([{"properties": row} for row in rows], table), shapes


def fetch_features(job: Job) -> list[Snapshot]:
    """
    Fetch all pages of the collection of buurten.

    PDOK's server (GoKoala) stamps every page with the time of asking and does not count what it has in all;
    another server may.

    Raises
    ------
    SourceError
        A page cannot be had, or the features are not as many as the service counts.
    """
    return job.follow(
        PART,
        f"{job.address}?f=json&limit={PAGE_SIZE}",
        form="geojson",
        items="features",
        next_of=next_link,
        count_of=lambda page: page.get("numberMatched"),
        gist=lambda page: {key: value for key, value in page.items() if key != "timeStamp"},
    )


def fetch_geopackage(job: Job) -> list[Snapshot]:
    """Fetch the bulk download; raises a SourceError if it is no GeoPackage."""

    def check(content: bytes) -> None:
        if not content.startswith(b"SQLite format 3"):
            raise ValueError("no GeoPackage")

    snapshot, _ = job.fetch(job.place(BULK), job.address, check, form="gpkg")
    return [snapshot]


def next_link(page: Page) -> str | None:
    """Return the link to the next page, if there is one."""
    return next((link.get("href") for link in page.get("links") or [] if link.get("rel") == "next"), None)


def page_crs(page: Page, table: str) -> int:
    """Return the EPSG code of the system that a page declares; by RFC 7946 longitude and latitude if none."""
    if "crs" not in page:
        return WGS84
    declared = str(page["crs"])
    for name, epsg in CRS_NAMES.items():
        if name in declared:
            return epsg
    raise SourceError(
        f"a page declares {declared}; only longitude and latitude or EPSG:{RD_NEW} can be read",
        source=SOURCE,
        table=table,
    )


def read_properties(features: Sequence[Page], table: str) -> pd.DataFrame:
    """Return the features' properties indexed by buurt code, refusing absent ones and malformed codes."""
    if not features:
        raise SourceError("no features: the collection is empty", source=SOURCE, table=table)
    properties = pd.DataFrame([feature.get("properties") or {} for feature in features], dtype=object)
    for key in (CODE, *COLUMNS, WATER):
        if key not in properties:
            raise SourceError(
                f"no such property; there are {', '.join(map(str, properties))}",
                source=SOURCE,
                table=table,
                column=key,
            )
    check_codes(pd.Index(properties[CODE]), Level.BUURT, source=SOURCE, table=table)
    properties = properties.set_index(properties[CODE].astype("str").rename("code"))
    for key, level in (("wijkcode", Level.WIJK), ("gemeentecode", Level.GEMEENTE)):
        wrong = [code for code in properties[key].unique() if not CODE_PATTERNS[level].fullmatch(str(code))]
        if wrong:
            raise SourceError(
                f"not a code of a {level}: {some(wrong)}", source=SOURCE, table=table, column=key
            )
    for key in properties.columns.intersection(["buurtnaam", "gemeentenaam", WIJK_NAME, WATER]):
        nameless = [
            code for code, name in properties[key].items() if not (isinstance(name, str) and name.strip())
        ]
        if nameless:
            raise SourceError(f"absent at {some(nameless)}", source=SOURCE, table=table, column=key)
    return properties


def read_shapes(features: Sequence[Page], epsg: int) -> Geometries:
    """Return the features' shapes in EPSG:28992, None where a geometry cannot be read."""
    texts = [orjson.dumps(feature.get("geometry")).decode() for feature in features]
    shapes: Geometries = shapely.from_geojson(np.array(texts, dtype=object), on_invalid="ignore")
    return shapes if epsg == RD_NEW else shapely.transform(shapes, transformer(epsg, RD_NEW))


def check_shapes(shapes: gpd.GeoSeries, table: str) -> None:
    """Refuse shapes that cannot be an area of the Netherlands, naming their codes."""
    found = shapes.to_numpy()
    lowest, highest = np.hsplit(shapely.bounds(found), 2)
    within = (lowest >= RD_EXTENT[0]).all(axis=1) & (highest <= RD_EXTENT[1]).all(axis=1)
    tests = {
        "no geometry": shapely.is_missing(found) | shapely.is_empty(found),
        "not a polygon": ~np.isin(shapely.get_type_id(found), POLYGONAL),
        "outside the Netherlands; are the coordinates in the system that the page declares": ~within,
    }
    for problem, wrong in tests.items():
        if wrong.any():
            raise SourceError(
                f"{problem}: {some(shapes.index[wrong])}", source=SOURCE, table=table, column="geometry"
            )
