"""The raw store: what a source sent, byte for byte, under its hash, beside a sidecar with its origin."""

import fcntl
import hashlib
import json
import secrets
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import date
from pathlib import Path
from typing import Annotated, Literal, Self, TypeVar

from pydantic import Field, StringConstraints, ValidationError, model_validator

from wijkatlas.catalog.models import Entry, Name, Text, first_problem
from wijkatlas.errors import SnapshotError, WijkatlasError

LOCK_NAME = "sources.lock"
SIDECAR = ".sidecar.json"
UNFINISHED = ".part"


class Pin(Entry):
    """Which bytes stand for one page of one part of a source's table."""

    source: Name
    table: Text
    part: Text  # the set, collection or file within the table
    page: int = Field(default=1, ge=1)
    format: Literal["json", "geojson", "csv", "gpkg"]
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]

    @property
    def place(self) -> tuple[str, str, str, int]:
        """What the bytes stand for, and the order of pins in a lock."""
        return self.source, self.table, self.part, self.page


class Snapshot(Pin):
    """A sidecar: a pin, and where, when and under which licence its bytes were obtained."""

    address: Text
    licence: Text
    attribution: Text
    retrieved: date
    size: int = Field(ge=0)  # bytes
    note: str = ""


class Reply(Entry):
    """What an address gave when it was last asked, and how to ask whether that has changed."""

    address: Text
    pin: Pin
    asked: date  # when it last gave the bytes themselves
    etag: str = ""
    modified: str = ""  # Last-Modified, or the publisher's own stamp of the table


class Lock(Entry):
    """The pins of one edition, in the order of their places."""

    snapshots: tuple[Pin, ...]

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        places = [pin.place for pin in self.snapshots]
        if places != sorted(set(places)):
            raise ValueError("snapshots must be sorted by source, table, part and page, each named once")
        return self

    @classmethod
    def of(cls, pins: Iterable[Pin]) -> Self:
        """Pin these snapshots, whatever their order and whatever else they tell."""
        bare = [Pin.model_validate(pin.model_dump(include=set(Pin.model_fields))) for pin in pins]
        return cls(snapshots=tuple(sorted(bare, key=lambda pin: pin.place)))

    def select(self, source: str, table: str) -> tuple[Pin, ...]:
        """Return the pins of one table, by part and page."""
        return tuple(pin for pin in self.snapshots if (pin.source, pin.table) == (source, table))

    def render(self) -> str:
        """Return the lock's text: JSON with one snapshot a line, the same for the same pins."""
        lines = ",\n".join(f" {json.dumps(pin.model_dump(mode='json'))}" for pin in self.snapshots)
        return f'{{"snapshots": [\n{lines}\n]}}\n'


