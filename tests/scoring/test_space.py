"""Spatial patterns against esda and brute force, and their independence of the order of rows."""

import itertools
import warnings

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import box

from wijkatlas.errors import ScoringError
from wijkatlas.scoring.space import (
    Cluster,
    SpatialPattern,
    contiguity,
    global_moran,
    local_moran,
    spatial_pattern,
)

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import esda
    from libpysal.weights import W


def grid(rows: int, columns: int) -> gpd.GeoSeries:
    cells = [box(100 * c, 100 * r, 100 * c + 100, 100 * r + 100) for r in range(rows) for c in range(columns)]
    return gpd.GeoSeries(cells, index=[f"BU{i:08d}" for i in range(len(cells))], crs=28992)


def pattern(score: pd.Series, shapes: gpd.GeoSeries, permutations: int = 499) -> SpatialPattern:
    return spatial_pattern(score, shapes, permutations=permutations, seed=7, false_discovery_rate=0.05)


def hotspots(shapes: gpd.GeoSeries, columns: int, spots: list[list[tuple[int, int]]]) -> pd.Series:
    """Return noise with high scores in each spot, the first the highest."""
    score = pd.Series(np.random.default_rng(3).normal(0, 1, len(shapes)), index=shapes.index)
    for height, spot in zip(range(40, 0, -10), spots, strict=False):
        for r, c in spot:
            score.iloc[r * columns + c] += height
    return score


def test_neighbours_share_a_border_and_not_just_a_corner() -> None:
    links = contiguity(grid(2, 2)).toarray()
    np.testing.assert_array_equal(links, [[0, 1, 1, 0], [1, 0, 0, 1], [1, 0, 0, 1], [0, 1, 1, 0]])


def test_coarse_outlines_that_overlap_are_neighbours() -> None:
    shapes = gpd.GeoSeries([box(0, 0, 100, 100), box(99, 0, 200, 100), box(300, 0, 400, 100)], crs=28992)
    np.testing.assert_array_equal(contiguity(shapes).toarray(), [[0, 1, 0], [1, 0, 0], [0, 0, 0]])


def test_moran_and_its_local_parts_are_those_of_esda() -> None:
    shapes = grid(6, 7)
    rng = np.random.default_rng(1)
    values = rng.normal(size=42) + np.arange(42) / 15
    z = (values - values.mean()) / values.std(ddof=1)
    neighbours = contiguity(shapes)
    weights = W({i: neighbours[[i]].indices.tolist() for i in range(42)})
    permutations = 9999
    moran, p = global_moran(z, neighbours)
    local, p_local = local_moran(z, neighbours, permutations, np.random.default_rng(2))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        expected = esda.Moran_Local(values, weights, permutations=permutations, seed=5, n_jobs=1)
    expected_global = esda.Moran(values, weights, permutations=0, two_tailed=False)
    assert moran == pytest.approx(expected_global.I, rel=1e-12)
    assert p == pytest.approx(expected_global.p_rand, rel=1e-9)
    np.testing.assert_allclose(local, expected.Is, rtol=1e-12)
    # esda's p counts the smaller tail only; four standard errors of two simulations
    tail = expected.p_sim
    error = 4 * np.sqrt(2 * tail * (1 - tail) / permutations) + 2 / permutations
    assert (np.abs(p_local / 2 - tail) <= error).all()


def test_local_p_is_that_of_every_possible_draw() -> None:
    shapes = grid(1, 6)
    z = np.array([2.0, 1.5, -1.0, -0.5, -1.2, -0.8])
    neighbours = contiguity(shapes)
    _, p = local_moran(z, neighbours, 20_000, np.random.default_rng(0))
    for i in range(6):
        others = np.delete(z, i)
        observed = (neighbours @ z)[i]
        degree = int(neighbours[[i]].nnz)
        sums = np.array([sum(draw) for draw in itertools.combinations(others, degree)])
        exact = 2 * min((sums >= observed - 1e-9).mean(), (sums <= observed + 1e-9).mean())
        assert p[i] == pytest.approx(min(1, exact), abs=0.02)


