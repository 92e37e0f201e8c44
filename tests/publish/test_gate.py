"""The gate: what the world cannot explain is not published, and the last edition stays."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from editions import altered_store, quick_settings, shuffled
from wijkatlas.areas import Level
from wijkatlas.edition import make_edition
from wijkatlas.errors import PublishError
from wijkatlas.publish import Contents, gate
from wijkatlas.publish.manifest import verify
from wijkatlas.publish.release import LATEST


def changed(contents: Contents, level: Level, change: Callable[[pd.DataFrame], pd.DataFrame]) -> Contents:
    """Return the contents with another published table of one level."""
    other = replace(contents)
    frames = dict(contents.frames)
    frames[level] = change(frames[level].copy())
    other.__dict__["frames"] = frames
    return other


def leap(frame: pd.DataFrame) -> pd.DataFrame:
    """Turn the ranking upside down, the figures as they were."""
    frame["rang"] = frame["rang"].max() + 1 - frame["rang"]
    return frame


def with_figures(frame: pd.DataFrame) -> pd.DataFrame:
    """Turn the ranking upside down along with the figures."""
    frame["corporatiebezit"] = 100 - frame["corporatiebezit"]
    return leap(frame)


def test_the_same_contents_pass(contents: Contents, edition: Path) -> None:
    gate.check(contents, edition)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda frame: frame.drop("BU05990110"), "1 of 91 buurten are gone (BU05990110)"),
        (lambda frame: frame.assign(bijstand=float("nan")), "suddenly empty: bijstand"),
        (lambda frame: frame.assign(klasse=None, rang_p95=pd.NA), "suddenly empty: rang_p95"),
        (lambda frame: frame.drop(columns=["kans_top10"]), "have disappeared: kans_top10"),
        (lambda frame: frame.assign(rang=frame["rang"].where(frame["rang"] < 40)), "only 39 buurten"),
        (leap, "whose figures hardly moved left the 90% interval"),
    ],
)
def test_what_the_world_cannot_explain_is_told(
    contents: Contents, edition: Path, change: Callable[[pd.DataFrame], pd.DataFrame], told: str
) -> None:
    with pytest.raises(PublishError) as error:
        gate.check(changed(contents, Level.BUURT, change), edition)
    assert told in str(error.value)
    assert f"{edition.name} stays" in str(error.value)


def test_figures_explain_ranks(contents: Contents, edition: Path) -> None:
    gate.check(changed(contents, Level.BUURT, with_figures), edition)


def test_another_method_explains_ranks(contents: Contents, edition: Path) -> None:
    upside_down = changed(contents, Level.BUURT, leap)
    method = replace(upside_down, spec=contents.spec.model_copy(update={"title": "Another"}))
    method.__dict__["frames"] = upside_down.frames
    gate.check(method, edition)


def test_a_new_year_may_redraw_some_areas(contents: Contents, edition: Path) -> None:
    later = replace(contents, year=contents.year + 1)
    later.__dict__["frames"] = {
        level: frame.iloc[5:] if level == "buurt" else frame for level, frame in contents.frames.items()
    }
    found = list(gate.objections(later, gate.Last(edition)))
    assert not any("are gone" in objection for objection in found)


def test_a_column_that_ended_by_the_catalogue_may_be_empty(contents: Contents, edition: Path) -> None:
    ended = contents.catalogue.indicators["bijstand"]
    column = ended.columns[0].model_copy(update={"last_year": contents.year - 1})
    indicators = contents.catalogue.indicators | {"bijstand": ended.model_copy(update={"columns": (column,)})}
    emptied = changed(contents, Level.BUURT, lambda frame: frame.assign(bijstand=float("nan")))
    without = replace(emptied, catalogue=contents.catalogue.model_copy(update={"indicators": indicators}))
    without.__dict__["frames"] = emptied.frames
    assert not any("empty" in objection for objection in gate.objections(without, gate.Last(edition)))


def backdated(store: Path) -> Path:
    """Let every snapshot of a store be ten years older."""
    for path in store.rglob("*.sidecar.json"):
        sidecar = json.loads(path.read_bytes())
        sidecar["retrieved"] = str(int(sidecar["retrieved"][:4]) - 10) + sidecar["retrieved"][4:]
        path.write_text(json.dumps(sidecar), encoding="utf-8")
    return store


def test_an_older_source_stops_the_run_and_force_overrules(tmp_path: Path) -> None:
    settings = quick_settings(tmp_path)
    first = make_edition(settings)
    again = replace(settings, store=backdated(altered_store(tmp_path / "store", shuffled)))
    with pytest.raises(PublishError, match=r"kwb is of 201\d-\d\d-\d\d, older than the 202\d"):
        make_edition(again)
    assert (settings.out / LATEST).resolve() == first.resolve()
    assert [path.name for path in first.parent.iterdir() if path.is_dir()] == [first.name]
    verify(first)
    forced = make_edition(replace(again, force=True))
    assert forced != first
    assert (settings.out / LATEST).resolve() == forced.resolve()


def test_a_shelf_with_retention_is_listed(tmp_path: Path) -> None:
    settings = replace(quick_settings(tmp_path), keep=1)
    first = make_edition(settings)
    second = make_edition(replace(settings, store=altered_store(tmp_path / "store", shuffled)))
    assert not first.exists()
    listed = json.loads((settings.out / "index.json").read_bytes())["editions"]
    assert [entry["edition"] for entry in listed] == [second.name]
    (settings.out / "index.html").unlink()
    make_edition(replace(settings, store=tmp_path / "store"))  # no news, but the page comes back
    assert second.name in (settings.out / "index.html").read_text(encoding="utf-8")
