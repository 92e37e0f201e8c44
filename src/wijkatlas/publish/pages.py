"""Pages: an edition as HTML that opens from a folder and asks nothing of the network."""

import re
from collections.abc import Iterator, Sequence
from functools import cache, partial
from importlib.resources import files
from pathlib import Path
from typing import Any

import jinja2

from wijkatlas.areas import Level
from wijkatlas.catalog import read_toml
from wijkatlas.errors import PublishError
from wijkatlas.processes import do_all
from wijkatlas.publish import dutch
from wijkatlas.publish.atlas import Atlas
from wijkatlas.publish.cards import records
from wijkatlas.publish.columns import Field, fields
from wijkatlas.publish.contents import Contents, folder_name
from wijkatlas.publish.map import asset
from wijkatlas.publish.method import method_of
from wijkatlas.publish.rankings import Ranking, listing
from wijkatlas.publish.schema import schema_name

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
OTHERS = ("grenswijzigingen.csv", "LICENTIE.txt")  # where there are any
TOP = 10  # areas on the first page
LIKELY = 0.5  # least probability of the top of an area that is counted as likely in it


def write_pages(contents: Contents, folder: Path) -> None:
    """
    Write every page of an edition, and the styles and scripts that they share.

    Parameters
    ----------
    contents
        The edition.
    folder
        Where its downloads stand already: the pages list them with their sizes.
    """
    (folder / "assets").mkdir()
    for name in ASSETS:
        (folder / "assets" / name).write_text(asset(name), encoding="utf-8")
    levels = [Ranking(contents, level) for level in (Level.BUURT, Level.WIJK)]
    shared = {
        "edition": contents,
        "scope": contents.sample or "Nederland",
        "dropped": _dropped(contents),
        "schemas": {level.plural: f"downloads/schema/{schema_name(level)}" for level in contents.frames},
        "summary_fields": [f for f in fields(contents.catalogue, Level.GEMEENTE) if f.name in SUMMARY],
    }
    page = render("index.html", here="index.html", root="", **shared, **_index(contents, folder, levels))
    (folder / "index.html").write_text(page, encoding="utf-8")
    page = render("methode.html", here="methode.html", root="", **shared, **method_of(contents, levels))
    (folder / "methode.html").write_text(page, encoding="utf-8")
    atlas = Atlas(contents, _texts()["map"])
    atlas.write_shared(folder / "assets")

    def write_gemeente(context: dict[str, Any]) -> None:
        own_map = atlas.map_of(context["gemeente"]["gemeente_code"])
        page = render("gemeente.html", here="", root="../../", **shared, **context, map=own_map)
        (folder / "gemeenten" / context["here_folder"] / "index.html").write_text(page, encoding="utf-8")

    write_whole = partial(atlas.write_whole, folder / "kaart.html")
    gemeenten = (partial(write_gemeente, context) for context in _gemeenten(contents, folder, levels))
    do_all([write_whole, *gemeenten], PublishError)


def _dropped(contents: Contents) -> list[str]:
    """Return the themes that the variant leaves out."""
    kept = {domain.id for domain in contents.variant.domains}
    return [contents.catalogue.domains[d.id].label for d in contents.spec.domains if d.id not in kept]


def _index(contents: Contents, folder: Path, levels: Sequence[Ranking]) -> dict[str, Any]:
    gemeenten = sorted(records(contents.frames[Level.GEMEENTE]), key=lambda row: str(row["gemeente_naam"]))
    folders = {g["gemeente_code"]: folder_name(g["gemeente_code"], g["gemeente_naam"]) for g in gemeenten}
    buurten = contents.frames[Level.BUURT]
    return {
        "folders": folders,
        "names": list(_names(contents, folders)),
        "example": buurten["buurt_naam"].iloc[0],
        "top": records(buurten.head(TOP)),
        "levels": levels,
        "gemeenten": gemeenten,
        "downloads": _downloads(folder / "downloads", "downloads/"),
        "others": _others(folder / "downloads", "downloads/"),
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


def _gemeenten(contents: Contents, folder: Path, levels: Sequence[Ranking]) -> Iterator[dict[str, Any]]:
    """Yield what the page of each gemeente shows, but for its map."""
    summaries = contents.frames[Level.GEMEENTE]
    middle = summaries[list(SUMMARY)].median().to_dict() if len(summaries) > 1 else None
    certain = [c.label for c in contents.spec.uncertainty.classes if c.min_probability >= LIKELY]
    for row in records(summaries):
        code = row["gemeente_code"]
        name = folder_name(code, row["gemeente_naam"])
        buurten = levels[0].by_gemeente.get(code, [])
        yield {
            "gemeente": row,
            "here_folder": name,
            "listings": [listing(lv, lv.by_gemeente[code]) for lv in levels if code in lv.by_gemeente],
            "likely": sum(card.row["klasse"] in certain for card in buurten),
            "certain": certain,
            "middle": middle,
            "downloads": _downloads(folder / "gemeenten" / name, ""),
            "others": _others(folder / "gemeenten" / name, ""),
        }


def _downloads(folder: Path, prefix: str) -> dict[str, dict[str, tuple[str, int]]]:
    """Return address and size of each download in `folder`: by what it holds, then by ending."""
    found: dict[str, dict[str, tuple[str, int]]] = {}
    for plural in (*(level.plural for level in Level), "gebieden"):
        for ending in ENDINGS:
            path = folder / f"{plural}{ending}"
            if path.exists():
                found.setdefault(plural, {})[ending] = (f"{prefix}{path.name}", path.stat().st_size)
    return found


def _others(folder: Path, prefix: str) -> dict[str, str]:
    """Return the address of each download that is no table of areas, by its name."""
    return {name: f"{prefix}{name}" for name in OTHERS if (folder / name).exists()}


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
def _texts() -> dict[str, Any]:
    return read_toml(files(__package__) / "templates" / "texts.toml")


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
        "signed": dutch.signed,
        "percent": dutch.percent,
        "size": dutch.size,
        "day": dutch.day,
        "figure": figure,
    }
    return environment


def render(template: str, **context: object) -> str:
    """Return a page: a template filled in, without its indentation."""
    page = _environment().get_template(template).render(context)
    return re.sub(r"\n\s+", "\n", page)  # a quarter of a page is indentation
