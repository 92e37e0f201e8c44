"""The score specification: every choice of the method as data, without a single default."""

import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from wijkatlas.catalog import Catalogue
from wijkatlas.catalog.models import Entry, Name, Text, first_problem
from wijkatlas.errors import CatalogueError, some

SCORES = files("wijkatlas.catalog") / "scores"

Positive = Annotated[float, Field(gt=0)]
Share = Annotated[float, Field(ge=0, le=1)]
Parent = Literal["wijk_code", "gemeente_code"]
Mean = Literal["arithmetic", "geometric", "harmonic"]


class Universe(Entry):
    """Which areas are scored; the others stay in the outputs with a reason."""

    min_inwoners: Annotated[float, Field(ge=0)]
    min_huishoudens: Annotated[float, Field(ge=0)]
    min_weight_present: Share  # of the weight of the indicators that the table carries, per area
    min_weight_carried: Share  # of the declared weight that the table as a whole must carry


class Shrinkage(Entry):
    """Whether shares of a small denominator are drawn towards their municipality's share."""

    apply: bool


class NoImputation(Entry):
    """A missing figure stays missing: its weight is spread over the rest of its domain."""

    method: Literal["none"]


class GroupMedian(Entry):
    """A missing figure becomes the median of the scored areas in the same wijk or gemeente."""

    method: Literal["group_median"]
    group: Parent


class ParentAdjusted(Entry):
    """A missing figure becomes its parent's, plus what areas of its group usually differ from theirs."""

    method: Literal["parent_adjusted"]
    parents: Annotated[tuple[Parent, ...], Field(min_length=1)]  # tried in this order
    group_indicator: Name
    group_edges: Annotated[tuple[float, ...], Field(min_length=1)]  # a value on an edge is in the upper group


class Treatment(Entry):
    """When an indicator's tail is treated, and how many points may be winsorised before the logarithm."""

    max_skew: Positive
    max_kurtosis: float
    max_points: Annotated[int, Field(ge=0)]
    max_share: Share  # of the areas, where that is more than `max_points`

    def points(self, areas: int, factor: float = 1.0) -> int:
        """Return the number of points that may be winsorised among `areas`, times `factor`."""
        return round(factor * max(self.max_points, int(self.max_share * areas)))


class MinMax(Entry):
    """Rescale linearly: the best area to `lower`, the worst to `upper`."""

    method: Literal["min_max"]
    lower: float
    upper: float


class ZScore(Entry):
    """Rescale linearly to this mean and sample standard deviation."""

    method: Literal["z_score"]
    mean: float
    sd: Positive


class PercentileRank(Entry):
    """Replace by (smallest shared rank - 1) / (n - 1), the best area at `lower`, the worst at `upper`."""

    method: Literal["percentile_rank"]
    lower: float
    upper: float


class Goalposts(Entry):
    """Rescale linearly between two fixed values an indicator, so that years can be compared."""

    method: Literal["goalposts"]
    lower: float
    upper: float
    posts: dict[Name, tuple[float, float]]  # lowest and highest value in the catalogue's unit


Imputation = Annotated[NoImputation | GroupMedian | ParentAdjusted, Field(discriminator="method")]
Normalisation = Annotated[MinMax | ZScore | PercentileRank | Goalposts, Field(discriminator="method")]


class Aggregation(Entry):
    """How indicators become a domain and domains become the score, both weighted."""

    within_domains: Mean
    between_domains: Mean | Literal["copeland"]


class WeightedIndicator(Entry):
    """An indicator's weight within its domain, and what stands in for it in years without it."""

    id: Name
    weight: Positive
    fallback: Name | None = None


class WeightedDomain(Entry):
    """A domain's weight in the score, and its indicators."""

    id: Name
    weight: Positive
    indicators: Annotated[tuple[WeightedIndicator, ...], Field(min_length=1, alias="indicator")]


def places(share: float, areas: int) -> int:
    """Return how many of `areas` are in a top `share`: rounded down, but not to 0."""
    return max(1, int(share * areas + 1e-9))


class Certainty(Entry):
    """A class of areas by their probability of belonging to the top."""

    label: Text
    min_probability: Share


