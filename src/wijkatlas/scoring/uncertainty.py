"""Uncertainty: every area's rank under other choices, other draws of the data and other estimates."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from wijkatlas.areas import LevelTable
from wijkatlas.catalog import Catalogue
from wijkatlas.errors import ScoringError
from wijkatlas.processes import do_all, shared_array
from wijkatlas.scoring.noise import DataNoise
from wijkatlas.scoring.panel import Panel, assemble_panel
from wijkatlas.scoring.rank import rank
from wijkatlas.scoring.score import (
    Weights,
    aggregate,
    normalise_all,
    treat_all,
    weights_of,
)
from wijkatlas.scoring.spec import Mean, Normalisation, Perturbation, ScoreSpec

Floats = NDArray[np.float64]
Ranks = NDArray[np.int32]

PARTS = 16  # into which replications are divided; enough to keep a handful of processors busy to the end
AREAS_AT_ONCE = 4096  # whose ranks in all replications are sorted together
# Which stream of random numbers a draw comes from, so that no two kinds of draw share one.
METHOD_STREAM, WEIGHTS_STREAM, DATA_STREAM, IMPUTATION_STREAM = range(4)


class SourceOfDoubt(StrEnum):
    """Where a rank's uncertainty comes from."""

    METHOD = "method"
    DATA = "data"
    IMPUTATION = "imputation"


EVERY_SOURCE = frozenset(SourceOfDoubt)


@dataclass(frozen=True)
class Uncertainty:
    """
    What the replications say of each area.

    Each frame is indexed by all area codes, sorted: rang_p05, rang_p50, rang_p95, kans_top10,
    kans_top100 and klasse; missing where the area is not scored.
    """

    replications: int
    areas: pd.DataFrame  # all sources together
    by_source: dict[str, pd.DataFrame]  # each source alone


@dataclass(frozen=True)
class Choices:
    """One replication: the specification's choices, and which draw of the figures."""

    factor: float  # of the number of points that may be winsorised
    normalisation: Normalisation
    weights: Weights
    between_domains: Mean
    data_draw: int | None = None  # None: the published figures
    imputation_draw: int | None = None  # None: the estimates themselves


def replicate(
    table: LevelTable,
    spec: ScoreSpec,
    catalogue: Catalogue,
    *,
    sources: frozenset[SourceOfDoubt] = EVERY_SOURCE,
    workers: int | None = None,
) -> Uncertainty:
    """
    Score `table` again and again with something changed.

    Parameters
    ----------
    table, spec, catalogue
        As for `score`; `spec.uncertainty` says how far each choice may vary.
    sources
        What may vary: the method's choices, the data within their rounding and chance, the estimates
        for missing figures. Replication r makes the same draws alone as together.
    workers
        Processes; by default one a processor. The result does not depend on it.

    Returns
    -------
    uncertainty
        Intervals, probabilities and classes, of all `sources` together and of each alone. Where no
        geometric mean exists in a replication the area ranks last: the mean's limit at zero.

    Raises
    ------
    ScoringError
        As for `score`, and where the score is no mean (Copeland), or an indicator loses all variation.
    """
    replicator = Replicator(assemble_panel(table, spec, catalogue), catalogue)

    def outcome(varied: frozenset[SourceOfDoubt]) -> pd.DataFrame:
        count = replicator.panel.spec.uncertainty.replications
        choices = [replicator.choices(number, varied) for number in range(count)]
        return summarise(replicator.ranks(choices, workers), replicator.panel)

    by_source = {source.value: outcome(frozenset({source})) for source in SourceOfDoubt if source in sources}
    together = by_source[next(iter(by_source))] if len(by_source) == 1 else outcome(sources)
    return Uncertainty(replicator.panel.spec.uncertainty.replications, together, by_source)


