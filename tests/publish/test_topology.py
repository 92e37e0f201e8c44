"""Topology: nothing vanishes, borders are stored once, and the bytes hold all of it."""

from collections.abc import Iterator
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import Polygon, box

from wijkatlas.errors import PublishError
from wijkatlas.geometry import clean_coverage, dissolve, simplify_coverage
from wijkatlas.publish.topology import FINER, Topology, build_topology, varints, zigzag


def _rings(topology: Topology, level: int, area: int) -> Iterator[np.ndarray]:
    """An area's closed rings in the units that went in."""
    for ring in topology.areas[level][area]:
        points = []
        for number in ring:
            arc = topology.arcs[number if number >= 0 else ~number].astype(float)
            arc = arc if number >= 0 else arc[::-1]
            is_fine = (number if number >= 0 else ~number) >= topology.coarse
            arc = arc / FINER if is_fine else arc
            if points:
                assert (points[-1] == arc[0]).all(), "arcs of a ring must meet"
            points.extend(arc if not points else arc[1:])
        assert (points[0] == points[-1]).all(), "a ring must close"
        yield np.array(points) * topology.step + topology.origin


def _shape(topology: Topology, level: int, area: int) -> shapely.Geometry:
    """An area by the even-odd rule, as the page fills it."""
    shape: shapely.Geometry = Polygon()
    for ring in _rings(topology, level, area):
        shape = shape.symmetric_difference(shapely.make_valid(Polygon(ring)))
    return shape


def _read(data: bytes) -> list[int]:
    numbers, value, shift = [], 0, 0
    for byte in data:
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            numbers.append(value)
            value = shift = 0
    return numbers


@given(st.lists(st.integers(0, 2**31 - 1), max_size=50))
def test_integers_come_back_from_their_bytes(values: list[int]) -> None:
    assert _read(varints(np.array(values, dtype=np.int64))) == values


def test_small_differences_become_small_numbers() -> None:
    assert zigzag(np.array([0, -1, 1, -2, 2])).tolist() == [0, 1, 2, 3, 4]


def test_a_shared_border_is_one_arc() -> None:
    topology = build_topology([np.array([box(0, 0, 10, 10), box(10, 0, 20, 10)])], 1)
    assert len(topology.arcs) == 3  # two outsides and the border
    used = np.abs([number if number >= 0 else ~number for a in topology.areas[0] for r in a for number in r])
    assert sorted(np.bincount(used).tolist()) == [1, 1, 2]


def test_a_coarser_level_adds_no_border_of_its_own() -> None:
    shapes = np.array([box(x, y, x + 10, y + 10) for x in range(0, 40, 10) for y in range(0, 40, 10)])
    pairs = dissolve(shapes, np.repeat(["a", "b"], 8)).to_numpy()
    alone, both = build_topology([shapes], 1), build_topology([shapes, pairs], 1)
    assert len(both.arcs) == len(alone.arcs)
    assert _shape(both, 1, 0).area == 800


def test_holes_and_islands_stay() -> None:
    lake = box(0, 0, 30, 30).difference(box(10, 10, 20, 20))
    topology = build_topology([np.array([lake, box(10, 10, 20, 20)])], 1)
    assert [_shape(topology, 0, i).area for i in (0, 1)] == [800, 100]
    assert len(topology.arcs) == 2  # the island's border is the hole's


def test_an_area_smaller_than_a_cell_is_kept_on_the_finer_grid() -> None:
    tiny = box(5.1, 5.1, 5.3, 5.3)
    topology = build_topology([np.array([box(0, 0, 4, 4), tiny])], 1)
    assert topology.coarse == 1
    assert len(topology.arcs) == 2
    assert _shape(topology, 0, 1).area == pytest.approx(tiny.area, rel=0.2)


def test_an_area_that_cannot_be_drawn_at_all_is_an_error() -> None:
    with pytest.raises(PublishError, match=r"positions \[1\]"):
        build_topology([np.array([box(0, 0, 4, 4), box(6, 6, 6.001, 6.001)])], 1)