class Perturbation(Entry):
    """How far each choice may vary in the replications, and how their outcome is named."""

    replications: Annotated[int, Field(ge=1)]
    seed: Annotated[int, Field(ge=0)]
    weight_noise: Annotated[
        float, Field(ge=0, lt=1)
    ]  # weights vary by this share up and down, at both levels
    treatment_factors: Annotated[tuple[Annotated[float, Field(ge=0)], ...], Field(min_length=1)]
    normalisations: Annotated[tuple[Normalisation, ...], Field(min_length=1, alias="normalisation")]
    between_domains: Annotated[tuple[Mean, ...], Field(min_length=1)]
    top_share: Annotated[float, Field(gt=0, le=1)]
    top_count: Annotated[int, Field(ge=1)]
    sobol_size: Annotated[int, Field(ge=2)]  # rows of the design for sensitivity; a power of two
    resamples: Annotated[int, Field(ge=1)]  # for the intervals of the sensitivity indices
    classes: Annotated[tuple[Certainty, ...], Field(min_length=1, alias="class")]

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        limits = [c.min_probability for c in self.classes]
        if limits != sorted(set(limits), reverse=True) or limits[-1] != 0:
            raise ValueError("classes must run from the highest min_probability down to 0")
        if self.sobol_size.bit_count() != 1:
            raise ValueError("sobol_size must be a power of two")
        return self

    def places(self, areas: int) -> int:
        """Return how many of `areas` are in the top share."""
        return places(self.top_share, areas)


class Analysis(Entry):
    """Limits of the analyses around the score; none of them moves a rank."""

    max_correlation: Share  # above this, two indicators say the same
    permutations: Annotated[int, Field(ge=99)]  # of the scores over the map
    seed: Annotated[int, Field(ge=0)]
    false_discovery_rate: Share
    small_denominator: Positive  # persons, households or dwellings; a figure on fewer is called small
    similar_areas: Annotated[int, Field(ge=1)]


class ScoreSpec(Entry):
    """One declared way to score: all that `score` needs to know beside the figures."""

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")]
    title: Text
    description: Text
    universe: Universe
    shrinkage: Shrinkage
    imputation: Imputation
    treatment: Treatment
    normalisation: Normalisation
    aggregation: Aggregation
    domains: Annotated[tuple[WeightedDomain, ...], Field(min_length=1, alias="domain")]
    uncertainty: Perturbation
    analysis: Analysis

    @property
    def indicators(self) -> tuple[WeightedIndicator, ...]:
        """Every scored indicator, in the order of the domains."""
        return tuple(indicator for domain in self.domains for indicator in domain.indicators)

    @property
    def shares(self) -> dict[str, float]:
        """Each indicator's share of the whole weight, by id; they sum to 1."""
        total = sum(domain.weight for domain in self.domains)
        return {
            indicator.id: domain.weight / total * indicator.weight / sum(i.weight for i in domain.indicators)
            for domain in self.domains
            for indicator in domain.indicators
        }

    def carried_by(self, present: set[str]) -> Self:
        """
        Return the specification that a table with the indicators `present` can bear.

        An absent indicator is replaced by its fallback, or else left out; a domain that is left
        without indicators is left out too. The result may have no domains at all.
        """
        domains = []
        for domain in self.domains:
            kept = tuple(
                indicator.model_copy(update={"id": found, "fallback": None})
                for indicator in domain.indicators
                if (found := next((i for i in (indicator.id, indicator.fallback) if i in present), None))
            )
            if kept:
                domains.append(domain.model_copy(update={"indicators": kept}))
        return self.model_copy(update={"domains": tuple(domains)})

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        for kind, ids in (
            ("domain", [d.id for d in self.domains]),
            ("indicator", [n for i in self.indicators for n in (i.id, i.fallback) if n]),
        ):
            if twice := {name for name in ids if ids.count(name) > 1}:
                raise ValueError(f"{kind} that occurs twice: {some(twice)}")
        means: set[str] = {self.aggregation.within_domains, self.aggregation.between_domains}
        _positive_where_needed(self.normalisation, means)
        for normalisation in self.uncertainty.normalisations:
            _positive_where_needed(
                normalisation, {self.aggregation.within_domains, *self.uncertainty.between_domains}
            )
        posts = [n for n in (self.normalisation, *self.uncertainty.normalisations) if n.method == "goalposts"]
        for goalposts in posts:
            ids = [n for i in self.indicators for n in (i.id, i.fallback) if n]
            if absent := set(ids) - set(goalposts.posts):
                raise ValueError(f"goalposts lack {some(absent)}")
        return self


