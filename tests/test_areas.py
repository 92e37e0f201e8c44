"""Codes of areas: which level they are of, and what is no code."""

import pandas as pd
import pytest

from wijkatlas.areas import Level, check_codes, level_of
from wijkatlas.errors import SourceError


@pytest.mark.parametrize(
    ("code", "level"),
    [
        ("BU05991081", Level.BUURT),
        ("BU0363AC01", Level.BUURT),
        ("WK059910", Level.WIJK),
        ("WK0363AC", Level.WIJK),
        ("GM0599", Level.GEMEENTE),
        ("NL00", None),
        ("BU0599108", None),
        ("BU05991081 ", None),
        ("bu05991081", None),
        ("GM٠٥٩٩", None),  # digits, but not those of a code
        ("GM0599\n", None),
    ],
)
def test_a_code_tells_its_level(code: str, level: Level | None) -> None:
    assert level_of(code) == level


def test_malformed_and_repeated_codes_are_named() -> None:
    check_codes(pd.Index(["GM0599", "GM0363"]), Level.GEMEENTE, source="kwb", table="85984NED")
    with pytest.raises(SourceError, match=r"kwb, table 85984NED: not a code of a gemeente: WK059910"):
        check_codes(pd.Index(["GM0599", "WK059910"]), Level.GEMEENTE, source="kwb", table="85984NED")
    with pytest.raises(SourceError, match=r"more than once: GM0599$"):
        check_codes(pd.Index(["GM0599"] * 3), Level.GEMEENTE, source="kwb", table="85984NED")
