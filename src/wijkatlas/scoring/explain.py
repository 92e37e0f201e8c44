"""Why this area: what sets its score apart, on which figures, what would tip it, what is like it."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.spatial import KDTree

from wijkatlas.areas import LevelTable
from wijkatlas.errors import ScoringError
from wijkatlas.scoring.score import Scores, contributions
from wijkatlas.scoring.tipping import tipping_weights

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Explanations:
    """
    Why each scored area has its score. Frames are indexed by the scored areas, sorted.

    The gaps of an area and its `rest` sum to its score minus `median`. The flags say which figures
    to read with care; an estimate is not called old or small as well.
    """

    scores: Scores
    median: float  # score of the area in the middle
    gaps: pd.DataFrame  # by indicator id: points of the score; 0 for a missing figure
    domain_gaps: pd.DataFrame  # by domain id: the sum over its indicators
    rest: pd.Series  # score of an area at every median, by this area's weights, minus `median`
    imputed: pd.DataFrame  # by indicator id: the figure is an estimate
    old: pd.DataFrame  # by indicator id: the figure's peiljaar is before the table's year
    small: pd.DataFrame  # by indicator id: the figure rests on few persons, households or dwellings
    tipping: pd.DataFrame  # only the areas in the top: see `tipping_weights`
    similar: pd.DataFrame  # 1, 2, ... the codes of the nearest areas, nearest first; missing if too few areas

    def of(self, code: str) -> "Explanation":
        """
        Return the explanation of one area.

        Raises
        ------
        ScoringError
            The area is unknown, or not scored: the message gives the reason.
        """

        def row(frame: pd.DataFrame) -> pd.Series:
            return frame.loc[[code]].iloc[0]

        overview = self.scores.overview
        if code not in overview.index:
            raise ScoringError(f"{code} is not in the table that was scored")
        if code not in self.gaps.index:
            raise ScoringError(f"{code} is not scored: {row(overview)['reden_niet_gescoord']}")
        return Explanation(
            code=code,
            score=float(row(overview)["score"]),
            rank=int(row(overview)["rang"]),
            median=self.median,
            domain_gaps=row(self.domain_gaps),
            rest=float(self.rest.loc[[code]].iloc[0]),
            figures=pd.DataFrame(
                {
                    "normalised": row(self.scores.normalised),
                    "weight": row(self.scores.weights),
                    "gap": row(self.gaps),
                    "imputed": row(self.imputed),
                    "old": row(self.old),
                    "small": row(self.small),
                }
            ),
            tipping=row(self.tipping) if code in self.tipping.index else None,
            similar=tuple(row(self.similar).dropna()),
        )


@dataclass(frozen=True)
class Explanation:
    """Why one area has its score; the parts are those of `Explanations`."""

    code: str
    score: float
    rank: int
    median: float
    domain_gaps: pd.Series
    rest: float
    figures: pd.DataFrame  # by indicator id: normalised, weight, gap, imputed, old, small
    tipping: pd.Series | None  # None where the area is not in the top
    similar: tuple[str, ...]


def explain(scores: Scores, table: LevelTable) -> Explanations:
    """
    Explain every scored area.

    Parameters
    ----------
    scores
        Of arithmetic means, so that a score is a sum.
    table
        The table that was scored.

    Raises
    ------
    ScoringError
        The specification's means are not arithmetic.

    Notes
    -----
    The gap of indicator j in area i is w_ij (x_ij - median_j), with w_ij its effective weight there and x
    normalised: positive exactly where the figure is worse than in the middle area of the country.
    """
    spec = scores.spec
    scored = scores.overview.index[scores.overview["rang"].notna()]
    ids = [indicator.id for indicator in spec.indicators]
    score = scores.overview.loc[scored, "score"]
    at_medians = scores.weights.loc[scored, ids] * scores.normalised.loc[scored, ids].median()
    present = scores.normalised.loc[scored, ids].notna()
    at_medians = at_medians.where(present, 0.0)
    gaps = contributions(scores).loc[scored, ids] - at_medians
    return Explanations(
        scores=scores,
        median=float(score.median()),
        gaps=gaps,
        domain_gaps=pd.DataFrame(
            {domain.id: gaps[[i.id for i in domain.indicators]].sum(axis=1) for domain in spec.domains}
        ),
        rest=at_medians.sum(axis=1) - score.median(),
        imputed=scores.imputed.loc[scored, ids],
        old=(table.peiljaar.loc[scored, ids] < table.year).fillna(value=False).astype(bool),
        small=(table.denominators.loc[scored, ids] < spec.analysis.small_denominator)
        & table.values.loc[scored, ids].notna(),
        tipping=tipping_weights(scores),
        similar=similar_areas(scores.domains.loc[scored], score, spec.analysis.similar_areas),
    )


def similar_areas(domains: pd.DataFrame, score: pd.Series, count: int) -> pd.DataFrame:
    """
    Find for each area the areas whose domains are most like its own.

    Parameters
    ----------
    domains
        Domain scores by code, sorted; NaN where an area misses a whole domain.
    score
        By code. A missing domain counts as the area's score, as the renormalised weights have it.
    count
        How many to find.

    Returns
    -------
    similar
        Columns 1 to `count`: codes, nearest first, by the distance between domain scores that are each
        divided by their standard deviation. Missing where there are not that many other areas.
    """
    filled = domains.apply(lambda column: column.fillna(score))
    spread = filled.std(ddof=0)
    points = (filled / spread.where(spread > 0, 1.0)).to_numpy(np.float64)
    n = len(points)
    distance, at = KDTree(points).query(points, k=min(count + 1, n))
    distance, at = distance.reshape(n, -1), at.reshape(n, -1)
    distance[at == np.arange(n)[:, None]] = np.inf  # an area is not like itself
    order = np.lexsort((at, distance))[:, : min(count, n - 1)]
    codes = domains.index.to_numpy()[np.take_along_axis(at, order, axis=1)]
    return pd.DataFrame(codes, domains.index, range(1, codes.shape[1] + 1)).reindex(
        columns=range(1, count + 1)
    )
