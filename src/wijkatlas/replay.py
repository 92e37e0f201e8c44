"""An edition read back: its figures from its own lock, its specification and what it published."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import ValidationError

from wijkatlas.areas import Level, LevelTable
from wijkatlas.catalog import Catalogue, Source
from wijkatlas.errors import PublishError, SnapshotError, some
from wijkatlas.inputs import Settings, load_vocabulary, prepare
from wijkatlas.publish.manifest import read_manifest
from wijkatlas.scoring.spec import ScoreSpec
from wijkatlas.snapshots import LOCK_NAME, Lock, SnapshotStore, read_model

LIST = {
    "gemeente_code": "str",
    "gemeente_naam": "str",
    "rang": "Int32",
    "rang_p05": "Int32",
    "rang_p95": "Int32",
    "kans_top10": "float64",
    "klasse": "str",
    "reden_niet_gescoord": "str",
}


@dataclass(frozen=True)
class Replayed:
    """An edition's inputs, ready to be scored again, and its published lists."""

    folder: Path
    manifest: dict[str, Any]
    spec: ScoreSpec
    tables: dict[Level, LevelTable]
    catalogue: Catalogue  # with the own tables

    def published(self, level: Level) -> pd.DataFrame:
        """
        Return the published list of a level: naam and the columns of `LIST`, by code, sorted.

        Raises
        ------
        PublishError
            The file is absent, or lacks a column.
        """
        path = self.folder / "downloads" / f"{level.plural}.csv"
        kinds = {f"{level}_code": "str", f"{level}_naam": "str", **LIST}
        try:
            # Only an empty field is missing: an area may be called NA.
            frame = pd.read_csv(path, usecols=list(kinds), dtype=kinds, keep_default_na=False, na_values=[""])
        except (OSError, ValueError) as error:
            raise PublishError(f"{path}: {error}; make the edition again") from error
        frame = frame.rename(columns={f"{level}_code": "code", f"{level}_naam": "naam"})
        return frame.set_index("code").sort_index()


def replay(folder: Path, data: Path, own: Sequence[Path] = ()) -> Replayed:
    """
    Read an edition's figures again.

    Parameters
    ----------
    folder
        The edition.
    data
        Where the raw store and the samples are, or one store; whichever holds all that the edition's lock
        names is read.
    own
        The catalogue files of the own tables that went into the edition; no store holds those.

    Raises
    ------
    PublishError
        The folder is no edition, its specification is of a version that this program cannot read, or it
        scores figures of an own table that is not named.
    SnapshotError, SourceError, CatalogueError
        Its snapshots are gone, or they or its own tables cannot be read any more.
    """
    manifest = read_manifest(folder)
    try:
        spec = ScoreSpec.model_validate(manifest["specification"])
    except (KeyError, ValidationError) as error:
        raise PublishError(
            f"{folder}: its specification cannot be read; use wijkatlas {manifest.get('wijkatlas')}"
        ) from error
    lock = folder / LOCK_NAME
    store = store_of(read_model(Lock, lock), data)
    settings = Settings(manifest["peiljaar"], store.root, folder, lock=lock, own=tuple(own))
    vocabulary = load_vocabulary(settings)
    if unknown := set(spec.shares) - set(vocabulary.catalogue.indicators):
        raise PublishError(f"{folder}: scores {some(unknown)}; name the catalogue file of that own table")
    tables = prepare(settings, vocabulary).tables
    return Replayed(folder, manifest, spec, tables, vocabulary.catalogue)


def credits_of(editions: Sequence[Replayed]) -> tuple[Source, ...]:
    """Return the sources that went into any of these editions, each to be credited."""
    used = {snapshot["source"] for edition in editions for snapshot in edition.manifest["sources"]}
    known = {source.id: source for edition in editions for source in edition.catalogue.sources.values()}
    return tuple(source for name, source in known.items() if name in used)


def store_of(lock: Lock, data: Path) -> SnapshotStore:
    """
    Return the first store that holds everything a lock names: `data` itself, or raw or a sample under it.

    Raises
    ------
    SnapshotError
        None does.
    """
    for path in (data, data / "raw", *sorted((data / "sample").glob("*"))):
        store = SnapshotStore(path)
        if path.is_dir() and all(store.holds(pin) for pin in lock.snapshots):
            return store
    raise SnapshotError(f"no store in {data} holds all {len(lock.snapshots)} snapshots of the edition")
