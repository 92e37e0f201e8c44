"""What a score is checked against: lists of priority areas, and outcomes that are no input."""

from functools import cache
from typing import Annotated

from pydantic import Field, HttpUrl, StringConstraints, ValidationError, field_validator

from wijkatlas.catalog import ROOT, read_toml
from wijkatlas.catalog.models import Entry, Name, Text, first_problem
from wijkatlas.errors import CatalogueError

Codes = tuple[
    Annotated[str, StringConstraints(pattern=r"^(WK\d{4}[0-9A-Z]([0-9A-Z]|\*)|BU\d{4}[0-9A-Z]{4})$")], ...
]


class ReferenceArea(Entry):
    """One listed area, with the codes that stand for it in a division; none where they are not known."""

    name: Text
    gemeente: Annotated[str, StringConstraints(pattern=r"^GM\d{4}$")]
    codes: dict[int, Codes]  # by the first year of the division that they belong to
    doubtful: Codes = ()  # perhaps part of it: reported, not counted
    note: Text  # on what judgement the codes rest

    @property
    def divisions(self) -> list[Codes]:
        """The codes of each division, newest first."""
        return [self.codes[year] for year in sorted(self.codes, reverse=True)]


class ReferenceList(Entry):
    """A list of priority areas that others drew up."""

    id: Name
    title: Text
    year: int
    source: Text
    source_url: HttpUrl
    note: Text
    areas: Annotated[tuple[ReferenceArea, ...], Field(min_length=1, alias="area")]

    @field_validator("areas")
    @classmethod
    def _distinct(cls, areas: tuple[ReferenceArea, ...]) -> tuple[ReferenceArea, ...]:
        for area in areas:
            within = area.gemeente.removeprefix("GM")
            for code in (*area.doubtful, *(code for codes in area.codes.values() for code in codes)):
                if code[2:6] != within:
                    raise ValueError(f"{area.name}: {code} does not lie in {area.gemeente}")
        names = [area.name for area in areas]
        if len(set(names)) < len(names):
            raise ValueError("an area is listed twice")
        return areas


class HeldOut(Entry):
    """An outcome to hold against a score that was made without the indicators that carry it."""

    id: Name
    label: Text
    outcome: Name
    higher_is_worse: bool
    without: Annotated[tuple[Name, ...], Field(min_length=1)]
    note: Text


class References(Entry):
    """All that a score is checked against, in the order of the file."""

    lists: dict[str, ReferenceList]
    held_out: dict[str, HeldOut]


@cache
def load_references() -> References:
    """
    Read the references that ship with the package.

    Raises
    ------
    CatalogueError
        An entry is incomplete, or a code is malformed or of another gemeente; the message names it.
    """
    raw = read_toml(ROOT / "references.toml")
    try:
        return References.model_validate(
            {
                "lists": {key: {"id": key, **entry} for key, entry in raw["list"].items()},
                "held_out": {key: {"id": key, **entry} for key, entry in raw["held_out"].items()},
            }
        )
    except ValidationError as error:
        raise CatalogueError(f"references: {first_problem(error)}") from error
