"""The data dictionary for programs: a Frictionless data package beside the downloads."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from wijkatlas.areas import Level
from wijkatlas.catalog.publication import load_publication
from wijkatlas.publish.columns import Field, fields
from wijkatlas.publish.contents import Contents
from wijkatlas.publish.schema import TYPES, constraints
from wijkatlas.snapshots import sha256


class Dialect(NamedTuple):
    """How a CSV is written."""

    encoding: str
    delimiter: str
    decimal: str
    line_end: str


PLAIN = Dialect("utf-8", ",", ".", "\n")
EXCEL = Dialect("utf-8-sig", ";", ",", "\r\n")


def write_datapackage(contents: Contents, folder: Path) -> None:
    """Write `datapackage.json`, which describes every file of data in `folder`."""
    publication = load_publication()
    licence = publication.licence
    package = {
        "profile": "data-package",
        "name": contents.id,
        "title": publication.title.format(title=contents.title),
        "description": publication.description,
        "version": contents.id,
        "keywords": publication.keywords,
        "licenses": [{"name": licence.id, "title": licence.label, "path": str(licence.url)}],
        "sources": [
            {"title": f"{source.attribution} ({source.licence})", "path": str(source.homepage)}
            for source in contents.credits
        ],
        "contributors": [{"title": publication.publisher.name, "role": "publisher"}],
        "resources": list(_resources(contents, folder)),
    }
    text = orjson.dumps(package, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    (folder / "datapackage.json").write_bytes(text)


def _resources(contents: Contents, folder: Path) -> Iterator[dict[str, Any]]:
    levels = {level.plural: level for level in contents.frames}
    for path in sorted(folder.iterdir()):
        known = load_publication().format_of(path.name)
        if known is None:
            continue
        subject, _, kind = path.stem.partition("-")
        resource = {
            "name": path.name.replace(".", "-"),
            "path": path.name,
            "title": f"{subject.capitalize()}: {known.label}",
            "format": path.suffix.removeprefix("."),
            "mediatype": known.media_type,
            "hash": f"sha256:{sha256(path.read_bytes())}",
        }
        if path.suffix == ".csv" and subject in levels:
            resource |= _table(contents, levels[subject], EXCEL if kind == "excel" else PLAIN)
        yield resource


def _table(contents: Contents, level: Level, dialect: Dialect) -> dict[str, Any]:
    """Return how a CSV is to be read, and what each of its columns means."""
    held = [field for field in fields(contents.catalogue, level) if field.name in contents.frames[level]]
    key = f"{level}_code"
    return {
        "profile": "tabular-data-resource",
        "encoding": dialect.encoding,
        "dialect": {"delimiter": dialect.delimiter, "lineTerminator": dialect.line_end},
        "schema": {
            "fields": [_column(field, key, dialect) for field in held],
            "primaryKey": [key],
            "missingValues": [""],
        },
    }


def _column(field: Field, key: str, dialect: Dialect) -> dict[str, Any]:
    column: dict[str, Any] = {
        "name": field.name,
        "title": field.label,
        "description": field.definition,
        "type": TYPES[field.type],
    }
    if field.unit:
        column["unit"] = field.unit
    if field.type == "number":
        column["decimalChar"] = dialect.decimal
    if field.type == "boolean":
        column |= {"trueValues": ["True"], "falseValues": ["False"]}
    held = constraints(field) | ({"required": True, "unique": True} if field.name == key else {})
    return column | ({"constraints": held} if held else {})
