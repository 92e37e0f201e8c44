"""Allocation: a scenario's total divided over areas by need and people, with the interval of that."""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field, ValidationError, model_validator

from wijkatlas.areas import Level, LevelTable
from wijkatlas.catalog import Catalogue
from wijkatlas.catalog.models import Entry, Name, Text, first_problem
from wijkatlas.errors import CatalogueError, ScoringError, some
from wijkatlas.processes import shared_array
from wijkatlas.scoring.panel import Panel, assemble_panel
from wijkatlas.scoring.rank import rank
from wijkatlas.scoring.spec import ScoreSpec, Share, places
from wijkatlas.scoring.uncertainty import EVERY_SOURCE, Replicator, bounds_at, on_processes

SCENARIOS = files("wijkatlas.catalog") / "scenarios.toml"
MOST_STEPS = 10**12  # below this, quotas in floating point are precise to far less than a step

Floats = NDArray[np.float64]
Steps = NDArray[np.int64]


class PerPerson(Entry):
    """Everybody in an area that takes part counts the same."""

    method: Literal["per_person"]


class Excess(Entry):
    """Each person counts by how far the area's score lies above a quantile of all scores; below it, not."""

    method: Literal["excess"]
    above: Share  # 0.5 is the median area


class EveryArea(Entry):
    """Every scored area takes part."""

    method: Literal["all"]


class TopAreas(Entry):
    """The areas with the highest scores take part; which these are differs between the replications."""

    method: Literal["top"]
    share: Annotated[float, Field(gt=0, le=1)]


class LikelyAreas(Entry):
    """The areas that are likely enough to be in the score's top share take part, in every replication."""

    method: Literal["likely"]
    min_probability: Share


class Scenario(Entry):
    """
    What is to be divided, among whom, and by which need.

    The score and its thresholds are counted in places and quantiles, never in points: points mean something
    else under another normalisation, and so between the replications.
    """

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$", max_length=50)]
    label: Text
    origin: Text  # where the total comes from; an assumption is called one
    total: Annotated[Decimal, Field(gt=0)]
    unit: Text
    step: Annotated[Decimal, Field(gt=0)]  # the least that can be given: 1 person, 0.01 euro
    level: Literal[Level.BUURT, Level.WIJK]
    people: Annotated[tuple[Name, ...], Field(min_length=1)]  # counts, summed: whom it is for
    domain: Name | None = None  # whose score says what the need is; without one the whole score
    need: Annotated[PerPerson | Excess, Field(discriminator="method")]
    among: Annotated[EveryArea | TopAreas | LikelyAreas, Field(discriminator="method")]
    gemeente: Annotated[str, Field(pattern=r"^GM[0-9]{4}$")] | None = None  # only its areas; else all

    @property
    def steps(self) -> int:
        """How many of the least amounts the total holds."""
        return int(self.total / self.step)

    @model_validator(mode="after")
    def _divisible(self) -> Self:
        if self.total % self.step:
            raise ValueError(f"the total {self.total} is no multiple of the step {self.step}")
        if self.steps > MOST_STEPS:
            raise ValueError(f"the total holds more than {MOST_STEPS:.0e} steps; choose a larger step")
        return self


class Scenarios(Entry):
    """A scenario file."""

    scenarios: Annotated[tuple[Scenario, ...], Field(min_length=1, alias="scenario")]

    @model_validator(mode="after")
    def _unique(self) -> Self:
        ids = [scenario.id for scenario in self.scenarios]
        if twice := {name for name in ids if ids.count(name) > 1}:
            raise ValueError(f"scenario that occurs twice: {some(twice)}")
        return self


@dataclass(frozen=True)
class Allocation:
    """
    A scenario's total, divided.

    `areas`, by area code, sorted: doelgroep (people), behoefte (share of all need, 0 to 1), toegekend
    (Decimal; sums to the total), toegekend_p05 and toegekend_p95 (over the replications), kans (share of
    the replications in which the area gets anything) and reden_geen (why an area cannot take part, among
    those that it is for).
    `empty` is the share of the replications in which no area took part, so that nothing was divided.
    """

    scenario: Scenario
    areas: pd.DataFrame
    empty: float