class Replicator:
    """
    Ranks of one panel under any choices.

    The figures do not change with the method alone, so what treatment and normalisation make of them is
    kept for each pair of those choices; weights and means are then all that remains to be done.
    """

    def __init__(self, panel: Panel, catalogue: Catalogue) -> None:
        if panel.spec.aggregation.between_domains == "copeland":
            raise ScoringError(f"{panel.spec.id}: Copeland's contests are not replicated; choose a mean")
        self.panel = panel
        self.nominal = Choices(
            factor=1.0,
            normalisation=panel.spec.normalisation,
            weights=weights_of(panel.spec),
            between_domains=panel.spec.aggregation.between_domains,
        )
        self._noise = DataNoise(panel, catalogue)
        self._gaps = tuple(np.flatnonzero(column) for column in panel.imputed.T)
        self._normalised: dict[str, Floats] = {}

    def choices(self, number: int, varied: frozenset[SourceOfDoubt]) -> Choices:
        """Return the choices of replication `number`, where only the sources in `varied` vary."""
        choices = self.nominal
        if SourceOfDoubt.METHOD in varied:
            ranges = self.panel.spec.uncertainty
            rng = self._random(METHOD_STREAM, number)
            choices = Choices(
                factor=ranges.treatment_factors[rng.integers(len(ranges.treatment_factors))],
                normalisation=ranges.normalisations[rng.integers(len(ranges.normalisations))],
                weights=self.noisy_weights(number),
                between_domains=ranges.between_domains[rng.integers(len(ranges.between_domains))],
            )
        return replace(
            choices,
            data_draw=number if SourceOfDoubt.DATA in varied else None,
            imputation_draw=number if SourceOfDoubt.IMPUTATION in varied else None,
        )

    def noisy_weights(self, number: int) -> Weights:
        """Return w (1 + f (2 u - 1)) with u uniform over (0, 1), at both levels; COINr's noisy weights."""
        rng = self._random(WEIGHTS_STREAM, number)
        noise = self.panel.spec.uncertainty.weight_noise
        own = self.nominal.weights
        return replace(
            own,
            indicators=own.indicators * (1 + noise * (2 * rng.random(len(own.indicators)) - 1)),
            domains=own.domains * (1 + noise * (2 * rng.random(len(own.domains)) - 1)),
        )

    def ranks(self, choices: Sequence[Choices], workers: int | None = None) -> Ranks:
        """Return the ranks of the n scored areas under each of `choices`, shape (len(choices), n)."""
        for each in choices:
            if each.data_draw is None and each.imputation_draw is None and _key(each) not in self._normalised:
                self._normalised[_key(each)] = self._normalise(each, self.panel.values)
        ranks = shared_array((len(choices), len(self.panel.values)), np.int32)

        def fill(rows: range) -> None:
            for row in rows:
                ranks[row] = rank(self.outcome(choices[row])[1])

        on_processes(fill, len(choices), workers)
        return ranks

    def outcome(self, choices: Choices) -> tuple[Floats, Floats]:
        """Return the domains (n, d) and the score (n,) under `choices`; NaN where a mean does not exist."""
        drawn = choices.data_draw is not None or choices.imputation_draw is not None
        normalised = None if drawn else self._normalised.get(_key(choices))
        if normalised is None:
            normalised = self._normalise(choices, self._figures(choices))
        within = self.panel.spec.aggregation.within_domains
        return aggregate(normalised, choices.weights, within, choices.between_domains)

    def _normalise(self, choices: Choices, values: Floats) -> Floats:
        treated = treat_all(values, self.panel, choices.factor)
        return normalise_all(treated, self.panel, choices.normalisation)

    def _figures(self, choices: Choices) -> Floats:
        """Return the figures of one draw, shape (n, k): noise on the observed, errors on the imputed."""
        panel = self.panel
        if choices.data_draw is None:
            figures = panel.values.copy(order="F")
        else:
            figures = panel.shrunk(self._noise.draw(self._random(DATA_STREAM, choices.data_draw)))
            for j, gaps in enumerate(self._gaps):
                figures[gaps, j] = panel.values[gaps, j]
        if choices.imputation_draw is not None and panel.estimates is not None:
            rng = self._random(IMPUTATION_STREAM, choices.imputation_draw)
            for j, (gaps, residuals) in enumerate(zip(self._gaps, panel.estimates.residuals, strict=True)):
                if len(gaps) and len(residuals):  # no error is known where no area has others around it
                    errors = residuals[rng.integers(len(residuals), size=len(gaps))]
                    figures[gaps, j] = np.clip(figures[gaps, j] + errors, *panel.indicators[j].valid)
        return figures

    def _random(self, stream: int, number: int) -> np.random.Generator:
        """Return the generator of one draw, the same whichever thread asks and in whatever order."""
        seed = self.panel.spec.uncertainty.seed
        return np.random.Generator(np.random.SFC64(np.random.SeedSequence(seed, spawn_key=(stream, number))))


def _key(choices: Choices) -> str:
    return f"{choices.factor} {choices.normalisation.model_dump_json()}"


def on_processes(fill: Callable[[range], None], count: int, workers: int | None) -> None:
    """Let processes `fill` the rows of a shared array; threads would wait for Python's lock half the time."""
    do_all([partial(fill, range(first, count, PARTS)) for first in range(PARTS)], ScoringError, workers)


def bounds_at(count: int, *shares: float) -> list[int]:
    """Return where, among `count` ordered draws, the smallest stands with each share at or below it."""
    return [max(0, int(np.ceil(share * count)) - 1) for share in shares]


def summarise(ranks: Ranks, panel: Panel) -> pd.DataFrame:
    """
    Sum up ranks (replications, n scored areas) into intervals, probabilities and classes by area code.

    Quantiles are ranks that occurred: the smallest with at least that share of replications at or below
    it.
    """
    ranges = panel.spec.uncertainty
    count, n = ranks.shape
    quantiles = bounds_at(count, 0.05, 0.50, 0.95)
    places = ranges.places(n)
    intervals = np.empty((n, 3), np.int32)
    top_share, top_count = np.empty(n), np.empty(n)
    for start in range(0, n, AREAS_AT_ONCE):
        part = slice(start, start + AREAS_AT_ONCE)
        ordered = np.sort(ranks[:, part].T, axis=1)
        intervals[part] = ordered[:, quantiles]
        top_share[part] = (ordered <= places).mean(axis=1)
        top_count[part] = (ordered <= ranges.top_count).mean(axis=1)
    kept = panel.codes[panel.scored]
    frame = pd.DataFrame(intervals, kept, ["rang_p05", "rang_p50", "rang_p95"]).astype("Int32")
    frame["kans_top10"] = top_share
    frame["kans_top100"] = top_count
    frame["klasse"] = classify(top_share, ranges)
    return frame.reindex(panel.codes)


def classify(probabilities: Floats, ranges: Perturbation) -> NDArray[np.str_]:
    """Return the label of the first class whose least probability each area reaches."""
    reached = [probabilities >= certainty.min_probability for certainty in ranges.classes]
    return np.select(reached, [certainty.label for certainty in ranges.classes], default="")
