"""Space: whether high scores lie together, and which contiguous areas form one priority area."""

from dataclasses import dataclass
from enum import StrEnum

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array, diags_array
from scipy.sparse.csgraph import connected_components
from scipy.stats import false_discovery_control, norm

from wijkatlas.errors import ScoringError, some

Floats = NDArray[np.float64]

TIE = 1e-9  # sums of standardised scores that differ less are equal but for their rounding


class Cluster(StrEnum):
    """An area's place in the local pattern; published as it is, so in Dutch."""

    HIGH_HIGH = "hoog tussen hoog"
    LOW_LOW = "laag tussen laag"
    HIGH_LOW = "hoog tussen laag"
    LOW_HIGH = "laag tussen hoog"
    NONE = "geen cluster"
    ISLAND = "geen buren"


@dataclass(frozen=True)
class SpatialPattern:
    """
    Moran's I of a score, and its local clusters.

    `local` is indexed by the scored areas, sorted: `lokale_moran`; `p`, two-sided; `q`, the same after the
    false-discovery correction; `cluster`; `groep`, the number of the priority area that it belongs to.
    `groups` is indexed by that number, highest mean score first: `gebieden` and `gemiddelde_score`.
    """

    moran: float
    expected: float  # without any pattern
    p: float  # one-sided: the chance of so much clustering without any pattern
    local: pd.DataFrame
    groups: pd.DataFrame


def spatial_pattern(
    score: pd.Series, shapes: gpd.GeoSeries, *, permutations: int, seed: int, false_discovery_rate: float
) -> SpatialPattern:
    """
    Find where high scores lie together more than chance would have it.

    Parameters
    ----------
    score
        By area code, higher = more reason to invest; areas without a score are left out.
    shapes
        Polygons of at least the scored areas, by area code, in a projected system.
    permutations, seed
        How often the scores are shuffled over the areas, and the seed of that shuffling.
    false_discovery_rate
        The share of wrongly found areas among all found that is put up with.

    Returns
    -------
    pattern
        The same for any order of rows.

    Raises
    ------
    ScoringError
        A scored area has no shape, or fewer than four areas or only equal scores are given.

    Notes
    -----
    Anselin (1995), Local indicators of spatial association; the correction is that of Benjamini and
    Hochberg (1995), as Caldas de Castro and Singer (2006) advise for local statistics.
    """
    scored = score.dropna().sort_index()
    if absent := set(scored.index) - set(shapes.index):
        raise ScoringError(f"scored areas without a shape: {some(absent)}")
    if len(scored) < 4 or scored.min() == scored.max():  # noqa: PLR2004
        raise ScoringError("a spatial pattern needs four areas or more, and scores that differ")
    z = ((scored - scored.mean()) / scored.std()).to_numpy(np.float64)
    neighbours = contiguity(shapes.loc[scored.index])
    rng = np.random.default_rng(seed)
    moran, p_moran = global_moran(z, neighbours)
    local, p = local_moran(z, neighbours, permutations, rng)
    linked = ~np.isnan(p)
    q = np.full(len(z), np.nan)
    if linked.any():
        q[linked] = false_discovery_control(p[linked])
    kind = _kinds(z, local, significant=q <= false_discovery_rate)
    member = _groups(kind == Cluster.HIGH_HIGH, neighbours, z)
    frame = pd.DataFrame(
        {"lokale_moran": local, "p": p, "q": q, "cluster": kind, "groep": member}, index=scored.index
    )
    by_group = scored.groupby(frame["groep"])
    groups = pd.DataFrame({"gebieden": by_group.size(), "gemiddelde_score": by_group.mean()})
    return SpatialPattern(moran, -1 / (len(z) - 1), p_moran, frame, groups)


def contiguity(shapes: gpd.GeoSeries) -> csr_array:
    """
    Link areas that share a border, or overlap a little where outlines are coarse; a shared corner is no link.

    Returns
    -------
    neighbours
        Shape (n, n), symmetric, 1.0 where two areas are neighbours.
    """
    outlines = shapes.to_numpy()
    a, b = shapely.STRtree(outlines).query(outlines, predicate="intersects")
    a, b = a[a < b], b[a < b]
    bordering = shapely.relate_pattern(outlines[a], outlines[b], "****1****")
    near = bordering | ~shapely.touches(outlines[a], outlines[b])
    a, b = a[near], b[near]
    pairs = (np.concatenate([a, b]), np.concatenate([b, a]))
    linked = coo_array((np.ones(2 * len(a)), pairs), shape=(len(outlines), len(outlines))).tocsr()
    linked.sort_indices()
    return linked


