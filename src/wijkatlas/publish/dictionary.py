"""The data dictionary for people: every published column, in Dutch and in English."""

from collections.abc import Iterator
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

from wijkatlas.catalog import read_toml
from wijkatlas.catalog.publication import load_english, load_publication
from wijkatlas.publish.columns import Field, fields
from wijkatlas.publish.contents import Contents
from wijkatlas.publish.pages import render


def write_dictionaries(contents: Contents, folder: Path) -> None:
    """Write `woordenboek.html` and `dictionary.html` into the folder of downloads."""
    languages = read_toml(files(__package__) / "templates" / "dictionary.toml")
    held = {
        level: [field for field in fields(contents.catalogue, level) if field.name in frame]
        for level, frame in contents.frames.items()
    }
    for lang, words in languages.items():
        english = lang == "en"
        page = render(
            "dictionary.html",
            edition=contents,
            root="../",
            here="",
            lang=lang,
            words=words,
            other=next(other["file"] for code, other in languages.items() if code != lang),
            levels={
                level: [in_english(field) for field in columns] if english else columns
                for level, columns in held.items()
            },
            cells=list(cell_fields(english=english)),
        )
        (folder / words["file"]).write_text(page, encoding="utf-8")


def in_english(field: Field) -> Field:
    """Return a column in English as far as it is translated: an own table's columns stay in Dutch."""
    words = load_english()
    unit = words.units.get(field.unit, field.unit)
    own = words.columns.get(field.name)
    return replace(field, label=own.label, definition=own.definition, unit=unit) if own else field


def cell_fields(*, english: bool) -> Iterator[Field]:
    """Yield the columns of the files with every single figure."""
    for name, column in load_publication().cells.items():
        label = column.label_en if english else column.label
        definition = column.definition_en if english else column.definition
        yield Field(name, label, definition, "result", column.type)
