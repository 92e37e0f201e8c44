"""How filled a table is, and which year serves."""

import math

import pandas as pd
import pytest

from wijkatlas.areas import Level
from wijkatlas.sources.filled import filled_shares, newest_filled_year
from wijkatlas.sources.table import SourceTable

nan = math.nan
TABLE = SourceTable(
    "kwb",
    "85984NED",
    2024,
    pd.DataFrame(
        {"armoede": [nan, 5.0, nan], "bijstand": [1.0, 2.0, nan]},
        index=["BU00010000", "BU00010001", "WK000100"],
    ),
    {},
)
INHABITANTS = pd.Series({"BU00010000": 100.0, "BU00010001": 900.0, "WK000100": 1000.0, "BU00010002": 5.0})


def test_counted_by_the_people_who_live_there() -> None:
    assert filled_shares(TABLE, INHABITANTS, Level.BUURT).to_dict() == {"armoede": 0.9, "bijstand": 1.0}
    assert filled_shares(TABLE, INHABITANTS, Level.WIJK).to_dict() == {"armoede": 0.0, "bijstand": 0.0}


def test_area_without_known_inhabitants_weighs_nothing() -> None:
    unknown = INHABITANTS.drop("BU00010000").replace(900.0, nan)
    assert filled_shares(TABLE, unknown, Level.BUURT).to_dict() == {"armoede": 0.0, "bijstand": 0.0}
    assert filled_shares(TABLE, INHABITANTS, Level.GEMEENTE).to_dict() == {"armoede": 0.0, "bijstand": 0.0}


@pytest.mark.parametrize(
    ("shares", "year"),
    [
        ({2022: 0.95, 2023: 0.8, 2024: 0.79}, 2023),
        ({2024: 0.8, 2023: 1.0}, 2024),
        ({2022: 0.95, 2023: 0.0, 2024: 0.0}, 2022),
        ({2023: 0.5, 2024: 0.7}, None),
        ({}, None),
    ],
)
def test_newest_year_that_is_filled_enough(shares: dict[int, float], year: int | None) -> None:
    assert newest_filled_year(shares, 0.8) == year
