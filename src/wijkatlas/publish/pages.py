"""Pages: an edition as HTML that opens from a folder and asks nothing of the network."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd

from wijkatlas.areas import Level
from wijkatlas.publish import dutch
from wijkatlas.publish.cards import Card, longest, make_cards, records
from wijkatlas.publish.charts import Axis, Histogram, histogram
from wijkatlas.publish.columns import Field, fields
from wijkatlas.publish.contents import Contents, folder_name
from wijkatlas.publish.downloads import PLURAL
from wijkatlas.scoring.assessment import Ranked

ASSETS = ("style.css", "search.js", "table.js", "gemeente.js")
SUMMARY = (
    "buurten_gescoord",
    "gemiddelde_rang",
    "gemiddelde_score",
    "aandeel_slechtste_10pct",
    "omvang",
    "lokale_concentratie",
)
ENDINGS = ("-excel.csv", ".csv", ".geojson", ".parquet", "-cijfers.csv", "-cijfers.parquet", ".gpkg")
TOP = 10  # areas on the first page
LISTED = 5  # areas shown at once of a gemeente without any in the list


class RankedLevel:
    """One level with ranks, and what every page says of it."""

    def __init__(self, contents: Contents, level: Level) -> None:
        self.frame = contents.frames[level]
        assessment = contents.assessments[level]
        if not isinstance(assessment, Ranked):
            raise TypeError(f"{level} is not ranked")
        self.name, self.plural = str(level), PLURAL[level]
        self.scored = int(self.frame["rang"].notna().sum())
        self.areas = len(self.frame)
        self.places = contents.spec.uncertainty.places(self.scored)
        self.cards = make_cards(assessment, self.frame, contents.catalogue)
        self.parts_axis = longest(self.cards)
        self.scores: Histogram = histogram(self.frame["score"])
        self.unlisted = contents.spec.uncertainty.classes[-1].label

    @cached_property
    def by_gemeente(self) -> dict[str, list[Card]]:
        """The cards of each gemeente by its code, in the order of the ranks."""
        own: dict[str, list[Card]] = {}
        for card in self.cards:
            own.setdefault(card.row["gemeente_code"], []).append(card)
        return own


@dataclass(frozen=True)
class Listing:
    """The areas of one level in one gemeente, each part by rank."""

    level: RankedLevel
    listed: list[Card]  # with a fair chance of belonging to the top
    others: list[Card]
    unscored: list[Card]

    @property
    def ranks(self) -> Axis:
        """The axis of the rank intervals of what is listed, and of the limit of the top."""
        widest = max((card.row["rang_p95"] for card in self.listed), default=1)
        return Axis(1, max(widest, 2 * self.level.places))

    @property
    def is_top(self) -> bool:
        """Whether what is listed belongs to the list, and is not merely the highest of this gemeente."""
        return bool(self.listed) and self.listed[0].row["klasse"] != self.level.unlisted


def write_pages(contents: Contents, folder: Path) -> None:
    """
    Write every page of an edition, and the style and scripts that they share.

    Parameters
    ----------
    contents
        The edition.
    folder
        Where its downloads stand already: the pages list them with their sizes.
    """
    (folder / "assets").mkdir()
    for name in ASSETS:
        (folder / "assets" / name).write_bytes((files(__package__) / "assets" / name).read_bytes())
    levels = [RankedLevel(contents, level) for level in (Level.BUURT, Level.WIJK)]
    shared = {
        "edition": contents,
        "scope": contents.sample or "Nederland",
        "dropped": _dropped(contents),
        "summary_fields": [f for f in fields(contents.catalogue, Level.GEMEENTE) if f.name in SUMMARY],
    }
    page = _render("index.html", here="index.html", root="", **shared, **_index(contents, folder, levels))
    (folder / "index.html").write_text(page, encoding="utf-8")
    for name, context in _gemeenten(contents, folder, levels):
        page = _render("gemeente.html", here="", root="../../", **shared, **context)
        (folder / "gemeenten" / name / "index.html").write_text(page, encoding="utf-8")


def _dropped(contents: Contents) -> list[str]:
    """Return the themes that the variant leaves out."""
    kept = {domain.id for domain in contents.variant.domains}
    return [contents.catalogue.domains[d.id].label for d in contents.spec.domains if d.id not in kept]


def _index(contents: Contents, folder: Path, levels: Sequence[RankedLevel]) -> dict[str, Any]:
    gemeenten = sorted(records(contents.frames[Level.GEMEENTE]), key=lambda row: str(row["gemeente_naam"]))
    folders = {g["gemeente_code"]: folder_name(g["gemeente_code"], g["gemeente_naam"]) for g in gemeenten}
    buurten = contents.frames[Level.BUURT]
    return {
        "folders": folders,
        "names": list(_names(contents, folders)),
        "example": buurten["buurt_naam"].iloc[0],
        "top": records(buurten.head(TOP)),
        "levels": levels,
        "classes": _counts(buurten["klasse"], [c.label for c in contents.spec.uncertainty.classes[:-1]]),
        "reasons": buurten["reden_niet_gescoord"].value_counts().sort_index().to_dict(),
        "gemeenten": gemeenten,
        "downloads": _downloads(folder / "downloads", "downloads/"),
    }


def _names(contents: Contents, folders: dict[str, str]) -> Iterator[list[Any]]:
    """Yield for each gemeente: its folder, its name, and code and name of each of its wijken and buurten."""
    parts: dict[str, list[list[str]]] = {}
    for level in (Level.WIJK, Level.BUURT):
        frame = contents.frames[level].sort_values(f"{level}_code")
        columns = (frame[name] for name in ("gemeente_code", f"{level}_code", f"{level}_naam"))
        for gemeente, code, name in zip(*columns, strict=True):
            parts.setdefault(gemeente, []).append([code, name])
    frame = contents.frames[Level.GEMEENTE].sort_values("gemeente_code")
    for code, name in zip(frame["gemeente_code"], frame["gemeente_naam"], strict=True):
        yield [folders[code], name, parts.get(code, [])]


def _counts(classes: pd.Series, labels: Sequence[str]) -> dict[str, int]:
    counts = classes.value_counts()
    return {label: int(counts.get(label, 0)) for label in labels}


def _gemeenten(
    contents: Contents, folder: Path, levels: Sequence[RankedLevel]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the folder of each gemeente and what its page shows."""
    summaries = contents.frames[Level.GEMEENTE]
    middle = summaries[list(SUMMARY)].median().to_dict() if len(summaries) > 1 else None
    certain = [c.label for c in contents.spec.uncertainty.classes if c.min_probability >= 0.5]  # noqa: PLR2004
    for row in records(summaries):
        code = row["gemeente_code"]
        name = folder_name(code, row["gemeente_naam"])
        buurten = levels[0].by_gemeente.get(code, [])
        yield (
            name,
            {
                "gemeente": row,
                "listings": [listing(lv, lv.by_gemeente[code]) for lv in levels if code in lv.by_gemeente],
                "likely": sum(card.row["klasse"] in certain for card in buurten),
                "certain": certain,
                "middle": middle,
                "downloads": _downloads(folder / "gemeenten" / name, ""),
            },
        )