def load_scenarios(path: Path | None, catalogue: Catalogue) -> tuple[Scenario, ...]:
    """
    Read a scenario file, or without a path the examples that ship with the package.

    Raises
    ------
    CatalogueError
        The file is absent or no TOML, a key is unknown or lacking, a total is no multiple of its step, or
        an indicator or domain is unknown or no count of people; the message names it.
    """
    file = path or SCENARIOS
    try:
        raw = tomllib.loads(file.read_text(encoding="utf-8-sig"), parse_float=Decimal)
        scenarios = Scenarios.model_validate(raw).scenarios
    except ValidationError as error:
        raise CatalogueError(f"scenarios {file}: {first_problem(error)}") from error
    except (OSError, ValueError) as error:  # absent, not UTF-8 or no TOML
        raise CatalogueError(f"scenarios {file}: {error}") from error
    for scenario in scenarios:
        if scenario.domain and scenario.domain not in catalogue.domains:
            raise CatalogueError(f"scenario {scenario.id}: unknown domain: {scenario.domain}")
        if unknown := set(scenario.people) - set(catalogue.indicators):
            raise CatalogueError(f"scenario {scenario.id}: unknown indicator: {some(unknown)}")
        if rates := {n for n in scenario.people if catalogue.indicators[n].kind != "extensive"}:
            raise CatalogueError(f"scenario {scenario.id}: no count, so nobody to divide over: {some(rates)}")
    return scenarios


def allocate(
    table: LevelTable,
    spec: ScoreSpec,
    catalogue: Catalogue,
    scenarios: Sequence[Scenario],
    chances: pd.Series,
    *,
    workers: int | None = None,
) -> list[Allocation]:
    """
    Divide each scenario's total over the areas of `table`, in the score itself and in each replication.

    Parameters
    ----------
    table, spec, catalogue
        As for `score` and `replicate`; the replications are the same.
    scenarios
        All of this table's level.
    chances
        The published kans_top10 by area code, for scenarios among likely areas.
    workers
        Processes; the result does not depend on it.

    Returns
    -------
    allocations
        In the order of `scenarios`. People are the published counts in every replication.

    Raises
    ------
    ScoringError
        As for `replicate`; or a scenario names a domain or figure that is not there, or nobody takes part.

    Notes
    -----
    By largest remainder: each area gets the whole steps of its share of the need, and the steps that are
    left go to the largest remainders, ties by area code. Memory is 8 bytes an area, scenario and replication.
    """
    replicator = Replicator(assemble_panel(table, spec, catalogue), catalogue)
    panel = replicator.panel
    count = panel.spec.uncertainty.replications
    choices = [replicator.choices(number, EVERY_SOURCE) for number in range(count)]
    likely = chances.reindex(panel.codes[panel.scored]).fillna(0.0).to_numpy()
    divisions = [Division(scenario, table, panel, catalogue, likely) for scenario in scenarios]
    needs = [division.needs(*replicator.outcome(replicator.nominal)) for division in divisions]
    for scenario, need in zip(scenarios, needs, strict=True):
        if not need.any():
            raise ScoringError(
                f"scenario {scenario.id}: no area with people and need takes part; widen `among` or `need`"
            )
    drawn = shared_array((len(scenarios), count, len(panel.values)), np.int64)

    def fill(rows: range) -> None:
        for row in rows:
            outcome = replicator.outcome(choices[row])
            for k, division in enumerate(divisions):
                drawn[k, row] = largest_remainder(division.needs(*outcome), division.scenario.steps)

    on_processes(fill, count, workers)
    return [
        division.framed(need, amounts)
        for division, need, amounts in zip(divisions, needs, drawn, strict=True)
    ]


