"""Imputation: estimates from the other areas, and their errors."""

import numpy as np

from wijkatlas.scoring.impute import estimates_of, group_median, parent_adjusted

NAN = np.nan


def test_group_median_knows_nothing_of_an_empty_group() -> None:
    values = np.array([[1.0], [3], [NAN], [NAN]])
    np.testing.assert_array_equal(group_median(values, np.array([0, 0, 0, 1])).T, [[2, 2, 2, NAN]])


def test_a_parent_speaks_through_its_other_areas() -> None:
    """Wijk 0 holds 10 (weight 1), 40 (weight 2) and the missing one: (10 + 80) / 3 = 30."""
    values = np.array([[10.0], [40], [NAN], [5]])
    weights = np.array([[1.0], [2], [9], [1]])
    wijken, gemeenten = np.array([0, 0, 0, 1]), np.zeros(4, int)
    apart = np.arange(4)  # each area its own group: the known ones are adjusted to themselves
    estimates = parent_adjusted(values, weights, [wijken, gemeenten], apart)
    np.testing.assert_allclose(estimates.T, [[10, 40, 30, 5]])


def test_the_gemeente_speaks_where_the_wijk_is_silent() -> None:
    values = np.array([[10.0], [30], [NAN]])
    wijken, gemeenten = np.array([0, 0, 1]), np.zeros(3, int)
    estimates = parent_adjusted(values, np.ones((3, 1)), [wijken, gemeenten], np.array([0, 0, 1]))
    assert estimates[2, 0] == 20


def test_the_group_adjusts_its_parents_figure() -> None:
    """Areas of group 1 stand 8 above the rest of their wijk; the missing one does so too."""
    values = np.array([[10.0], [18], [20], [28], [50], [NAN]])
    wijken = np.array([0, 0, 1, 1, 2, 2])
    groups = np.array([0, 1, 0, 1, 0, 1])
    estimates = parent_adjusted(values, np.ones((6, 1)), [wijken], groups)
    assert estimates[5, 0] == 58


def test_an_area_is_left_out_of_its_parents_mean() -> None:
    values, one = np.array([[10.0], [20], [30]]), np.zeros(3, int)
    np.testing.assert_array_equal(parent_adjusted(values, np.ones((3, 1)), [one], one).T, [[25, 20, 15]])
    alone = parent_adjusted(values[:1], np.ones((1, 1)), [one[:1]], one[:1])
    assert np.isnan(alone[0, 0])


def test_estimates_are_clipped_and_their_errors_kept() -> None:
    values = np.array([[4.0], [NAN], [7]])
    estimates = estimates_of(values, np.array([[5.0], [120], [-3]]), np.array([[0, 100]]))
    np.testing.assert_array_equal(estimates.values.T, [[5, 100, 0]])
    np.testing.assert_array_equal(estimates.residuals[0], [-1, 7])
