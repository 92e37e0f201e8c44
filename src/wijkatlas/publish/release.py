"""The shelf of editions: written aside, checked, then put in place by one rename."""

import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wijkatlas.errors import PublishError
from wijkatlas.publish.manifest import read_manifest, verify
from wijkatlas.snapshots import sole_writer

EDITIONS = "editions"
CHANGES = "wijzigingen"  # what came between two editions, `<older>--<newer>`
ALLOCATIONS = "verdelingen"  # what scenarios give, `<edition>/<scenario file>`
LATEST = "latest"
ASIDE = ".wordt-gemaakt-"


@contextmanager
def only_writer(out: Path) -> Iterator[None]:
    """
    Hold the shelf for one run.

    Raises
    ------
    PublishError
        Another run holds it, or the folder cannot be written.
    """
    with sole_writer(out, PublishError):
        for leftover in (*out.glob(f"*/{ASIDE}*"), *out.glob(f"*/*/{ASIDE}*")):  # of a run that was killed
            shutil.rmtree(leftover)
        yield


@contextmanager
def written_aside(place: Path) -> Iterator[Path]:
    """
    Yield a folder to write into, and put it in its place by one rename when the block ends well.

    Whatever goes wrong before the rename, what stood there stays as it was.

    Raises
    ------
    PublishError
        The disk is full, or cannot be written.
    """
    with _writing(place):
        place.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=ASIDE, dir=place.parent))
        try:
            aside = work / place.name
            aside.mkdir()
            yield aside
            os.sync()  # the files reach the disk before the name that vouches for them
            if place.exists():
                place.rename(work / "replaced")
            aside.rename(place)
        finally:
            shutil.rmtree(work, ignore_errors=True)


@contextmanager
def shelved(out: Path, edition: str) -> Iterator[Path]:
    """
    Yield a folder to write an edition into; when the block ends well, check it, shelve it, point at it.

    Raises
    ------
    PublishError
        It could not be written, or is not what its manifest says. The shelf and `latest` are as they were.
    """
    with written_aside(out / EDITIONS / edition) as aside:
        yield aside
        verify(aside)
    with _writing(out / LATEST):
        point_latest(out, edition)


@contextmanager
def _writing(place: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise PublishError(f"{place}: could not be written ({error.strerror})") from error


def point_latest(out: Path, edition: str) -> None:
    """Let `latest` point at an edition by one rename; the link is relative, so the shelf can be moved."""
    link = out / f"{ASIDE}{LATEST}"
    link.unlink(missing_ok=True)
    link.symlink_to(Path(EDITIONS) / edition, target_is_directory=True)
    link.replace(out / LATEST)


@dataclass(frozen=True)
class Shelved:
    """An edition on the shelf."""

    folder: Path
    manifest: dict[str, Any]

    @property
    def order(self) -> tuple[int, str, int]:
        """What comes later is newer: by peiljaar, by the date of the snapshots, by when it was shelved."""
        return self.manifest["peiljaar"], self.manifest["date"], self.folder.stat().st_mtime_ns


def list_shelf(out: Path) -> list[Shelved]:
    """Return every edition on the shelf, newest first; what has no readable manifest is none."""
    found = []
    for folder in (out / EDITIONS).glob("[!.]*"):
        try:
            found.append(Shelved(folder, read_manifest(folder)))
        except PublishError:
            continue
    return sorted(found, key=lambda shelved: shelved.order, reverse=True)


def last_edition(out: Path, sample: str, year: int) -> Path | None:
    """Return the newest whole edition of a region up to a peiljaar, or None where there is none yet."""
    of_region = (
        shelved.folder
        for shelved in list_shelf(out)
        if shelved.manifest["sample"] == sample and shelved.manifest["peiljaar"] <= year
    )
    return next((folder for folder in of_region if is_shelved(out, folder.name)), None)


def prune(out: Path, keep: int | None) -> None:
    """
    Take all but the newest `keep` editions of each region off the shelf, and what was compared with them.

    What `latest` points at always stays; without a number everything does.
    """
    if keep is None:
        return
    latest = (out / LATEST).resolve()
    seen: Counter[str] = Counter()
    for shelved in list_shelf(out):
        seen[shelved.manifest["sample"]] += 1
        if seen[shelved.manifest["sample"]] > keep and shelved.folder.resolve() != latest:
            for folder in (*_comparisons(out, shelved.folder.name), shelved.folder):
                _discard(folder)


def _comparisons(out: Path, edition: str) -> list[Path]:
    """Return the comparisons in which an edition is the older or the newer."""
    return [
        path
        for path in (out / CHANGES).glob("[!.]*")
        if path.name.startswith(f"{edition}--") or path.name.endswith(f"--{edition}")
    ]


def _discard(folder: Path) -> None:
    """Remove a folder, whole for whoever looks, whatever happens next."""
    work = Path(tempfile.mkdtemp(prefix=ASIDE, dir=folder.parent))
    folder.rename(work / folder.name)
    shutil.rmtree(work)


def is_shelved(out: Path, edition: str) -> bool:
    """Tell whether this very edition already stands on the shelf, whole."""
    try:
        verify(out / EDITIONS / edition)
    except PublishError:
        return False
    return True
