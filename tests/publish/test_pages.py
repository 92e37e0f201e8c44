"""The pages of an edition, read as HTML: sound, whole, honest and safe."""

import itertools
import json
import os
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from editions import altered_store, quick_settings
from tests.publish.html import Node, number_in, read_page
from tests.publish.maps import HOSTILE
from wijkatlas.areas import Status
from wijkatlas.catalog import load_catalogue
from wijkatlas.edition import make_edition
from wijkatlas.publish import Contents, write_contents
from wijkatlas.publish.cards import Card, records
from wijkatlas.publish.contents import folder_name
from wijkatlas.publish.manifest import MANIFEST
from wijkatlas.publish.rankings import listing
from wijkatlas.scoring.spec import load_spec
from wijkatlas.snapshots import Snapshot

OWN = ("index.html", "methode.html", "gemeenten/GM0599-rotterdam/index.html")
GEMEENTE = OWN[-1]
CATALOGUE = load_catalogue()
SPEC = load_spec("deltaplan", CATALOGUE)


@pytest.fixture(scope="module")
def pages(edition: Path) -> dict[str, Node]:
    return {name: read_page(edition / name) for name in OWN}


@pytest.fixture(params=OWN)
def page(request: pytest.FixtureRequest, pages: dict[str, Node]) -> Node:
    return pages[request.param]


@pytest.fixture(scope="module")
def gemeente(pages: dict[str, Node]) -> Node:
    return pages[GEMEENTE]


@pytest.fixture(scope="module")
def buurten(edition: Path) -> dict[str, dict[str, object]]:
    features = json.loads((edition / "gemeenten/GM0599-rotterdam/buurten.geojson").read_text())["features"]
    return {feature["id"]: feature["properties"] for feature in features}


@pytest.fixture(scope="module")
def cards(gemeente: Node) -> dict[str, Node]:
    """Return each area's line and card by its code."""
    lines = (line for listed in gemeente.all("ol", class_="cards") for line in listed.children)
    return {
        line.one("div", class_="reasons").attributes["id"]: line for line in lines if isinstance(line, Node)
    }


# ---- sound ----


def test_a_page_says_its_language_and_title_and_has_one_h1(page: Node) -> None:
    assert page.one("html").attributes["lang"] == "nl"
    assert page.one("title").text.endswith("– Wijkatlas Rotterdam 2024")
    assert page.one("h1").text


def test_a_page_has_landmarks_and_a_skip_link(page: Node) -> None:
    body = page.one("body")
    assert len(body.all("main")) == len(body.all("footer")) == 1
    assert body.all("nav", aria_label="Hoofdmenu")
    first = body.all("a")[0]
    assert first.attributes["href"] == f"#{body.one('main').attributes['id']}"


def test_headings_never_skip_a_level(page: Node) -> None:
    levels = [int(node.tag[1]) for node in page.all() if re.fullmatch("h[1-6]", node.tag)]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))


def test_ids_are_unique_and_labels_point_at_them(page: Node) -> None:
    ids = [node.attributes["id"] for node in page.all() if "id" in node.attributes]
    assert len(ids) == len(set(ids))
    named = {"aria-labelledby", "aria-describedby", "aria-controls", "for"}
    pointed = {
        word for node in page.all() for name in named for word in node.attributes.get(name, "").split()
    }
    assert pointed <= set(ids)


def test_every_table_has_a_caption_and_every_heading_cell_a_scope(page: Node) -> None:
    tables = [table for table in page.all("table") if "data-part" not in table.attributes]
    assert tables
    for table in tables:
        assert table.one("caption").text
        assert all("scope" in cell.attributes for cell in table.all("th"))


