"""The program's vocabulary: sources, domains and indicators as data, read once and frozen."""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from pydantic import ValidationError

from wijkatlas.catalog.models import (
    Catalogue,
    Column,
    Domain,
    Entry,
    Indicator,
    Polarity,
    Protocol,
    PublishedColumn,
    Rules,
    Source,
    first_problem,
)
from wijkatlas.errors import CatalogueError, some

__all__ = [
    "Catalogue",
    "Column",
    "Domain",
    "Entry",
    "Indicator",
    "Polarity",
    "Protocol",
    "PublishedColumn",
    "Rules",
    "Source",
    "build_catalogue",
    "load_catalogue",
]

ROOT = files(__name__)


@cache
def load_catalogue() -> Catalogue:
    """
    Read the catalogue that ships with the package.

    Raises
    ------
    CatalogueError
        An entry is incomplete, unknown or contradicts another; the message names it.
    """
    raw = {name: read_toml(ROOT / f"{name}.toml") for name in ("rules", "sources", "domains", "columns")}
    raw["indicators"] = {}
    for file in sorted((ROOT / "indicators").iterdir(), key=lambda f: f.name):
        entries = read_toml(file)
        if twice := raw["indicators"].keys() & entries.keys():
            raise CatalogueError(f"{file.name}: defined before: {some(twice)}")
        raw["indicators"] |= entries
    return build_catalogue(raw)


def build_catalogue(raw: Mapping[str, dict[str, Any]]) -> Catalogue:
    """
    Validate the parsed files of a catalogue; each entry gets its key as its id.

    Raises
    ------
    CatalogueError
        Naming the first entry that is wrong.
    """
    keyed = {
        table: {key: {"id": key, **entry} for key, entry in entries.items()}
        for table, entries in raw.items()
        if table != "rules"
    }
    try:
        return Catalogue.model_validate({**keyed, "rules": raw["rules"]})
    except ValidationError as error:
        raise CatalogueError(f"catalogue: {first_problem(error)}") from error


def read_toml(file: Traversable) -> dict[str, Any]:
    """Parse one TOML file of the catalogue."""
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise CatalogueError(f"{file.name}: {error}") from error
