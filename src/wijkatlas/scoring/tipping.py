"""The smallest change of one weight that takes an area out of the top, found exactly."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from wijkatlas.errors import ScoringError
from wijkatlas.scoring.score import Scores

Floats = NDArray[np.float64]

CELLS = 64  # per weight; more cells bound the search more tightly, and cost more to lay out
SAME = 1e-12  # relative difference below which two scores are equal but for their rounding
COLUMNS = {"gewicht_van": "str", "gewicht": "float64", "gewicht_naar": "float64", "verschuiving": "float64"}


@dataclass(frozen=True)
class Weight:
    """
    One declared weight, and every area's score as a function of its share s within its parent.

    With the other weights in proportion, and missing parts renormalised, a score of arithmetic means is
    (a + b s) / (c + e s) on 0 <= s <= 1, with a denominator that stays positive.
    """

    id: str  # of a domain, or of an indicator
    declared: float
    others: float  # the sum of the other declared weights under the same parent
    parent_share: float  # of the parent in the whole weight; 1 for a domain
    lines: Floats  # (4, n): a, b, c, e

    @property
    def share(self) -> float:
        """The declared share within the parent."""
        return self.declared / (self.declared + self.others)

    def scores(self, share: Floats | float) -> Floats:
        """Return every area's score (..., n) at `share` (...)."""
        s = np.asarray(share)[..., None]
        a, b, c, e = self.lines
        return np.asarray((a + b * s) / (c + e * s))

    def moved(self, share: Floats | float) -> Floats:
        """Return how much of the whole weight moves when this weight gets `share` within its parent."""
        return np.abs(np.asarray(share) - self.share) * self.parent_share

    def at(self, share: float) -> float:
        """Return the weight that has `share` within the parent, the others as declared."""
        return self.others * share / (1 - share)


def tipping_weights(scores: Scores) -> pd.DataFrame:
    """
    Find for each area in the top the smallest change of one weight that takes it out.

    Parameters
    ----------
    scores
        Of arithmetic means. The top is the share of the scored areas that the specification names.

    Returns
    -------
    tipping
        Indexed by the areas in the top. `gewicht_van` names the domain or indicator, whose weight must pass
        from `gewicht` beyond `gewicht_naar` with all other weights as declared; `verschuiving` is how much
        of the whole weight that moves, 0 to 1, which decides what is smallest. Missing where no change of
        one weight takes the area out.

    Raises
    ------
    ScoringError
        The specification's means are not arithmetic.

    Notes
    -----
    The areas scored, their figures and the estimates among them stay as they are. Two scores cross where a
    quadratic is zero. Between points of a grid each score is monotone, which bounds its rank; only where
    that bound lets an area out are its crossings worked out.
    """
    aggregation = scores.spec.aggregation
    if {aggregation.within_domains, aggregation.between_domains} != {"arithmetic"}:
        raise ScoringError(f"{scores.spec.id}: only weights of arithmetic means can be tipped exactly")
    ranks = scores.overview["rang"].dropna().astype(np.int64)
    places = scores.spec.uncertainty.places(len(ranks))
    top = np.flatnonzero(ranks <= places)
    weights = list(_weights(scores)) if places < len(ranks) else []
    found = [
        _smallest_change(i, stretches, weights, places)
        for i, stretches in zip(top.tolist(), _stretches(weights, top, places), strict=True)
    ]
    return pd.DataFrame(found, ranks.index[top], list(COLUMNS)).astype(COLUMNS)


def _weights(scores: Scores) -> Iterator[Weight]:
    """Yield each weight that has another beside it under its parent."""
    spec = scores.spec
    scored = scores.overview["rang"].notna()
    domains = scores.domains[scored].to_numpy(np.float64)
    score = scores.overview.loc[scored, "score"].to_numpy(np.float64)
    outer = np.array([domain.weight for domain in spec.domains])
    known = (~np.isnan(domains)).astype(np.float64)
    for d, domain in enumerate(spec.domains):
        if len(outer) > 1:
            lines = _lines(domains, outer, d, np.zeros(len(score)), np.ones(len(score)), score)
            yield Weight(domain.id, outer[d], float(outer.sum() - outer[d]), 1.0, lines)
        inner = np.array([indicator.weight for indicator in domain.indicators])
        if len(inner) == 1:
            continue
        parts = scores.normalised.loc[scored, [i.id for i in domain.indicators]].to_numpy(np.float64)
        effective = known[:, d] * outer[d] / (known @ outer)
        rest = score - effective * np.nan_to_num(domains[:, d])
        for j, indicator in enumerate(domain.indicators):
            lines = _lines(parts, inner, j, rest, effective, score)
            others = float(inner.sum() - inner[j])
            yield Weight(indicator.id, inner[j], others, float(outer[d] / outer.sum()), lines)