def _positive_where_needed(normalisation: Normalisation, means: set[str]) -> None:
    """Refuse a normalisation that always yields a value over which a mean does not exist."""
    if normalisation.method != "z_score":
        if normalisation.lower >= normalisation.upper:
            raise ValueError(f"{normalisation.method}: lower must be less than upper")
        if means & {"geometric", "harmonic"} and normalisation.lower <= 0:
            raise ValueError(
                f"a geometric or harmonic mean needs {normalisation.method} with a lower end above 0"
            )


def load_spec(name_or_path: str | Path, catalogue: Catalogue) -> ScoreSpec:
    """
    Read a score specification that ships with the package (by its name) or a file (by its path).

    A variant names its `base` (one that ships, or a file by its path from the variant's folder), overrides
    what it declares itself and may `drop_domains`.

    Raises
    ------
    CatalogueError
        The file is absent or no TOML, or its own base; a key is unknown or lacking, a weight is not
        positive, a domain is empty, or an indicator is unknown, twice there or context only; the message
        names it.
    """
    raw = _read(name_or_path)
    try:
        spec = ScoreSpec.model_validate(raw)
    except ValidationError as error:
        raise CatalogueError(f"score specification {name_or_path}: {first_problem(error)}") from error
    _check_against(spec, catalogue)
    return spec


def _read(
    name_or_path: str | Path, folder: Path = Path(), variants: frozenset[str] = frozenset()
) -> dict[str, Any]:
    """Read a file in `folder`, on which these `variants` are based, with its own base filled in."""
    shipped, path = SCORES / f"{name_or_path}.toml", folder / name_or_path
    file = shipped if shipped.is_file() else path
    if str(file) in variants:
        raise CatalogueError(f"score specification {name_or_path}: is its own base")
    try:
        raw = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise CatalogueError(f"score specification {name_or_path}: {error}") from error
    if "base" not in raw:
        return raw
    base = _read(str(raw.pop("base")), path.parent, variants | {str(file)})
    try:
        dropped = set(raw.pop("drop_domains", ()))
        domains = raw.pop("domain", base["domain"])
        if unknown := dropped - {domain.get("id") for domain in domains}:
            raise CatalogueError(f"score specification {name_or_path}: no domain to drop: {some(unknown)}")
        kept = [domain for domain in domains if domain.get("id") not in dropped]
    except (AttributeError, KeyError, TypeError) as error:
        raise CatalogueError(
            f"score specification {name_or_path}: domains that cannot be read: {error}"
        ) from error
    return {**_overridden(base, raw), "domain": kept}


def _overridden(base: dict[str, Any], variant: dict[str, Any]) -> dict[str, Any]:
    """Lay the variant's keys over the base's; a table that names a method replaces the whole table."""
    merged = dict(base)
    for key, value in variant.items():
        below = merged.get(key)
        partial = isinstance(value, dict) and isinstance(below, dict) and "method" not in value
        merged[key] = {**below, **value} if partial else value  # type: ignore[dict-item]
    return merged


def _check_against(spec: ScoreSpec, catalogue: Catalogue) -> None:
    if unknown := {d.id for d in spec.domains} - set(catalogue.domains):
        raise CatalogueError(f"score specification {spec.id}: unknown domain: {some(unknown)}")
    ids = {n for i in spec.indicators for n in (i.id, i.fallback) if n}
    helper = {spec.imputation.group_indicator} if spec.imputation.method == "parent_adjusted" else set()
    if unknown := (ids | helper) - set(catalogue.indicators):
        raise CatalogueError(f"score specification {spec.id}: unknown indicator: {some(unknown)}")
    if context := {i for i in ids if not catalogue.indicators[i].scored}:
        raise CatalogueError(f"score specification {spec.id}: context, never scored: {some(context)}")
