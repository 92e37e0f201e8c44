"""A made-up level table with every indicator of the deltaplan, for the scoring tests and benchmarks."""

import numpy as np
import pandas as pd

from tests.scoring.worlds import buurten
from wijkatlas.areas import LevelTable
from wijkatlas.catalog import Indicator, load_catalogue
from wijkatlas.scoring.spec import ScoreSpec, load_spec

CATALOGUE = load_catalogue()
SPEC = load_spec("deltaplan", CATALOGUE)
PER_GEMEENTE = 40


def synthetic_table(n: int, seed: int = 0, *, missing: float = 0.03, spec: ScoreSpec = SPEC) -> LevelTable:
    """Return `n` buurten with heavy tails, rounding, ties and a share of missing figures."""
    rng = np.random.default_rng(seed)
    codes = pd.Index([f"BU{i // PER_GEMEENTE:04d}{i % PER_GEMEENTE:04d}" for i in range(n)], name="code")
    inwoners = 5 * np.round(np.exp(rng.normal(7, 0.8, n)) / 5) + 100
    deprivation = rng.normal(size=n)
    values = {"inwoners": inwoners, "huishoudens": 5 * np.round(inwoners * 0.09) + 50}
    values["omgevingsadressendichtheid"] = np.round(np.exp(rng.normal(7, 1, n)))
    for weighted in spec.indicators:
        indicator = CATALOGUE.indicators[weighted.id]
        worse = 0.6 * deprivation + 0.8 * rng.normal(size=n)
        figure = _figure(indicator, worse, inwoners)
        figure[rng.random(n) < missing] = np.nan
        values[indicator.id] = figure
    frame = pd.DataFrame(values, codes)
    denominators = pd.DataFrame(np.nan, codes, frame.columns)
    for weighted in spec.indicators:
        denominators[weighted.id] = inwoners
    return buurten(frame, denominators)


def _figure(indicator: Indicator, worse: np.ndarray, inwoners: np.ndarray) -> np.ndarray:
    signed = worse if indicator.polarity == "higher_is_worse" else -worse
    if indicator.kind == "extensive":
        step, share = indicator.rounding, 1 / (1 + np.exp(3.5 - 0.8 * signed))
        scale = 100 if indicator.unit == "%" else indicator.per
        return step * np.round(inwoners * share / step) / inwoners * scale
    if indicator.unit == "%":
        return np.round(100 / (1 + np.exp(2.5 - 0.7 * signed)) / indicator.rounding) * indicator.rounding
    if indicator.id.startswith("lbm_"):
        return np.clip(signed / 10, -3, 3)
    return np.round(np.exp(5 + 0.5 * signed))


def shuffled(table: LevelTable, seed: int) -> LevelTable:
    """Return the same table with its rows and columns in another order."""
    rng = np.random.default_rng(seed)
    rows = rng.permutation(len(table.values))
    columns = rng.permutation(table.values.shape[1])
    frames = {
        name: getattr(table, name).iloc[rows, columns]
        for name in ("values", "denominators", "status", "peiljaar", "parts_missing")
    }
    return LevelTable(level=table.level, year=table.year, areas=table.areas.iloc[rows], **frames)
