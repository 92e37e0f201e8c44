"""What is told of an edition to catalogues and machines, and its columns' names in English."""

from functools import cache
from typing import TypeVar

from pydantic import HttpUrl, ValidationError

from wijkatlas.catalog import ROOT, read_toml
from wijkatlas.catalog.models import ColumnType, Entry, Text, first_problem
from wijkatlas.errors import CatalogueError

Model = TypeVar("Model", bound=Entry)


class Publisher(Entry):
    """Who runs the atlas, and where questions can be asked."""

    name: Text
    contact: Text


class Licence(Entry):
    """The terms under which an edition may be used."""

    id: Text  # SPDX
    label: Text
    url: HttpUrl
    authority: HttpUrl  # in the European list of licences


class Format(Entry):
    """A kind of file."""

    label: Text
    media_type: Text  # IANA
    authority: HttpUrl  # in the European list of file types


class CellColumn(Entry):
    """A column of the files with every single figure."""

    label: Text
    definition: Text
    label_en: Text
    definition_en: Text
    type: ColumnType = "text"


class Publication(Entry):
    """What every edition says of itself."""

    access: HttpUrl
    frequency: HttpUrl
    language: HttpUrl
    country: HttpUrl
    themes: tuple[HttpUrl, ...]
    keywords: tuple[Text, ...]
    title: Text  # with {title}
    title_en: Text
    description: Text
    description_en: Text
    publisher: Publisher
    licence: Licence
    formats: dict[str, Format]  # by the end of a file's name; the first that fits
    cells: dict[str, CellColumn]

    def format_of(self, name: str) -> Format | None:
        """Return the format of a file by its name, or None where it is no data."""
        return next((entry for ending, entry in self.formats.items() if name.endswith(ending)), None)


class Words(Entry):
    """A published column's label and definition in another language."""

    label: Text
    definition: Text


class English(Entry):
    """The published columns and units in English; what is not in it is shown in Dutch."""

    units: dict[Text, Text]
    columns: dict[str, Words]


@cache
def load_publication() -> Publication:
    """
    Read what every edition says of itself.

    Raises
    ------
    CatalogueError
        Naming the first entry that is wrong.
    """
    return _load(Publication, "publication.toml")


@cache
def load_english() -> English:
    """
    Read the published columns in English.

    Raises
    ------
    CatalogueError
        Naming the first entry that is wrong.
    """
    return _load(English, "english.toml")


def _load(model: type[Model], name: str) -> Model:
    try:
        return model.model_validate(read_toml(ROOT / name))
    except ValidationError as error:
        raise CatalogueError(f"{name}: {first_problem(error)}") from error
