"""Sensitivity: which choice moves the ranks, what each indicator does, who gains by another method."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from SALib.sample import sobol as sobol_sequence

from wijkatlas.areas import LevelTable
from wijkatlas.catalog import Catalogue
from wijkatlas.scoring.panel import assemble_panel
from wijkatlas.scoring.rank import rank
from wijkatlas.scoring.score import Scores, aggregate, weights_of
from wijkatlas.scoring.spec import ScoreSpec
from wijkatlas.scoring.uncertainty import Choices, Replicator

Floats = NDArray[np.float64]
T = TypeVar("T")


@dataclass(frozen=True)
class Comparison:
    """
    Two scores of the same areas beside each other.

    `areas`, by code: rang_voor, rang_na, verschuiving (places gained towards rank 1), top10_voor,
    top10_na; only areas that both score. `gemeenten`, by gemeente code: gebieden, stijgers, dalers,
    in_top10, uit_top10 and gemiddelde_verschuiving. `unscored`, the codes that only one of them scores.
    """

    areas: pd.DataFrame
    gemeenten: pd.DataFrame
    unscored: tuple[str, ...]


def sobol_design(size: int, factors: int, seed: int) -> Floats:
    """
    Return a Saltelli design on the unit cube, shape (size (factors + 2), factors).

    Rows run A, B, AB1 .. ABd, where ABi is A with column i from B. Points of a scrambled Sobol sequence;
    `size` is a power of two.
    """
    problem = {"num_vars": factors, "names": [str(i) for i in range(factors)], "bounds": [[0, 1]] * factors}
    rows = sobol_sequence.sample(problem, size, calc_second_order=False, seed=seed)
    by_row = rows.reshape(size, factors + 2, factors).transpose(1, 0, 2)  # A, AB1 .. ABd, B
    return np.concatenate([by_row[:1], by_row[-1:], by_row[1:-1]]).reshape(-1, factors)


def sobol_indices(outcomes: Floats, names: Sequence[str], *, resamples: int, seed: int) -> pd.DataFrame:
    """
    Estimate each factor's share in the variance of the outcome.

    Parameters
    ----------
    outcomes
        Shape (size (d + 2),), in the order of `sobol_design`.
    names
        The d factors.
    resamples, seed
        How often the rows are drawn again for the intervals, and with which seed.

    Returns
    -------
    indices
        By factor: first (its share alone), total (with all its interactions), each with its 5 and 95%
        bootstrap bounds, _p05 and _p95. All 0 where the outcome does not vary.

    Notes
    -----
    COINr's `SA_estimate`: S = mean(yB (yABi - yA)) / V and ST = sum((yA - yABi)^2) / (2 N V), with V the
    sample variance of yA and yB together. Estimates may fall somewhat outside 0 to 1.
    """
    size = len(outcomes) // (len(names) + 2)
    a, b, *mixed = outcomes.reshape(-1, size)
    variance = np.var(np.concatenate([a, b]), ddof=1)
    changes = np.stack(mixed, axis=1) - a[:, None]
    terms = np.concatenate([b[:, None] * changes, changes**2 / 2], axis=1)
    if variance > 0:
        terms /= variance
    estimates = terms.mean(axis=0)
    draws = np.random.default_rng(seed).multinomial(size, np.full(size, 1 / size), size=resamples)
    # Not by a matrix product, whose last bits depend on the number of threads.
    means = np.einsum("rn,nk->rk", draws, terms) / size
    bounds = np.quantile(means, [0.05, 0.95], axis=0)
    d = len(names)
    columns = {
        f"{label}{suffix}": values[part]
        for label, part in (("first", slice(d)), ("total", slice(d, None)))
        for suffix, values in (("", estimates), ("_p05", bounds[0]), ("_p95", bounds[1]))
    }
    return pd.DataFrame(columns, index=pd.Index(names, name="choice"))


def choice_sensitivity(
    table: LevelTable, spec: ScoreSpec, catalogue: Catalogue, *, workers: int | None = None
) -> pd.DataFrame:
    """
    Estimate which declared choice matters: the Sobol indices of the mean absolute change of rank.

    Parameters
    ----------
    table, spec, catalogue
        As for `score`; `spec.uncertainty` holds the alternatives, the size of the design and the seed.
    workers
        Processes; the result does not depend on it.

    Returns
    -------
    indices
        As `sobol_indices`, by choice: treatment, normalisation, weights, aggregation, data, imputation.

    Raises
    ------
    ScoringError
        As for `replicate`.
    """
    replicator = Replicator(assemble_panel(table, spec, catalogue), catalogue)
    ranges = spec.uncertainty

    numbers = range(ranges.replications)
    settings: Mapping[str, Callable[[Choices, float], Choices]] = {
        "treatment": lambda c, u: replace(c, factor=_pick(u, ranges.treatment_factors)),
        "normalisation": lambda c, u: replace(c, normalisation=_pick(u, ranges.normalisations)),
        "weights": lambda c, u: replace(c, weights=replicator.noisy_weights(_pick(u, numbers))),
        "aggregation": lambda c, u: replace(c, between_domains=_pick(u, ranges.between_domains)),
        "data": lambda c, u: replace(c, data_draw=_pick(u, numbers)),
        "imputation": lambda c, u: replace(c, imputation_draw=_pick(u, numbers)),
    }
    choices = []
    for row in sobol_design(ranges.sobol_size, len(settings), ranges.seed):
        each = replicator.nominal
        for change, u in zip(settings.values(), row, strict=True):
            each = change(each, float(u))
        choices.append(each)
    nominal = replicator.ranks([replicator.nominal], workers)
    outcomes = np.abs(replicator.ranks(choices, workers) - nominal).mean(axis=1)
    return sobol_indices(outcomes, list(settings), resamples=ranges.resamples, seed=ranges.seed)


def _pick(u: float, options: Sequence[T]) -> T:
    """Return the option that u in [0, 1] stands for, all of them equally likely."""
    return options[min(int(u * len(options)), len(options) - 1)]


def leave_one_out(scores: Scores) -> pd.DataFrame:
    """
    Return how far ranks move when one indicator or one domain is left out and its weight is spread.

    Returns
    -------
    shifts
        A row for each: kind ("indicator" or "domain"), id, mean_shift and max_shift, the mean and largest
        absolute change of rank over the scored areas. A domain's only indicator leaves with its domain; an
        area that is left without any figure ranks last.
    """
    scored = scores.overview["score"].notna()
    normalised = scores.normalised[scored].to_numpy()
    ranks = scores.overview.loc[scored, "rang"].to_numpy(np.int32)
    weights = weights_of(scores.spec)
    aggregation = scores.spec.aggregation
    parts = [("indicator", each.id, slice(j, j + 1)) for j, each in enumerate(scores.spec.indicators)]
    if len(weights.runs) > 1:
        parts += [
            ("domain", each.id, run) for each, run in zip(scores.spec.domains, weights.runs, strict=True)
        ]
    rows = []
    for kind, name, columns in parts:
        rest = normalised.copy(order="F")
        rest[:, columns] = np.nan
        left = aggregate(rest, weights, aggregation.within_domains, aggregation.between_domains)[1]
        moved = rank(left) - ranks
        rows.append((kind, name, np.abs(moved).mean(), np.abs(moved).max()))
    return pd.DataFrame(rows, columns=["kind", "id", "mean_shift", "max_shift"])


def compare(before: Scores, after: Scores, gemeenten: pd.Series) -> Comparison:
    """
    Set two scores of the same table beside each other.

    Parameters
    ----------
    before, after
        Say the published score and a variant of it; each keeps its own ranks and its own top share.
    gemeenten
        Gemeente code by area code.

    Returns
    -------
    comparison
        Who gains and who loses, per area and per gemeente.
    """
    ranks = pd.DataFrame({"rang_voor": before.overview["rang"], "rang_na": after.overview["rang"]})
    both = ranks.dropna().astype("Int32")
    areas = both.assign(
        verschuiving=both["rang_voor"] - both["rang_na"],
        top10_voor=in_top(before).reindex(both.index),
        top10_na=in_top(after).reindex(both.index),
    )
    grouped = areas.assign(
        stijgers=areas["verschuiving"] > 0,
        dalers=areas["verschuiving"] < 0,
        in_top10=areas["top10_na"] & ~areas["top10_voor"],
        uit_top10=areas["top10_voor"] & ~areas["top10_na"],
    ).groupby(gemeenten.reindex(areas.index).rename("gemeente_code"))
    counts = grouped[["stijgers", "dalers", "in_top10", "uit_top10"]].sum().astype("Int32")
    counts.insert(0, "gebieden", grouped.size().astype("Int32"))
    counts["gemiddelde_verschuiving"] = grouped["verschuiving"].mean().astype(float)
    only_one = ranks.index[ranks.notna().sum(axis=1) == 1]
    return Comparison(areas, counts, tuple(only_one))


def in_top(scores: Scores) -> pd.Series:
    """Return by code whether each scored area is in the specification's top share."""
    ranks = scores.overview["rang"].dropna()
    return ranks <= scores.spec.uncertainty.places(len(ranks))
