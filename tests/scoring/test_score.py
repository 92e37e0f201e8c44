"""The score of a table: invariances, what is marked, and what is refused."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.scoring.synthetic import CATALOGUE, SPEC, shuffled, synthetic_table
from tests.scoring.worlds import INDICATORS, LOWER_IS_WORSE, level_table, random_worse, scored, specification
from wijkatlas.areas import LevelTable
from wijkatlas.errors import ScoringError
from wijkatlas.scoring.panel import assemble_panel
from wijkatlas.scoring.score import contributions, score
from wijkatlas.scoring.spec import load_spec
from wijkatlas.scoring.uncertainty import Replicator

seeds = st.integers(0, 10_000)
UNTREATED = {"max_skew": 1e9, "max_kurtosis": 1e9, "max_points": 0, "max_share": 0}
NORMALISATIONS = {
    "min_max": {"method": "min_max", "lower": 0, "upper": 100},
    "z_score": {"method": "z_score", "mean": 100, "sd": 15},
    "percentile_rank": {"method": "percentile_rank", "lower": 0, "upper": 100},
}


def with_values(table: LevelTable, values: pd.DataFrame) -> LevelTable:
    return replace(table, values=values)


@given(seeds)
@settings(max_examples=10)
def test_order_of_rows_and_columns_does_not_matter(seed: int) -> None:
    table = synthetic_table(150, seed)
    ours, theirs = score(table, SPEC, CATALOGUE), score(shuffled(table, seed), SPEC, CATALOGUE)
    for name in ("overview", "domains", "normalised", "weights", "imputed", "treated"):
        pd.testing.assert_frame_equal(getattr(ours, name), getattr(theirs, name), check_exact=True)


@pytest.mark.parametrize("method", NORMALISATIONS)
@given(
    seed=seeds,
    column=st.sampled_from(INDICATORS),
    shift=st.integers(-100, 100),
    scale=st.sampled_from([0.01, 0.5, 3, 1000]),
)
@settings(max_examples=25)
def test_shifting_or_rescaling_an_indicator_changes_nothing(
    method: str, seed: int, column: str, shift: int, scale: float
) -> None:
    table = level_table(random_worse(40, seed, missing=0.1))
    spec = specification(normalisation=NORMALISATIONS[method])
    moved = table.values.assign(**{column: table.values[column] * scale + shift})
    before, after = scored(table, spec), scored(with_values(table, moved), spec)
    np.testing.assert_allclose(after.overview["score"], before.overview["score"], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("method", ["min_max", "percentile_rank"])
@given(seed=seeds, area=st.integers(0, 29), column=st.sampled_from(INDICATORS), worse=st.floats(0, 20))
@settings(max_examples=60)
def test_a_worse_figure_never_improves_a_rank(
    method: str, seed: int, area: int, column: str, worse: float
) -> None:
    """Without treatment: an outlier may make a whole indicator be treated otherwise."""
    spec = specification(normalisation=NORMALISATIONS[method], treatment=UNTREATED)
    table = level_table(random_worse(30, seed))
    moved = table.values.copy()
    moved.loc[moved.index[area], column] += -worse if column in LOWER_IS_WORSE else worse
    before, after = scored(table, spec), scored(with_values(table, moved), spec)
    assert after.overview["rang"].iloc[area] <= before.overview["rang"].iloc[area]


@given(seed=seeds, scale=st.floats(0.01, 100))
@settings(max_examples=25)
def test_weights_scaled_together_change_nothing(seed: int, scale: float) -> None:
    spec = specification()
    scaled = spec.model_copy(
        update={
            "domains": tuple(
                d.model_copy(
                    update={
                        "weight": d.weight * scale,
                        "indicators": tuple(
                            i.model_copy(update={"weight": i.weight / scale}) for i in d.indicators
                        ),
                    }
                )
                for d in spec.domains
            )
        }
    )
    table = level_table(random_worse(40, seed, missing=0.1))
    before, after = scored(table, spec), scored(table, scaled)
    np.testing.assert_allclose(after.overview["score"], before.overview["score"], rtol=1e-9)


@given(seeds)
@settings(max_examples=15)
def test_nothing_missing_becomes_a_number_unmarked(seed: int) -> None:
    table = synthetic_table(120, seed, missing=0.2)
    for method in ({"method": "none"}, {"method": "group_median", "group": "wijk_code"}, None):
        raw = SPEC.model_dump(by_alias=True)
        spec = SPEC.model_validate(raw | ({"imputation": method} if method else {}))
        scores = score(table, spec, CATALOGUE)
        missing = table.values[scores.normalised.columns].isna()
        estimated = scores.normalised.notna() & missing
        pd.testing.assert_frame_equal(scores.imputed, estimated)
        assert not scores.imputed.to_numpy().any() or method != {"method": "none"}
        assert (scores.weights[scores.normalised.isna()].fillna(0) == 0).to_numpy().all()
        unscored = scores.overview["score"].isna()
        assert (scores.overview["reden_niet_gescoord"].notna() == unscored).all()
        assert scores.overview.loc[unscored, ["rang", "deciel"]].isna().to_numpy().all()


@given(seeds)
@settings(max_examples=20)
def test_contributions_add_up_and_weights_sum_to_one(seed: int) -> None:
    scores = scored(level_table(random_worse(40, seed, missing=0.2)))
    known = scores.overview["score"].notna()
    total = contributions(scores)[known].sum(axis=1)
    np.testing.assert_allclose(total, scores.overview.loc[known, "score"], rtol=1e-9)
    np.testing.assert_allclose(scores.weights[known].sum(axis=1), 1)
    assert contributions(scores)[~known].isna().to_numpy().all()


def test_higher_is_worse_and_rank_one_is_the_worst() -> None:
    worse = np.repeat(np.arange(20.0)[:, None], 5, axis=1)
    overview = scored(level_table(worse)).overview
    np.testing.assert_allclose(overview["score"], np.linspace(0, 100, 20))
    assert overview["rang"].tolist() == list(range(20, 0, -1))
    assert overview["deciel"].tolist() == list(np.repeat(np.arange(10, 0, -1), 2))


def test_equal_areas_share_the_smallest_rank() -> None:
    worse = random_worse(10, 1)
    ranks = scored(level_table(np.repeat(worse, 3, axis=0))).overview["rang"].to_numpy()
    assert sorted(set(ranks)) == list(range(1, 31, 3))


def test_every_treated_point_is_recorded() -> None:
    worse = random_worse(60, 3)
    worse[7, 0] = 80
    spec = specification()
    treated = scored(level_table(worse), spec).treated
    row = treated.iloc[0]
    assert len(treated) == 1
    assert (row["indicator"], row["code"], row["how"]) == ("personen_in_armoede", "BU00000007", "winsorised")
    assert row["before"] == 80
    assert row["after"] == np.sort(worse[:, 0])[-2]


def test_shrinkage_moves_small_areas_and_marks_nothing() -> None:
    table = synthetic_table(200, 5)
    plain = score(table, SPEC, CATALOGUE)
    drawn = score(table, load_spec("deltaplan-bijgetrokken", CATALOGUE), CATALOGUE)
    assert not np.allclose(plain.overview["score"], drawn.overview["score"])
    pd.testing.assert_frame_equal(plain.imputed, drawn.imputed)


def test_fallback_and_absent_indicators() -> None:
    table = synthetic_table(100, 2)
    poverty = table.values["personen_in_armoede"]
    earlier = table.values.assign(
        huishoudens_laag_inkomen=poverty, personen_in_armoede=np.nan, personen_tot_25_boven_armoede=np.nan
    )
    scores = score(with_values(table, earlier), SPEC, CATALOGUE)
    assert scores.absent == ("personen_tot_25_boven_armoede",)
    assert "huishoudens_laag_inkomen" in scores.normalised
    assert "personen_in_armoede" not in scores.normalised


def test_a_table_that_carries_too_little_is_refused() -> None:
    table = level_table(random_worse(30, 1))
    with pytest.raises(ScoringError, match=r"buurt table of 2024 carries \d+% of the weight of deltaplan"):
        score(table, SPEC, CATALOGUE)


def test_a_table_without_inhabitants_is_refused() -> None:
    table = level_table(random_worse(30, 1))
    with pytest.raises(ScoringError, match="lacks inwoners"):
        scored(with_values(table, table.values.drop(columns="inwoners")))


@pytest.mark.parametrize("areas", [0, 1])
def test_a_score_compares_at_least_two_areas(areas: int) -> None:
    table = level_table(random_worse(30, 1))
    small = table.values.copy()
    small.iloc[areas:, small.columns.get_loc("inwoners")] = 20
    with pytest.raises(ScoringError, match=f"{areas} areas can be scored.*minder dan 100 inwoners"):
        scored(with_values(table, small))


def test_fewer_areas_than_indicators() -> None:
    overview = scored(level_table(random_worse(3, 1))).overview
    assert sorted(overview["rang"]) == [1, 2, 3]


def test_an_indicator_that_does_not_vary_is_named() -> None:
    worse = random_worse(30, 1)
    worse[:, 1] = 4
    with pytest.raises(ScoringError, match="bijstand is the same in all scored areas"):
        scored(level_table(worse))


def test_an_indicator_known_only_where_nobody_is_scored_is_named() -> None:
    worse = random_worse(30, 1)
    worse[1:, 1] = np.nan
    table = level_table(worse)
    small = table.values.copy()
    small.iloc[0, small.columns.get_loc("inwoners")] = 20
    with pytest.raises(ScoringError, match="bijstand has no figures in all scored areas"):
        scored(with_values(table, small))


def test_ties_everywhere_are_refused_as_nothing_varies() -> None:
    with pytest.raises(ScoringError, match="is the same"):
        scored(level_table(np.ones((30, 5))))


def test_a_geometric_mean_over_a_value_that_is_not_positive_names_the_areas() -> None:
    spec = specification(
        normalisation={"method": "z_score", "mean": 0, "sd": 1},
        aggregation={"within_domains": "geometric", "between_domains": "arithmetic"},
    )
    with pytest.raises(ScoringError, match=r"the mean does not exist for BU.* and .* more"):
        scored(level_table(random_worse(30, 1)), spec)


def test_a_domain_without_a_mean_is_not_a_domain_without_figures() -> None:
    """Three areas have a figure below 0 in one domain; the other domains would still give them a score."""
    spec = specification(
        normalisation={"method": "z_score", "mean": 30, "sd": 12},
        aggregation={"within_domains": "geometric", "between_domains": "arithmetic"},
    )
    table = level_table(random_worse(100, 1))
    with pytest.raises(ScoringError, match="the mean does not exist for BU00000204, BU00000905, BU00000908,"):
        scored(table, spec)
    replicator = Replicator(assemble_panel(table, spec, CATALOGUE), CATALOGUE)
    ranks = pd.Series(replicator.ranks([replicator.nominal])[0], table.values.index)
    assert ranks.index[ranks == ranks.max()].tolist() == ["BU00000204", "BU00000905", "BU00000908"]


def test_copeland_orders_areas_without_trade_off() -> None:
    aggregation = {"within_domains": "arithmetic", "between_domains": "copeland"}
    scores = scored(level_table(random_worse(30, 1)), specification(aggregation=aggregation))
    assert scores.overview["score"].sum() == pytest.approx(0)
    assert scores.overview["score"].abs().max() <= 29
    with pytest.raises(ScoringError, match="only a score of arithmetic means"):
        contributions(scores)
