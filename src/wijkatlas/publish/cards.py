"""Reason cards: why each area stands where it stands, written out in Dutch."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import geopandas as gpd
import pandas as pd

from wijkatlas.areas import Level, Status
from wijkatlas.catalog import Catalogue, Indicator, Polarity
from wijkatlas.publish import dutch
from wijkatlas.publish.charts import Axis
from wijkatlas.publish.columns import worse_than
from wijkatlas.publish.tables import plain
from wijkatlas.scoring.assessment import Ranked

BASICS = ("inwoners", "huishoudens", "woningvoorraad")  # in one line above the reasons


class Part(NamedTuple):
    """A theme in one area's score, in points."""

    label: str
    value: float
    gap: float  # how much higher the score is by it than that of the middle area


class Figure(NamedTuple):
    """One figure of one area in words."""

    label: str
    value: str
    worse: str  # than how many of the areas
    gap: str  # how many points it brings above the middle area
    peiljaar: str
    status: str


class Tipping(NamedTuple):
    """The smallest change of one weight that takes an area out of the top."""

    label: str
    weight: float
    changed: float


@dataclass(frozen=True, slots=True)
class Card:
    """One area: its published row by column name (None is missing), and its reasons."""

    code: str
    name: str
    within: str  # the wijk around a buurt
    row: dict[str, Any]
    basics: tuple[str, ...]
    parts: tuple[Part, ...]  # by theme; none where the area has no score
    figures: tuple[tuple[str, tuple[Figure, ...]], ...]  # by theme
    tipping: Tipping | None  # None where it is not in the top, or where no weight takes it out

    @property
    def driving(self) -> list[Part]:
        """The themes that push the score above the middle area's, strongest first."""
        return sorted((part for part in self.parts if part.gap > 0), key=lambda part: -part.gap)

    @property
    def holding(self) -> list[Part]:
        """The themes that hold the score below the middle area's, strongest first."""
        return sorted((part for part in self.parts if part.gap < 0), key=lambda part: part.gap)

    @property
    def similar(self) -> list[str]:
        """The codes of the areas most like it."""
        return self.row["lijkt_op"].split("; ") if self.row["lijkt_op"] else []


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return rows as dictionaries by published name; None is a missing value."""
    names = [str(name) for name in frame.columns if name != "geometry"]
    rows = zip(*(plain(frame[name]) for name in names), strict=True)
    return [dict(zip(names, row, strict=True)) for row in rows]


def make_cards(assessment: Ranked, frame: gpd.GeoDataFrame, catalogue: Catalogue) -> list[Card]:
    """
    Write the card of every area of a level.

    Parameters
    ----------
    assessment
        Where figures, years and statuses stand.
    frame
        The level as it is published.

    Returns
    -------
    cards
        In the order of `frame`.
    """
    level = assessment.table.level
    codes = frame[f"{level}_code"]
    basics = zip(*(_basic(assessment, catalogue.indicators[name], codes) for name in BASICS), strict=True)
    tipping = _tipping(assessment, catalogue)
    rows = zip(
        records(frame), basics, _parts(assessment, frame, catalogue), _figures(assessment, codes, catalogue),
        strict=True,
    )  # fmt: skip
    return [
        Card(
            code := row[f"{level}_code"],
            row[f"{level}_naam"],
            row["wijk_naam"] if level is Level.BUURT else "",
            row,
            own_basics,
            own_parts,
            own_figures,
            tipping.get(code),
        )
        for row, own_basics, own_parts, own_figures in rows
    ]


def gaps_axis(cards: list[Card]) -> Axis:
    """Return the axis on which every theme's gap fits, with 0 in the middle."""
    widest = max((abs(part.gap) for card in cards for part in card.parts), default=1)
    return Axis(-widest, widest)


def _basic(assessment: Ranked, indicator: Indicator, codes: pd.Series) -> list[str]:
    values = assessment.table.values[indicator.id].loc[codes]
    unknown = f"{indicator.label.lower()} onbekend"
    return [unknown if pd.isna(v) else dutch.quantity(v, indicator.unit) for v in values]


def _parts(assessment: Ranked, frame: pd.DataFrame, catalogue: Catalogue) -> Iterator[tuple[Part, ...]]:
    gaps = assessment.explanations.domain_gaps
    labels = [catalogue.domains[str(name)].label for name in gaps]
    brought = frame[[f"bijdrage_{name}" for name in gaps]].to_numpy().tolist()
    apart = gaps.reindex(frame.iloc[:, 0]).to_numpy().tolist()
    for is_scored, values, own_gaps in zip(frame["rang"].notna(), brought, apart, strict=True):
        yield tuple(map(Part, labels, values, own_gaps)) if is_scored else ()


def _tipping(assessment: Ranked, catalogue: Catalogue) -> dict[str, Tipping]:
    entries = catalogue.domains | catalogue.indicators
    found = assessment.explanations.tipping.dropna(subset="gewicht_naar")
    columns = (found.index, found["gewicht_van"], found["gewicht"], found["gewicht_naar"])
    return {
        code: Tipping(entries[name].label, weight, changed)
        for code, name, weight, changed in zip(*columns, strict=True)
    }


def _figures(
    assessment: Ranked, codes: pd.Series, catalogue: Catalogue
) -> Iterator[tuple[tuple[str, tuple[Figure, ...]], ...]]:
    domains = assessment.scores.spec.domains
    labels = [catalogue.domains[domain.id].label for domain in domains]
    by_domain = [
        zip(*(_figure(assessment, catalogue.indicators[i.id], codes) for i in domain.indicators), strict=True)
        for domain in domains
    ]
    for own in zip(*by_domain, strict=True):
        yield tuple(zip(labels, own, strict=True))


def _figure(assessment: Ranked, indicator: Indicator, codes: pd.Series) -> list[Figure]:
    """Write one figure for all areas."""
    table, name = assessment.table, indicator.id
    values = table.values[name].loc[codes]
    end: Literal["high", "low"] = "high" if indicator.polarity is Polarity.HIGHER_IS_WORSE else "low"
    worse = worse_than(values.round(indicator.decimals), end)
    gaps = assessment.explanations.gaps[name].reindex(codes)
    status = table.status[name].loc[codes].mask(assessment.imputed[name].loc[codes], Status.IMPUTED.value)
    return [
        Figure(
            indicator.label,
            dutch.quantity(value, indicator.unit, indicator.decimals) if known else "geen cijfer",
            f"{share:.0f}%" if known else "–",
            "–" if pd.isna(gap) else dutch.signed(gap, 1),
            f"{year:.0f}" if known else "–",
            f"{origin}, {missing} zonder cijfer" if missing else origin,
        )
        for value, known, share, gap, year, origin, missing in zip(
            values,
            values.notna(),
            worse,
            gaps,
            table.peiljaar[name].loc[codes],
            status,
            table.parts_missing[name].loc[codes],
            strict=True,
        )
    ]
