"""A small made-up country for the tests of the map, and a browser that cannot reach anything."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from playwright.sync_api import Page, sync_playwright
from shapely import Polygon

from wijkatlas.areas import Level
from wijkatlas.geometry import dissolve
from wijkatlas.publish.map import MapText
from wijkatlas.publish.payload import MapLayer, MapLevel, parents_of

# Nothing outside answers: the proxy refuses, and loopback alone goes past it.
CHROMIUM_ARGUMENTS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--proxy-server=127.0.0.1:9", "--proxy-bypass-list=127.0.0.1",
)  # fmt: skip

HOSTILE = (
    "</script><script>window.hacked = 1</script>",
    "\"><img src=x onerror='window.hacked = 2'>",
    "{{ 7 * 7 }}{% raw %}{# weg #}",
    "'; window.hacked = 3; //",
    "Súdhoeke 🏘️ Ørland",
    "lang" * 50,
    "]]><!-- <style>",
)

TEXT = MapText(
    title="Wijkatlas </title>{{ 7 * 7 }}",
    caveat="Een signaal, geen oordeel. Gebieden, geen mensen. Relatief, niet absoluut.",
    attribution="Peiljaar 2024. Bron: verzonnen.",
    sources=("CBS / Kadaster, CC BY 4.0",),
    note="Dit is een voorbeeld.",
)

LAYERS = (
    MapLayer("score", "Score", "Score", decimals=1, worse="high", hatched=True, explanation="Hoe hoger."),
    MapLayer(
        "klasse",
        "Zekerheid",
        "Score",
        kind="class",
        classes=("zeker", "waarschijnlijk", "onzeker", "niet in de lijst"),
    ),
    MapLayer("d_werk", "Werk", "Thema's", decimals=1, worse="high"),
    MapLayer("armoede", "Armoede", "Cijfers", "%", 1, worse="high", counted=True),
    MapLayer("inkomen", "Inkomen", "Cijfers", "x 1.000 euro", 1, worse="low", counted=True),
    MapLayer("jeugdzorg", "Jeugdzorg", "Cijfers", "%", 1, worse="high", counted=True),
    MapLayer("bijstand", "Bijstand", "Cijfers", "per 1.000", 0, worse="high", counted=True),
    MapLayer("inwoners", "Inwoners", "Achtergrond", threshold=True),
    MapLayer("corporatiebezit", "Corporatiebezit", "Achtergrond", "%", 1, threshold=True),
)  # fmt: skip


def country(columns: int = 12, rows: int = 10) -> list[MapLevel]:
    """Return crooked buurten of a kilometre, one of them tiny, their wijken and two gemeenten."""
    x, y = np.meshgrid(np.arange(columns + 1) * 1000.0, np.arange(rows + 1) * 1000.0)
    shift = np.random.default_rng(0).uniform(-200, 200, (2, *x.shape))
    x, y = x + shift[0] + 90_000, y + shift[1] + 430_000
    shapes = {}
    for row in range(rows):
        for column in range(columns):
            corners = [(row, column), (row, column + 1), (row + 1, column + 1), (row + 1, column)]
            gemeente = "0599" if column < columns // 2 else "0363"
            code = f"BU{gemeente}{row // 2:01d}{column % (columns // 2) // 3:01d}{row % 2}{column % 3}"
            shapes[code] = Polygon([(x[c], y[c]) for c in corners])
    largest = max(shapes, key=lambda code: shapes[code].area)
    tiny = shapes[largest].representative_point().buffer(0.8, quad_segs=1)
    shapes[largest] = shapes[largest].difference(tiny)
    shapes["BU0363AC01"] = tiny
    buurten = gpd.GeoSeries(shapes, crs=28992).sort_index()
    return [
        _level(Level.BUURT, "Buurt", buurten),
        *(
            _level(
                level, label, dissolve(buurten.to_numpy(), parents_of(buurten.index, level)).set_crs(28992)
            )
            for level, label in ((Level.WIJK, "Wijk"), (Level.GEMEENTE, "Gemeente"))
        ),
    ]


def _level(level: Level, label: str, shapes: gpd.GeoSeries) -> MapLevel:
    index, count = shapes.index, len(shapes)
    random = np.random.default_rng(count)
    figures = {
        layer.id: pd.Series(random.gamma(3, 8, count).round(layer.decimals), index)
        for layer in LAYERS
        if layer.kind != "class"
    }
    attributes = pd.DataFrame(figures)
    attributes["inwoners"] = random.integers(0, 9000, count).astype(float)
    attributes = attributes.mask(random.random(attributes.shape) < 0.1)
    rank = attributes["score"].rank(ascending=False, method="min")
    attributes["rang"] = rank
    attributes["rang_p05"], attributes["rang_p95"] = (rank - 3).clip(lower=1), rank + 4
    attributes["kans_top10"] = (1 / (1 + np.exp(rank - count / 10))).round(3)
    names = ["zeker", "waarschijnlijk", "onzeker", "niet in de lijst"]
    bins = pd.cut(1 - attributes["kans_top10"], [-1, 0.1, 0.5, 0.9, 2], labels=names)
    attributes["klasse"] = bins.astype(object).where(rank.notna(), None)
    attributes["reden_niet_gescoord"] = np.where(rank.isna(), "te weinig cijfers", None)
    attributes["naam"] = [f"{label} {code[2:]}" for code in index]
    attributes["gemeente"] = ["Rotterdam" if code[2:6] == "0599" else "Nieuw-'s-Gräveland" for code in index]
    if level is Level.BUURT:
        attributes.iloc[: len(HOSTILE), attributes.columns.get_loc("naam")] = HOSTILE
        attributes.loc[index[30:32], "naam"] = "Bloemhof"
    shown = ["armoede", "inkomen"]
    return MapLevel(
        level,
        label,
        gpd.GeoDataFrame(geometry=shapes),
        attributes,
        status=attributes[shown].notna().replace({True: "waargenomen", False: "geheim"}),
        peiljaar=attributes[shown].notna().replace({True: 2024.0, False: np.nan}),
        contributions=pd.DataFrame(random.normal(0, 3, (count, 1)), index, ["d_werk"]),
        notes=pd.DataFrame({"Wat haalt dit gebied uit de lijst?": "Een kleiner gewicht voor werk."}, index),
    )


class Visit:
    """A page in Chromium, what it asked for and what it complained about."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.requests: list[str] = []
        self.complaints: list[str] = []
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def open(self, address: str) -> None:
        """Go to an address and wait until the map is painted, and then the list."""
        self.page.goto("about:blank")
        self.page.goto(address)
        self.page.evaluate(
            "async () => { await window.wijkatlas; await new Promise((done) => setTimeout(done)); }"
        )

    def read(self, expression: str) -> Any:
        """Evaluate an expression of `atlas`, the page's inspection object, and of `argument`."""
        return self.page.evaluate(
            f"async () => {{ const atlas = await window.wijkatlas; return {expression}; }}"
        )

    def part(self, name: str) -> str:
        """Return the selector of a part of the map."""
        return f'[data-part="{name}"]'


@contextmanager
def browser(chromium: str) -> Iterator[Callable[..., Visit]]:
    """Give a function that opens an empty page in a fresh context."""
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=list(CHROMIUM_ARGUMENTS))

        def visit(**context: Any) -> Visit:
            options = {"viewport": {"width": 1280, "height": 900}} | context
            return Visit(running.new_context(**options).new_page())

        yield visit
        running.close()


def file_address(path: Path) -> str:
    return path.resolve().as_uri()


def square_metres(level: MapLevel) -> list[float]:
    """Return areas in square metres of Web Mercator, the units of the payload."""
    return shapely.area(level.areas.sort_index().to_crs(3857).geometry.to_numpy()).tolist()
