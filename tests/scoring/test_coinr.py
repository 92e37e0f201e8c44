"""Parity with COINr 1.1.14: every step of its synthetic set, and all 384 replications."""

import gzip
import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

from tests.scoring.synthetic import CATALOGUE
from wijkatlas.areas import Level, LevelTable
from wijkatlas.catalog import Catalogue, Polarity
from wijkatlas.scoring.impute import group_median
from wijkatlas.scoring.panel import assemble_panel
from wijkatlas.scoring.rank import exponential, rank
from wijkatlas.scoring.score import Weights, aggregate, score, weights_of
from wijkatlas.scoring.screen import weight_present
from wijkatlas.scoring.sensitivity import sobol_indices
from wijkatlas.scoring.shrink import log_odds, sampling_variance, shrunk
from wijkatlas.scoring.spec import MinMax, PercentileRank, ScoreSpec, ZScore, load_spec
from wijkatlas.scoring.summaries import extent_weight
from wijkatlas.scoring.treat import skew_and_kurtosis
from wijkatlas.scoring.uncertainty import Choices, Replicator

ORACLE = Path(__file__).parent / "coinr"
AREAS_WANTED = 0.65  # COINr's screening: the share of the indicators that an area must have
MEANS = {"a_amean": "arithmetic", "a_gmean": "geometric", "a_hmean": "harmonic"}
NORMALISATIONS = {
    "n_minmax": MinMax(method="min_max", lower=1, upper=100),
    "n_zscore": ZScore(method="z_score", mean=100, sd=15),
    "n_prank": PercentileRank(method="percentile_rank", lower=0, upper=1),
}


@cache
def oracle(name: str) -> pd.DataFrame:
    with gzip.open(ORACLE / f"{name}.csv.gz") as file:
        table = pd.read_csv(file)
    return table.set_index("uCode").sort_index() if "uCode" in table else table


@cache
def tree() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return COINr's indicators and domains by code, indicators in the order of their domains."""
    meta = oracle("nl_imeta").set_index("iCode")
    domains = meta[meta["Level"] == 2]
    indicators = meta[meta["Level"] == 1]
    order = [name for domain in domains.index for name in indicators.index[indicators["Parent"] == domain]]
    return indicators.loc[order], domains


@cache
def catalogue() -> Catalogue:
    """Return the catalogue with COINr's indicators, on a pattern without rounding or chance."""
    pattern = CATALOGUE.indicators["lbm_overlast"]
    indicators = {
        name: pattern.model_copy(
            update={
                "id": name,
                "polarity": Polarity.HIGHER_IS_WORSE if row.Direction == 1 else Polarity.LOWER_IS_WORSE,
                "valid": (-1e9, 1e9),
            }
        )
        for name, row in tree()[0].iterrows()
    }
    themes = {name: CATALOGUE.domains["wonen"].model_copy(update={"id": name}) for name in tree()[1].index}
    return CATALOGUE.model_copy(update={"indicators": indicators, "domains": themes})


def specification(within: str = "a_amean", between: str = "a_amean") -> ScoreSpec:
    indicators, domains = tree()
    shipped = load_spec("deltaplan", CATALOGUE).model_dump(by_alias=True)
    return ScoreSpec.model_validate(
        shipped
        | {
            "universe": dict.fromkeys(shipped["universe"], 0),
            "imputation": {"method": "group_median", "group": "gemeente_code"},
            "treatment": {"max_skew": 2, "max_kurtosis": 3.5, "max_points": 5, "max_share": 0},
            "normalisation": {"method": "min_max", "lower": 1, "upper": 100},
            "aggregation": {"within_domains": MEANS[within], "between_domains": MEANS[between]},
            "domain": [
                {
                    "id": name.lower(),
                    "weight": domains.loc[name, "Weight"],
                    "indicator": [
                        {"id": i, "weight": w}
                        for i, w in indicators["Weight"][indicators["Parent"] == name].items()
                    ],
                }
                for name in domains.index
            ],
        }
    )


def level_table() -> LevelTable:
    values = oracle("nl_screened")[tree()[0].index].astype(float)
    gemeenten = oracle("nl_idata").loc[values.index, "Gem"]
    return LevelTable(
        level=Level.BUURT,
        year=2024,
        areas=gpd.GeoDataFrame(
            {"gemeente_code": gemeenten}, geometry=[None] * len(values), index=values.index
        ),
        values=values,
        denominators=values * np.nan,
        status=values.astype("str"),
        peiljaar=values,
        parts_missing=values * 0,
    )