def _lines(parts: Floats, weights: Floats, j: int, rest: Floats, effective: Floats, score: Floats) -> Floats:
    """Return a, b, c, e (4, n) of rest + effective * mean(parts) as a function of the share of part j."""
    others = np.delete(weights, j)
    rest_parts = np.delete(parts, j, axis=1)
    part = parts[:, j]
    total = np.nan_to_num(rest_parts) @ others / others.sum()
    present = ~np.isnan(rest_parts) @ others / others.sum()
    moves = ~np.isnan(part) & (present > 0)
    lines = np.stack(
        [
            rest * present + effective * total,
            rest * (1 - present) + effective * (part - total),
            present,
            1 - present,
        ]
    )
    fixed = np.stack([score, np.zeros(len(score)), np.ones(len(score)), np.zeros(len(score))])
    return np.where(moves, lines, fixed)


def _stretches(weights: list[Weight], top: NDArray[np.intp], places: int) -> list[Floats]:
    """
    List for each area of the top the stretches of each weight in which it may fall out, least change first.

    A stretch is a row: the weight's position, the ends near to and far from the declared share, and how much
    of the whole weight moves at its near end.
    """
    listed = [np.empty((0, 5))]
    for number, weight in enumerate(weights):
        grid = np.unique(np.append(np.linspace(0, 1, CELLS + 1), weight.share))
        values = weight.scores(grid)
        highest = np.maximum(values[:-1], values[1:])
        lowest = np.minimum(values[:-1, top], values[1:, top])
        bar = np.partition(highest, -places - 1, axis=1)[:, -places - 1]
        cell, at = np.nonzero(lowest <= bar[:, None])
        upward = grid[cell] >= weight.share
        near = np.where(upward, grid[cell], grid[cell + 1])
        far = np.where(upward, grid[cell + 1], grid[cell])
        listed.append(np.stack([at, np.full(len(at), number), near, far, weight.moved(near)], axis=1))
    rows = np.concatenate(listed)
    rows = rows[np.lexsort((rows[:, 1], rows[:, 4], rows[:, 0]))]
    return np.split(rows[:, 1:], np.searchsorted(rows[:, 0], np.arange(1, len(top))))


def _smallest_change(
    i: int, stretches: Floats, weights: list[Weight], places: int
) -> tuple[str | None, float, float, float]:
    """Return a row of `tipping_weights` for area `i`."""
    best: tuple[str | None, float, float, float] = (None, np.nan, np.nan, np.inf)
    for number, near, far, least in stretches:
        if least >= best[3]:
            break
        weight = weights[int(number)]
        share = _first_out(weight, i, places, near, far)
        if share is not None and weight.moved(share) < best[3]:
            best = (weight.id, weight.declared, weight.at(share), float(weight.moved(share)))
    return best if best[0] else (None, np.nan, np.nan, np.nan)


def _first_out(weight: Weight, i: int, places: int, near: float, far: float) -> float | None:
    """Return the share, from `near` on and before `far`, past which area `i` is out of the top, if any."""
    start, end = weight.scores(np.array([near, far]))
    lowest, highest = np.minimum(start, end), np.maximum(start, end)
    above = int((lowest > highest[i]).sum())
    rivals = np.flatnonzero((lowest <= highest[i]) & (highest >= lowest[i]))
    if above + len(rivals) - 1 < places:
        return None
    a, b, c, e = weight.lines[:, rivals]
    ai, bi, ci, ei = weight.lines[:, i]
    roots = _roots(b * ei - bi * e, a * ei + b * ci - ai * e - bi * c, a * ci - ai * c)
    steps = np.sort(np.clip(np.nan_to_num((roots - near) / (far - near), nan=1.0), 0, 1), axis=0)
    ends = np.vstack([np.zeros(len(rivals)), steps, np.ones(len(rivals))])
    middle = near + (far - near) * (ends[:-1] + ends[1:]) / 2
    own = (ai + bi * middle) / (ci + ei * middle)
    ahead = (a + b * middle) / (c + e * middle) - own > SAME * np.abs(own)
    position = steps.ravel()
    change = np.diff(ahead.astype(np.int64), axis=0).ravel()
    order = np.argsort(position, kind="stable")
    position = np.append(0.0, position[order])
    count = above + int(ahead[0].sum()) + np.append(0, np.cumsum(change[order]))
    settled = np.append(position[1:] > position[:-1], True)
    out = np.flatnonzero(settled & (count >= places) & (position < 1))
    return near + (far - near) * float(position[out[0]]) if len(out) else None


def _roots(square: Floats, linear: Floats, constant: Floats) -> Floats:
    """Return the real roots (2, n) of quadratics, NaN where there is none."""
    with np.errstate(divide="ignore", invalid="ignore"):
        q = -(linear + np.copysign(np.sqrt(linear**2 - 4 * square * constant), linear)) / 2
        return np.stack([q / square, constant / q])
