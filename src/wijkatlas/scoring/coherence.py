"""Internal coherence: whether the indicators of a domain tell one story, and each weighs what it should."""

from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations

import numpy as np
import pandas as pd

from wijkatlas.scoring.score import Scores

WHOLE = "score"  # the group of all indicators
THEMES = "themas"  # the group of the domains themselves


class Flag(StrEnum):
    """What deserves a second look; published as it is, so in Dutch."""

    REDUNDANT = "zegt bijna hetzelfde"
    OPPOSED = "loopt tegen het eigen thema in"


@dataclass(frozen=True)
class Components:
    """
    Principal components of the correlation matrix; NaN where it does not exist.

    A loading is the correlation of a part with the first component, whose loadings sum to 0 or more.
    """

    eigenvalues: pd.Series  # by component, 1 the largest; they sum to the number of parts
    explained: pd.Series  # by component: the share of the variance; they sum to 1
    loadings: pd.Series  # by part, of the first component


@dataclass(frozen=True)
class Group:
    """How the parts of one whole hang together: the indicators of a domain, or the domains of the score."""

    areas: int  # without any part missing, on which `alpha` and `components` rest
    correlations: pd.DataFrame  # part by part, Pearson, each pair over the areas that have both
    alpha: float  # Cronbach's; NaN for a single part
    components: Components
    importance: pd.DataFrame  # by part: `gewicht` declared, `correlatie` with the whole, `gewicht_effectief`


@dataclass(frozen=True)
class Coherence:
    """
    The groups of a score by domain id, with `themas` and `score` last, and what they flag.

    `flags` has a row a flag: `signaal`, `indicator`, `met` (an indicator or domain) and `correlatie`.
    """

    groups: dict[str, Group]
    flags: pd.DataFrame


def coherence(scores: Scores) -> Coherence:
    """
    Describe how the normalised indicators of a score hang together, over the scored areas.

    Notes
    -----
    OECD/JRC Handbook on Constructing Composite Indicators (2008), step 4 (multivariate analysis).
    """
    spec = scores.spec
    scored = scores.overview["rang"].notna()
    normalised, domains = scores.normalised[scored], scores.domains[scored]
    score = scores.overview.loc[scored, "score"]
    groups = {
        domain.id: describe_group(
            normalised[[i.id for i in domain.indicators]],
            domains[domain.id],
            pd.Series({i.id: i.weight for i in domain.indicators}),
        )
        for domain in spec.domains
    }
    groups[THEMES] = describe_group(domains, score, pd.Series({d.id: d.weight for d in spec.domains}))
    groups[WHOLE] = describe_group(normalised, score, pd.Series(spec.shares))
    own = {i.id: domain.id for domain in spec.domains for i in domain.indicators}
    return Coherence(groups, _flags(groups, own, spec.analysis.max_correlation))


def describe_group(parts: pd.DataFrame, whole: pd.Series, weights: pd.Series) -> Group:
    """
    Describe how `parts` hang together, and how much each matters to their `whole`.

    Parameters
    ----------
    parts
        Shape (n_areas, k), on one scale; NaN is missing.
    whole
        Their weighted mean, shape (n_areas,).
    weights
        Declared weights by part, of any total.
    """
    complete = parts.dropna()
    return Group(
        areas=len(complete),
        correlations=parts.corr(),
        alpha=cronbach_alpha(complete),
        components=principal_components(complete),
        importance=importance(parts, whole, weights),
    )


def cronbach_alpha(parts: pd.DataFrame) -> float:
    """
    Return Cronbach's alpha of complete `parts` (n_areas, k); NaN for one part or fewer than two areas.

    Notes
    -----
    k / (k - 1) * (1 - sum of the parts' variances / variance of their sum).
    """
    k = parts.shape[1]
    if k < 2 or len(parts) < 2:  # noqa: PLR2004
        return np.nan
    return float(k / (k - 1) * (1 - parts.var().sum() / parts.sum(axis=1).var()))


def principal_components(parts: pd.DataFrame) -> Components:
    """Return the principal components of complete `parts` (n_areas, k), each standardised."""
    k = parts.shape[1]
    order = pd.RangeIndex(1, k + 1, name="component")
    values, first = np.full(k, np.nan), np.full(k, np.nan)
    if len(parts) > 1 and (parts.min() < parts.max()).all():
        ascending, vectors = np.linalg.eigh(np.atleast_2d(np.corrcoef(parts.to_numpy(), rowvar=False)))
        values = np.clip(ascending[::-1], 0.0, None)
        first = vectors[:, -1] * np.sqrt(values[0])
        first *= 1.0 if first.sum() >= 0 else -1.0
    return Components(
        eigenvalues=pd.Series(values, order),
        explained=pd.Series(values / k, order),
        loadings=pd.Series(first, parts.columns),
    )


def importance(parts: pd.DataFrame, whole: pd.Series, weights: pd.Series) -> pd.DataFrame:
    """
    Compare the declared weight of each part with its effective weight in the variance of the whole.

    Returns
    -------
    importance
        By part: `gewicht`, `correlatie` with the whole and `gewicht_effectief`; both weights sum to 1.

    Notes
    -----
    The effective weight is the first-order effect S_i = corr(x_i, y)^2, over its sum: the linear form of
    Paruolo, Saisana and Saltelli (2013), Ratings and rankings: voodoo or science?, used by the JRC
    (Becker et al. 2017, Weights and importance in composite indicators).
    """
    correlation = parts.corrwith(whole)
    effect = correlation**2
    return pd.DataFrame(
        {
            "gewicht": weights / weights.sum(),
            "correlatie": correlation,
            "gewicht_effectief": effect / effect.sum(),
        }
    ).loc[list(parts.columns)]


def _flags(groups: dict[str, Group], own: dict[str, str], limit: float) -> pd.DataFrame:
    """List pairs of indicators that correlate above `limit`, and indicators against their own domain."""
    ids = list(own)
    pairs = groups[WHOLE].correlations.loc[ids, ids].to_numpy(np.float64)
    redundant = [
        (Flag.REDUNDANT, ids[a], ids[b], pairs[a, b])
        for a, b in combinations(range(len(ids)), 2)
        if abs(pairs[a, b]) > limit
    ]
    opposed = [
        (Flag.OPPOSED, indicator, domain, correlation)
        for indicator, domain in own.items()
        if (correlation := groups[domain].importance["correlatie"].to_dict()[indicator]) < 0
    ]
    return pd.DataFrame(redundant + opposed, columns=["signaal", "indicator", "met", "correlatie"])