def test_two_hotspots_become_two_priority_areas_and_a_lone_peak_none() -> None:
    columns = 20
    shapes = grid(20, columns)
    first = [(r, c) for r in range(2, 5) for c in range(2, 5)]
    second = [(r, c) for r in range(12, 16) for c in range(12, 15)]
    found = pattern(hotspots(shapes, columns, [first, second, [(2, 15)]]), shapes, permutations=9999)
    assert found.p < 1e-9
    assert found.moran > 0.3 > found.expected
    assert list(found.groups.index) == [1, 2]
    assert found.groups["gemiddelde_score"].is_monotonic_decreasing
    for number, spot in ((1, first), (2, second)):
        members = set(found.local.index[found.local["groep"] == number])
        assert shapes.index[spot[4][0] * columns + spot[4][1]] in members  # the middle of the spot
        assert members <= {shapes.index[r * columns + c] for r, c in spot}
        assert found.groups.loc[number, "gebieden"] == len(members) > 1
    peak = found.local.iloc[2 * columns + 15]
    assert peak["cluster"] != Cluster.HIGH_HIGH
    assert peak["groep"] is pd.NA


def test_noise_gives_no_clusters() -> None:
    shapes = grid(15, 15)
    found = pattern(hotspots(shapes, 15, []), shapes, permutations=999)
    assert (found.local["cluster"] == Cluster.NONE).all()
    assert len(found.groups) == 0
    assert found.p > 0.05


def test_areas_without_a_score_or_without_neighbours_are_marked_not_guessed() -> None:
    shapes = pd.concat([grid(5, 5), gpd.GeoSeries({"BU99999999": box(9000, 0, 9100, 100)}, crs=28992)])
    score = hotspots(shapes, 5, [])
    score.iloc[3] = np.nan
    local = pattern(score, gpd.GeoSeries(shapes, crs=28992)).local
    assert "BU00000003" not in local.index
    assert local.loc["BU99999999", "cluster"] == Cluster.ISLAND
    assert local.loc["BU99999999", ["lokale_moran", "p", "q"]].isna().all()


def test_one_run_is_like_the_next_whatever_the_order_of_rows() -> None:
    shapes = grid(10, 10)
    score = hotspots(shapes, 10, [[(r, c) for r in range(2, 5) for c in range(2, 5)]])
    shuffled = np.random.default_rng(0).permutation(100)
    one = pattern(score, shapes, permutations=4999)
    other = pattern(score.iloc[shuffled], shapes.iloc[shuffled[::-1]], permutations=4999)
    assert len(one.groups) == 1
    pd.testing.assert_frame_equal(one.local, other.local, check_exact=True)
    pd.testing.assert_frame_equal(one.groups, other.groups, check_exact=True)
    assert (one.moran, one.p) == (other.moran, other.p)


@given(st.floats(0.01, 1e4), st.floats(-1e4, 1e4))
@settings(max_examples=20, deadline=None)
def test_the_unit_of_the_score_does_not_matter(factor: float, shift: float) -> None:
    shapes = grid(6, 6)
    score = hotspots(shapes, 6, [[(1, 1), (1, 2), (2, 1)]])
    one, other = pattern(score, shapes, 99), pattern(score * factor + shift, shapes, 99)
    np.testing.assert_allclose(one.local["lokale_moran"], other.local["lokale_moran"], rtol=1e-6, atol=1e-9)
    pd.testing.assert_series_equal(one.local["p"], other.local["p"], check_exact=True)


def test_areas_that_all_lie_apart_have_no_pattern() -> None:
    shapes = gpd.GeoSeries([box(10 * i, 0, 10 * i + 1, 1) for i in range(5)], list("abcde"), crs=28992)
    found = pattern(pd.Series(np.arange(5.0), shapes.index), shapes)
    assert np.isnan([found.moran, found.p]).all()
    assert (found.local["cluster"] == Cluster.ISLAND).all()


def test_too_few_areas_equal_scores_and_absent_shapes_are_refused() -> None:
    shapes = grid(2, 2)
    with pytest.raises(ScoringError, match="four areas"):
        pattern(pd.Series([1.0, 2.0, 3.0], index=shapes.index[:3]), shapes)
    with pytest.raises(ScoringError, match="scores that differ"):
        pattern(pd.Series(1.0, index=shapes.index), shapes)
    with pytest.raises(ScoringError, match="BU00000003"):
        pattern(pd.Series([1.0, 2.0, 3.0, 4.0], index=shapes.index), shapes.iloc[:3])