def global_moran(z: Floats, neighbours: csr_array) -> tuple[float, float]:
    """
    Return Moran's I with row-standardised weights, and its one-sided p; NaN without neighbours.

    Notes
    -----
    I = n / m * sum_i z_i mean_j(z_j) / sum_i z_i^2, m the number of areas that have a neighbour. The p is
    that of the normal distribution with the exact mean and variance over all permutations: Cliff and Ord
    (1981), Spatial processes, the randomisation assumption.
    """
    degree = np.diff(neighbours.indptr)
    linked = float((degree > 0).sum())
    if linked == 0:
        return np.nan, np.nan
    n = float(len(z))
    inverse = np.divide(1.0, degree, out=np.zeros(len(z)), where=degree > 0)
    moran = n / linked * float((z * inverse) @ (neighbours @ z)) / float(z @ z)
    weights = diags_array(inverse) @ neighbours
    both = weights + weights.T
    s1 = float((both**2).sum()) / 2
    s2 = float((both.sum(axis=0) ** 2).sum())
    kurtosis = n * float((z**4).sum()) / float(z @ z) ** 2
    square = n * ((n**2 - 3 * n + 3) * s1 - n * s2 + 3 * linked**2)
    square -= kurtosis * ((n**2 - n) * s1 - 2 * n * s2 + 6 * linked**2)
    square /= (n - 1) * (n - 2) * (n - 3) * linked**2
    return moran, float(norm.sf((moran + 1 / (n - 1)) / np.sqrt(square - 1 / (n - 1) ** 2)))


def local_moran(
    z: Floats, neighbours: csr_array, permutations: int, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """
    Return each area's local Moran and its two-sided conditional-permutation p; NaN without neighbours.

    Notes
    -----
    I_i = z_i mean_j(z_j), j the neighbours of i. Under the null, the k neighbours of i are any k others.
    All areas share the draws, as in esda, and one that holds the area itself does not count for it: that
    leaves any k others. So one sorted list of sums serves all areas with k neighbours.
    """
    degree = np.diff(neighbours.indptr)
    total = neighbours @ z
    drawn = _draws(len(z), int(degree.max()), permutations, rng)
    p = np.full(len(z), np.nan)
    for k in np.unique(degree[degree > 0]).tolist():
        rows = degree == k
        sums = z[drawn[:k]].sum(axis=0)
        place, draw = np.nonzero(rows[drawn[:k]])
        held = drawn[place, draw]  # the areas of `rows` that each `draw` holds
        counting = permutations - np.bincount(held, minlength=len(z))
        tail = np.minimum(_at_least(sums, total, held, draw), _at_least(-sums, -total, held, draw))
        p[rows] = np.minimum(1.0, 2 * (tail + 1) / (counting + 1))[rows]
    return z * np.divide(total, degree, out=np.full(len(z), np.nan), where=degree > 0), p


def _at_least(
    sums: Floats, total: Floats, held: NDArray[np.intp], draw: NDArray[np.intp]
) -> NDArray[np.intp]:
    """Count for each area the draws of at least its `total`, but those that hold the area itself."""
    least = total - TIE
    count = len(sums) - np.searchsorted(np.sort(sums), least)
    return np.asarray(count - np.bincount(held[sums[draw] >= least[held]], minlength=len(total)))


def _draws(n: int, k: int, count: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Return `count` draws (k, count) of k out of n without replacement, by Floyd's algorithm, shuffled."""
    drawn = np.empty((k, count), np.intp)
    for row, last in enumerate(range(n - k, n)):
        picked = rng.integers(0, last + 1, count)
        drawn[row] = np.where((drawn[:row] == picked).any(axis=0), last, picked)
    return np.asarray(rng.permuted(drawn, axis=0))


def _kinds(z: Floats, local: Floats, *, significant: NDArray[np.bool_]) -> NDArray[np.object_]:
    """Name each area's quadrant where it is significant."""
    kinds = np.full(len(z), Cluster.NONE, dtype=object)
    kinds[np.isnan(local)] = Cluster.ISLAND
    kinds[significant & (z > 0) & (local > 0)] = Cluster.HIGH_HIGH
    kinds[significant & (z < 0) & (local > 0)] = Cluster.LOW_LOW
    kinds[significant & (z > 0) & (local < 0)] = Cluster.HIGH_LOW
    kinds[significant & (z < 0) & (local < 0)] = Cluster.LOW_HIGH
    return kinds


def _groups(chosen: NDArray[np.bool_], neighbours: csr_array, z: Floats) -> pd.arrays.IntegerArray:
    """Give a number to the contiguous groups of two or more chosen areas, highest mean score first."""
    at = np.flatnonzero(chosen)
    _, component = connected_components(neighbours[at][:, at], directed=False)
    parts = (
        pd.DataFrame({"at": at, "z": z[at]})
        .groupby(component)
        .agg(size=("z", "size"), mean=("z", "mean"), first=("at", "min"))
    )
    parts = parts[parts["size"] > 1].sort_values(["mean", "first"], ascending=[False, True])
    number = pd.Series(np.arange(1, len(parts) + 1), index=parts.index, dtype="Int32")
    member = pd.array([pd.NA] * len(chosen), dtype="Int32")
    member[at] = number.reindex(component).array
    return member