def test_a_strip_that_the_grid_closes_leaves_its_neighbour_whole() -> None:
    # At 1 m the slit closes to a spike: two areas then share it with different points before and after.
    slit = Polygon([(0, 0), (10, 0), (10, 4.9), (4, 5), (10, 5.1), (10, 10), (0, 10)])
    right = Polygon([(10, 0), (20, 0), (20, 10), (10, 10), (10, 5.1), (10, 4.9)])
    topology = build_topology([np.array([slit, right])], 1)
    assert [_shape(topology, 0, i).area for i in (0, 1)] == [100, 100]


def test_a_parcel_in_two_pieces_stays_in_two_pieces() -> None:
    topology = build_topology([np.array([shapely.MultiPolygon([box(0, 0, 2, 2), box(5, 5, 9, 9)])])], 1)
    assert len(topology.areas[0][0]) == 2
    assert _shape(topology, 0, 0).area == 20


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 400), st.integers(0, 400)), min_size=4, max_size=40, unique=True),
    st.sampled_from([1.0, 2.5, 10.0]),
)
def test_any_coverage_survives(seeds: list[tuple[int, int]], step: float) -> None:
    cells = shapely.voronoi_polygons(shapely.MultiPoint(seeds), extend_to=box(0, 0, 400, 400))
    shapes = np.array([cell.intersection(box(-50, -50, 450, 450)) for cell in cells.geoms])
    topology = build_topology([shapes], step)
    for i, shape in enumerate(shapes):
        drawn = _shape(topology, 0, i)
        assert abs(drawn.area - shape.area) <= shape.length * step + step**2
    total = sum(_shape(topology, 0, i).area for i in range(len(shapes)))
    assert total == pytest.approx(shapely.area(shapes).sum(), abs=4 * 500 * step)


def test_the_bytes_do_not_depend_on_where_a_ring_starts() -> None:
    square = [(0, 0), (10, 0), (10, 10), (0, 10)]
    turned = [Polygon(square[i:] + square[:i]) for i in range(4)]
    assert len({build_topology([np.array([shape])], 1).encode() for shape in turned}) == 1


def test_the_bytes_hold_every_section() -> None:
    topology = build_topology([np.array([box(0, 0, 10, 10), box(10, 0, 20, 10)])], 1)
    numbers = _read(topology.encode())
    sizes, rest = numbers[:3], numbers[3:]
    points = sum(sizes)
    assert sizes == [len(arc) for arc in topology.arcs]
    x = np.cumsum([(n >> 1) ^ -(n & 1) for n in rest[:points]])
    assert x.tolist() == np.concatenate(topology.arcs)[:, 0].tolist()
    assert rest[2 * points : 2 * points + 2] == [1, 1]  # one ring each
    assert len(rest) == 2 * points + 2 + 2 + 2 * 4  # ... of two arcs each, with their directions


def test_rotterdam_has_hardly_an_overlap_or_gap_after_rounding(shared: Path) -> None:
    areas = gpd.read_file(shared / "data/rotterdam/buurten_2024.geojson").to_crs(28992)
    shapes = simplify_coverage(clean_coverage(areas.geometry.to_numpy()), 5)
    topology = build_topology([shapes], 2)
    drawn = np.array([_shape(topology, 0, i) for i in range(len(shapes))])
    assert not shapely.is_empty(drawn).any()
    together = shapely.union_all(drawn)
    assert shapely.area(drawn).sum() - together.area < 1  # m2, in a municipality of 280 km2
    before = shapely.union_all(shapes)
    assert together.symmetric_difference(before).area < before.length * 2 / 2  # half a cell along the outside


@pytest.mark.national
def test_the_country_loses_no_wijk_on_a_coarse_grid(national: Path) -> None:
    areas = gpd.read_parquet(national / "wijken_2022.parquet")
    shapes = simplify_coverage(clean_coverage(areas.geometry.to_numpy()), 25)
    topology = build_topology([shapes], 100)
    assert len(topology.areas[0]) == 3340
    assert all(topology.areas[0])
    drawn = np.array([_shape(topology, 0, i) for i in range(0, 3340, 50)])
    assert np.median(shapely.area(drawn) / shapely.area(shapes[::50])) == pytest.approx(1, abs=0.02)
