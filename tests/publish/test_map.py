"""The map in a real browser without a network: drawn whole, searched, filtered, linked, by keyboard."""

import functools
import http.server
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

from tests.conftest import skip_or_fail
from tests.publish.maps import (
    HOSTILE,
    LAYERS,
    TEXT,
    Visit,
    browser,
    country,
    file_address,
    square_metres,
)
from wijkatlas.areas import Level
from wijkatlas.errors import PublishError
from wijkatlas.publish.map import leaflet_script, write_map
from wijkatlas.publish.payload import (
    BORDER,
    DIVERGING,
    SEQUENTIAL,
    MapLayer,
    MapLevel,
    pack,
    quantile_limits,
    sheets_of,
)

LEVELS = country()
SHEETS = sheets_of(LEVELS, LAYERS)
BUURTEN = LEVELS[0].attributes
JS = Path(__file__).parent / "js"


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("map") / "kaart.html"
    write_map(path, SHEETS, LAYERS, TEXT, tolerance_m=5, grid_m=2)
    return path


@pytest.fixture(scope="module")
def visit(chromium: str) -> Iterator[Callable[..., Visit]]:
    with browser(chromium) as open_page:
        yield open_page


@pytest.fixture
def on_map(visit: Callable[..., Visit], page_file: Path) -> Iterator[Visit]:
    here = visit()
    here.open(file_address(page_file))
    yield here
    assert here.complaints == []
    assert {address.split("#")[0] for address in here.requests} <= {file_address(page_file), "data:,"}
    here.page.context.close()


def _luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


# ---- the payload ----


@pytest.mark.parametrize("colour", [*SEQUENTIAL, *DIVERGING])
def test_borders_show_on_every_class(colour: str) -> None:
    assert (_luminance(colour) + 0.05) / (_luminance(BORDER) + 0.05) >= 3  # WCAG 1.4.11


def test_classes_can_be_told_apart_in_grey() -> None:
    light = [_luminance(colour) for colour in SEQUENTIAL]
    assert light == sorted(light, reverse=True)
    assert min((a + 0.05) / (b + 0.05) for a, b in pairwise(light)) > 1.2


def test_limits_are_values_that_occur_and_classes_are_never_empty() -> None:
    values = pd.Series([0, 0, 0, 0, 1, 2, 3.04, np.nan])
    assert quantile_limits(values, 5, 1) == (1, 2)
    assert quantile_limits(pd.Series([np.nan, 3.0, 3.0]), 5, 0) == ()
    assert quantile_limits(pd.Series([np.nan]), 5, 0) == ()


def test_order_of_rows_does_not_change_a_byte() -> None:
    turned = [
        replace(
            level,
            areas=level.areas.iloc[::-1],
            attributes=level.attributes.sample(frac=1, random_state=1),
            status=level.status.iloc[::-1],
        )
        for level in LEVELS
    ]
    packed = [pack(sheets, LAYERS, tolerance_m=5, grid_m=2) for sheets in (sheets_of(turned, LAYERS), SHEETS)]
    assert packed[0] == packed[1]


def test_the_hash_seed_does_not_change_a_byte(page_file: Path, tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from tests.publish.maps import *;"
        "from wijkatlas.publish.map import write_map; from wijkatlas.publish.payload import sheets_of;"
        "write_map(Path(sys.argv[1]), sheets_of(country(), LAYERS), LAYERS, TEXT, tolerance_m=5, grid_m=2)"
    )
    other = tmp_path / "other.html"
    root = Path(__file__).parents[2]
    environment = os.environ | {
        "PYTHONHASHSEED": "7",
        "PYTHONPATH": f"{root}:{os.environ.get('PYTHONPATH', '')}",
    }
    subprocess.run([sys.executable, "-c", code, str(other)], check=True, cwd=root, env=environment)
    assert other.read_bytes() == page_file.read_bytes()