def test_a_page_forbids_what_it_does_not_need(page: Node) -> None:
    policy = page.one("meta", http_equiv="Content-Security-Policy").attributes["content"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    inert = {"application/json", "application/octet-stream"}
    scripts = page.all("script")
    assert all("src" in s.attributes or s.attributes["type"] in inert for s in scripts)
    assert not [
        n for n in page.all() if any(name.startswith("on") or name == "style" for name in n.attributes)
    ]


@pytest.mark.parametrize("name", OWN)
def test_every_link_leads_somewhere(edition: Path, pages: dict[str, Node], name: str) -> None:
    here = (edition / name).parent
    ids = {
        edition / other: {node.attributes.get("id") for node in page.all()} for other, page in pages.items()
    }
    nodes = pages[name].all()
    fetched = {node.attributes["href"] for node in nodes if node.tag == "link"} - {"data:,"}
    fetched |= {node.attributes["src"] for node in nodes if "src" in node.attributes}
    assert not {address for address in fetched if address.startswith(("http", "//"))}
    followed = {node.attributes["href"] for node in nodes if node.tag in {"a", "use"}}
    for address in fetched | {address for address in followed if not address.startswith("https://")}:
        path, _, fragment = address.partition("#")
        target = Path(os.path.normpath(here / path)) if path else edition / name
        assert target.is_file(), address
        assert not fragment or fragment in ids[target], address


# ---- whole and honest ----


@pytest.mark.parametrize("name", [*OWN, "kaart.html"])
def test_a_sample_says_that_it_is_one(edition: Path, name: str) -> None:
    assert "gaat alleen over Rotterdam" in read_page(edition / name).text


@pytest.mark.parametrize("name", [*OWN, "kaart.html"])
def test_the_caveat_stands_on_every_page(edition: Path, name: str) -> None:
    text = read_page(edition / name).text.lower()
    assert "geen oordeel" in text
    assert re.search("gebieden,? (en )?(niet om|geen) mensen|gebieden, niet om mensen", text)
    assert "relatief, niet absoluut" in text


def test_no_rank_stands_without_its_interval(pages: dict[str, Node]) -> None:
    ranks = [node.text for page in pages.values() for node in page.all(class_="rank")]
    assert len(ranks) > 100
    assert all(re.fullmatch(r"[\d.]+ \([\d.]+–[\d.]+\)|–", rank) for rank in ranks)


def test_every_buurt_and_wijk_has_its_card(edition: Path, cards: dict[str, Node]) -> None:
    codes = {code for level in ("buurt", "wijk") for code in _table(edition, level)[f"{level}_code"]}
    assert set(cards) == codes


def test_cards_hold_the_figures_of_the_geojson(
    cards: dict[str, Node], buurten: dict[str, dict[str, object]]
) -> None:
    seen = 0
    for code, row in buurten.items():
        figures = {tr.one("th").text: tr.all("td") for tr in _figures(cards[code])}
        for indicator in SPEC.indicators:
            entry = CATALOGUE.indicators[indicator.id]
            value = row[indicator.id]
            shown = figures[entry.label][0].text
            if value is None:
                assert shown == "geen cijfer"
            else:
                assert number_in(shown) == pytest.approx(value)
                assert shown.endswith(entry.unit)
                seen += 1
    assert seen > 1000


def test_cards_mark_where_each_figure_comes_from(edition: Path, cards: dict[str, Node]) -> None:
    cells = pd.read_csv(edition / "gemeenten/GM0599-rotterdam/buurten-cijfers.csv").set_index(
        ["code", "cijfer"]
    )
    statuses = set()
    for code in cells.index.unique("code"):
        for row in _figures(cards[code]):
            name = next(i.id for i in CATALOGUE.indicators.values() if i.label == row.one("th").text)
            cell = cells.loc[(code, name)]
            year, status = (td.text for td in row.all("td")[-2:])
            assert status.split(", ")[0] == cell["status"]
            assert year == ("–" if pd.isna(cell["peiljaar"]) else f"{cell['peiljaar']:.0f}")
            statuses.add(status)
    assert {Status.OBSERVED, Status.IMPUTED, Status.NOT_PUBLISHED} <= statuses


def test_every_list_runs_by_rank(gemeente: Node) -> None:
    lists = [[node.text for node in cards.all(class_="rank")] for cards in gemeente.all("ol", class_="cards")]
    assert len(lists) == 6
    for ranks in lists:
        numbers = [number_in(rank) if rank != "–" else 0 for rank in ranks]
        assert numbers == sorted(numbers)


def test_a_line_says_how_certain_it_is_or_why_there_is_no_score(
    cards: dict[str, Node], buurten: dict[str, dict[str, object]]
) -> None:
    for code, row in buurten.items():
        assert str(row["reden_niet_gescoord"] or row["klasse"]) in cards[code].one("summary").text


def test_imputed_figures_are_named_in_the_card(
    cards: dict[str, Node], buurten: dict[str, dict[str, object]]
) -> None:
    estimated = {code: row["geschat"] for code, row in buurten.items() if row["geschat"]}
    assert estimated
    for code, names in estimated.items():
        assert f"Geschat, omdat het cijfer ontbreekt: {names}." in cards[code].text


def test_the_search_knows_every_area_and_where_its_page_is(edition: Path, pages: dict[str, Node]) -> None:
    places = json.loads(pages["index.html"].one("script", id="gebieden").text)
    ((folder, name, parts),) = places
    assert (edition / "gemeenten" / folder / "index.html").is_file()
    assert name == "Rotterdam"
    found = dict(parts)
    for level in ("buurt", "wijk"):
        table = _table(edition, level)
        for code, label in zip(table[f"{level}_code"], table[f"{level}_naam"], strict=True):
            assert found.pop(code) == label
    assert not found


def test_every_download_is_linked_and_its_size_told(edition: Path, pages: dict[str, Node]) -> None:
    for name, folder in (("index.html", "downloads"), (GEMEENTE, "gemeenten/GM0599-rotterdam")):
        links = [link for link in pages[name].all("a") if "download" in link.attributes]
        about = {".html", ".json", ".gz"}  # pages, metadata and copies for a web server
        files = [path for path in (edition / folder).iterdir() if path.is_file()]
        present = {path.name for path in files if path.suffix not in about}
        assert {Path(link.attributes["href"]).name for link in links} == present
        told = pages[name].one("table", class_="downloads").all("a")
        assert all(re.fullmatch(r"[\d.,]+ [kM]B", link.text) for link in told)


@pytest.mark.parametrize("name", ["index.html", GEMEENTE])
def test_downloads_lead_to_dictionary_schema_and_licence(
    edition: Path, pages: dict[str, Node], name: str
) -> None:
    section = pages[name].one("section", aria_labelledby="downloads")
    addresses = {Path(name).parent / link.attributes["href"] for link in section.all("a")}
    linked = {os.path.normpath(address) for address in addresses}
    files = json.loads((edition / "manifest.json").read_text())["files"].keys()
    schemas = {file for file in files if file.endswith(".schema.json")}
    assert len(schemas) == 3
    licence = "downloads/LICENTIE.txt" if name == "index.html" else f"{Path(name).parent}/LICENTIE.txt"
    assert linked & files >= {"downloads/woordenboek.html", "downloads/dictionary.html", licence, *schemas}


def test_no_page_makes_a_browser_ask_for_an_icon(page: Node) -> None:
    assert page.one("link", rel="icon").attributes["href"] == "data:,"


def test_the_method_names_every_figure_and_weight(pages: dict[str, Node], edition: Path) -> None:
    page = pages["methode.html"]
    shares = 0.0
    for indicator in SPEC.indicators:
        cells = page.one("tr", id=indicator.id).all("td")
        assert number_in(cells[-2].text) == pytest.approx(indicator.weight)
        shares += number_in(cells[-1].text)
    assert shares == pytest.approx(100, abs=1)
    manifest = json.loads((edition / "manifest.json").read_text())
    for domain in SPEC.domains:
        theme = CATALOGUE.domains[domain.id]
        assert theme.gaps in page.text
        assert theme.agenda in page.text
    assert str(manifest["specification"]["uncertainty"]["replications"]) in page.text


def test_the_method_claims_no_more_than_it_is(pages: dict[str, Node]) -> None:
    text = pages["methode.html"].text
    assert "geen officiële manier" in text
    assert "Herkomst, nationaliteit, geloof en taal tellen nooit mee" in text


def test_the_method_names_an_own_table_that_was_never_fetched(contents: Contents, tmp_path: Path) -> None:
    source = CATALOGUE.sources["kwb"].model_copy(
        update={"id": "voedselbank", "title": "Huishoudens bij de voedselbank", "tables": {2024: "eigen.csv"}}
    )
    figures = next(iter(contents.sources.tables.values()))
    own = replace(
        contents,
        catalogue=CATALOGUE.model_copy(update={"sources": CATALOGUE.sources | {source.id: source}}),
        sources=replace(contents.sources, tables=contents.sources.tables | {source.id: figures}),
    )
    write_contents(own, tmp_path)
    listed = next(n for n in read_page(tmp_path / "methode.html").all("tr") if source.title in n.text)
    assert {"eigen.csv", "eigen tabel"} <= {cell.text for cell in listed.all("td")}


# ---- safe ----


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An edition whose buurten, wijk and gemeente have names that try to be markup."""
    folder = tmp_path_factory.mktemp("hostile")
    store = altered_store(folder / "store", _renamed)
    return make_edition(quick_settings(folder, store=store))


def _renamed(snapshot: Snapshot, content: bytes) -> bytes:
    if snapshot.source != "grenzen":
        return content
    document = json.loads(content)
    for i, feature in enumerate(document["features"]):
        properties = feature["properties"]
        for name in properties:
            if name.endswith("naam"):
                properties[name] = HOSTILE[i % len(HOSTILE)] if "buurt" in name else HOSTILE[0]
    return json.dumps(document).encode()


def test_hostile_names_are_only_ever_text(hostile: Path, edition: Path) -> None:
    folder = folder_name("GM0599", HOSTILE[0])
    name = f"gemeenten/{folder}/index.html"
    for theirs, ours in (("index.html", "index.html"), ("methode.html", "methode.html"), (name, GEMEENTE)):
        page, plain = read_page(hostile / theirs), read_page(edition / ours)
        assert [n.attributes.get("src") for n in page.all("script")] == [
            n.attributes.get("src") for n in plain.all("script")
        ]
        assert _shape(page) == _shape(plain)
    page = read_page(hostile / name)
    assert page.one("h1").text == " ".join(HOSTILE[0].split())
    for text in HOSTILE:
        assert " ".join(text.split()) in page.text


def test_the_search_index_survives_hostile_names(hostile: Path) -> None:
    index = read_page(hostile / "index.html").one("script", id="gebieden")
    ((_, gemeente, parts),) = json.loads(index.text)
    assert gemeente == HOSTILE[0]
    assert set(HOSTILE) <= {name for _, name in parts}


def _shape(page: Node) -> dict[str, int]:
    tags = [node.tag for node in page.all()]
    return {
        tag: tags.count(tag)
        for tag in ("script", "style", "img", "iframe", "object", "form", "h1", "section")
    }


# ---- parts ----


def test_records_turn_every_kind_of_missing_into_none() -> None:
    frame = pd.DataFrame(
        {"a": pd.array([1, None], "Int32"), "b": [None, 2.5], "c": pd.array(["x", None], "str")}
    )
    assert records(frame) == [{"a": 1, "b": None, "c": "x"}, {"a": None, "b": 2.5, "c": None}]


class _Level:
    unlisted = "niet in de lijst"


def _ranked(*classes: str | None) -> Iterator[Card]:
    for rank, klasse in enumerate(classes, 1):
        row = {"rang": rank if klasse else None, "klasse": klasse}
        yield Card(f"BU{rank}", f"Buurt {rank}", "", row, (), (), (), None)


def test_a_listing_starts_with_who_may_belong_to_the_top() -> None:
    cards = list(_ranked("zeker", "niet in de lijst", "onzeker", None))
    found = listing(_Level(), cards)  # type: ignore[arg-type]
    assert [card.code for card in found.listed] == ["BU1", "BU3"]
    assert [card.code for card in found.others] == ["BU2"]
    assert [card.code for card in found.unscored] == ["BU4"]
    assert found.is_top


def test_a_gemeente_without_any_shows_its_five_highest() -> None:
    found = listing(_Level(), list(_ranked(*["niet in de lijst"] * 7)))  # type: ignore[arg-type]
    assert [card.code for card in found.listed] == ["BU1", "BU2", "BU3", "BU4", "BU5"]
    assert not found.is_top


def test_a_gemeente_without_scores_lists_nothing() -> None:
    found = listing(_Level(), list(_ranked(None, None)))  # type: ignore[arg-type]
    assert (found.listed, found.others, len(found.unscored)) == ([], [], 2)
    assert not found.is_top


def _table(edition: Path, level: str) -> pd.DataFrame:
    plural = {"buurt": "buurten", "wijk": "wijken"}[level]
    return pd.read_csv(edition / "downloads" / f"{plural}.csv")


def _figures(card: Node) -> list[Node]:
    return [row for row in card.one("table", class_="figures").all("tr") if row.all("td")]


@pytest.mark.parametrize("processors", [1, 3])
def test_any_number_of_processes_writes_the_same_bytes(
    edition: Path, contents: Contents, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, processors: int
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: processors)
    write_contents(contents, tmp_path)
    assert (tmp_path / MANIFEST).read_bytes() == (edition / MANIFEST).read_bytes()