class SnapshotStore:
    """
    A folder of snapshots, `<source>/<sha256>.<format>`, each with its sidecar `<sha256>.sidecar.json`.

    Files are written once and never changed. Every part of a file's path is validated: nothing that a
    source sends ever becomes a path. `<source>/replies/` remembers which address gave which snapshot: it
    spares requests, and may be lost without harm.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def lock(self) -> Lock:
        """
        Read the store's own `sources.lock`.

        Raises
        ------
        SnapshotError
            There is none, or it is no valid lock.
        """
        return read_model(Lock, self.root / LOCK_NAME)

    def write_lock(self, lock: Lock) -> None:
        """Replace the store's own `sources.lock`."""
        write_whole(self.root / LOCK_NAME, lock.render().encode())

    def add(self, snapshot: Snapshot, content: bytes) -> Snapshot:
        """
        Keep `content` with its sidecar.

        Returns
        -------
        kept
            `snapshot`, or the sidecar that the store already had for the same bytes in the same place.

        Raises
        ------
        SnapshotError
            `content` is not what `snapshot` describes, or the store holds the same bytes as another part:
            two addresses that give one reply.
        """
        check_hash(self._content(snapshot), expected=snapshot.sha256, found=sha256(content))
        if not self.holds(snapshot):
            write_whole(self._content(snapshot), content)
        if self._sidecar(snapshot).exists():
            return self.describe(snapshot)
        write_whole(self._sidecar(snapshot), (snapshot.model_dump_json(indent=1) + "\n").encode())
        return snapshot

    def describe(self, pin: Pin) -> Snapshot:
        """
        Read the sidecar of a pin.

        Raises
        ------
        SnapshotError
            It is absent, unreadable, or speaks of another file or another part of a source.
        """
        path = self._sidecar(pin)
        snapshot = read_model(Snapshot, path)
        check_hash(path, expected=pin.sha256, found=snapshot.sha256)
        if snapshot.place != pin.place:
            raise SnapshotError(
                f"{path}: describes {snapshot.place}, not {pin.place}; fetch the source again"
            )
        return snapshot

    def read(self, pin: Pin) -> bytes:
        """
        Return a snapshot's bytes, verified.

        Raises
        ------
        SnapshotError
            The file is absent, or its hash is not the pin's.
        """
        path = self._content(pin)
        try:
            content = path.read_bytes()
        except OSError as error:
            raise SnapshotError(f"{path}: {error.strerror}; fetch the source again") from error
        check_hash(path, expected=pin.sha256, found=sha256(content))
        return content

    def holds(self, pin: Pin) -> bool:
        """Whether a snapshot's bytes are here and unaltered."""
        try:
            self.read(pin)
        except SnapshotError:
            return False
        return True

    def remember(self, reply: Reply) -> None:
        """Note what an address gave."""
        write_whole(self._reply(reply.pin.source, reply.address), reply.model_dump_json(indent=1).encode())

    def recall(self, source: str, address: str) -> Reply | None:
        """Return what an address gave last, if that is still here, described and unaltered."""
        try:
            reply = read_model(Reply, self._reply(source, address))
            self.describe(reply.pin)
            self.read(reply.pin)
        except SnapshotError:
            return None
        return reply if reply.address == address else None

    def snapshots(self) -> list[Snapshot]:
        """
        Describe everything that is held, by place and hash.

        Raises
        ------
        SnapshotError
            A sidecar is unreadable.
        """
        held = [read_model(Snapshot, path) for path in self.root.glob(f"*/*{SIDECAR}")]
        return sorted(held, key=lambda snapshot: (snapshot.place, snapshot.sha256))

    def verify(self) -> list[str]:
        """Say what is wrong with every snapshot that is absent, altered or undescribed."""
        sidecars = sorted(self.root.glob(f"*/*{SIDECAR}"))
        problems = []
        for path in sidecars:
            try:
                self.read(read_model(Snapshot, path))
            except SnapshotError as error:
                problems.append(str(error))
        described = {path.name.removesuffix(SIDECAR) for path in sidecars}
        problems += [
            f"{path}: not whole, or no sidecar describes it; prune the store"
            for path in self._files()
            if path.suffix == UNFINISHED or path.name.partition(".")[0] not in described
        ]
        problems += [
            f"{LOCK_NAME}: {' '.join(map(str, pin.place))} is not in the store; fetch the source again"
            for pin in self._own_pins()
            if pin.sha256 not in described
        ]
        return problems

    def prune(self, locks: Iterable[Lock], *, dry_run: bool = True) -> list[Path]:
        """
        Remove what no lock names.

        Parameters
        ----------
        locks
            The locks of every edition that must stay reproducible; the store's own is always kept.
        dry_run
            Only tell what would be removed.

        Returns
        -------
        removed
            The files, sorted: snapshots with their sidecars, leftovers of a fetch that was killed, and
            memories of replies that are gone.

        Raises
        ------
        SnapshotError
            A fetch is going on: no lock names yet what it brings.
        """
        if dry_run:
            return self._unnamed(locks)
        with self.only_writer():
            removed = self._unnamed(locks)
            for path in removed:
                path.unlink(missing_ok=True)
        return removed

    def only_writer(self) -> AbstractContextManager[None]:
        """Hold the store for one fetch, or for one that removes what no lock names."""
        return sole_writer(self.root, SnapshotError)

    def _unnamed(self, locks: Iterable[Lock]) -> list[Path]:
        pins = [pin for lock in locks for pin in lock.snapshots] + self._own_pins()
        named = {(pin.source, pin.sha256) for pin in pins}
        removed = [
            path
            for path in self._files()
            if path.suffix == UNFINISHED or (path.parent.name, path.name.partition(".")[0]) not in named
        ]
        for path in sorted(self.root.glob("*/replies/*")):
            try:
                pin = read_model(Reply, path).pin
            except SnapshotError:
                removed.append(path)
                continue
            if (pin.source, pin.sha256) not in named:
                removed.append(path)
        return removed

    def _files(self) -> list[Path]:
        return [path for path in sorted(self.root.glob("*/*")) if path.is_file()]

    def _own_pins(self) -> list[Pin]:
        return list(self.lock().snapshots) if (self.root / LOCK_NAME).exists() else []

    def _reply(self, source: str, address: str) -> Path:
        return self.root / source / "replies" / f"{sha256(address.encode())}.json"

    def _content(self, pin: Pin) -> Path:
        return self.root / pin.source / f"{pin.sha256}.{pin.format}"

    def _sidecar(self, pin: Pin) -> Path:
        return self.root / pin.source / f"{pin.sha256}{SIDECAR}"


def locks_under(shelf: Path) -> list[Lock]:
    """
    Read the lock of every edition in a folder, `<shelf>/<edition>/sources.lock`.

    Raises
    ------
    SnapshotError
        One of them is unreadable: then nothing can be said about what may be removed.
    """
    return [read_model(Lock, path) for path in sorted(shelf.glob(f"*/{LOCK_NAME}"))]


def sha256(content: bytes) -> str:
    """Return the SHA-256 of `content` in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def check_hash(path: Path, *, expected: str, found: str) -> None:
    """Refuse a file whose hash is another than expected, naming both."""
    if found != expected:
        raise SnapshotError(
            f"{path}: expected sha256 {expected}, found {found}; it was altered: fetch the source again"
        )


Model = TypeVar("Model", bound=Entry)


def read_model(model: type[Model], path: Path) -> Model:
    """Read a JSON file into a model, or raise a SnapshotError that names the file and what is wrong."""
    try:
        return model.model_validate_json(path.read_bytes())
    except OSError as error:
        raise SnapshotError(f"{path}: {error.strerror}; fetch the source again") from error
    except ValidationError as error:
        raise SnapshotError(f"{path}: {first_problem(error)}") from error


@contextmanager
def sole_writer(folder: Path, error: type[WijkatlasError]) -> Iterator[None]:
    """
    Hold a folder for one writer; the system lets go of it when the program ends, however it ends.

    Raises
    ------
    error
        Another program holds it, or it cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / ".lock").open("w")
    except OSError as problem:
        raise error(f"{folder}: cannot be written ({problem.strerror}); choose another folder") from problem
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as problem:
            raise error(f"{folder}: another run is writing here; wait for it to end") from problem
        yield


def write_whole(path: Path, content: bytes) -> None:
    """Write a file in one go: whoever looks finds it whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.{secrets.token_hex(4)}{UNFINISHED}")
    try:
        unfinished.write_bytes(content)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
