"""Replications: reproducible, ordered, adding up, and moved only by what is said to move them."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.scoring.synthetic import CATALOGUE, SPEC, shuffled, synthetic_table
from tests.scoring.worlds import level_table, random_worse, specification
from wijkatlas.errors import ScoringError
from wijkatlas.scoring.panel import assemble_panel
from wijkatlas.scoring.score import score
from wijkatlas.scoring.spec import ScoreSpec
from wijkatlas.scoring.uncertainty import (
    EVERY_SOURCE,
    Choices,
    Replicator,
    SourceOfDoubt,
    Uncertainty,
    classify,
    replicate,
    summarise,
)


def quick(replications: int = 60, **changes: object) -> ScoreSpec:
    ranges = SPEC.uncertainty.model_copy(update={"replications": replications, **changes})
    return SPEC.model_copy(update={"uncertainty": ranges})


def assert_same(ours: Uncertainty, theirs: Uncertainty) -> None:
    pd.testing.assert_frame_equal(ours.areas, theirs.areas, check_exact=True)
    assert ours.by_source.keys() == theirs.by_source.keys()
    for name, frame in ours.by_source.items():
        pd.testing.assert_frame_equal(frame, theirs.by_source[name], check_exact=True)


@given(st.integers(0, 1000))
@settings(max_examples=3)
def test_the_same_on_any_number_of_workers_and_in_any_order_of_rows(seed: int) -> None:
    table = synthetic_table(120, seed)
    alone = replicate(table, quick(20), CATALOGUE, workers=1)
    assert_same(alone, replicate(table, quick(20), CATALOGUE, workers=3))
    assert_same(alone, replicate(shuffled(table, seed), quick(20), CATALOGUE, workers=2))


def test_more_replications_keep_the_first_ones() -> None:
    replicator = Replicator(assemble_panel(synthetic_table(80, 1), SPEC, CATALOGUE), CATALOGUE)
    few, more = (
        replicator.ranks([replicator.choices(number, EVERY_SOURCE) for number in range(count)])
        for count in (5, 9)
    )
    np.testing.assert_array_equal(few, more[:5])


@given(st.integers(0, 1000))
@settings(max_examples=4)
def test_intervals_hold_the_median_and_probabilities_add_up(seed: int) -> None:
    table = synthetic_table(150, seed)
    outcome = replicate(table, quick(25, top_count=30), CATALOGUE)
    scored = score(table, SPEC, CATALOGUE).overview["score"].notna()
    for frame in (outcome.areas, *outcome.by_source.values()):
        assert (frame["klasse"].notna() == scored).all()
        known = frame[scored]
        assert (known["rang_p05"] <= known["rang_p50"]).all()
        assert (known["rang_p50"] <= known["rang_p95"]).all()
        assert known["rang_p05"].min() >= 1
        assert known["rang_p95"].max() <= scored.sum()
        # Figures without noise tie nowhere in this table, so each replication fills its places exactly.
        assert known["kans_top10"].sum() == pytest.approx(SPEC.uncertainty.places(scored.sum()))
        assert known["kans_top100"].sum() == pytest.approx(30)


def test_every_source_has_its_own_frame_and_one_alone_is_the_whole() -> None:
    table = synthetic_table(100, 2)
    everything = replicate(table, quick(20), CATALOGUE)
    assert list(everything.by_source) == ["method", "data", "imputation"]
    data = replicate(table, quick(20), CATALOGUE, sources=frozenset({SourceOfDoubt.DATA}))
    pd.testing.assert_frame_equal(data.areas, data.by_source["data"])
    pd.testing.assert_frame_equal(data.areas, everything.by_source["data"])


def test_nothing_varied_gives_the_published_rank() -> None:
    """One choice of each kind, no weight noise: the method alone then moves nothing."""
    table = synthetic_table(100, 3)
    still = quick(
        10,
        weight_noise=0.0,
        treatment_factors=(1.0,),
        normalisations=(SPEC.normalisation,),
        between_domains=("arithmetic",),
    )
    areas = replicate(table, still, CATALOGUE, sources=frozenset({SourceOfDoubt.METHOD})).areas
    ranks = score(table, SPEC, CATALOGUE).overview["rang"]
    for column in ("rang_p05", "rang_p50", "rang_p95"):
        pd.testing.assert_series_equal(areas[column], ranks, check_names=False)


def test_where_nothing_is_imputed_the_estimates_move_nothing() -> None:
    table = synthetic_table(100, 3, missing=0)
    areas = replicate(table, quick(10), CATALOGUE, sources=frozenset({SourceOfDoubt.IMPUTATION})).areas
    assert (areas["rang_p05"] == areas["rang_p95"]).all()


def test_an_estimate_whose_error_is_unknown_stays_as_it_is() -> None:
    """In each gemeente one of two areas has a figure, so that no estimate can be held against a figure."""
    worse = random_worse(4, 2)
    worse[[1, 3], 0] = np.nan
    table = level_table(worse, {"omgevingsadressendichtheid": np.full(4, 600.0)})
    table.areas["gemeente_code"] = ["GM0001", "GM0001", "GM0002", "GM0002"]
    imputation = SPEC.imputation.model_dump() | {"parents": ["gemeente_code"]}
    panel = assemble_panel(table, specification(imputation=imputation), CATALOGUE)
    assert panel.imputed[:, 0].tolist() == [False, True, False, True]
    replicator = Replicator(panel, CATALOGUE)
    drawn = replicator.choices(0, frozenset({SourceOfDoubt.IMPUTATION}))
    np.testing.assert_array_equal(replicator.ranks([drawn])[0], replicator.ranks([replicator.nominal])[0])


def test_estimates_move_the_areas_that_have_them_most() -> None:
    table = synthetic_table(300, 3)
    areas = replicate(table, quick(40), CATALOGUE, sources=frozenset({SourceOfDoubt.IMPUTATION})).areas
    width = areas["rang_p95"] - areas["rang_p05"]
    imputed = score(table, SPEC, CATALOGUE).imputed.sum(axis=1)
    assert width[imputed >= 2].mean() > 4 * width[imputed == 0].mean()


def test_small_areas_are_less_certain() -> None:
    table = synthetic_table(400, 8)
    areas = replicate(table, quick(60), CATALOGUE, sources=frozenset({SourceOfDoubt.DATA})).areas
    width = (areas["rang_p95"] - areas["rang_p05"]).astype(float)
    inwoners = table.values["inwoners"]
    small, large = inwoners < inwoners.quantile(0.25), inwoners > inwoners.quantile(0.75)
    assert width[small].mean() > 1.5 * width[large].mean()


def test_a_replication_is_a_plain_replay_of_the_score() -> None:
    """The cached path gives the ranks that the specification with those choices written out gives."""
    table = synthetic_table(150, 6)
    replicator = Replicator(assemble_panel(table, SPEC, CATALOGUE), CATALOGUE)
    for number in range(12):
        choices = replicator.choices(number, frozenset({SourceOfDoubt.METHOD}))
        indicators = iter(choices.weights.indicators)
        written = SPEC.model_copy(
            update={
                "normalisation": choices.normalisation,
                "aggregation": SPEC.aggregation.model_copy(
                    update={"between_domains": choices.between_domains}
                ),
                "treatment": SPEC.treatment.model_copy(
                    update={"max_points": round(5 * choices.factor), "max_share": 0}
                ),
                "domains": tuple(
                    domain.model_copy(
                        update={
                            "weight": weight,
                            "indicators": tuple(
                                i.model_copy(update={"weight": next(indicators)}) for i in domain.indicators
                            ),
                        }
                    )
                    for domain, weight in zip(SPEC.domains, choices.weights.domains, strict=True)
                ),
            }
        )
        expected = score(table, written, CATALOGUE).overview["rang"]
        np.testing.assert_array_equal(replicator.ranks([choices])[0], expected)


def test_noisy_weights_stay_within_their_share() -> None:
    replicator = Replicator(assemble_panel(synthetic_table(60, 1), SPEC, CATALOGUE), CATALOGUE)
    own = replicator.nominal.weights
    ratios = np.array([replicator.noisy_weights(i).indicators / own.indicators for i in range(500)])
    assert ratios.min() >= 0.75
    assert ratios.max() <= 1.25
    assert ratios.mean() == pytest.approx(1, abs=0.01)
    assert ratios.std() == pytest.approx(0.5 / np.sqrt(12), rel=0.05)


def test_shrinkage_is_replayed_on_the_noisy_figures() -> None:
    table = synthetic_table(120, 9)
    shrinking = quick(30).model_copy(update={"shrinkage": SPEC.shrinkage.model_copy(update={"apply": True})})
    source = frozenset({SourceOfDoubt.DATA})
    plain, drawn = (
        replicate(table, spec, CATALOGUE, sources=source).areas for spec in (quick(30), shrinking)
    )
    widths = [(frame["rang_p95"] - frame["rang_p05"]).mean() for frame in (drawn, plain)]
    assert widths[0] < widths[1]


def test_an_undefined_mean_ranks_last() -> None:
    """A z-score of mean 0 has no geometric mean below the mean: those areas come last together."""
    spec = specification(normalisation={"method": "z_score", "mean": 0, "sd": 1})
    table = level_table(random_worse(40, 1))
    replicator = Replicator(assemble_panel(table, spec, CATALOGUE), CATALOGUE)
    ranks = replicator.ranks([replace(replicator.nominal, between_domains="geometric")])[0]
    negative = (score(table, spec, CATALOGUE).domains <= 0).any(axis=1).to_numpy()
    assert negative.any()
    assert (ranks[negative] == (~negative).sum() + 1).all()


def test_copeland_is_not_replicated() -> None:
    aggregation = {"within_domains": "arithmetic", "between_domains": "copeland"}
    with pytest.raises(ScoringError, match="not replicated"):
        replicate(level_table(random_worse(30, 1)), specification(aggregation=aggregation), CATALOGUE)


def test_quantiles_are_ranks_that_occurred_and_classes_follow_probabilities() -> None:
    panel = assemble_panel(level_table(random_worse(20, 1)), specification(), CATALOGUE)
    ranks = np.tile(np.arange(1, 21, dtype=np.int32), (40, 1))
    ranks[:12, [0, 3]] = ranks[:12, [3, 0]]  # the first and the fourth change places 12 times in 40
    frame = summarise(ranks, panel)
    assert frame.iloc[0, :3].tolist() == [1, 1, 4]
    assert frame["kans_top10"].iloc[:5].tolist() == [0.7, 1, 0, 0.3, 0]
    assert frame["klasse"].iloc[:5].tolist() == [
        "waarschijnlijk", "zeker", "niet in de lijst", "onzeker", "niet in de lijst",
    ]  # fmt: skip
    limits = np.array([0.9, 0.8999, 0.5, 0.1, 0.0999])
    assert classify(limits, SPEC.uncertainty).tolist() == [
        "zeker", "waarschijnlijk", "waarschijnlijk", "onzeker", "niet in de lijst",
    ]  # fmt: skip


def test_the_figures_behind_a_draw_do_not_depend_on_the_method() -> None:
    """Data draw 3 is the same draw alone as together, so that the sources can be compared."""
    replicator = Replicator(assemble_panel(synthetic_table(80, 1), SPEC, CATALOGUE), CATALOGUE)
    together = replicator.choices(3, EVERY_SOURCE)
    alone = replicator.choices(3, frozenset({SourceOfDoubt.DATA}))
    assert isinstance(together, Choices)
    assert (together.data_draw, together.imputation_draw) == (3, 3)
    assert alone == replace(replicator.nominal, data_draw=3)
