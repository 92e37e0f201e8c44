"""Coherence against hand-made cases, scipy and algebra."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.scoring.worlds import INDICATORS, level_table, random_worse, scored
from wijkatlas.scoring.coherence import (
    Flag,
    coherence,
    cronbach_alpha,
    describe_group,
    importance,
    principal_components,
)


def frame(values: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame(values, columns=[f"i{j}" for j in range(values.shape[1])])


def test_alpha_of_a_textbook_case() -> None:
    # Three items of four people: variances 5/3, 5/3 and 11/12; their sums 5, 4, 10, 10 have variance 10.25.
    items = frame(np.array([[1.0, 2, 2], [2, 1, 1], [3, 4, 3], [4, 3, 3]]))
    assert cronbach_alpha(items) == pytest.approx(1.5 * (1 - 4.25 / 10.25))


def test_alpha_is_one_for_copies_and_unknown_for_one_part() -> None:
    column = np.array([1.0, 5, 2, 4])
    assert cronbach_alpha(frame(np.stack([column] * 3, axis=1))) == pytest.approx(1)
    assert np.isnan(cronbach_alpha(frame(column[:, None])))


def test_components_of_two_parts_follow_from_their_correlation() -> None:
    parts = frame(random_worse(200, 1)[:, :2])
    r = parts.corr().iloc[0, 1]
    found = principal_components(parts)
    np.testing.assert_allclose(found.eigenvalues, [1 + r, 1 - r])
    np.testing.assert_allclose(found.explained, [(1 + r) / 2, (1 - r) / 2])
    np.testing.assert_allclose(found.loadings, np.sqrt((1 + r) / 2))


@given(st.integers(0, 10_000), st.integers(2, 6))
def test_components_share_out_the_variance(seed: int, k: int) -> None:
    parts = frame(np.random.default_rng(seed).normal(size=(30, k)))
    found = principal_components(parts)
    assert found.eigenvalues.sum() == pytest.approx(k)
    assert found.explained.sum() == pytest.approx(1)
    assert found.eigenvalues.is_monotonic_decreasing
    assert found.loadings.sum() >= 0
    scores = ((parts - parts.mean()) / parts.std()) @ found.loadings
    np.testing.assert_allclose(parts.corrwith(scores), found.loadings, atol=1e-9)


def test_components_of_a_constant_part_do_not_exist() -> None:
    found = principal_components(frame(np.array([[1.0, 2.0], [1.0, 3.0]])))
    assert found.eigenvalues.isna().all()
    assert found.loadings.isna().all()


def test_effective_weights_are_declared_ones_only_where_parts_are_alike() -> None:
    rng = np.random.default_rng(0)
    parts = frame(rng.normal(size=(20_000, 2)))
    equal = importance(parts, parts.mean(axis=1), pd.Series({"i0": 1.0, "i1": 1.0}))
    np.testing.assert_allclose(equal["gewicht_effectief"], 0.5, atol=0.02)
    # Twice the weight over independent parts of one variance: four times the variance.
    unequal = importance(parts, (2 * parts["i0"] + parts["i1"]) / 3, pd.Series({"i0": 2.0, "i1": 1.0}))
    np.testing.assert_allclose(unequal["gewicht"], [2 / 3, 1 / 3])
    np.testing.assert_allclose(unequal["gewicht_effectief"], [0.8, 0.2], atol=0.02)


def test_areas_without_a_part_are_left_out_of_what_needs_all() -> None:
    values = random_worse(50, 2)
    values[0, 0] = np.nan
    group = describe_group(frame(values), pd.Series(values[:, 1]), pd.Series(1.0, frame(values).columns))
    assert group.areas == 49
    assert group.correlations.loc["i1", "i2"] == pytest.approx(np.corrcoef(values[:, 1], values[:, 2])[0, 1])


def test_groups_of_a_score() -> None:
    found = coherence(scored(level_table(random_worse(300, 4))))
    assert list(found.groups) == [
        "bestaanszekerheid",
        "meedoen_en_werk",
        "leefbaarheid_en_veiligheid",
        "themas",
        "score",
    ]
    assert list(found.groups["score"].importance.index) == INDICATORS
    assert found.groups["score"].importance["gewicht"].sum() == pytest.approx(1)
    assert np.isnan(found.groups["meedoen_en_werk"].alpha)
    assert found.flags.empty
    assert list(found.flags.columns) == ["signaal", "indicator", "met", "correlatie"]


def test_an_indicator_that_repeats_another_and_one_that_opposes_its_domain_are_flagged() -> None:
    worse = random_worse(300, 5)
    worse[:, 2] = worse[:, 0] * 3 + 1
    worse[:, 4] = -2 * worse[:, 3] + np.random.default_rng(6).normal(size=300)
    flags = coherence(scored(level_table(worse))).flags
    rows = {(row.signaal, row.indicator, row.met) for row in flags.itertuples()}
    assert (Flag.REDUNDANT, "personen_in_armoede", "netto_arbeidsparticipatie") in rows
    assert {row for row in rows if row[0] == Flag.OPPOSED} == {
        (Flag.OPPOSED, "lbm_samenhang", "leefbaarheid_en_veiligheid")
    }


def test_areas_that_are_not_scored_do_not_count() -> None:
    worse = random_worse(60, 7)
    table = level_table(worse)
    table.values.iloc[:10, table.values.columns.get_loc("inwoners")] = 5
    assert coherence(scored(table)).groups["score"].areas == 50
