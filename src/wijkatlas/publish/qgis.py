"""The style that a GeoPackage carries, so that QGIS shows a layer as the maps do and names its columns."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from wijkatlas.publish import dutch
from wijkatlas.publish.columns import Field
from wijkatlas.publish.pages import render
from wijkatlas.publish.payload import SEQUENTIAL

NO_FIGURE = "#d9d9d9"


@dataclass(frozen=True)
class Rule:
    """How the areas that meet a condition are drawn: filled, or hatched over their fill."""

    condition: str
    label: str
    colour: str = ""  # none: hatched


def style(column: str, limits: Sequence[float], columns: Iterable[Field], *, doubtful: str) -> str:
    """
    Return a style of graduated colours as QML.

    Parameters
    ----------
    column
        The figure that is shown; an area without it is grey.
    limits
        The lowest value of the second and following classes.
    columns
        All columns of the layer, in order; QGIS is to show their labels.
    doubtful
        The value of `klasse` whose areas are hatched; empty where the layer has no classes.
    """
    rules = [*_classes(column, limits), Rule(f'"{column}" IS NULL', "niet gescoord", NO_FIGURE)]
    if doubtful:
        rules.append(Rule(f"\"klasse\" = '{doubtful}'", doubtful))
    return render("style.qml", rules=rules, columns=list(columns))


def _classes(column: str, limits: Sequence[float]) -> Iterator[Rule]:
    steps = np.linspace(0, len(SEQUENTIAL) - 1, len(limits) + 1)
    edges = [-np.inf, *limits, np.inf]
    for (low, high), step in zip(pairwise(edges), steps, strict=True):
        conditions = [f'"{column}" IS NOT NULL']
        if np.isfinite(low):
            conditions.append(f'"{column}" >= {low}')
        if np.isfinite(high):
            conditions.append(f'"{column}" < {high}')
        yield Rule(" AND ".join(conditions), _words(low, high), SEQUENTIAL[round(step)])


def _words(low: float, high: float) -> str:
    if np.isfinite(low) and np.isfinite(high):
        return f"{dutch.number(low, 1)} tot {dutch.number(high, 1)}"
    if np.isfinite(high):
        return f"lager dan {dutch.number(high, 1)}"
    return f"{dutch.number(low, 1)} en hoger" if np.isfinite(low) else "gescoord"
