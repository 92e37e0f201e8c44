"""
Measure the country's map, as ratios in one run of `python -m benchmarks.maps`.

The same 12,147 real buurten and their figures are published as our page (which also holds the levels
wijk and gemeente), by `GeoDataFrame.explore` and by `folium.Choropleth`. The set's outlines were
generalised one by one: what overlaps, and gaps up to 10 m, which the real outlines of CBS and Kadaster do
not have, are closed first, for all three alike. Chromium opens each page
without a network; what the other two would fetch from outside is answered with the files of
XStatic-Leaflet, or with nothing. Medians of the rounds; the pages take turns within a round.
`explore` wants matplotlib and mapclassify, which wijkatlas does not: install them for this run only.
"""

import argparse
import shutil
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import folium
import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from playwright.sync_api import Browser, Page, Route, sync_playwright

from wijkatlas.areas import Level
from wijkatlas.geometry import dissolve
from wijkatlas.publish.map import MapText, leaflet_script, write_map
from wijkatlas.publish.payload import MapLayer, MapLevel, parents_of, sheets_of

SOURCE = Path(__file__).parents[2] / "shared/data/national/buurten_2024.parquet"
GAP_M = 10
CHROMIUM_ARGUMENTS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
PAINTED = """async () => {
    const isOurs = await window.wijkatlas; // resolves after the first frame
    if (!isOurs) await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
    return performance.now();
}"""
WORST_ZOOM_FRAME = """async () => {
    const map = window[Object.keys(window).find((name) => /^map_/.test(name))];
    let [worst, last, isOver] = [0, performance.now(), false];
    const watch = (now) => {
        worst = Math.max(worst, now - last);
        last = now;
        if (!isOver) requestAnimationFrame(watch);
    };
    requestAnimationFrame(watch);
    for (const step of [1, 1, -1]) {
        const ended = new Promise((done) => map.once('zoomend', done));
        map.setZoom(map.getZoom() + step);
        await ended;
        await new Promise((done) => setTimeout(done, 300));
    }
    isOver = true;
    return worst;
}"""
SWITCH = """async (id) => {
    const list = document.querySelector('[data-part=layer]');
    const start = performance.now();
    list.value = id;
    list.dispatchEvent(new Event('change'));
    await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
    return performance.now() - start;
}"""


@dataclass
class Measured:
    """One page: how long it took to build, its size, and what each round gave."""

    build: float
    path: Path
    painted: list[float] = field(default_factory=list)
    busy: list[float] = field(default_factory=list)
    heap: list[float] = field(default_factory=list)
    frame: list[float] = field(default_factory=list)
    switch: list[float] = field(default_factory=list)

    def row(self) -> list[float]:
        """Seconds, megabytes, milliseconds."""
        medians = [
            statistics.median(v) if v else np.nan
            for v in (self.painted, self.busy, self.heap, self.frame, self.switch)
        ]
        return [self.build, self.path.stat().st_size / 1e6, *medians]


def ours(buurten: gpd.GeoDataFrame, figures: list[str], path: Path) -> None:
    layers = [MapLayer(name, name, "Cijfers", decimals=1, worse="high", counted=True) for name in figures]
    text = MapText("Wijkatlas", "Een signaal, geen oordeel.", "Bron: CBS, Kadaster.", ("CBS, CC BY 4.0",))
    write_map(path, sheets_of(_levels(buurten, figures), layers), layers, text)


def _levels(buurten: gpd.GeoDataFrame, figures: list[str]) -> list[MapLevel]:
    shapes = buurten.geometry.to_numpy()
    levels = []
    for level in Level:
        is_finest = level is Level.BUURT
        parents = buurten.index if is_finest else parents_of(buurten.index, level)
        merged = gpd.GeoSeries(shapes, parents) if is_finest else dissolve(shapes, parents)
        areas = gpd.GeoDataFrame(geometry=merged.set_crs(28992))
        groups = pd.DataFrame(buurten.drop(columns="geometry")).groupby(np.asarray(parents))
        names = groups["buurtnaam" if is_finest else "gemeentenaam"].first()
        attributes = groups[figures].mean().assign(naam=names, gemeente=groups["gemeentenaam"].first())
        levels.append(MapLevel(level, level.capitalize(), areas, attributes))
    return levels


