"""Municipal summaries: how the priority of its areas adds up to a picture of one gemeente."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from wijkatlas.errors import ScoringError, some

Floats = npt.NDArray[np.float64]

TENTH = 0.1  # of a gemeente's people, in local concentration


def extent_weight(percentile: npt.ArrayLike) -> Floats:
    """
    Weigh an area by its national percentile: how much of its population counts in the extent.

    Parameters
    ----------
    percentile
        Whole numbers 1 to 100, 1 = highest priority.

    Returns
    -------
    weight
        1 in percentiles 1-10, from 0.95 down to 0.05 in 11-30, else 0.

    Notes
    -----
    English Indices of Deprivation 2019, Technical report, section 3.8 (local authority summaries).
    """
    p = np.asarray(percentile, dtype=np.float64)
    sliding = 0.95 - 0.9 / 19 * (p - 11)
    return np.where(p <= 10, 1.0, np.where(p <= 30, sliding, 0.0))  # noqa: PLR2004


def municipal_summaries(
    rank: pd.Series, score: pd.Series, population: pd.Series, gemeente: pd.Series
) -> pd.DataFrame:
    """
    Summarise the scored areas of each gemeente in the five ways of the English indices.

    Parameters
    ----------
    rank
        National rank, 1 = highest priority, ties share the smallest; <NA> where an area is not scored.
    score
        Composite score, higher = more reason to invest, same index.
    population
        Inhabitants, same index.
    gemeente
        Code of the gemeente that each area lies in, same index.

    Returns
    -------
    summaries
        Indexed by gemeente_code, sorted. `gebieden` and `inwoners` count what is scored;
        `gemiddelde_rang` and `gemiddelde_score` are weighted with population (the highest priority has
        rank N, so that higher is worse in every column); `aandeel_slechtste_10pct` is the share of areas in
        the national worst tenth; `omvang` the share of people in the worst 30%, weighted by `extent_weight`;
        `lokale_concentratie` the mean rank (N = highest priority) of the worst areas that together hold
        exactly a tenth of the people, the last one pro rata. NaN where a gemeente has no scored area.

    Raises
    ------
    ScoringError
        A scored area has no population, so that it cannot be weighed.

    Notes
    -----
    English Indices of Deprivation 2019, Technical report, section 3.8.
    """
    frame = pd.DataFrame({"rank": rank, "score": score, "people": population, "gemeente_code": gemeente})
    scored = frame.sort_index().dropna(subset="rank").astype({"rank": np.float64})
    unweighed = scored.index[~(scored["people"] > 0)]
    if len(unweighed):
        raise ScoringError(f"scored areas without inhabitants cannot be summarised: {some(unweighed)}")

    n = len(scored)
    scored["reversed"] = n - scored["rank"] + 1
    scored["worst"] = 10 * scored["rank"] <= n
    scored["extent"] = extent_weight(np.ceil(100 * scored["rank"] / n))
    scored = scored.sort_values(["gemeente_code", "rank"], kind="stable")
    people = scored.groupby("gemeente_code")["people"]
    before = people.cumsum() - scored["people"]
    tenth = TENTH * people.transform("sum")
    scored["local"] = np.clip(tenth - before, 0, scored["people"])

    def weighted_mean(column: str, weight: str) -> pd.Series:
        total = (scored[column] * scored[weight]).groupby(scored["gemeente_code"]).sum()
        return total / scored.groupby("gemeente_code")[weight].sum()

    summaries = pd.DataFrame(
        {
            "gebieden": people.size(),
            "inwoners": people.sum(),
            "gemiddelde_rang": weighted_mean("reversed", "people"),
            "gemiddelde_score": weighted_mean("score", "people"),
            "aandeel_slechtste_10pct": scored.groupby("gemeente_code")["worst"].mean(),
            "omvang": weighted_mean("extent", "people"),
            "lokale_concentratie": weighted_mean("reversed", "local"),
        }
    )
    every = pd.Index(sorted(gemeente.dropna().unique()), name="gemeente_code")
    return summaries.reindex(every).fillna({"gebieden": 0, "inwoners": 0}).astype({"gebieden": np.int64})
