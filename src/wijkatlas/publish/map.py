"""The map: a folium element that draws areas on one canvas, and the page that it stands in."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, cast

import folium
import jinja2
import numpy as np
import pandas as pd
from branca.element import Element, Figure, MacroElement
from markupsafe import Markup

from wijkatlas.publish import dutch
from wijkatlas.publish.offline import seal
from wijkatlas.publish.payload import MapLayer, Sheet, pack

SCRIPTS = ("decode", "words", "view", "canvas", "card", "list", "controls", "page")
FALLBACK_ROWS = 100
FALLBACK_TEXTS = {"naam": "Naam", "gemeente": "Gemeente", "klasse": "Zekerheid"}


@dataclass(frozen=True)
class MapText:
    """
    What a map's page says besides its figures.

    `caveat` (how the list must be read) stands beside the list, `attribution` (peiljaar and sources, short)
    under the map, `sources` (attribution and licence of each) at the end. `note` is what the reader must
    know first, such as that this is a sample. `links` are addresses and names of pages beside this one.
    """

    title: str
    caveat: str
    attribution: str
    sources: tuple[str, ...]
    note: str = ""
    links: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Html:
    """Pieces of a page: what goes into its head, its body, and after its body's text."""

    style: Markup
    body: Markup
    script: Markup


class AreaMap(MacroElement):
    """
    Areas of one or more levels on one canvas, to be added to a folium map.

    Parameters
    ----------
    payload
        What `pack` returns.
    """

    def __init__(self, payload: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._name = "AreaMap"
        self.payload = payload

    def render(self, **_: object) -> str:
        """Put the payload and the scripts in the map's figure."""
        name, map_name = self.get_name(), cast("folium.Map", self._parent).get_name()
        figure = cast("Figure", self.get_root())
        data = f'<script type="application/octet-stream" id="{name}">{self.payload}</script>'
        scripts = "\n".join(asset(f"map-{script}.js") for script in SCRIPTS)
        start = f"window.wijkatlas = startAtlas({map_name}, {name!r});"
        figure.html.add_child(_Verbatim(data), name=name)
        figure.script.add_child(_Verbatim(f'(() => {{\n"use strict";\n{scripts}\n{start}\n}})();'), name=name)
        return ""


class _Verbatim(Element):
    """Text for a page as it is; branca's own element would read it as a Jinja template."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text

    def render(self, **_: object) -> str:
        return self.text


class _OfflineMap(folium.Map):
    """A folium map that fetches nothing and does not forbid the reader to zoom the page."""

    default_js: list[tuple[str, str]] = []  # noqa: RUF012 - as folium declares it
    default_css: list[tuple[str, str]] = []  # noqa: RUF012

    def render(self, **kwargs: object) -> str:
        super().render(**kwargs)  # type: ignore[no-untyped-call]
        cast("Figure", self.get_root()).header._children.pop(self.get_name())  # noqa: SLF001
        return ""


def map_html(
    sheets: Sequence[Sheet],
    layers: Sequence[MapLayer],
    text: MapText,
    *,
    tolerance_m: float = 10,
    grid_m: float = 5,
) -> Html:
    """
    Make the map with its search, legend, filters, reason card and table, for a page of any kind.

    Parameters
    ----------
    sheets
        The levels, finest first.
    layers
        What can be shown, the first one at the start.
    text
        Its title, note and sources are left to the page.
    tolerance_m, grid_m
        Detail in metres, see `pack`.

    Returns
    -------
    pieces
        The same text for the same input. Leaflet must come before the script.

    Raises
    ------
    PublishError
        An area vanishes.
    """
    chart = _OfflineMap(
        location=[52.15, 5.4],
        tiles=None,
        zoom_control=False,
        min_zoom=6,
        max_zoom=17,
        zoom_snap=0.25,
        keyboard=False,
        attribution_control=False,
    )
    areas = AreaMap(pack(sheets, layers, tolerance_m=tolerance_m, grid_m=grid_m))
    areas.add_to(chart)
    chart._id = areas._id = "atlas"  # noqa: SLF001 - folium's own are random
    figure = cast("Figure", chart.get_root())
    figure.render()
    body = _templates().get_template("map.html")
    return Html(
        style=_element("style", asset("map.css")),
        body=Markup(body.render(map=Markup(figure.html.render()), text=text, fallback=_fallback(sheets[0]))),  # noqa: S704
        script=_element("script", figure.script.render()),
    )


def write_map(
    path: Path,
    sheets: Sequence[Sheet],
    layers: Sequence[MapLayer],
    text: MapText,
    *,
    leaflet_href: str = "",
    tolerance_m: float = 10,
    grid_m: float = 5,
) -> None:
    """
    Write one page that holds the whole map and asks nothing of the network.

    Parameters
    ----------
    path
        The page to write.
    sheets, layers, tolerance_m, grid_m
        See `map_html`.
    text
        Everything that the page says in words.
    leaflet_href
        Relative address of what `leaflet_script` returns, for pages that share it; without it, it is in the
        page.

    Raises
    ------
    PublishError
        An area vanishes, or the page would fetch something from outside.
    """
    pieces = map_html(sheets, layers, text, tolerance_m=tolerance_m, grid_m=grid_m)
    page = _templates().get_template("map-page.html")
    css = _element("style", asset("style.css") + asset("map-page.css"))
    html = page.render(text=text, css=css, map=pieces, leaflet=leaflet_html(leaflet_href))
    path.write_text(seal(html, page=path.name), encoding="utf-8", newline="\n")


def leaflet_html(href: str = "") -> Html:
    """Return Leaflet for a page: inline, or its script at a relative address."""
    css = re.sub(r"[^{}]*\{[^{}]*url\([^{}]*\}", "", _leaflet("leaflet.css"))  # rules that fetch pictures
    linked = Markup('<script src="{}"></script>').format(href)
    script = linked if href else _element("script", leaflet_script())
    return Html(style=_element("style", css), body=Markup(), script=script)


def leaflet_script() -> str:
    """Return Leaflet's script with its notice, without the address of its source map."""
    return re.sub(r"\n//# sourceMappingURL=.*", "", _leaflet("leaflet.js"))


def _leaflet(name: str) -> str:
    return (resources.files("xstatic.pkg.leaflet") / "data" / name).read_text(encoding="utf-8")


@cache
def asset(name: str) -> str:
    """Return the text of a file of this package's `assets`."""
    return (resources.files("wijkatlas.publish") / "assets" / name).read_text(encoding="utf-8")


@cache
def _templates() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FunctionLoader(asset), autoescape=True, undefined=jinja2.StrictUndefined
    )


