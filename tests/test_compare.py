"""Two real editions beside each other: the parts add up to the published ranks, in every form."""

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from pathlib import Path
from urllib.parse import unquote

import pandas as pd
import pytest

from editions import DATA, altered_store, quick_settings
from wijkatlas.areas import Level
from wijkatlas.compare import compare_editions
from wijkatlas.edition import make_edition
from wijkatlas.errors import PublishError, SnapshotError
from wijkatlas.publish.changes import Changes, to_markdown, write_changes
from wijkatlas.publish.release import CHANGES
from wijkatlas.replay import replay
from wijkatlas.scoring.moves import Cause
from wijkatlas.snapshots import Snapshot

CAUSES = [cause.value for cause in Cause]
OLD_CODE, NEW_CODE = "BU05991081", "BU05991099"  # Bloemhof, under another code
OTHER_METHOD = """
base = "deltaplan-zonder-wonen"
[uncertainty]
replications = 20
sobol_size = 4
[analysis]
permutations = 99
"""


def next_year(snapshot: Snapshot, content: bytes) -> bytes:
    """Give one area another code, and every third area other benefits."""
    content = content.replace(OLD_CODE.encode(), NEW_CODE.encode())
    if snapshot.part != "TypedDataSet":
        return content
    document = json.loads(content)
    stem = next(key for key in document["value"][0] if key.startswith("PersonenPerSoortUitkeringBijstand"))
    for row in document["value"][::3]:
        row[stem] = row[stem] and row[stem] * 3
    return json.dumps(document).encode()