def listing(level: RankedLevel, cards: Sequence[Card]) -> Listing:
    """Sort a gemeente's cards, by rank, into what to look at first, the others and the unscored."""
    scored = [card for card in cards if card.row["rang"] is not None]
    listed = [card for card in scored if card.row["klasse"] != level.unlisted] or scored[:LISTED]
    codes = {card.code for card in listed}
    return Listing(
        level,
        listed,
        [card for card in scored if card.code not in codes],
        [card for card in cards if card.row["rang"] is None],
    )


def _downloads(folder: Path, prefix: str) -> dict[str, dict[str, tuple[str, int]]]:
    """Return address and size of each download in `folder`: by what it holds, then by ending."""
    found: dict[str, dict[str, tuple[str, int]]] = {}
    for plural in (*PLURAL.values(), "gebieden"):
        for ending in ENDINGS:
            path = folder / f"{plural}{ending}"
            if path.exists():
                found.setdefault(plural, {})[ending] = (f"{prefix}{path.name}", path.stat().st_size)
    return found


def figure(value: object, field: Field) -> str:
    """Write a published value for a table: its unit stands in the column's heading, but for shares."""
    match value:
        case None:
            return "–"
        case bool():
            return "ja" if value else "nee"
        case int() | float():
            decimals = field.decimals or 0
            if field.unit == "aandeel":
                return dutch.number(100 * value, max(0, decimals - 2)) + "%"
            return dutch.number(value, decimals)
        case _:
            return str(value)


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("wijkatlas.publish"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "number": dutch.number,
        "percent": dutch.percent,
        "size": dutch.size,
        "day": dutch.day,
        "figure": figure,
    }
    return environment


def _render(template: str, **context: object) -> str:
    page = _environment().get_template(template).render(context)
    return re.sub(r"\n\s+", "\n", page)  # a quarter of a page is indentation
