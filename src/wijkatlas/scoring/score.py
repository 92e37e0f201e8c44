"""The score: one specification applied to one table."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from wijkatlas.areas import LevelTable
from wijkatlas.catalog import Catalogue
from wijkatlas.errors import ScoringError, some
from wijkatlas.scoring.aggregate import copeland, weighted_mean
from wijkatlas.scoring.normalise import normalise
from wijkatlas.scoring.panel import Panel, assemble_panel
from wijkatlas.scoring.rank import decile, rank
from wijkatlas.scoring.spec import Mean, Normalisation, ScoreSpec
from wijkatlas.scoring.treat import Limits, Treated, treat

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Scores:
    """
    The outcome of one specification. Every frame is indexed by all area codes of the table, sorted.

    Higher is more reason to invest; rank 1 is the highest priority and ties share the smallest rank.
    """

    spec: ScoreSpec  # resolved: fallbacks chosen, what the table does not carry left out
    absent: tuple[str, ...]  # declared indicators that the table carries neither themselves nor by fallback
    overview: pd.DataFrame  # score, rang, deciel, gewicht_aanwezig, reden_niet_gescoord
    domains: pd.DataFrame  # by domain id; NaN where not scored
    normalised: pd.DataFrame  # by indicator id; NaN where not scored or missing
    weights: pd.DataFrame  # by indicator id: effective weight; rows sum to 1, NaN where not scored
    imputed: pd.DataFrame  # by indicator id: whether the figure is an estimate
    treated: pd.DataFrame  # a row a treated point: indicator, code, how, before, after


@dataclass(frozen=True)
class Weights:
    """The tree of weights as arrays: k indicators, each domain a run of them, and d domains."""

    indicators: Floats  # (k,)
    domains: Floats  # (d,)
    runs: tuple[slice, ...]  # (d,) which indicators a domain holds


def score(table: LevelTable, spec: ScoreSpec, catalogue: Catalogue) -> Scores:
    """
    Score every area of `table` by `spec`.

    Parameters
    ----------
    table
        One level's figures, in the catalogue's units.
    spec
        The declared method.
    catalogue
        Where polarity, valid range and unit of each indicator stand.

    Returns
    -------
    scores
        For every area a score or the reason why there is none.

    Raises
    ------
    ScoringError
        The table carries too little, fewer than two areas can be scored, an indicator does not vary
        over the scored areas, or a mean does not exist for some area.
    """
    panel = assemble_panel(table, spec, catalogue)
    treated = treat_all(panel.values, panel)
    normalised = normalise_all(treated, panel, panel.spec.normalisation)
    weights = weights_of(panel.spec)
    aggregation = panel.spec.aggregation
    domains, scores = aggregate(normalised, weights, aggregation.within_domains, aggregation.between_domains)
    kept = panel.codes[panel.scored]
    if np.isnan(scores).any():
        raise ScoringError(
            f"{spec.id}: the mean does not exist for {some(kept[np.isnan(scores)])}, because a normalised "
            "figure is not positive; choose an arithmetic mean or a scale above 0"
        )
    return _framed(spec, panel, treated, normalised, weights, domains, scores)


def treat_all(values: Floats, panel: Panel, factor: float = 1.0) -> list[Treated]:
    """Treat each indicator of `values` (n, k); `factor` multiplies the points that may be winsorised."""
    treatment = panel.spec.treatment
    limits = Limits(treatment.max_skew, treatment.max_kurtosis)
    points = treatment.points(len(values), factor)
    return [treat(column, limits, points) for column in values.T]


def normalise_all(treated: list[Treated], panel: Panel, normalisation: Normalisation) -> Floats:
    """Normalise each treated indicator into shape (n, k)."""
    columns = [
        normalise(indicator.values, direction, normalisation, indicator=entry.id)
        for indicator, direction, entry in zip(treated, panel.directions, panel.indicators, strict=True)
    ]
    return np.stack(columns).T


def weights_of(spec: ScoreSpec) -> Weights:
    """Return the specification's weights as arrays."""
    ends = np.cumsum([len(domain.indicators) for domain in spec.domains]).tolist()
    return Weights(
        np.array([indicator.weight for indicator in spec.indicators]),
        np.array([domain.weight for domain in spec.domains]),
        tuple(slice(start, end) for start, end in zip([0, *ends[:-1]], ends, strict=True)),
    )


