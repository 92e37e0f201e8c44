"""
Local Moran in NumPy against esda (without numba, which is not installed), on a made-up country.

Run as `python -m benchmarks.space`. Prints seconds and, what counts, their ratio in one run; then how the
number of significant areas moves with the seed, which decides how many permutations are enough.
"""

import time
import warnings
from collections.abc import Callable

import geopandas as gpd
import numpy as np
import pandas as pd
from scipy.ndimage import gaussian_filter
from shapely import box

from wijkatlas.scoring.space import contiguity, local_moran, spatial_pattern

ROWS, COLUMNS = 121, 120  # 14,520 areas, about as many as there are buurten
PERMUTATIONS = 9999


def country() -> tuple[pd.Series, gpd.GeoSeries]:
    """Return scores that lie together, and the squares that they belong to."""
    rng = np.random.default_rng(1)
    smooth = gaussian_filter(rng.normal(size=(ROWS, COLUMNS)), 3)
    score = smooth / smooth.std() + rng.normal(size=(ROWS, COLUMNS))
    codes = [f"BU{i:08d}" for i in range(ROWS * COLUMNS)]
    squares = [box(c, r, c + 1, r + 1) for r in range(ROWS) for c in range(COLUMNS)]
    return pd.Series(score.ravel(), codes), gpd.GeoSeries(squares, codes, crs=28992)


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main() -> None:
    score, shapes = country()
    z = ((score - score.mean()) / score.std()).to_numpy()
    neighbours = contiguity(shapes)
    seconds(lambda: local_moran(z, neighbours, PERMUTATIONS, np.random.default_rng(0)))  # warm
    ours = seconds(lambda: local_moran(z, neighbours, PERMUTATIONS, np.random.default_rng(1)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import esda  # noqa: PLC0415 - libpysal warns on import
        from libpysal.weights import W  # noqa: PLC0415

        weights = W({i: neighbours[[i]].indices.tolist() for i in range(len(z))})
        esda.Moran_Local(z, weights, permutations=99, seed=0, n_jobs=1)  # warm
        theirs = seconds(lambda: esda.Moran_Local(z, weights, permutations=PERMUTATIONS, seed=1, n_jobs=1))
    print(f"{len(z):,} areas, {neighbours.nnz:,} links, {PERMUTATIONS:,} permutations")
    print(f"local Moran {ours:.2f} s, esda {theirs:.2f} s: {theirs / ours:.0f} times")
    for permutations in (999, 9999, 99_999):
        found = [
            spatial_pattern(score, shapes, permutations=permutations, seed=seed, false_discovery_rate=0.05)
            for seed in range(5)
        ]
        counts = [int((pattern.local["q"] <= 0.05).sum()) for pattern in found]
        print(f"{permutations:,} permutations: {min(counts)} to {max(counts)} significant areas over 5 seeds")


if __name__ == "__main__":
    main()
