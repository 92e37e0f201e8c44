"""The shelf of editions: written aside, checked, then put in place by one rename."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from wijkatlas.errors import PublishError
from wijkatlas.publish.manifest import verify

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
    aside = Path(tempfile.mkdtemp(prefix=ASIDE, dir=out / EDITIONS))
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


def is_shelved(out: Path, edition: str) -> bool:
    """Tell whether this very edition already stands on the shelf, whole."""
    try:
        verify(out / EDITIONS / edition)
    except PublishError:
        return False
    return True
