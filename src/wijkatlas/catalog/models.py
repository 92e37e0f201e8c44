"""The catalogue's frozen models: what a source, a domain and an indicator are."""

from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    HttpUrl,
    StringConstraints,
    ValidationError,
    model_validator,
)

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=50)]
Share = Annotated[float, Field(ge=0, le=1)]
ColumnType = Literal["text", "integer", "number", "boolean"]  # what a published column holds


class Entry(BaseModel):
    """A catalogue entry: immutable, and refusing keys it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def first_problem(error: ValidationError) -> str:
    """Say the first thing that is wrong with an entry, behind the place in it."""
    first = error.errors()[0]
    return ": ".join(filter(None, (".".join(str(part) for part in first["loc"]), first["msg"])))


class Protocol(StrEnum):
    """How a service is spoken to."""

    ODATA_V3 = "odata_v3"  # the feed of StatLine and its third-party catalogue
    ODATA_V4 = "odata_v4"  # its successor
    FEATURES = "features"  # OGC API Features: pages of GeoJSON
    GEOPACKAGE = "geopackage"  # one file with all shapes
    ZIP = "zip"  # one file with a CSV in it
    FILE = "file"  # a municipality's own table, beside its settings; never fetched


class Source(Entry):
    """An open-data source: who publishes it, where it is and how it must be credited."""

    id: Name
    title: Text
    publisher: Text
    homepage: HttpUrl
    services: dict[Protocol, Text] = Field(min_length=1)  # address by protocol, with {table} and {year}
    licence: Text
    licence_url: HttpUrl
    attribution: Text
    optional: bool = False  # an edition can be made without it
    tables: dict[int, Text]  # table, collection or file by year
    series: Text | None = None  # what the titles of these tables have in common, in the publisher's catalogue
    figures_of: dict[int, int] = {}  # by year: the year of its figures, where that is another
    categories: dict[Text, Text] = {}  # of each further dimension, the one that is read; with {year}
    member: Text | None = None  # of a zip: a pattern that exactly one of its files matches

    def year_of_figures(self, year: int) -> int:
        """Return the year that the figures which serve `year` speak of."""
        return self.figures_of.get(year, year)

    def slice_of(self, year: int) -> dict[str, str]:
        """Return the category that is read of each further dimension, for `year`."""
        period = self.year_of_figures(year)
        return {name: category.format(year=period) for name, category in self.categories.items()}


class Polarity(StrEnum):
    """Which end of an indicator is reason to invest."""

    HIGHER_IS_WORSE = "higher_is_worse"
    LOWER_IS_WORSE = "lower_is_worse"
    CONTEXT = "context"  # shown, never scored


class Column(Entry):
    """
    The column that carries an indicator in a span of years.

    A stem is a column's key without the number that changes every year. CBS renames a column now and
    then, even inside one table, so there may be several stems: exactly one of them must be found.
    """

    stems: tuple[Text, ...] = Field(min_length=1)
    first_year: int
    last_year: int


class Domain(Entry):
    """A theme of the agenda."""

    id: Name
    label: Text
    agenda: Text  # what the plea for a Deltaplan asks for under this theme
    covered: Text  # which open figures speak of it
    gaps: Text  # what no open figure at this level says


class Indicator(Entry):
    """
    One figure: its meaning, unit and place in its source.

    An extensive indicator is a count in its source. With a denominator it is published as a rate,
    count / denominator * per, and aggregated by summing both. An intensive indicator is a rate, mean
    or median in its source, and is aggregated by a mean weighted with its denominator.
    """

    id: Name
    label: Text
    definition: Text
    unit: Text
    kind: Literal["extensive", "intensive"]
    denominator: tuple[Name, ...] = ()  # ids of extensive indicators, summed
    per: float = Field(default=1, gt=0)
    polarity: Polarity
    domain: Name | None = None
    min_denominator: float = Field(default=0, ge=0)  # below it a rate says nothing and stays missing
    valid: tuple[float, float]  # of the published value, both ends included
    decimals: int = Field(ge=0, le=4)
    rounding: float = Field(ge=0)  # the source's rounding step, in the source's unit
    rounding_is_random: bool = False  # CBS rounds persons and households up or down at random
    noise: Literal["poisson", "binomial", "none"]  # how the underlying count fluctuates by chance
    source: Name
    columns: tuple[Column, ...] = Field(min_length=1)

    @property
    def scored(self) -> bool:
        """Whether a score specification may use this indicator."""
        return self.polarity is not Polarity.CONTEXT

    def stems(self, year: int) -> tuple[str, ...]:
        """Return the stems to look for in the source's table of `year`; empty where it has no column."""
        return next((c.stems for c in self.columns if c.first_year <= year <= c.last_year), ())

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        if self.valid[0] >= self.valid[1]:
            raise ValueError(f"{self.id}: the valid range is empty")
        if self.scored and not (self.domain and self.denominator):
            raise ValueError(f"{self.id}: a scored indicator needs a domain and a denominator")
        if self.kind == "intensive" and not self.denominator:
            raise ValueError(f"{self.id}: an intensive indicator needs a denominator to be aggregated")
        if self.kind == "extensive" and self.denominator and self.unit == "%" and self.per != 100:  # noqa: PLR2004
            raise ValueError(f"{self.id}: a percentage is per 100")
        scaled = self.kind == "extensive" or self.unit == "%" or "per" in self.model_fields_set
        if self.noise != "none" and not scaled:
            raise ValueError(f"{self.id}: noise needs the count behind the figure: say `per` how many it is")
        spans = sorted((c.first_year, c.last_year) for c in self.columns)
        if any(first > last for first, last in spans) or any(
            spans[i][1] >= spans[i + 1][0] for i in range(len(spans) - 1)
        ):
            raise ValueError(f"{self.id}: years of its columns overlap or run backwards")
        return self


