"""The shelf: whatever goes wrong, `latest` points at a whole edition."""

import multiprocessing
import subprocess
import time
from itertools import count
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest

from wijkatlas.errors import PublishError
from wijkatlas.publish.manifest import MANIFEST, verify, write_manifest
from wijkatlas.publish.release import (
    ALLOCATIONS,
    ASIDE,
    CHANGES,
    EDITIONS,
    LATEST,
    is_shelved,
    only_writer,
    shelved,
    written_aside,
)


def shelve(out: Path, edition: str, text: str = "figures") -> None:
    with only_writer(out), shelved(out, edition) as aside:
        (aside / "a.csv").write_text(text)
        write_manifest(aside, {"edition": edition})


def test_a_whole_edition_is_shelved_and_pointed_at(tmp_path: Path) -> None:
    shelve(tmp_path, "one")
    shelve(tmp_path, "two")
    assert (tmp_path / LATEST).resolve().name == "two"
    assert is_shelved(tmp_path, "one")
    assert sorted(path.name for path in (tmp_path / EDITIONS).iterdir()) == ["one", "two"]


def test_a_failure_leaves_the_shelf_as_it_was(tmp_path: Path) -> None:
    shelve(tmp_path, "one")
    with (
        pytest.raises(ZeroDivisionError),
        only_writer(tmp_path),
        shelved(tmp_path, "two") as aside,
    ):
        (aside / "half").write_text("")
        raise ZeroDivisionError
    with (
        pytest.raises(PublishError, match="not in the manifest: stray"),
        only_writer(tmp_path),
        shelved(tmp_path, "two") as aside,
    ):
        write_manifest(aside, {})
        (aside / "stray").write_text("")
    assert (tmp_path / LATEST).resolve().name == "one"
    assert [path.name for path in (tmp_path / EDITIONS).iterdir()] == ["one"]


def test_what_is_made_anew_replaces_what_stood_there_whole_or_not_at_all(tmp_path: Path) -> None:
    place = tmp_path / CHANGES / "one--two"
    for text in ("first", "second"):
        with written_aside(place) as aside:
            (aside / "index.html").write_text(text)
    with pytest.raises(ZeroDivisionError), written_aside(place) as aside:
        (aside / "index.html").write_text("third")
        raise ZeroDivisionError
    assert (place / "index.html").read_text() == "second"
    assert list(place.parent.iterdir()) == [place]
    assert [path.name for path in place.iterdir()] == ["index.html"]


def test_what_a_killed_run_left_behind_is_cleared_away(tmp_path: Path) -> None:
    left = [tmp_path / CHANGES / f"{ASIDE}x", tmp_path / ALLOCATIONS / "one" / f"{ASIDE}y"]
    for folder in left:
        folder.mkdir(parents=True)
        (folder / "half").write_text("")
    with only_writer(tmp_path):
        assert not any(folder.exists() for folder in left)


def test_two_runs_at_once_do_not_write_to_the_same_place(tmp_path: Path) -> None:
    with (
        only_writer(tmp_path),
        pytest.raises(PublishError, match="another run"),
        only_writer(tmp_path),
    ):
        pass
    shelve(tmp_path, "after")


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda folder: (folder / "a.csv").write_text("other"), "altered: a.csv"),
        (lambda folder: (folder / "a.csv").unlink(), "missing: a.csv"),
        (lambda folder: (folder / "b.csv").write_text(""), "not in the manifest: b.csv"),
        (lambda folder: (folder / "SHA256SUMS").write_text(""), "altered: SHA256SUMS"),
        (lambda folder: (folder / MANIFEST).write_text("{"), "no readable manifest"),
        (lambda folder: (folder / MANIFEST).write_text("{}"), "lists no files"),
    ],
)
def test_verify_names_what_is_wrong(tmp_path: Path, spoil: object, told: str) -> None:
    shelve(tmp_path, "one")
    folder = tmp_path / EDITIONS / "one"
    assert verify(folder) == 2
    spoil(folder)  # type: ignore[operator]
    with pytest.raises(PublishError, match=told):
        verify(folder)
    shelve(tmp_path, "one")  # a damaged edition makes way
    verify(folder)


def test_sha256sums_is_what_sha256sum_reads(tmp_path: Path) -> None:
    shelve(tmp_path, "one")
    done = subprocess.run(
        ["sha256sum", "--check", "SHA256SUMS"],
        cwd=tmp_path / EDITIONS / "one",
        capture_output=True,
        check=True,
    )
    assert done.stdout.count(b": OK") == 2


def write_forever(out: Path, begun: Event) -> None:
    for n in count():
        with only_writer(out), shelved(out, f"run-{n}") as aside:
            for i in range(20):
                (aside / f"{i}.csv").write_text("x" * 1000)
            write_manifest(aside, {"edition": f"run-{n}"})
        begun.set()


def test_killed_at_any_moment_latest_still_verifies(tmp_path: Path) -> None:
    shelve(tmp_path, "first")
    fork = multiprocessing.get_context("fork")
    for n in range(20):
        begun = fork.Event()
        process = fork.Process(target=write_forever, args=(tmp_path, begun))
        process.start()
        begun.wait()
        time.sleep(0.0017 * n)
        process.kill()
        process.join()
        verify((tmp_path / LATEST).resolve())
    shelve(tmp_path, "last")
    assert (tmp_path / LATEST).resolve().name == "last"
    assert not list((tmp_path / EDITIONS).glob(".*"))
