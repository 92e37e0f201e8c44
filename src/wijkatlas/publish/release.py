"""The shelf of editions: written aside, checked, then put in place by one rename."""

import fcntl
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

EDITIONS = "editions"
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
    try:
        (out / EDITIONS).mkdir(parents=True, exist_ok=True)
        lock = (out / ".lock").open("w")
    except OSError as error:
        raise PublishError(f"{out}: cannot be written ({error.strerror}); choose another --out") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise PublishError(f"{out}: another run is writing here; wait for it to end") from error
        for leftover in (out / EDITIONS).glob(f"{ASIDE}*"):  # of a run that was killed
            shutil.rmtree(leftover)
        yield


@contextmanager
def written_aside(out: Path, edition: str) -> Iterator[Path]:
    """
    Yield a folder to write an edition into, and shelve it when the block ends well.

    Whatever goes wrong before the rename, the shelf and `latest` stay as they were.
    """
    try:
        aside = Path(tempfile.mkdtemp(prefix=ASIDE, dir=out / EDITIONS))
    except OSError as error:
        raise PublishError(f"{out}: the edition could not be written ({error.strerror})") from error
    try:
        yield aside
        verify(aside)
        aside.chmod(0o755)
        shelve(aside, out / EDITIONS / edition)
        point_latest(out, edition)
    except OSError as error:
        raise PublishError(f"{out}: the edition could not be written ({error.strerror})") from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def shelve(aside: Path, place: Path) -> None:
    """Move a finished edition into place; one that stands there damaged makes way."""
    os.sync()  # the files reach the disk before the name that vouches for them
    if place.exists():
        place.rename(Path(tempfile.mkdtemp(prefix=ASIDE, dir=place.parent)) / place.name)
    aside.rename(place)


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


def prune(out: Path, keep: int) -> None:
    """Take all but the newest `keep` editions of each region off the shelf; never what `latest` points at."""
    latest = (out / LATEST).resolve()
    seen: Counter[str] = Counter()
    for shelved in list_shelf(out):
        seen[shelved.manifest["sample"]] += 1
        if seen[shelved.manifest["sample"]] > keep and shelved.folder.resolve() != latest:
            aside = Path(tempfile.mkdtemp(prefix=ASIDE, dir=out / EDITIONS))
            shelved.folder.rename(aside / shelved.folder.name)  # off the shelf whole, whatever happens next
            shutil.rmtree(aside)


def is_shelved(out: Path, edition: str) -> bool:
    """Tell whether this very edition already stands on the shelf, whole."""
    try:
        verify(out / EDITIONS / edition)
    except PublishError:
        return False
    return True