def explore(buurten: gpd.GeoDataFrame, figures: list[str], path: Path) -> None:
    shown = buurten[["buurtnaam", "gemeentenaam", *figures, "geometry"]]
    shown.explore(column=figures[0], tooltip=True, tiles=None, legend=False).save(path)


def choropleth(buurten: gpd.GeoDataFrame, figures: list[str], path: Path) -> None:
    shown = buurten[["buurtnaam", *figures, "geometry"]].reset_index().to_crs(4326)
    chart = folium.Map([52.2, 5.3], zoom_start=8, tiles=None)
    layer = folium.Choropleth(
        shown, data=shown, columns=["buurtcode", figures[0]], key_on="feature.properties.buurtcode"
    )
    for name in [name for name in layer._children if name.startswith("color_map")]:  # noqa: SLF001
        del layer._children[name]  # noqa: SLF001 - its legend needs a script from outside
    layer.add_to(chart)
    folium.GeoJsonTooltip(["buurtnaam", *figures]).add_to(layer.geojson)
    chart.save(path)


PAGES = {"wijkatlas": ours, "explore": explore, "Choropleth": choropleth}


def _answer(route: Route) -> None:
    """Stand in for the hosts that folium's pages load from."""
    address = route.request.url
    if address.startswith(("file:", "data:")):
        route.continue_()
    elif "leaflet.js" in address:
        route.fulfill(body=leaflet_script(), content_type="text/javascript")
    else:
        route.fulfill(body="", content_type="text/javascript")


def _visit(browser: Browser, measured: Measured, figures: list[str]) -> None:
    page: Page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.route("**/*", _answer)
    page.set_default_timeout(300_000)
    devtools = page.context.new_cdp_session(page)
    # The main thread's own time: what other work on the machine does not change.
    devtools.send("Performance.enable", {"timeDomain": "threadTicks"})
    page.goto(measured.path.as_uri(), timeout=300_000)
    measured.painted.append(page.evaluate(PAINTED) / 1000)
    metrics = {m["name"]: m["value"] for m in devtools.send("Performance.getMetrics")["metrics"]}
    measured.busy.append(metrics["TaskDuration"])
    if page.query_selector("[data-part=layer]"):
        measured.switch += [page.evaluate(SWITCH, name) for name in figures[1:6]]
    measured.frame.append(page.evaluate(WORST_ZOOM_FRAME))
    devtools.send("HeapProfiler.collectGarbage")
    measured.heap.append(devtools.send("Runtime.getHeapUsage")["usedSize"] / 1e6)
    page.close()


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rounds", type=int, default=3)
    rounds = arguments.parse_args().rounds
    chromium = shutil.which("chromium")
    if not (SOURCE.is_file() and chromium):
        sys.exit("needs ../shared/data/national and Debian's chromium")
    buurten = gpd.read_parquet(SOURCE).set_index("buurtcode").sort_index()
    outlines = shapely.make_valid(buurten.geometry.to_numpy())
    buurten.geometry = shapely.coverage_clean(outlines, gap_width=GAP_M)
    figures = buurten.select_dtypes("number").columns.tolist()
    figures += [f"{name}_per_inwoner" for name in figures[:6]]
    for name in figures[-6:]:
        buurten[name] = buurten[name.removesuffix("_per_inwoner")] / buurten["inwoners"].clip(lower=1)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        measured = {}
        for name, build in PAGES.items():
            start, path = time.perf_counter(), Path(folder) / f"{name}.html"
            build(buurten, figures, path)
            measured[name] = Measured(time.perf_counter() - start, path)
        for _ in range(rounds):
            browser = playwright.chromium.launch(executable_path=chromium, args=list(CHROMIUM_ARGUMENTS))
            for one in measured.values():
                _visit(browser, one, figures)
            browser.close()
        heads = ["build s", "HTML MB", "painted s", "main thread s", "heap MB", "zoom frame ms", "switch ms"]
        table = pd.DataFrame({name: one.row() for name, one in measured.items()}, index=heads)
    for other in ("explore", "Choropleth"):
        table[f"{other} : wijkatlas"] = table[other] / table["wijkatlas"]
    print(f"{len(buurten)} buurten, {len(figures)} figures, median of {rounds}")
    print(table.round(2).to_string(na_rep="-"))


if __name__ == "__main__":
    main()
