"""Reason cards: why each area stands where it stands, written out in Dutch."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import geopandas as gpd
import pandas as pd

from wijkatlas.areas import Level, Status
from wijkatlas.catalog import Catalogue, Indicator, Polarity
from wijkatlas.publish import dutch
from wijkatlas.publish.charts import Axis
from wijkatlas.scoring.assessment import Ranked

BASICS = ("inwoners", "huishoudens", "woningvoorraad")  # in one line above the reasons


class Part(NamedTuple):
    """A theme's contribution to one area's score, in points, beside that of the middle area."""

    label: str
    value: float
    middle: float

    @property
    def gap(self) -> float:
        """How much higher than in the middle area."""
        return self.value - self.middle


class Figure(NamedTuple):
    """One figure of one area in words."""

    label: str
    value: str
    worse: str  # than how many of the areas
    peiljaar: str
    status: str


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

    @property
    def driving(self) -> list[Part]:
        """The themes that push the score above the middle area's, strongest first."""
        return sorted((part for part in self.parts if part.gap > 0), key=lambda part: -part.gap)

    @property
    def holding(self) -> list[Part]:
        """The themes that hold the score below the middle area's, strongest first."""
        return sorted((part for part in self.parts if part.gap < 0), key=lambda part: part.gap)


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return rows as dictionaries by published name; None is a missing value."""
    plain = pd.DataFrame(frame.drop(columns="geometry", errors="ignore")).astype(object)
    return plain.where(plain.notna(), None).to_dict("records")  # type: ignore[return-value]


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
    rows = zip(
        records(frame), basics, _parts(assessment, frame, catalogue), _figures(assessment, codes, catalogue),
        strict=True,
    )  # fmt: skip
    return [
        Card(
            row[f"{level}_code"],
            row[f"{level}_naam"],
            row["wijk_naam"] if level is Level.BUURT else "",
            row,
            own_basics,
            own_parts,
            own_figures,
        )
        for row, own_basics, own_parts, own_figures in rows
    ]


def longest(cards: list[Card]) -> Axis:
    """Return the axis on which every theme's contribution fits."""
    return Axis(0, max((part.value for card in cards for part in card.parts), default=1))


def _basic(assessment: Ranked, indicator: Indicator, codes: pd.Series) -> list[str]:
    values = assessment.table.values[indicator.id].loc[codes]
    unknown = f"{indicator.label.lower()} onbekend"
    return [unknown if pd.isna(v) else dutch.quantity(v, indicator.unit) for v in values]


def _parts(assessment: Ranked, frame: pd.DataFrame, catalogue: Catalogue) -> Iterator[tuple[Part, ...]]:
    domains = [domain.id for domain in assessment.scores.spec.domains]
    brought = frame[[f"bijdrage_{name}" for name in domains]]
    middles = brought.median().tolist()
    labels = [catalogue.domains[name].label for name in domains]
    for scored, values in zip(brought.notna().all(axis=1), brought.to_numpy().tolist(), strict=True):
        yield tuple(map(Part, labels, values, middles)) if scored else ()


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
    sign = 1 if indicator.polarity is Polarity.HIGHER_IS_WORSE else -1
    worse = ((sign * values).rank(method="min") - 1) / max(1, values.notna().sum() - 1)
    status = table.status[name].loc[codes].mask(assessment.imputed[name].loc[codes], Status.IMPUTED.value)
    return [
        Figure(
            indicator.label,
            dutch.quantity(value, indicator.unit, indicator.decimals) if known else "geen cijfer",
            dutch.percent(share) if known else "–",
            f"{year:.0f}" if known else "–",
            f"{origin}, {missing} zonder cijfer" if missing else origin,
        )
        for value, known, share, year, origin, missing in zip(
            values,
            values.notna(),
            worse,
            table.peiljaar[name].loc[codes],
            status,
            table.parts_missing[name].loc[codes],
            strict=True,
        )
    ]
