"""The pages in a real browser without a network: opened from a folder, searched, linked, read and printed."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import skip_or_fail
from tests.publish.maps import Visit, browser, file_address

AXE = Path(__file__).parent / "js/node_modules/axe-core/axe.min.js"
GEMEENTE = "gemeenten/GM0599-rotterdam/index.html"
PAGES = ("index.html", "methode.html", GEMEENTE, "kaart.html")
BLOEMHOF = "BU05991081"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def visit(chromium: str) -> Iterator[Callable[..., Visit]]:
    with browser(chromium) as open_page:
        yield open_page


@pytest.fixture
def here(visit: Callable[..., Visit], edition: Path) -> Iterator[Visit]:
    page = visit()
    yield page
    assert page.complaints == []
    assert all(address.startswith((edition.as_uri(), "about:", "data:")) for address in page.requests)
    page.page.context.close()


@pytest.mark.parametrize("name", PAGES)
def test_a_page_opens_from_a_folder(here: Visit, edition: Path, name: str) -> None:
    here.open(file_address(edition / name))
    assert here.page.locator("h1").is_visible()
    assert here.page.evaluate("getComputedStyle(document.body).fontFamily").startswith("system-ui")


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("size", [(360, 740), (320, 256)], ids=["small screen", "400% zoom"])
def test_a_page_never_scrolls_sideways(
    visit: Callable[..., Visit], edition: Path, name: str, size: tuple[int, int]
) -> None:
    here = visit(viewport={"width": size[0], "height": size[1]})
    here.open(file_address(edition / name))
    here.page.evaluate("document.querySelectorAll('details').forEach((box) => (box.open = true))")
    assert here.page.evaluate("document.documentElement.scrollWidth") <= size[0]
    here.page.context.close()


def test_search_finds_bloemhof_and_opens_its_card(here: Visit, edition: Path) -> None:
    here.open(file_address(edition / "index.html"))
    here.page.fill("#zoek", "bloemh")
    assert here.page.locator("#zoek-lijst li").all_inner_texts() == ["Bloemhof buurt in Rotterdam"]
    assert here.page.locator("#zoek-aantal").inner_text() == "1 gebied gevonden."
    here.page.press("#zoek", "Enter")
    here.page.wait_for_url("**/GM0599-rotterdam/index.html**")
    assert here.page.locator(f"#{BLOEMHOF}").is_visible()
    assert here.read("atlas.view.area") == BLOEMHOF


@pytest.mark.parametrize(
    ("words", "first"),
    [
        ("ROTTERDAM", "Rotterdam gemeente"),
        ("s grav", "'s-Gravenland"),
        ("charlois", "Charlois wijk in Rotterdam"),
    ],
)
def test_search_reads_as_people_type(here: Visit, edition: Path, words: str, first: str) -> None:
    here.open(file_address(edition / "index.html"))
    here.page.fill("#zoek", words)
    assert here.page.locator("#zoek-lijst li").first.inner_text().startswith(first)


def test_search_says_so_when_there_is_nothing(here: Visit, edition: Path) -> None:
    here.open(file_address(edition / "index.html"))
    here.page.fill("#zoek", "xyzzy")
    assert "Niets gevonden" in here.page.locator("#zoek-aantal").inner_text()
    here.page.fill("#zoek", "")
    assert here.page.locator("#zoek-aantal").inner_text() == ""


def test_every_hit_leads_to_a_card(here: Visit, edition: Path) -> None:
    here.open(file_address(edition / "index.html"))
    places = here.page.evaluate("JSON.parse(document.getElementById('gebieden').textContent)")
    here.open(file_address(edition / GEMEENTE))
    codes = [code for code, _ in places[0][2]]
    assert here.page.evaluate("(codes) => codes.every((code) => document.getElementById(code))", codes)


def test_a_shared_view_of_the_map_comes_back(here: Visit, edition: Path) -> None:
    here.open(f"{file_address(edition / GEMEENTE)}#niveau=wijk&laag=d_wonen")
    assert here.read("[atlas.view.level, atlas.view.layer]") == ["wijk", "d_wonen"]
    here.page.evaluate("window.location.hash = '#samenvatting'")
    assert here.read("[atlas.view.level, atlas.view.layer]") == ["wijk", "d_wonen"]


def test_the_map_shows_the_figures_of_the_geojson(here: Visit, edition: Path) -> None:
    features = json.loads((edition / "downloads/buurten.geojson").read_text())["features"]
    here.open(file_address(edition / GEMEENTE))
    rows = here.page.locator('[data-part="table"] tbody tr')
    shown = [row.split("\t") for row in rows.all_inner_texts()]
    scored = {f["properties"]["buurt_naam"]: f["properties"] for f in features if f["properties"]["rang"]}
    assert here.read("atlas.drawn") == len(features)
    for rank, name, klasse, *_, score in shown[: len(scored)]:
        row = scored.pop(name)
        assert rank == f"{row['rang']} ({row['rang_p05']}–{row['rang_p95']})"
        assert klasse == row["klasse"]
        assert float(score.replace(",", ".")) == row["score"]
    assert not scored


def test_both_cards_of_a_buurt_say_the_same(here: Visit, edition: Path) -> None:
    here.open(f"{file_address(edition / GEMEENTE)}#{BLOEMHOF}")
    read = "rows => rows.map(row => [...row.cells].map(cell => cell.textContent.trim()))"
    own = here.page.locator(f"#{BLOEMHOF} .figures tr:has(td)").evaluate_all(read)
    listed = here.page.locator('[data-part="reasons"] .wa-figures tbody tr').evaluate_all(read)
    on_map = {name: (value.removesuffix(" (geschat)"), *rest) for name, value, *rest in listed}
    assert len(own) > 10
    for name, value, worse, _, year, _ in own:
        assert on_map[name] == (value.replace("-", "−"), year, worse)


def test_tables_sort_by_number_and_by_name(here: Visit, edition: Path, tmp_path: Path) -> None:
    rows = "".join(
        f"<tr><th>{name}</th><td>{n}</td></tr>" for name, n in (("b", "1.200,5"), ("Ä", "–"), ("a", "90"))
    )
    script = (edition / "assets/table.js").as_uri()
    page = tmp_path / "table.html"
    page.write_text(
        "<!DOCTYPE html><meta charset=utf-8><table class=sortable>"
        f"<thead><tr><th>Naam<th class=n>Cijfer</thead><tbody>{rows}</tbody></table>"
        f"<script src='{script}'></script>",
        encoding="utf-8",
    )
    here.page.goto(page.as_uri())
    here.requests.clear()

    def after(heading: str) -> list[str]:
        here.page.click(f"text={heading}")
        return here.page.locator("tbody th").all_inner_texts()

    assert after("Cijfer") == ["b", "a", "Ä"]
    assert here.page.locator("th[aria-sort]").get_attribute("aria-sort") == "descending"
    assert after("Cijfer") == ["a", "b", "Ä"]
    assert after("Naam") == ["a", "Ä", "b"]


def test_by_keyboard_from_the_address_bar_to_a_card_and_back(here: Visit, edition: Path) -> None:
    here.open(file_address(edition / GEMEENTE))
    focus, keyboard = "document.activeElement", here.page.keyboard
    keyboard.press("Tab")
    assert here.page.evaluate(f"{focus}.textContent") == "Naar de inhoud"
    keyboard.press("Enter")
    here.page.wait_for_function(f"{focus}.id === 'inhoud'")
    while here.page.evaluate(f"{focus}.tagName") != "SUMMARY":
        keyboard.press("Tab")
    card = here.page.locator(f"#{here.page.evaluate(f'{focus}.nextElementSibling.id')}")
    assert not card.is_visible()
    keyboard.press("Enter")
    card.wait_for(state="visible")
    assert here.page.evaluate(f"{focus}.tagName") == "SUMMARY"
    keyboard.press("Enter")
    card.wait_for(state="hidden")


def test_without_scripts_everything_can_be_read(visit: Callable[..., Visit], edition: Path) -> None:
    here = visit(java_script_enabled=False)
    here.page.goto(f"{file_address(edition / GEMEENTE)}#{BLOEMHOF}")
    assert here.page.locator(f"#{BLOEMHOF}").is_visible()
    assert here.page.locator(".wa-fallback table").is_visible()
    here.page.goto(file_address(edition / "index.html"))
    assert here.page.locator("noscript a").is_visible()
    assert here.page.locator("#gemeenten ~ .scroll a").first.is_visible()
    here.page.context.close()


def test_on_paper_there_is_no_navigation_and_the_reasons_of_the_list_are_there(
    visit: Callable[..., Visit], edition: Path
) -> None:
    here = visit()
    here.open(file_address(edition / GEMEENTE))
    here.page.emulate_media(media="print")
    assert not here.page.locator("nav").first.is_visible()
    assert here.page.locator(".caveat").is_visible()
    assert here.page.locator(".cards summary").first.is_visible()
    assert here.page.pdf(prefer_css_page_size=True).startswith(b"%PDF")
    here.page.context.close()


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(visit: Callable[..., Visit], edition: Path, name: str, scheme: str) -> None:
    if not AXE.is_file():
        skip_or_fail("no axe-core: run npm ci in tests/publish/js")
    here = visit(color_scheme=scheme, bypass_csp=True)
    here.open(file_address(edition / name))
    if name == "index.html":
        here.page.fill("#zoek", "oud")
    here.page.evaluate(
        "[...document.querySelectorAll('details')].slice(0, 3).forEach((box) => (box.open = true))"
    )
    here.page.add_script_tag(path=AXE)
    found = here.page.evaluate("(rules) => axe.run(document, { runOnly: rules })", RULES)
    assert [(v["id"], [n["html"][:160] for n in v["nodes"]]) for v in found["violations"]] == []
    here.page.context.close()
