"""Areas: their codes, their levels, and the table that carries one level's figures."""

import re
from dataclasses import dataclass
from enum import StrEnum

import geopandas as gpd
import pandas as pd

from wijkatlas.errors import SourceError, some


class Level(StrEnum):
    """A level of the CBS division, smallest first."""

    BUURT = "buurt"
    WIJK = "wijk"
    GEMEENTE = "gemeente"

    @property
    def prefix(self) -> str:
        """The two letters that every code of this level starts with."""
        return {"buurt": "BU", "wijk": "WK", "gemeente": "GM"}[self]

    @property
    def plural(self) -> str:
        """The Dutch plural, by which files and layers are named."""
        return {"buurt": "buurten", "wijk": "wijken", "gemeente": "gemeenten"}[self]


# Letters occur since Amsterdam's division of 2022 (BU0363AC01): a code is never a number.
CODE_PATTERNS = {
    Level.BUURT: re.compile(r"BU[0-9]{4}[0-9A-Z]{4}"),
    Level.WIJK: re.compile(r"WK[0-9]{4}[0-9A-Z]{2}"),
    Level.GEMEENTE: re.compile(r"GM[0-9]{4}"),
}


class Status(StrEnum):
    """Why a cell holds what it holds; published as it is, so in Dutch."""

    OBSERVED = "waargenomen"
    AGGREGATED = "samengesteld uit buurten"
    NOT_PUBLISHED = "geheim of niet gepubliceerd"
    NO_ROW = "geen rij in de bron"
    NOT_APPLICABLE = "te klein om te berekenen"
    NOT_CARRIED = "niet beschikbaar voor dit jaar"
    IMPUTED = "geschat"
    CONVERTED = "omgerekend naar de nieuwe indeling"


def level_of(code: str) -> Level | None:
    """Return the level that `code` belongs to, or None where it is no area code."""
    for level, pattern in CODE_PATTERNS.items():
        if pattern.fullmatch(code):
            return level
    return None


def check_codes(codes: pd.Index, level: Level, *, source: str, table: str) -> None:
    """
    Refuse codes that are malformed or occur twice.

    Raises
    ------
    SourceError
        Naming the codes.
    """
    malformed = [code for code in codes if not CODE_PATTERNS[level].fullmatch(str(code))]
    if malformed:
        raise SourceError(f"not a code of a {level}: {some(malformed)}", source=source, table=table)
    if not codes.is_unique:
        twice = codes[codes.duplicated()].unique()
        raise SourceError(f"areas that occur more than once: {some(twice)}", source=source, table=table)


@dataclass(frozen=True)
class LevelTable:
    """
    Every area of one level with its indicator cells.

    All frames share one index: area codes, sorted, unique. All but `areas` share one set of columns:
    indicator ids of the catalogue.
    """

    level: Level
    year: int  # the division that the codes belong to
    areas: gpd.GeoDataFrame  # naam, wijk_code, wijk_naam, gemeente_code, gemeente_naam, geometry (EPSG:28992)
    values: pd.DataFrame  # float64 in the catalogue's unit; NaN is missing, with its reason in `status`
    denominators: pd.DataFrame  # float64: persons, households or dwellings under each cell; NaN if none
    status: pd.DataFrame  # Status, as text
    peiljaar: pd.DataFrame  # Int16; <NA> where the value is missing
    parts_missing: pd.DataFrame  # Int32: how many buurten lack the figure under an aggregated cell
