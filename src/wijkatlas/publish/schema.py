"""JSON Schema of the GeoJSON properties: what a program may count on for as long as the version stands."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import orjson

from wijkatlas.areas import CODE_PATTERNS, Level
from wijkatlas.catalog import Catalogue
from wijkatlas.publish.columns import IDENTITY, Field, fields
from wijkatlas.publish.contents import Contents

VERSION = 1  # goes up only when a column disappears or changes its meaning: added columns are no new version
TYPES = {"text": "string", "integer": "integer", "number": "number", "boolean": "boolean"}


def write_schemas(contents: Contents, folder: Path) -> None:
    """Write the schema of each level, `<level>.v1.schema.json`."""
    folder.mkdir()
    for level, frame in contents.frames.items():
        columns = [name for name in frame.columns if name != frame.geometry.name]
        schema = properties_schema(contents.catalogue, level, columns)
        (folder / schema_name(level)).write_bytes(
            orjson.dumps(schema, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
        )


def schema_name(level: Level) -> str:
    """Return the file name of a level's schema."""
    return f"{level}.v{VERSION}.schema.json"


def properties_schema(catalogue: Catalogue, level: Level, columns: Iterable[str]) -> dict[str, Any]:
    """
    Return a JSON Schema (draft 2020-12) of the properties of one feature.

    Parameters
    ----------
    columns
        The columns that every feature of an edition has; the other columns of the catalogue may come.
    """
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:wijkatlas:schema:{level}:{VERSION}",
        "title": f"Eigenschappen van een {level}",
        "description": "Er kunnen kolommen bij komen; er verdwijnt er geen zonder nieuwe versie.",
        "type": "object",
        "properties": {field.name: _property(field, level) for field in fields(catalogue, level)},
        "required": list(columns),
    }


def _property(field: Field, level: Level) -> dict[str, Any]:
    described = {"title": field.label, "description": field.definition, **constraints(field)}
    if field.unit:
        described["x-eenheid"] = field.unit
    always = field.name in IDENTITY[level] or field.name == "peiljaar"
    kind = TYPES[field.type]
    return {"type": kind if always else [kind, "null"], **described}


def constraints(field: Field) -> dict[str, Any]:
    """Return what holds for every value of a column, in the words of JSON Schema and of Table Schema."""
    if field.valid:
        return {"minimum": field.valid[0], "maximum": field.valid[1]}
    if field.unit == "aandeel":
        return {"minimum": 0, "maximum": 1}
    pattern = {f"{level}_code": pattern.pattern for level, pattern in CODE_PATTERNS.items()}.get(field.name)
    return {"pattern": f"^{pattern}$"} if pattern else {}