class Division:
    """One scenario on one panel: whose need counts, and how much."""

    def __init__(
        self, scenario: Scenario, table: LevelTable, panel: Panel, catalogue: Catalogue, chances: Floats
    ) -> None:
        if scenario.level != table.level:
            raise ScoringError(f"scenario {scenario.id} divides over a {scenario.level}, not a {table.level}")
        self.scenario = scenario
        self.panel = panel
        inside = areas_of(table, scenario)
        self.people = people_in(table, scenario, catalogue).where(inside, 0.0).reindex(panel.codes)
        unknown = pd.Series("aantal mensen onbekend", panel.codes).where(self.people.isna())
        self._reasons = panel.reasons.where(panel.reasons.notna(), unknown).where(inside.reindex(panel.codes))
        self._counts = self.people[panel.scored].fillna(0.0).to_numpy()
        self._places = len(self._counts)
        self._likely = np.ones(len(self._counts), bool)
        if scenario.among.method == "top":
            self._places = places(scenario.among.share, len(self._counts))
        elif scenario.among.method == "likely":
            self._likely = chances >= scenario.among.min_probability
        self._domain = None
        if scenario.domain:
            domains = [domain.id for domain in panel.spec.domains]
            if scenario.domain not in domains:
                raise ScoringError(
                    f"scenario {scenario.id}: {panel.spec.id} has no domain {scenario.domain} here; "
                    f"it has {some(domains, len(domains))}"
                )
            self._domain = domains.index(scenario.domain)

    def needs(self, domains: Floats, scores: Floats) -> Floats:
        """Return each scored area's need (n,): its people times how much each of them counts."""
        steering = scores if self._domain is None else domains[:, self._domain]
        takes_part = self._likely & (rank(steering) <= self._places) & ~np.isnan(steering)
        each = np.ones(len(steering))
        if self.scenario.need.method == "excess":
            known = steering[~np.isnan(steering)]
            bar = np.quantile(known, self.scenario.need.above, method="inverted_cdf")
            each = np.maximum(np.nan_to_num(steering, nan=bar) - bar, 0.0)
        return np.where(takes_part, each * self._counts, 0.0)

    def framed(self, need: Floats, drawn: Steps) -> Allocation:
        """Sum up the amounts (n,) of the score and (replications, n) of the replications; sorts `drawn`."""
        steps = largest_remainder(need, self.scenario.steps)
        empty = float((drawn.sum(axis=1) == 0).mean())
        chance = (drawn > 0).mean(axis=0)
        drawn.sort(axis=0)
        low, high = drawn[bounds_at(len(drawn), 0.05, 0.95)]

        def spread(values: NDArray[Any]) -> NDArray[Any]:
            everywhere = np.zeros(len(self.panel.codes), values.dtype)
            everywhere[self.panel.scored] = values
            return everywhere

        def exact(values: Steps) -> list[Decimal]:
            return [self.scenario.step * int(value) for value in spread(values)]

        areas = pd.DataFrame(
            {
                "doelgroep": self.people,
                "behoefte": spread(need / need.sum()),
                "toegekend": exact(steps),
                "toegekend_p05": exact(low),
                "toegekend_p95": exact(high),
                "kans": spread(chance),
                "reden_geen": self._reasons,
            },
            index=self.panel.codes,
        )
        return Allocation(self.scenario, areas, empty)


def areas_of(table: LevelTable, scenario: Scenario) -> pd.Series:
    """Return by code whether a scenario is for the area; refuse one that is for none."""
    gemeente = table.areas["gemeente_code"].reindex(table.values.index)
    inside: pd.Series = (gemeente == scenario.gemeente) | (scenario.gemeente is None)
    if not inside.any():
        raise ScoringError(f"scenario {scenario.id}: no {table.level} lies in {scenario.gemeente}")
    return inside


def people_in(table: LevelTable, scenario: Scenario, catalogue: Catalogue) -> pd.Series:
    """
    Return how many people of the scenario's target group live in each area, by code; NaN if unknown.

    Raises
    ------
    ScoringError
        The table lacks a figure.
    """
    if absent := set(scenario.people) - set(table.values.columns[table.values.notna().any()]):
        raise ScoringError(
            f"scenario {scenario.id}: the {table.level} table of {table.year} lacks {some(absent)}"
        )
    counts = pd.DataFrame(
        {
            name: table.values[name] * table.denominators[name] / catalogue.indicators[name].per
            if catalogue.indicators[name].denominator
            else table.values[name]
            for name in scenario.people
        }
    )
    return counts.sum(axis=1, skipna=False)


def largest_remainder(needs: Floats, steps: int) -> Steps:
    """
    Divide `steps` in proportion to `needs` (n,), in whole steps that add up exactly.

    Returns
    -------
    amounts
        Shape (n,); all 0 where nobody has need. An area without need gets nothing.

    Notes
    -----
    Hamilton's method: whole quotas first, then one step each to the largest remainders; ties in order.
    """
    amounts = np.zeros(len(needs), np.int64)
    having = np.flatnonzero(needs > 0)
    if not len(having):
        return amounts
    quotas = needs[having] / needs[having].sum() * steps
    amounts[having] = np.floor(quotas)
    left = steps - int(amounts.sum())
    amounts[having[np.argsort(np.floor(quotas) - quotas, kind="stable")[:left]]] += 1
    return amounts