def assert_close(ours: pd.DataFrame | pd.Series, theirs: pd.DataFrame | pd.Series) -> None:
    np.testing.assert_allclose(ours.to_numpy(float), theirs.to_numpy(float), rtol=1e-9, atol=0)


def test_screening_keeps_the_same_areas() -> None:
    names = tree()[0].index
    values = oracle("nl_idata")[names].to_numpy(float)
    enough = weight_present(values, np.ones(len(names))) >= AREAS_WANTED
    assert list(oracle("nl_idata").index[enough]) == list(oracle("nl_screened").index)
    assert (~enough).sum() == 6


def test_group_median() -> None:
    screened, names = oracle("nl_screened"), tree()[0].index
    groups = pd.factorize(oracle("nl_idata").loc[screened.index, "Gem"])[0]
    estimates = group_median(screened[names].to_numpy(float), groups)
    ours = screened[names].astype(float).where(screened[names].notna(), estimates)
    assert_close(ours, oracle("nl_imputed")[names])


def test_skew_and_kurtosis() -> None:
    details = oracle("nl_treat_details").set_index("iCode")
    for name in tree()[0].index:
        skew, kurtosis = skew_and_kurtosis(oracle("nl_imputed")[name].to_numpy(float))
        assert skew == pytest.approx(details.loc[name, "check_SkewKurt0.Skew"], rel=1e-9)
        assert kurtosis == pytest.approx(details.loc[name, "check_SkewKurt0.Kurt"], rel=1e-9)


def test_the_whole_replay() -> None:
    """One specification reproduces imputation, treatment, normalisation, both levels and the ranks."""
    scores = score(level_table(), specification(), catalogue())
    names = tree()[0].index
    assert_close(scores.normalised[names], oracle("nl_normalised")[names])
    imputed = oracle("nl_screened")[names].isna() & oracle("nl_imputed")[names].notna()
    pd.testing.assert_frame_equal(scores.imputed[names], imputed, check_names=False)
    aggregated, domains = oracle("nl_aggregated"), tree()[1].index
    assert_close(scores.domains[domains.str.lower()], aggregated[domains])
    assert_close(scores.overview["score"], aggregated["Index"])
    assert list(scores.overview["rang"]) == list(oracle("nl_ranks")["Index"])
    for domain in domains:
        assert list(rank(scores.domains[domain.lower()].to_numpy())) == list(oracle("nl_ranks")[domain])


def test_treated_values_and_their_record() -> None:
    scores = score(level_table(), specification(), catalogue())
    assert set(scores.treated["indicator"]) == {"bijstand", "overlast", "jeugdzorg", "hart"}
    assert set(scores.treated["how"]) == {"log"}
    for name, points in scores.treated.set_index("code").groupby("indicator"):
        assert_close(points["before"], oracle("nl_imputed").loc[points.index, name])
        assert_close(points["after"], oracle("nl_treated").loc[points.index, name])


@pytest.mark.parametrize("mean", ["a_gmean", "a_hmean"])
def test_other_means(mean: str) -> None:
    scores = score(level_table(), specification(mean, mean), catalogue())
    theirs, domains = oracle(f"nl_agg_{mean}"), tree()[1].index
    assert_close(scores.domains[domains.str.lower()], theirs[domains])
    assert_close(scores.overview["score"], theirs["Index"])


def replications(nominal: Choices) -> list[Choices]:
    indicators, domains = tree()
    sets = oracle("nl_noisy_weight_sets").set_index(["wset", "iCode"])["Weight"]
    choices = []
    for each in oracle("nl_sa_parameters").itertuples():
        noisy = sets.loc[each.Weights_set]
        weights = replace(
            nominal.weights,
            indicators=noisy[indicators.index].to_numpy(),
            domains=noisy[domains.index].to_numpy(),
        )
        within, between = each.Aggregation_by_level.split("|")
        assert MEANS[within] == "arithmetic"
        choices.append(
            Choices(
                factor=each.Winmax / 5,
                normalisation=NORMALISATIONS[each.Normalisation],
                weights=weights,
                between_domains=MEANS[between],
            )
        )
    return choices


@cache
def replayed() -> tuple[np.ndarray, np.ndarray]:
    replicator = Replicator(assemble_panel(level_table(), specification(), catalogue()), catalogue())
    nominal = replicator.ranks([replicator.nominal])[0]
    return nominal, replicator.ranks(replications(replicator.nominal))