class GateRules(Entry):
    """What keeps an edition from being published, as shares of the last edition's."""

    areas_lost: Share
    areas_redrawn: Share
    scores_lost: Share
    column_emptied: Share
    steady_figure: float = Field(ge=0)
    steady_areas: int = Field(ge=1)
    ranks_unexplained: Share


class Rules(Entry):
    """Limits that hold for every source and level."""

    missing_at_or_below: float
    min_parts_covered: float = Field(gt=0, le=1)
    corporatiebuurt_above: float = Field(gt=0, lt=100)
    years_back: int = Field(ge=0)
    min_filled: float = Field(gt=0, le=1)
    gate: GateRules


class PublishedColumn(Entry):
    """A published column that is no indicator."""

    id: Name
    label: Text
    definition: Text
    type: ColumnType = "text"
    unit: str = ""
    decimals: int | None = None  # of a number

    @model_validator(mode="after")
    def _numbers_have_decimals(self) -> Self:
        if (self.type == "number") != (self.decimals is not None):
            raise ValueError(f"{self.id}: a number has decimals, and nothing else has")
        return self


class Catalogue(Entry):
    """Every source, domain and indicator, by id and in the order of the files."""

    rules: Rules
    sources: dict[str, Source]
    domains: dict[str, Domain]
    indicators: dict[str, Indicator]
    columns: dict[str, PublishedColumn]

    @model_validator(mode="after")
    def _refers_to_itself(self) -> Self:
        for indicator in self.indicators.values():
            if indicator.source not in self.sources:
                raise ValueError(f"{indicator.id}: no source {indicator.source!r}")
            if indicator.domain and indicator.domain not in self.domains:
                raise ValueError(f"{indicator.id}: no domain {indicator.domain!r}")
            for denominator in indicator.denominator:
                other = self.indicators.get(denominator)
                if other is None or other.kind != "extensive":
                    raise ValueError(f"{indicator.id}: {denominator!r} is no extensive indicator")
        return self

    def of_source(self, source: str, year: int) -> dict[str, tuple[str, ...]]:
        """Return the column stems by indicator id that `source` carries in `year`."""
        return {
            i.id: stems for i in self.indicators.values() if i.source == source and (stems := i.stems(year))
        }