def test_a_part_of_the_map_counts_within_the_whole() -> None:
    values = -BUURTEN.sort_index()["inkomen"]
    others_better = (values.to_numpy()[:, None] > values.to_numpy()).sum(axis=1)
    expected = np.where(values.isna(), np.nan, 100 * others_better // (values.count() - 1))
    rows = np.arange(5, 25)
    shares = SHEETS[0].take(rows).of_column("ongunstiger:inkomen")
    np.testing.assert_array_equal(shares, expected[rows])
    assert np.nanmin(expected) == 0
    assert np.nanmax(expected) == 100


def _refused(levels: list[MapLevel], layers: tuple[MapLayer, ...] = LAYERS) -> str:
    with pytest.raises(PublishError) as refusal:
        sheets_of(levels, layers)
    return str(refusal.value)


def test_what_does_not_fit_together_is_refused_by_name() -> None:
    buurt = LEVELS[0]
    assert "EPSG:28992" in _refused([replace(buurt, areas=buurt.areas.to_crs(4326))])
    assert "same codes" in _refused([replace(buurt, attributes=BUURTEN.iloc[1:])])
    assert "no attributes armoede" in _refused([replace(buurt, attributes=BUURTEN.drop(columns="armoede"))])
    assert "no attributes naam" in _refused([replace(buurt, attributes=BUURTEN.drop(columns="naam"))])
    assert "misschien" in _refused([replace(buurt, attributes=BUURTEN.replace("zeker", "misschien"))])
    exact = BUURTEN.assign(rang_p95=BUURTEN["rang_p95"].mask(BUURTEN["rang"] == 1))
    assert "a rank without its interval: BU" in _refused([replace(buurt, attributes=exact)])
    endless = BUURTEN.assign(armoede=np.inf)
    assert "armoede has values too large" in _refused([replace(buurt, attributes=endless)])


def test_the_scripts_pass_their_own_tests_and_read_what_python_packs(tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None:
        skip_or_fail("no node on this machine")
    expected = [
        {
            "codes": level.areas.index.sort_values().tolist(),
            "columns": {
                name: level.attributes[name]
                .sort_index()
                .astype(object)
                .where(lambda c: c.notna(), None)
                .tolist()
                for name in ("naam", "score", "inwoners", "rang", "kans_top10", "klasse")
            },
            "square_metres": square_metres(level),
        }
        for level in LEVELS
    ]
    fixture = tmp_path / "payload.json"
    payload = pack(SHEETS, LAYERS, tolerance_m=0.1, grid_m=0.1)
    fixture.write_text(json.dumps({"payload": payload, "levels": expected}))
    run = subprocess.run(
        [str(node), "--test", "."],
        cwd=JS,
        env=os.environ | {"WIJKATLAS_PAYLOAD": str(fixture)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout


# ---- the page ----


@pytest.mark.browser
def test_every_area_is_drawn_the_tiny_one_too(on_map: Visit) -> None:
    for level in LEVELS:
        on_map.page.check(f'input[value="{level.level}"]', force=True)
        on_map.page.wait_for_function(
            "async (n) => (await window.wijkatlas).drawn === n", arg=len(level.areas)
        )
        assert on_map.read(f"atlas.codes('{level.level}')") == sorted(level.areas.index)


@pytest.mark.browser
def test_what_is_drawn_is_the_colour_of_its_class(on_map: Visit) -> None:
    on_map.page.select_option("#wa-layer", "armoede")
    limits = quantile_limits(BUURTEN["armoede"], 5, 1)
    codes = BUURTEN.index[BUURTEN["armoede"].notna()][::7].tolist()
    points = [on_map.read(f"atlas.pixelOf('{code}')") for code in codes]
    seen = on_map.page.evaluate(
        """(points) => {
            const canvas = document.querySelector('.folium-map canvas');
            const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
            const hex = (value) => value.toString(16).padStart(2, '0');
            return points.map(([x, y]) => {
                const start = 4 * (Math.round(y) * canvas.width + Math.round(x));
                return '#' + [...data.slice(start, start + 3)].map(hex).join('');
            });
        }""",
        points,
    )
    reached = [sum(BUURTEN.loc[code, "armoede"] >= limit for limit in limits) for code in codes]
    assert seen == [SEQUENTIAL[number] for number in reached]
    assert set(reached) == {0, 1, 2, 3, 4}


@pytest.mark.browser
def test_names_from_the_data_are_text_and_nothing_else(on_map: Visit) -> None:
    page = on_map.page
    page.check(on_map.part("all-columns"))
    rows = page.locator(f"{on_map.part('table')} tbody tr")
    page.click(on_map.part("more"))
    page.wait_for_function("document.querySelectorAll('[data-part=table] tbody tr').length === 121")
    texts = rows.locator("th").all_inner_texts()
    assert set(HOSTILE) <= set(texts)
    for name in HOSTILE:
        rows.locator("th button").nth(texts.index(name)).click()
        assert page.inner_text(f"{on_map.part('reasons')} h2") == name
    assert page.inner_text("h1") == page.title() == TEXT.title
    assert page.evaluate("window.hacked") is None


@pytest.mark.browser
def test_hovering_says_name_rank_chance_and_class(on_map: Visit) -> None:
    code = BUURTEN.index[BUURTEN["klasse"] == "onzeker"][0]
    area = BUURTEN.loc[code]
    x, y = on_map.read(f"atlas.pixelOf('{code}')")
    box = on_map.page.locator(".folium-map").bounding_box()
    assert box
    on_map.page.mouse.move(box["x"] + x, box["y"] + y)
    lines = on_map.page.locator(f"{on_map.part('tip')} span").all_inner_texts()
    assert lines[0] == f"{area['naam']}, {area['gemeente']}"
    assert lines[1] == f"Plaats {area['rang']:.0f} (90%: {area['rang_p05']:.0f}–{area['rang_p95']:.0f})"
    assert lines[2] == f"Kans op de eerste 10%: {100 * area['kans_top10']:.0f}%"
    assert lines[3] == "Zekerheid: onzeker"


def _worse_than(attributes: pd.DataFrame, percent: float) -> pd.Series:
    """Count per area, as pandas does, the figures worse than in `percent` of the other areas or more."""
    signs = {layer.id: 1 if layer.worse == "high" else -1 for layer in LAYERS if layer.counted}
    signed = attributes[list(signs)] * pd.Series(signs)
    shares = signed.rank(method="min").sub(1) / (signed.count() - 1)
    return shares.ge(percent / 100).sum(axis=1)


@pytest.mark.browser
@pytest.mark.parametrize("level", LEVELS[:2], ids=lambda level: level.label)
def test_filters_keep_the_areas_that_pandas_keeps(on_map: Visit, level: MapLevel) -> None:
    page, figures = on_map.page, level.attributes.sort_index()
    page.check(f'input[value="{level.level}"]', force=True)
    page.click("summary")
    fields = {
        on_map.part("count"): ("2", _worse_than(figures, 70) >= 2),
        '[data-layer="inwoners"]': ("1500", figures["inwoners"] >= 1500),
        '[data-layer="corporatiebezit"]': ("9.5", figures["corporatiebezit"] >= 9.5),
        on_map.part("top"): ("80", figures["rang"] <= 80),
    }
    page.fill(on_map.part("percentile"), "70")
    kept = pd.Series(data=True, index=figures.index)
    for field, (value, passes) in fields.items():
        page.fill(field, value)
        page.keyboard.press("Tab")
        kept &= passes
        assert on_map.read("atlas.areas") == kept.index[kept].tolist()
    assert 0 < kept.sum() < len(kept)
    page.select_option(on_map.part("gemeente"), "GM0363")
    here = kept & (kept.index.str[2:6] == "0363")
    assert on_map.read("atlas.areas") == here.index[here].tolist()
    page.click(on_map.part("clear"))
    assert on_map.read("atlas.areas") == figures.index.tolist()


@pytest.mark.browser
def test_a_link_shows_the_same_view(on_map: Visit, visit: Callable[..., Visit]) -> None:
    page = on_map.page
    page.select_option("#wa-layer", "inkomen")
    page.check('input[value="wijk"]', force=True)
    page.click("summary")
    page.fill(on_map.part("count"), "1")
    page.keyboard.press("Tab")
    page.fill("#wa-search", "Wijk 059900")
    page.keyboard.press("Enter")
    page.wait_for_timeout(500)
    view, areas = on_map.read("atlas.view"), on_map.read("atlas.areas")
    other = visit()
    other.open(page.url)
    assert other.read("atlas.view") == view
    assert other.read("atlas.areas") == areas
    assert view["area"] == "WK059900"
    assert other.page.inner_text(f"{other.part('reasons')} h2") == "Wijk 059900"
    other.page.context.close()


@pytest.mark.browser
def test_search_finds_what_pandas_finds_whatever_the_accents(on_map: Visit) -> None:
    page = on_map.page
    page.fill("#wa-search", "bloemhof")
    found = page.locator('[role="option"]')
    assert found.count() == (BUURTEN["naam"] == "Bloemhof").sum() == 2
    page.fill("#wa-search", "sudhoeke")
    assert found.all_inner_texts()[0].startswith("Súdhoeke")
    page.keyboard.press("ArrowDown")
    assert page.get_attribute("#wa-search", "aria-activedescendant") == found.first.get_attribute("id")
    page.keyboard.press("Enter")
    assert on_map.read("atlas.view")["area"] == BUURTEN.index[BUURTEN["naam"].str.startswith("Súd")][0]
    page.fill("#wa-search", "nergens te vinden")
    assert page.inner_text(on_map.part("found")) == "0 gevonden"


@pytest.mark.browser
def test_the_keyboard_alone_goes_to_a_card_and_back(on_map: Visit) -> None:
    page = on_map.page
    focused = "document.activeElement.className"
    for _ in range(30):
        page.keyboard.press("Tab")
        if "folium-map" in page.evaluate(focused):
            break
    assert "folium-map" in page.evaluate(focused)
    page.keyboard.press("ArrowRight")
    first = on_map.read("atlas.view")["area"]
    assert BUURTEN.loc[first, "naam"] in page.inner_text(on_map.part("status"))
    visited = {first}
    for key in ("ArrowRight", "ArrowUp", "ArrowLeft"):
        page.keyboard.press(key)
        visited.add(on_map.read("atlas.view")["area"])
    assert len(visited) > 2
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.tagName") == "H2"
    assert page.is_visible(on_map.part("card"))
    page.keyboard.press("Escape")
    assert not page.is_visible(on_map.part("card"))
    assert "folium-map" in page.evaluate(focused)
    page.keyboard.press("Escape")
    assert on_map.read("atlas.view")["area"] == ""
    page.keyboard.press("Tab")  # no trap
    assert "folium-map" not in page.evaluate(focused)


@pytest.mark.browser
def test_the_first_tab_stop_leads_to_the_list(on_map: Visit) -> None:
    on_map.page.keyboard.press("Tab")
    on_map.page.keyboard.press("Enter")
    assert on_map.page.evaluate("document.activeElement.id") == "lijst"
    assert on_map.read("atlas.view")["level"] == "buurt"


@pytest.mark.browser
def test_the_list_holds_the_same_figures_and_sorts(on_map: Visit) -> None:
    page = on_map.page
    page.check(on_map.part("all-columns"))
    page.click(on_map.part("more"))
    page.click('[data-column="inwoners"]')
    page.click('[data-column="inwoners"]')
    assert (
        page.get_attribute(f'{on_map.part("table")} th:has([data-column="inwoners"])', "aria-sort")
        == "descending"
    )
    heads = page.locator(f"{on_map.part('table')} thead button").evaluate_all(
        "all => all.map(b => b.dataset.column)"
    )
    rows = page.locator(f"{on_map.part('table')} tbody tr").evaluate_all(
        "all => all.map(row => [...row.cells].map(cell => cell.textContent))"
    )
    shown = pd.DataFrame(rows, columns=heads)
    expected = BUURTEN.sort_index().sort_values("inwoners", ascending=False, kind="stable")
    assert shown["naam"].tolist() == expected["naam"].tolist()
    for name, decimals in (("inwoners", 0), ("armoede", 1), ("score", 1)):
        known = expected[name].notna().to_numpy()
        written = shown[name].str.replace(".", "").str.replace(",", ".")
        assert written[known].astype(float).tolist() == expected[name][known].round(decimals).tolist()
        assert written[~known].str.startswith("geen cijfer").all()


@pytest.mark.browser
def test_a_missing_figure_gives_its_reason_and_a_card_its_year(on_map: Visit) -> None:
    code = BUURTEN.index[BUURTEN["armoede"].isna() & BUURTEN["inkomen"].notna()][0]
    on_map.open(on_map.page.url.split("#")[0] + f"#gebied={code}")
    card = on_map.page.locator(on_map.part("reasons"))
    rows = {r.split("\t")[0]: r.split("\t")[1:] for r in card.locator("tbody tr").all_inner_texts()}
    assert rows["Armoede"][0] == "geen cijfer (geheim)"
    assert rows["Inkomen"][1] == "2024"
    assert "Een kleiner gewicht voor werk." in card.inner_text()
    assert "Waarom staat dit gebied hier?" in card.inner_text()


@pytest.mark.browser
def test_the_map_is_whole_over_http_with_leaflet_shared(visit: Callable[..., Visit], tmp_path: Path) -> None:
    (tmp_path / "leaflet.js").write_text(leaflet_script(), encoding="utf-8")
    write_map(tmp_path / "kaart.html", SHEETS, LAYERS, TEXT, leaflet_href="leaflet.js")
    handler = functools.partial(_Quiet, directory=tmp_path)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        root = f"http://127.0.0.1:{server.server_port}"
        for start in (root, file_address(tmp_path)):
            here = visit()
            here.open(f"{start}/kaart.html")
            assert here.read("atlas.drawn") == len(BUURTEN)
            assert here.complaints == []
            assert set(here.requests) <= {
                f"{start}/kaart.html",
                f"{start}/leaflet.js",
                "data:,",
                "about:blank",
            }
            here.page.context.close()
        server.shutdown()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.mark.browser
def test_the_policy_stops_what_the_page_would_ask_for(on_map: Visit) -> None:
    stopped = on_map.page.evaluate(
        """() => new Promise((done) => {
            document.addEventListener('securitypolicyviolation', (event) => done(event.violatedDirective));
            fetch('http://127.0.0.1:9/').catch(() => {});
        })"""
    )
    assert stopped == "connect-src"
    on_map.complaints.clear()


@pytest.mark.browser
def test_paper_gets_the_whole_view_and_the_screen_gets_it_back(on_map: Visit) -> None:
    page = on_map.page
    page.emulate_media(color_scheme="dark")
    size = (
        "JSON.stringify([...document.querySelectorAll('.folium-map canvas')].map((c) => [c.width, c.height]))"
    )
    before, view = page.evaluate(size), on_map.read("atlas.view")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    assert on_map.read("atlas.drawn") == len(BUURTEN)
    width, height = page.evaluate(f"JSON.parse({size})[0]")
    assert (width, height) == pytest.approx((205 / 25.4 * 96, 135 / 25.4 * 96), abs=4)
    assert page.locator(".wa-search").is_hidden()
    assert page.locator(".wa-legend").is_visible()
    page.emulate_media(media="screen")
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    page.wait_for_timeout(100)
    assert page.evaluate(size) == before
    assert on_map.read("atlas.view")["map"] == view["map"]


@pytest.mark.browser
@pytest.mark.parametrize("obstacle", ["no script", "old browser"])
def test_without_scripts_or_in_an_old_browser_words_and_a_table_stay(
    visit: Callable[..., Visit], page_file: Path, obstacle: str
) -> None:
    here = visit(java_script_enabled=obstacle != "no script")
    here.page.add_init_script("delete window.DecompressionStream")
    here.page.goto(file_address(page_file))
    fallback = here.page.locator(".wa-fallback")
    assert fallback.is_visible()
    assert "kan hier niet worden getoond" in fallback.inner_text()
    assert fallback.locator("tbody tr").count() == 100
    first = fallback.locator("tbody tr").first.inner_text().split("\t")
    best = BUURTEN.sort_index().sort_values("rang", kind="stable").iloc[0]
    rank = f"{best['rang']:.0f} ({best['rang_p05']:.0f}–{best['rang_p95']:.0f})"
    assert first == [rank, best["naam"], best["gemeente"], best["klasse"]]
    assert not here.page.is_visible(".wa-figure")
    here.page.context.close()


@pytest.mark.browser
@pytest.mark.parametrize("width", [320, 360, 768])
def test_nothing_sticks_out_on_a_narrow_screen(
    visit: Callable[..., Visit], page_file: Path, width: int
) -> None:
    here = visit(viewport={"width": width, "height": 700})
    here.open(f"{file_address(page_file)}#gebied={BUURTEN.index[5]}")
    assert here.page.evaluate("document.documentElement.scrollWidth") <= width
    small = here.page.evaluate(
        """() => [...document.querySelectorAll('button, input, select, summary, [role=button]')]
            .map((one) => [one.outerHTML.slice(0, 80), one.getBoundingClientRect()])
            .filter(([, box]) => box.width && Math.min(box.width, box.height) < 24)
            .map(([name, box]) => `${name} ${box.width}x${box.height}`)"""
    )
    assert small == []
    here.page.context.close()


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(visit: Callable[..., Visit], page_file: Path, scheme: str) -> None:
    axe = JS / "node_modules/axe-core/axe.min.js"
    if not axe.is_file():
        skip_or_fail("no axe-core: run npm ci in tests/publish/js")
    here = visit(color_scheme=scheme, bypass_csp=True, viewport={"width": 1280, "height": 1600})
    here.open(f"{file_address(page_file)}#gebied={BUURTEN.index[50]}&top=90")
    here.page.click("summary")
    here.page.fill("#wa-search", "Buurt")
    here.page.add_script_tag(path=axe)
    rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    found = here.page.evaluate("(rules) => axe.run(document, {runOnly: rules})", rules)
    assert [(v["id"], [n["html"][:120] for n in v["nodes"]]) for v in found["violations"]] == []
    here.page.context.close()


@pytest.mark.browser
@pytest.mark.national
@pytest.mark.parametrize(
    ("name", "code", "naam", "count"),
    [("buurten_2024", "buurtcode", "buurtnaam", 12147), ("wijken_2022", "code", "name", 3340)],
)
def test_the_country_is_drawn_whole(
    visit: Callable[..., Visit], national: Path, tmp_path: Path, name: str, code: str, naam: str, count: int
) -> None:
    frame = gpd.read_parquet(national / f"{name}.parquet").set_index(code)
    figures = frame.select_dtypes("number")
    attributes = figures.assign(naam=frame[naam])
    layers = [MapLayer(column, column, "Cijfers", decimals=1, worse="high") for column in figures]
    level = Level.BUURT if code == "buurtcode" else Level.WIJK
    path = tmp_path / "kaart.html"
    sheets = sheets_of([MapLevel(level, str(level), frame[["geometry"]], attributes)], layers)
    write_map(path, sheets, layers, TEXT, grid_m=5)
    here = visit()
    here.open(file_address(path))
    assert here.read("atlas.drawn") == count
    assert here.complaints == []
    here.page.context.close()