def test_every_rank_of_the_replications() -> None:
    nominal, ranks = replayed()
    theirs = oracle("nl_sa_ranks")
    assert ranks.shape == (384, 494)
    np.testing.assert_array_equal(nominal, theirs["Nominal"])
    np.testing.assert_array_equal(ranks, theirs.drop(columns="Nominal").to_numpy().T)


def test_sobol_indices_of_the_replications() -> None:
    nominal, ranks = replayed()
    outcomes = np.abs(ranks - nominal).mean(axis=1)
    theirs = oracle("nl_sa_sobol").set_index("Variable")
    ours = sobol_indices(outcomes, list(theirs.index), resamples=200, seed=1)
    assert_close(ours["first"], theirs["Si"])
    assert_close(ours["total"], theirs["STi"])
    # COINr's bootstrap is random: its bounds are near ours, not equal.
    for own, other in (
        ("first_p05", "Si_q5"),
        ("first_p95", "Si_q95"),
        ("total_p05", "STi_q5"),
        ("total_p95", "STi_q95"),
    ):
        np.testing.assert_allclose(ours[own], theirs[other], atol=0.25)


def runif(seed: int, count: int) -> np.ndarray:
    """Return what R draws with `set.seed(seed); runif(count)`."""
    word, words = seed, []
    for _ in range(50 + 625):
        word = (69069 * word + 1) % 2**32
        words.append(word)
    twister = np.random.MT19937()
    twister.state = twister.state | {"state": {"key": np.array(words[51:], np.uint32), "pos": 624}}
    return twister.random_raw(count) * 2.3283064365386963e-10


def test_sobol_estimator_on_the_ishigami_function() -> None:
    """The oracle's sample is set.seed(3) with 2,000 points, on -pi to pi, a = 7 and b = 0.1."""
    size, factors = 2000, 3
    a, b = np.split(runif(3, 2 * factors * size).reshape(2 * factors, size).T, 2, axis=1)
    mixed = [np.where(np.arange(factors) == j, b, a) for j in range(factors)]
    x = np.pi * (2 * np.concatenate([a, b, *mixed]) - 1)
    outcomes = np.sin(x[:, 0]) + 7 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0])
    theirs = oracle("ishigami_estimate")
    ours = sobol_indices(outcomes, list(theirs["Variable"]), resamples=100, seed=1)
    assert np.var(outcomes[: 2 * size], ddof=1) == pytest.approx(theirs["Variance"][0], rel=1e-9)
    assert_close(ours["first"], theirs["Si"])
    assert_close(ours["total"], theirs["STi"])


@cache
def vectors() -> dict[str, object]:
    return json.loads((ORACLE / "formula_testvectors.json").read_text())


def test_exponential_transform() -> None:
    for case in vectors()["exponential_transform"]:
        ranks = np.arange(1, case["N"] + 1, dtype=np.int32)
        assert exponential(ranks)[case["rank_1_is_most_deprived"] - 1] == pytest.approx(case["X"], rel=1e-9)
    assert exponential(np.arange(1, 11, dtype=np.int32))[1] == pytest.approx(
        vectors()["check_R_0.9"], rel=1e-9
    )


def test_extent_weights() -> None:
    theirs = vectors()["extent_weight_by_percentile_1_is_most_deprived"]
    np.testing.assert_allclose(extent_weight(np.arange(1, 101)), theirs, rtol=1e-9, atol=1e-15)


def test_shrinkage_example() -> None:
    case = vectors()["shrinkage_example(r=3,n=20,R=500,N=10000,t2=0.5)"]
    own, parent = log_odds(np.array([3.0, 500.0]), np.array([20.0, 10000.0]))
    variance = sampling_variance(np.array(3.0), np.array(20.0))
    assert own == pytest.approx(case["m"], rel=1e-9)
    assert parent == pytest.approx(case["M"], rel=1e-9)
    assert variance == pytest.approx(case["s2"], rel=1e-9)
    assert 0.5 / (variance + 0.5) == pytest.approx(case["w"], rel=1e-9)
    assert shrunk(own, variance, parent, np.array(0.5)) == pytest.approx(case["shrunk_rate"], rel=1e-9)


def test_the_core_needs_no_table() -> None:
    """The aggregation works on bare arrays, with weights of any total."""
    names, weights = tree()[0].index, weights_of(specification())
    doubled = Weights(2 * weights.indicators, 2 * weights.domains, weights.runs)
    normalised = oracle("nl_normalised")[names].to_numpy(float)
    _, scores = aggregate(normalised, doubled, "arithmetic", "arithmetic")
    np.testing.assert_allclose(scores, oracle("nl_aggregated")["Index"], rtol=1e-9)
