"""Screening: who is scored, and in words why the others are not."""

import numpy as np
import pandas as pd

from wijkatlas.scoring.screen import reasons_not_scored, weight_present
from wijkatlas.scoring.spec import Universe

UNIVERSE = Universe(min_inwoners=100, min_huishoudens=50, min_weight_present=2 / 3, min_weight_carried=0.5)
CODES = ["BU01", "BU02", "BU03", "BU04", "BU05", "BU06"]


def test_the_first_reason_that_holds() -> None:
    values = np.ones((6, 3))
    values[3, 1:] = np.nan
    values[4, 0] = np.nan
    inwoners = pd.Series([100.0, 95, 500, 500, 500, np.nan], CODES)
    huishoudens = pd.Series([50.0, 10, 45, 200, 200, 60], CODES)
    reasons = reasons_not_scored(UNIVERSE, inwoners, huishoudens, values, np.array([0.4, 0.3, 0.3]))
    assert reasons.fillna("gescoord").tolist() == [
        "gescoord",
        "minder dan 100 inwoners",
        "minder dan 50 huishoudens",
        "te weinig cijfers: 1 van 3",
        "te weinig cijfers: 2 van 3",
        "aantal inwoners onbekend",
    ]


def test_two_thirds_of_the_weight_is_enough_however_it_is_summed() -> None:
    values = np.ones((1, 9))
    values[0, ::3] = np.nan
    shares = np.full(9, 1 / 9)
    assert np.isclose(weight_present(values, shares)[0], 2 / 3)
    enough = reasons_not_scored(UNIVERSE, pd.Series([100.0]), pd.Series([50.0]), values, shares)
    assert enough.isna().all()


def test_numbers_are_not_asked_where_no_least_is_declared() -> None:
    universe = UNIVERSE.model_copy(update={"min_huishoudens": 0})
    reasons = reasons_not_scored(
        universe, pd.Series([100.0]), pd.Series([np.nan]), np.ones((1, 1)), np.ones(1)
    )
    assert reasons.isna().all()