def aggregate(
    normalised: Floats, weights: Weights, within: Mean, between: Mean | Literal["copeland"]
) -> tuple[Floats, Floats]:
    """
    Average normalised indicators into domains, and those into the score, or let areas contest each other.

    Returns
    -------
    domains, scores
        Shapes (n, d) and (n,). A domain is NaN where all its indicators are missing, a score where all its
        domains are; and either where its mean does not exist. An undefined domain leaves no score: only a
        missing one has its weight spread over the rest.
    """
    parts = [normalised[:, run] for run in weights.runs]
    domains = np.stack(
        [
            weighted_mean(p, weights.indicators[run], within)
            for p, run in zip(parts, weights.runs, strict=True)
        ]
    ).T
    if between == "copeland":
        scores = copeland(domains, weights.domains)
    else:
        scores = weighted_mean(domains, weights.domains, between)
    if within != "arithmetic":
        for part, domain in zip(parts, domains.T, strict=True):
            scores[np.isnan(domain) & ~np.isnan(part).all(axis=1)] = np.nan
    return domains, scores


def effective_weights(normalised: Floats, weights: Weights) -> Floats:
    """Return each indicator's share in each area's score (n, k) once missing ones are dropped."""
    known = ~np.isnan(normalised)
    within = known * weights.indicators
    result = np.zeros(normalised.shape)
    for run, weight in zip(weights.runs, weights.domains, strict=True):
        present = within[:, run].sum(axis=1, keepdims=True)
        result[:, run] = weight * np.divide(
            within[:, run], present, out=np.zeros_like(within[:, run]), where=present > 0
        )
    return np.asarray(result / result.sum(axis=1, keepdims=True))


def contributions(scores: Scores) -> pd.DataFrame:
    """
    Return how much of each area's score each indicator brings, by code and indicator id.

    Returns
    -------
    contributions
        Effective weight times normalised figure, in points of the score; each row sums to the score.
        0 for a missing indicator, NaN where the area is not scored.

    Raises
    ------
    ScoringError
        The specification's means are not arithmetic, so that the score is no sum.
    """
    aggregation = scores.spec.aggregation
    if {aggregation.within_domains, aggregation.between_domains} != {"arithmetic"}:
        raise ScoringError(f"{scores.spec.id}: only a score of arithmetic means is a sum of contributions")
    return (scores.weights * scores.normalised).where(scores.normalised.notna() | scores.weights.isna(), 0.0)


def _framed(
    declared: ScoreSpec,
    panel: Panel,
    treated: list[Treated],
    normalised: Floats,
    weights: Weights,
    domains: Floats,
    scores: Floats,
) -> Scores:
    kept = panel.codes[panel.scored]
    ids = [indicator.id for indicator in panel.indicators]
    ranks = rank(scores)
    overview = pd.DataFrame(
        {
            "score": pd.Series(scores, kept),
            "rang": pd.Series(ranks, kept, dtype="Int32"),
            "deciel": pd.Series(decile(ranks), kept, dtype="Int8"),
            "gewicht_aanwezig": pd.Series(panel.weight_present, panel.codes),
            "reden_niet_gescoord": panel.reasons,
        },
        index=panel.codes,
    )

    def frame(values: NDArray[np.generic], columns: list[str]) -> pd.DataFrame:
        return pd.DataFrame(values, kept, columns).reindex(panel.codes)

    found = set(ids)
    return Scores(
        spec=panel.spec,
        absent=tuple(i.id for i in declared.indicators if not found & {i.id, i.fallback}),
        overview=overview,
        domains=frame(domains, [domain.id for domain in panel.spec.domains]),
        normalised=frame(normalised, ids),
        weights=frame(effective_weights(normalised, weights), ids),
        imputed=pd.DataFrame(panel.imputed, kept, ids).reindex(panel.codes, fill_value=False),
        treated=_treated_points(panel, treated),
    )


def _treated_points(panel: Panel, treated: list[Treated]) -> pd.DataFrame:
    kept = panel.codes[panel.scored]
    records = [
        pd.DataFrame(
            {
                "indicator": indicator.id,
                "code": kept[changed],
                "how": result.how,
                "before": before[changed],
                "after": result.values[changed],
            }
        )
        for indicator, before, result in zip(panel.indicators, panel.values.T, treated, strict=True)
        if (changed := ~np.isnan(before) & (before != result.values)).any()
    ]
    empty = {"indicator": str, "code": str, "how": str, "before": float, "after": float}
    if not records:
        return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in empty.items()})
    return pd.concat(records, ignore_index=True)
