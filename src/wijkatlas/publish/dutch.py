"""Numbers, dates and sizes as Dutch readers write them."""

from datetime import date

MONTHS = (
    "januari", "februari", "maart", "april", "mei", "juni",
    "juli", "augustus", "september", "oktober", "november", "december",
)  # fmt: skip
SWAPPED = str.maketrans(",.", ".,")


def number(value: float, decimals: int = 0) -> str:
    """Write 13930.5 as `13.930,5`: decimal comma, point for thousands, no minus before a zero."""
    return f"{value:z,.{decimals}f}".translate(SWAPPED)


def signed(value: float, decimals: int = 0) -> str:
    """Write a difference with its sign; none before a zero."""
    written = number(value, decimals)
    return written if value <= 0 or not written.strip("0,.") else f"+{written}"


def percent(share: float, decimals: int = 0) -> str:
    """Write a share from 0 to 1 as a percentage; only certainty itself reads 0% or 100%."""
    rounded, step = round(100 * share, decimals), 10.0**-decimals
    if rounded == 0 < share:
        return f"<{number(step, decimals)}%"
    if share < 1 and rounded == 100:  # noqa: PLR2004
        return f">{number(100 - step, decimals)}%"
    return f"{number(rounded, decimals)}%"


def quantity(value: float, unit: str, decimals: int = 0) -> str:
    """Write a figure with its unit: `12,3%`, `222 x 1.000 euro`."""
    written = number(value, decimals)
    return written + unit if unit == "%" else f"{written} {unit}".rstrip()


def size(count: int) -> str:
    """Write a number of bytes as a reader of a download list wants it."""
    thousands = max(1, round(count / 1000))
    return f"{number(thousands)} kB" if thousands < 1000 else f"{number(thousands / 1000, 1)} MB"  # noqa: PLR2004


def day(iso: str) -> str:
    """Write `2026-11-23` as `23 november 2026`."""
    moment = date.fromisoformat(iso)
    return f"{moment.day} {MONTHS[moment.month - 1]} {moment.year}"