@pytest.fixture(scope="module")
def world(edition: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with `data`, and a shelf `outputs` with the edition and its successor `latest`."""
    folder = tmp_path_factory.mktemp("compare")
    raw = folder / "data" / "raw"
    shutil.copytree(quick_settings(folder).store, raw)
    shutil.copytree(edition, folder / "outputs" / "editions" / edition.name)
    settings = quick_settings(folder, store=altered_store(raw, next_year))
    Path(settings.spec).write_text(OTHER_METHOD, encoding="utf-8")
    make_edition(replace(settings, force=True))  # the gate misses the columns of a theme
    return folder


@pytest.fixture(scope="module")
def changes(edition: Path, world: Path) -> Changes:
    return compare_editions(
        world / "outputs" / "editions" / edition.name, world / "outputs" / "latest", world / "data"
    )


@pytest.fixture(scope="module")
def page(world: Path, changes: Changes) -> Path:
    """Return the page that the run made by itself."""
    return world / "outputs" / CHANGES / changes.name / "index.html"


@pytest.mark.parametrize("level", ["buurt", "wijk"])
def test_parts_add_up_to_the_published_ranks(
    edition: Path, world: Path, changes: Changes, level: str
) -> None:
    plural = {"buurt": "buurten", "wijk": "wijken"}[level]
    old, new = (
        pd.read_csv(folder / "downloads" / f"{plural}.csv", index_col=f"{level}_code")["rang"]
        for folder in (edition, world / "outputs" / "latest")
    )
    frame = changes.levels[Level(level)].frame.set_index(f"{level}_code")
    assert set(frame.index) == set(new.index)
    for code, row in frame.iterrows():
        expected = old[OLD_CODE if code == NEW_CODE else code] - new[code]
        if pd.isna(expected):
            assert row[["verschuiving", *CAUSES]].isna().all()
        else:
            assert row["verschuiving"] == row[CAUSES].sum() == expected


def test_figures_and_method_moved_ranks_and_boundaries_and_program_did_not(changes: Changes) -> None:
    causes = changes.levels[Level.BUURT].causes["gebieden"]
    assert causes["cijfers"] > 0
    assert causes["methode"] > 0
    assert causes["grenzen"] == causes["programma"] == 0


def test_an_area_goes_on_under_its_new_code(changes: Changes) -> None:
    level = changes.levels[Level.BUURT]
    assert level.areas.loc[NEW_CODE, "vorige_code"] == OLD_CODE
    assert level.areas.loc[NEW_CODE, "vorige_naam"] == "Bloemhof"
    assert level.gone.empty


def test_the_list_is_a_tenth_before_and_after(changes: Changes) -> None:
    level = changes.levels[Level.BUURT]
    assert level.stayed + len(level.entered) == level.stayed + len(level.left) == 7
    assert len(level.entered) > 0
    assert set(level.entered["oorzaak"]) <= {"cijfers", "methode"}


def test_within_margin_is_about_both_margins(changes: Changes) -> None:
    frame = changes.levels[Level.BUURT].frame.dropna(subset=["verschuiving"])
    for row in frame.itertuples():
        inside = row.rang_p05_voor <= row.rang_na <= row.rang_p95_voor
        assert row.binnen_marge == (inside and row.rang_p05_na <= row.rang_voor <= row.rang_p95_na)
    assert set(frame["binnen_marge"]) == {True, False}


def test_an_edition_beside_itself_is_still(edition: Path) -> None:
    same = compare_editions(edition, edition, DATA)
    for level in same.levels.values():
        assert (level.areas[["verschuiving", *CAUSES]].fillna(0) == 0).all(axis=None)
        assert len(level.entered) == len(level.left) == len(level.largest) == 0


def test_markdown_tells_who_came_and_went(changes: Changes) -> None:
    told = to_markdown(changes)
    for frame in (changes.levels[Level.BUURT].entered, changes.levels[Level.BUURT].left):
        assert all(
            f"| {code} | {name} |" in told
            for code, name in zip(frame.iloc[:, 0], frame.iloc[:, 1], strict=True)
        )
    widths = {row.count("|") for row in told.splitlines() if row.startswith(("| Code", "| BU", "| WK"))}
    assert len(widths) == 1


def test_the_files_hold_every_area(page: Path) -> None:
    plain = pd.read_csv(page.with_name("buurten.csv"))
    excel = pd.read_csv(page.with_name("buurten-excel.csv"), sep=";", decimal=",", encoding="utf-8-sig")
    assert len(plain) == 91
    pd.testing.assert_frame_equal(plain, excel)


def links(page: Path) -> Iterator[tuple[Path, str]]:
    for target in re.findall(r'(?:href|src)="([^"]+)"', page.read_text(encoding="utf-8")):
        if not target.startswith(("http:", "https:", "data:")):
            place, _, fragment = target.partition("#")
            yield (page.parent / unquote(place) if place else page), fragment


def test_every_link_of_the_page_leads_somewhere(page: Path) -> None:
    found = list(links(page))
    assert len(found) > 30
    for target, fragment in found:
        assert target.is_file(), target
        if fragment and target.suffix == ".html":
            assert f'id="{fragment}"' in target.read_text(encoding="utf-8"), (target, fragment)


@pytest.mark.parametrize("listed", ["index.html", "editions/index.html"])
def test_the_shelf_leads_to_what_changed(world: Path, page: Path, listed: str) -> None:
    found = [target.resolve() for target, _ in links(world / "outputs" / listed)]
    assert all(target.is_file() for target in found)
    assert page in found
    entries = json.loads((world / "outputs" / "index.json").read_bytes())["editions"]
    told = list(chain.from_iterable(entry["changes"] for entry in entries))
    assert [world / "outputs" / change["page"] for change in told] == [page]


@pytest.mark.parametrize("place", ["latest", "editions"])
def test_an_edition_leads_to_the_list_by_either_address(world: Path, changes: Changes, place: str) -> None:
    own = Path(place) if place == "latest" else Path(place) / changes.after["edition"]
    text = (world / "outputs" / own / "index.html").read_text(encoding="utf-8")
    assert 'href="../index.html"' in text
    assert (world / "outputs" / own.parent / "index.html").is_file()


def test_the_page_tells_what_the_frames_hold(page: Path, changes: Changes) -> None:
    text = page.read_text(encoding="utf-8")
    for level in changes.levels.values():
        for frame in (level.entered, level.left, level.largest):
            assert all(f">{name}</a>" in text for name in frame[f"{level.level}_naam"])


def test_the_command_gives_the_same_bytes_as_the_run(page: Path, world: Path, changes: Changes) -> None:
    before = {path.name: path.read_bytes() for path in page.parent.iterdir()}
    folder = world / "outputs" / CHANGES / "again"
    write_changes(changes, folder, world / "outputs" / "latest")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_the_page_tells_a_former_name(world: Path, changes: Changes) -> None:
    level = changes.levels[Level.BUURT]
    recoded = replace(level, areas=level.areas.assign(vorige_naam="Veenwijk", vorige_code="BU05990000"))
    folder = world / "outputs" / CHANGES / "recoded"
    write_changes(replace(changes, levels={Level.BUURT: recoded}), folder, world / "outputs" / "latest")
    assert "was Veenwijk (BU05990000)" in (folder / "index.html").read_text(encoding="utf-8")


def test_names_from_a_source_are_escaped(world: Path, changes: Changes) -> None:
    level = changes.levels[Level.BUURT]
    bad = replace(level, areas=level.areas.assign(naam="<script>alert(1)</script>|=1+1"))
    nasty = replace(changes, levels={Level.BUURT: bad})
    folder = world / "outputs" / CHANGES / "nasty"
    write_changes(nasty, folder, world / "outputs" / "latest")
    assert "<script>alert" not in (folder / "index.html").read_text(encoding="utf-8")
    assert "</script>/=1+1 |" in to_markdown(nasty)


def test_another_region_is_refused(edition: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(edition, other)
    manifest = json.loads((other / "manifest.json").read_text(encoding="utf-8"))
    (other / "manifest.json").write_text(json.dumps(manifest | {"sample": "Atlantis"}), encoding="utf-8")
    with pytest.raises(PublishError, match="Rotterdam and one of Atlantis"):
        compare_editions(edition, other, DATA)


def test_a_specification_of_another_version_is_told(edition: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(edition, other)
    manifest = json.loads((other / "manifest.json").read_text(encoding="utf-8"))
    del manifest["specification"]["universe"]
    (other / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(PublishError, match="use wijkatlas"):
        replay(other, DATA)


def test_an_own_table_must_be_named(edition: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(edition, other)
    manifest = (other / "manifest.json").read_text(encoding="utf-8")
    (other / "manifest.json").write_text(
        manifest.replace('"wmo_clienten"', '"eigen_cijfer"'), encoding="utf-8"
    )
    with pytest.raises(PublishError, match="eigen_cijfer; name the catalogue file"):
        replay(other, DATA)


def test_snapshots_that_are_gone_are_told(edition: Path, tmp_path: Path) -> None:
    with pytest.raises(SnapshotError, match="no store"):
        replay(edition, tmp_path)
