"""The program's vocabulary: sources, domains and indicators as data, read once and frozen."""

import tomllib
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from pydantic import ValidationError

from wijkatlas.catalog.models import Catalogue, Column, Domain, Entry, Indicator, Polarity, Source
from wijkatlas.errors import CatalogueError

__all__ = ["Catalogue", "Column", "Domain", "Entry", "Indicator", "Polarity", "Source", "load_catalogue"]

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
    indicators = {
        key: entry
        for file in sorted((ROOT / "indicators").iterdir(), key=lambda f: f.name)
        for key, entry in read_toml(file).items()
    }
    return build_catalogue(read_toml(ROOT / "sources.toml"), read_toml(ROOT / "domains.toml"), indicators)


def build_catalogue(
    sources: dict[str, Any], domains: dict[str, Any], indicators: dict[str, Any]
) -> Catalogue:
    """Validate raw entries, keyed by id, into a catalogue."""

    def with_ids(entries: dict[str, Any]) -> dict[str, Any]:
        return {key: {"id": key, **entry} for key, entry in entries.items()}

    try:
        return Catalogue.model_validate(
            {
                "sources": with_ids(sources),
                "domains": with_ids(domains),
                "indicators": with_ids(indicators),
            }
        )
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise CatalogueError(f"catalogue: {place}: {first['msg']}") from error


def read_toml(file: Traversable) -> dict[str, Any]:
    """Parse one TOML file of the catalogue."""
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise CatalogueError(f"{file.name}: {error}") from error
