"""A municipality's own table: one catalogue file beside the user's settings, in the catalogue's own words."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, Field, ValidationError

from wijkatlas.catalog.models import (
    Catalogue,
    Entry,
    Indicator,
    Name,
    Protocol,
    Source,
    Text,
    first_problem,
)
from wijkatlas.errors import CatalogueError, some

FORMAT_COLUMNS = {"fid", "geom", "geometry"}  # what a published file adds by itself

Model = TypeVar("Model", bound=BaseModel)


class OwnTable(Entry):
    """
    One own catalogue file: where the table is, who publishes it and which indicators it carries.

    `source` and `indicators` hold the same keys as the catalogue's own files, without those that follow
    from this file: of a source `services` and `tables`, of an indicator `source` and `columns`.
    """

    file: Text  # CSV, XLSX, Parquet or GeoPackage; relative to the catalogue file
    layer: Text | None = None  # of a workbook or GeoPackage with more than one
    key: Text  # the column with the area codes
    year: int = Field(
        ge=2000, le=2100
    )  # peiljaar of the figures, and of the division that the codes belong to
    # No program can see from a name what a figure is about; so someone has to say it, in the file itself.
    no_origin_nationality_religion_or_language: Literal[True]
    source: dict[str, Any]
    indicators: dict[Name, dict[str, Any]] = Field(min_length=1)

    @property
    def columns(self) -> dict[str, str]:
        """The table's column by indicator id; without one, the column that has the indicator's own id."""
        return {name: str(entry.get("column", name)) for name, entry in self.indicators.items()}


def read_own(file: Path) -> OwnTable:
    """
    Read one own catalogue file.

    Raises
    ------
    CatalogueError
        The file is absent or no TOML, or a key is unknown, lacking or wrong; the message names it.
    """
    try:
        raw = tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:  # absent, not UTF-8 or no TOML
        raise CatalogueError(f"{file.name}: {error}") from error
    return validated(OwnTable, raw, file.name)


def extend(catalogue: Catalogue, own: OwnTable, name: str) -> Catalogue:
    """
    Return the catalogue with the source and the indicators of an own table.

    Parameters
    ----------
    name
        Of the own catalogue file, for an error's text.

    Raises
    ------
    CatalogueError
        An entry is incomplete or wrong, has an id that is taken, or names a domain or a denominator that
        there is not; the message names it.
    """
    source = validated(
        Source,
        completed(
            own.source,
            {"services": {Protocol.FILE: own.file}, "tables": {own.year: own.file}, "optional": True},
            f"{name}: source",
        ),
        f"{name}: source",
    )
    indicators = {
        key: validated(
            Indicator,
            completed(
                {field: value for field, value in entry.items() if field != "column"},
                {
                    "id": key,
                    "source": source.id,
                    "columns": [{"stems": [own.columns[key]], "first_year": own.year, "last_year": own.year}],
                },
                f"{name}: indicators.{key}",
            ),
            f"{name}: indicators.{key}",
        )
        for key, entry in own.indicators.items()
    }
    refuse_taken(catalogue, source, indicators, name)
    extended = dict(catalogue) | {
        "sources": catalogue.sources | {source.id: source},
        "indicators": catalogue.indicators | indicators,
    }
    return validated(Catalogue, extended, name)


def completed(entry: Mapping[str, Any], derived: Mapping[str, Any], place: str) -> dict[str, Any]:
    """Add to an entry the keys that follow from the rest of the file; they may not be given."""
    if given := entry.keys() & derived.keys():
        raise CatalogueError(f"{place}: {some(given)} follows from the rest of the file; leave it out")
    return {**entry, **derived}


def refuse_taken(
    catalogue: Catalogue, source: Source, indicators: Mapping[str, Indicator], name: str
) -> None:
    """Refuse an id that the catalogue, a published table or a file format already uses."""
    if source.id in catalogue.sources:
        raise CatalogueError(f"{name}: source.id: {source.id!r} is taken; choose another")
    domains = {f"{prefix}{domain}" for prefix in ("d_", "bijdrage_") for domain in catalogue.domains}
    taken = catalogue.indicators.keys() | catalogue.columns.keys() | domains | FORMAT_COLUMNS
    if clash := indicators.keys() & taken:
        raise CatalogueError(f"{name}: indicators: {some(clash)} is taken; choose another id")


def validated(model: type[Model], raw: Mapping[str, Any], place: str) -> Model:
    """Validate one entry; the first thing that is wrong with it becomes one line."""
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        raise CatalogueError(f"{place}: {first_problem(error)}") from error
