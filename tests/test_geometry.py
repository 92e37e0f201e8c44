"""Shapes: coverages that fit, simplified without gaps, reprojected with known accuracy."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from shapely import Polygon, box

from wijkatlas.geometry import clean_coverage, dissolve, simplify_coverage, to_wgs84


def _wavy_pair() -> np.ndarray:
    """Two areas with a jagged border between them."""
    border = [(100 + 3 * (i % 2), 5 * i) for i in range(41)]
    left = Polygon([(0, 0), *border, (0, 200)])
    right = Polygon([*border, (200, 200), (200, 0)])
    return np.array([left, right])


def test_simplified_neighbours_still_share_one_border() -> None:
    shapes = _wavy_pair()
    simplified = simplify_coverage(shapes, 10)
    assert shapely.get_num_coordinates(simplified).sum() < shapely.get_num_coordinates(shapes).sum() / 4
    assert shapely.coverage_is_valid(simplified)
    assert shapely.area(simplified).sum() == pytest.approx(40_000)


def test_cleaning_moves_an_overlap_to_one_side_and_keeps_the_total() -> None:
    shapes = np.array([box(0, 0, 10, 10), box(9, 0, 20, 10)])
    cleaned = clean_coverage(shapes)
    assert shapely.coverage_is_valid(cleaned)
    assert shapely.area(cleaned).sum() == pytest.approx(200)


def test_a_valid_coverage_is_left_alone() -> None:
    shapes = _wavy_pair()
    assert clean_coverage(shapes) is shapes


def test_areas_merge_by_group_in_the_order_of_the_groups() -> None:
    shapes = np.array([box(i, 0, i + 1, 1) for i in range(4)])
    merged = dissolve(shapes, pd.Index(["b", "a", "b", "a"]))
    assert merged.index.tolist() == ["a", "b"]
    assert merged.area.tolist() == [2, 2]
    whole = dissolve(shapes, pd.Index(["c"] * 4))["c"]
    assert whole.equals(box(0, 0, 4, 1))


def test_reprojection_puts_the_tower_of_amersfoort_where_it_stands() -> None:
    # The origin of the Dutch grid, known in both systems: (155000, 463000) is 52.15517 N, 5.38721 E.
    tower = gpd.GeoDataFrame({"naam": ["toren"]}, geometry=[shapely.Point(155_000, 463_000)], crs=28992)
    point = to_wgs84(tower).geometry.iloc[0]
    assert point.x == pytest.approx(5.387206, abs=2e-5)
    assert point.y == pytest.approx(52.155172, abs=2e-5)
    assert to_wgs84(tower).crs.to_epsg() == 4326


def test_only_metres_are_reprojected() -> None:
    with pytest.raises(ValueError, match="EPSG:28992"):
        to_wgs84(gpd.GeoDataFrame(geometry=[shapely.Point(5, 52)], crs=4326))
