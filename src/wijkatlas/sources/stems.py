"""
Finding what the catalogue names among a table's own columns and dimensions, in either version of OData.

A column's key is a stem, which stays, and a number, which changes every year.
"""

import difflib
import re
import unicodedata
from collections.abc import Iterable, Mapping

from wijkatlas.catalog import Catalogue
from wijkatlas.errors import SourceError, some

NUMBERED_KEY = re.compile(r"(?P<stem>.+)_\d+")


def stem_of_key(key: str) -> str | None:
    """Return the stem of a column's key in OData v3, or None where the key has no number."""
    match = NUMBERED_KEY.fullmatch(key)
    return match["stem"] if match else None


def stem_of_title(title: str) -> str:
    """
    Return the stem that CBS makes of a topic's title: its letters and digits, `k_` before a digit.

    Notes
    -----
    Inferred from DataProperties of 84799NED, whose keys all follow it when capitals are not looked at.
    """
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode()
    letters = re.sub(r"[^0-9A-Za-z]", "", plain)
    return f"k_{letters}" if letters[:1].isdigit() else letters


def match_stems(
    keys: Iterable[tuple[str, str]], catalogue: Catalogue, year: int, *, source: str, table: str
) -> dict[str, str]:
    """
    Find the table's own key of each indicator.

    Parameters
    ----------
    keys
        Stem and key of every column of the table. Capitals are not looked at. A catalogue that writes a
        whole key where it could write a stem means that one column: titles can occur twice.

    Returns
    -------
    columns
        Key by indicator id, for every indicator that the catalogue expects of the source in `year`.

    Raises
    ------
    SourceError
        A stem is not found, or found twice; names the stems and the keys that come near.
    """
    by_name: dict[str, list[str]] = {}
    for stem, key in keys:
        for name in {stem.lower(), key.lower()}:
            by_name.setdefault(name, []).append(key)
    columns, problems = {}, []
    for indicator, stems in catalogue.of_source(source, year).items():
        found = [key for stem in stems for key in by_name.get(stem.lower(), [])]
        if len(found) == 1:
            columns[indicator] = found[0]
            continue
        wanted = " or ".join(stem if stem_of_key(stem) else f"{stem}_<number>" for stem in stems)
        near = {name for stem in stems for name in difflib.get_close_matches(stem.lower(), by_name)}
        hint = sorted({key for name in near for key in by_name[name]})
        problems.append(
            f"{indicator}: {wanted} found as {' and '.join(found)}"
            if found
            else f"{indicator}: no column {wanted}; near misses: {', '.join(hint) or 'none'}"
        )
    if problems:
        raise SourceError(
            f"columns that differ from the catalogue: {'; '.join(problems)}", source=source, table=table
        )
    return columns


def match_dimensions(
    kinds: Mapping[str, str], catalogue: Catalogue, year: int, *, source: str, table: str
) -> tuple[str, dict[str, str]]:
    """
    Return the dimension that holds the areas, and of each other one the category to read.

    Parameters
    ----------
    kinds
        By name of each dimension what the service calls its kind.

    Raises
    ------
    SourceError
        There is not exactly one dimension of areas, or the catalogue does not say what to read of another.
    """
    areas = [name for name, kind in kinds.items() if kind.startswith("Geo")]
    categories = catalogue.sources[source].slice_of(year)
    if len(areas) != 1 or set(kinds) != {*areas, *categories}:
        raise SourceError(
            f"has dimensions {some(kinds)}; expected one of areas and {some(categories) or 'no other'}",
            source=source,
            table=table,
        )
    return areas[0], categories