def _element(tag: str, text: str) -> Markup:
    """Wrap our own code in its element; escaping it would change it."""
    return Markup(f"<{tag}>{text}</{tag}>")  # noqa: S704


def _fallback(sheet: Sheet) -> dict[str, Any]:
    """Return the first areas as a plain table, for who has no script or too old a browser."""
    texts = {head: sheet.of_column(name) for name, head in FALLBACK_TEXTS.items()}
    held = {head: cells for head, cells in texts.items() if cells is not None}
    rank, low, high = (sheet.of_column(name) for name in ("rang", "rang_p05", "rang_p95"))
    order = np.arange(len(sheet.codes)) if rank is None else np.argsort(rank, kind="stable")
    first = order[:FALLBACK_ROWS]
    columns = {
        head: ["–" if pd.isna(cell) else cell for cell in cells[first]] for head, cells in held.items()
    }
    if rank is not None and low is not None and high is not None:
        ranks = zip(rank[first], low[first], high[first], strict=True)
        columns = {"Plaats (marge van 90%)": [_rank(*own) for own in ranks]} | columns
    return {
        "caption": f"Per {sheet.level}: de eerste {len(first)} van {dutch.number(len(order))}",
        "heads": list(columns),
        "rows": list(zip(*columns.values(), strict=True)),
    }


def _rank(rank: float, low: float, high: float) -> str:
    """Write a rank with its interval, without which it would seem exact."""
    if np.isnan(rank):
        return "–"
    return f"{dutch.number(rank)} ({dutch.number(low)}–{dutch.number(high)})"
