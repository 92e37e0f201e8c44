"""Shapes of areas: valid coverages, their simplification and reprojection. Metres inside, degrees outside."""

from collections.abc import Callable
from functools import cache

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from pyproj import Transformer

RD_NEW = 28992  # metres; the only system in which lengths and areas are computed
WGS84 = 4326
WEB_MERCATOR = 3857

Geometries = npt.NDArray[np.object_]
Coordinates = npt.NDArray[np.float64]


def clean_coverage(geometries: Geometries) -> Geometries:
    """
    Give neighbours the same vertices on their shared borders, and remove overlaps.

    Parameters
    ----------
    geometries
        Polygons and multipolygons in metres, shape (n_areas,).

    Returns
    -------
    cleaned
        A valid coverage in the same order; the input itself where it was one already.

    Notes
    -----
    GEOS `CoverageCleaner`: an overlap goes to the area with the longest shared border; gaps stay.
    """
    if shapely.coverage_is_valid(geometries):
        return geometries
    cleaned: Geometries = shapely.coverage_clean(shapely.make_valid(geometries))  # type: ignore[attr-defined]
    return cleaned


def simplify_coverage(geometries: Geometries, tolerance: float) -> Geometries:
    """
    Remove detail so that neighbours keep sharing one border, without gaps or overlaps.

    Parameters
    ----------
    geometries
        A valid coverage in metres, shape (n_areas,).
    tolerance
        Metres: about the square root of the area of the largest triangle that is removed.

    Returns
    -------
    simplified
        A valid coverage in the same order; no area disappears.

    Notes
    -----
    Visvalingam-Whyatt on shared edges (GEOS `CoverageSimplifier`).
    """
    simplified: Geometries = shapely.coverage_simplify(geometries, tolerance)
    return simplified


def dissolve(geometries: Geometries, groups: pd.Index) -> gpd.GeoSeries:
    """
    Merge a valid coverage's areas by group.

    Parameters
    ----------
    geometries
        A valid coverage, shape (n_areas,).
    groups
        The group of each area, same length.

    Returns
    -------
    merged
        One polygon or multipolygon a group, indexed by group, sorted.
    """
    members = pd.Series(geometries, dtype=object).groupby(np.asarray(groups), sort=True)
    return gpd.GeoSeries({group: shapely.coverage_union_all(part.to_numpy()) for group, part in members})


def to_wgs84(areas: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """
    Reproject to longitude and latitude for GeoJSON and web maps.

    Parameters
    ----------
    areas
        Areas in EPSG:28992.

    Returns
    -------
    reprojected
        The same rows and columns in EPSG:4326.

    Raises
    ------
    ValueError
        The areas are not in EPSG:28992.
    """
    if areas.crs is None or areas.crs.to_epsg() != RD_NEW:
        raise ValueError(f"expected areas in EPSG:{RD_NEW}, not in {areas.crs}")
    shapes = shapely.transform(areas.geometry.to_numpy(), transformer(RD_NEW, WGS84))
    return areas.set_geometry(gpd.GeoSeries(shapes, index=areas.index, crs=WGS84))


@cache
def transformer(source: int, target: int) -> Callable[[Coordinates], Coordinates]:
    """
    Return a function from x, y in EPSG:`source` to x, y in EPSG:`target`, shape (n, 2).

    It is made once: making one costs more than using it on a gemeente.
    """
    project = Transformer.from_crs(source, target, always_xy=True)

    def apply(coordinates: Coordinates) -> Coordinates:
        return np.column_stack(project.transform(coordinates[:, 0], coordinates[:, 1]))

    return apply
