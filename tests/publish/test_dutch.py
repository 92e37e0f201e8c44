"""Numbers, dates and sizes as Dutch readers write them."""

import pytest

from wijkatlas.publish import dutch


@pytest.mark.parametrize(
    ("value", "decimals", "written"),
    [(0, 0, "0"), (1234567.891, 1, "1.234.567,9"), (-0.04, 1, "0,0"), (-2.5, 1, "-2,5"), (999.5, 0, "1.000")],
)
def test_number(value: float, decimals: int, written: str) -> None:
    assert dutch.number(value, decimals) == written


@pytest.mark.parametrize(
    ("value", "written"), [(3.14, "+3,1"), (-3.14, "-3,1"), (0.04, "0,0"), (-0.04, "0,0")]
)
def test_signed(value: float, written: str) -> None:
    assert dutch.signed(value, 1) == written


@pytest.mark.parametrize(
    ("share", "written"),
    [(0, "0%"), (1, "100%"), (0.5, "50%"), (0.004, "<1%"), (0.997, ">99%"), (0.005, "<1%"), (0.995, ">99%")],
)
def test_percent_reads_0_and_100_only_where_it_is_certain(share: float, written: str) -> None:
    assert dutch.percent(share) == written


def test_percent_with_decimals() -> None:
    assert dutch.percent(0.12345, 1) == "12,3%"
    assert dutch.percent(0.99996, 1) == ">99,9%"


@pytest.mark.parametrize(
    ("value", "unit", "decimals", "written"),
    [(12.34, "%", 1, "12,3%"), (222, "x 1.000 euro", 0, "222 x 1.000 euro"), (7, "", 0, "7")],
)
def test_quantity(value: float, unit: str, decimals: int, written: str) -> None:
    assert dutch.quantity(value, unit, decimals) == written


@pytest.mark.parametrize(
    ("count", "written"),
    [(1, "1 kB"), (1499, "1 kB"), (999_499, "999 kB"), (999_500, "1,0 MB"), (12_345_678, "12,3 MB")],
)
def test_size(count: int, written: str) -> None:
    assert dutch.size(count) == written


def test_day() -> None:
    assert dutch.day("2026-03-05") == "5 maart 2026"
