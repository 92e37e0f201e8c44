"""Sensitivity: the design, the indices, what one indicator does and who gains by a variant."""

import numpy as np
import pandas as pd
import pytest

from tests.scoring.synthetic import CATALOGUE, SPEC, synthetic_table
from tests.scoring.worlds import INDICATORS, level_table, random_worse, scored, specification
from wijkatlas.scoring.score import score
from wijkatlas.scoring.sensitivity import (
    choice_sensitivity,
    compare,
    leave_one_out,
    sobol_design,
    sobol_indices,
)


def test_the_design_runs_a_b_and_the_mixtures() -> None:
    a, b, *mixed = sobol_design(16, 3, seed=1).reshape(5, 16, 3)
    assert not np.isclose(a, b).any()
    for j, each in enumerate(mixed):
        expected = a.copy()
        expected[:, j] = b[:, j]
        np.testing.assert_array_equal(each, expected)
    np.testing.assert_array_equal(sobol_design(16, 3, seed=1), sobol_design(16, 3, seed=1))


def test_indices_of_a_linear_function() -> None:
    """For y = x1 + 2 x2, centred, the shares are 1/5, 4/5 and 0, alone and in total."""
    x = sobol_design(4096, 3, seed=2) - 0.5
    indices = sobol_indices(x[:, 0] + 2 * x[:, 1], ["x1", "x2", "x3"], resamples=200, seed=1)
    np.testing.assert_allclose(indices["first"], [0.2, 0.8, 0], atol=0.01)
    np.testing.assert_allclose(indices["total"], [0.2, 0.8, 0], atol=0.01)
    for kind in ("first", "total"):
        assert (indices[f"{kind}_p05"] <= indices[kind]).all()
        assert (indices[kind] <= indices[f"{kind}_p95"]).all()


def test_an_outcome_that_does_not_vary_has_no_sensitivity() -> None:
    assert (sobol_indices(np.ones(40), ["a", "b"], resamples=10, seed=1) == 0).all(axis=None)


def test_choices_that_are_fixed_do_not_matter() -> None:
    ranges = SPEC.uncertainty.model_copy(
        update={
            "sobol_size": 8,
            "resamples": 20,
            "treatment_factors": (1.0,),
            "between_domains": ("arithmetic",),
        }
    )
    spec = SPEC.model_copy(update={"uncertainty": ranges})
    indices = choice_sensitivity(synthetic_table(80, 1, missing=0), spec, CATALOGUE)
    assert list(indices.index) == [
        "treatment",
        "normalisation",
        "weights",
        "aggregation",
        "data",
        "imputation",
    ]
    assert (indices.loc[["treatment", "aggregation", "imputation"], ["first", "total"]] == 0).all(axis=None)
    assert (indices.loc[["normalisation", "weights", "data"], "total"] > 0).all()
    again = choice_sensitivity(synthetic_table(80, 1, missing=0), spec, CATALOGUE, workers=1)
    pd.testing.assert_frame_equal(indices, again, check_exact=True)


def test_leaving_out_is_scoring_without() -> None:
    table = level_table(random_worse(50, 4, missing=0.05))
    spec = specification(
        universe={"min_inwoners": 0, "min_huishoudens": 0, "min_weight_present": 0, "min_weight_carried": 0}
    )
    full = scored(table, spec)
    shifts = leave_one_out(full).set_index("id")
    assert list(shifts.index) == [*INDICATORS, *[domain.id for domain in spec.domains]]
    without = {"bijstand": spec.carried_by(set(INDICATORS) - {"bijstand"})}
    without["meedoen_en_werk"] = without["netto_arbeidsparticipatie"] = spec.carried_by(
        set(INDICATORS) - {"netto_arbeidsparticipatie"}
    )
    for name, rest in without.items():
        moved = (scored(table, rest).overview["rang"] - full.overview["rang"]).abs()
        assert shifts.loc[name, "mean_shift"] == pytest.approx(moved.mean())
        assert shifts.loc[name, "max_shift"] == moved.max()


def test_the_only_domain_is_not_left_out() -> None:
    spec = specification()
    one = spec.model_copy(update={"domains": spec.domains[:1]})
    shifts = leave_one_out(scored(level_table(random_worse(30, 1)), one))
    assert set(shifts["kind"]) == {"indicator"}


def test_winners_and_losers_add_up() -> None:
    table = synthetic_table(200, 3)
    before = score(table, SPEC, CATALOGUE)
    variant = SPEC.model_copy(update={"domains": SPEC.domains[:-1]})
    after = score(table, variant, CATALOGUE)
    found = compare(before, after, table.areas["gemeente_code"])
    moved = found.areas["verschuiving"]
    assert (moved == before.overview["rang"] - after.overview["rang"]).all()
    assert found.gemeenten["gebieden"].sum() == len(found.areas) == 200
    assert found.gemeenten["stijgers"].sum() == (moved > 0).sum() > 0
    assert found.gemeenten["dalers"].sum() == (moved < 0).sum() > 0
    # As many areas enter the top tenth as leave it.
    assert found.gemeenten["in_top10"].sum() == found.gemeenten["uit_top10"].sum() > 0
    mean = moved.groupby(table.areas["gemeente_code"]).mean()
    np.testing.assert_allclose(found.gemeenten["gemiddelde_verschuiving"], mean.astype(float))
    assert found.unscored == ()


def test_an_area_that_only_one_score_ranks_is_named() -> None:
    worse = random_worse(30, 1)
    worse[4, :2] = np.nan
    table = level_table(worse)
    strict = specification(
        universe={"min_inwoners": 100, "min_huishoudens": 0, "min_weight_present": 1, "min_weight_carried": 0}
    )
    found = compare(scored(table), scored(table, strict), table.areas["gemeente_code"])
    assert found.unscored == ("BU00000004",)
    assert "BU00000004" not in found.areas.index
