"""An edition made again from its own lock, and held against what was published, byte by byte."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from wijkatlas import __version__
from wijkatlas.edition import identify, make_edition
from wijkatlas.errors import PublishError
from wijkatlas.inputs import Settings, load_vocabulary, read
from wijkatlas.publish.manifest import CHECKSUMS, MANIFEST, list_files, read_manifest
from wijkatlas.replay import store_of
from wijkatlas.scoring.spec import ScoreSpec
from wijkatlas.snapshots import LOCK_NAME, Lock, read_model


def rebuild(folder: Path, data: Path, own: Sequence[Path] = ()) -> list[str]:
    """
    Make an edition again somewhere else.

    Parameters
    ----------
    folder
        The edition.
    data
        Where the raw store and the samples are.
    own
        The catalogue files of the own tables that went into the edition.

    Returns
    -------
    differing
        Paths within the edition of the files that are not the same in both, sorted; none is what one hopes.

    Raises
    ------
    PublishError
        The folder is no edition, or this program, catalogue or own table is not what made it.
    SnapshotError, SourceError
        Its snapshots are gone, or cannot be read.
    """
    manifest = read_manifest(folder)
    version = f"use wijkatlas {manifest['wijkatlas']} as it was then"
    try:
        spec, variant = (ScoreSpec.model_validate(manifest[name]) for name in ("specification", "variant"))
    except (KeyError, ValidationError) as error:
        raise PublishError(f"{folder}: its specifications cannot be read; {version}") from error
    lock = folder / LOCK_NAME
    with tempfile.TemporaryDirectory() as out:
        settings = Settings(
            year=manifest["peiljaar"],
            store=store_of(read_model(Lock, lock), data).root,
            out=Path(out),
            sample=manifest["sample"],
            spec=spec,
            variant=variant,
            lock=lock,
            own=tuple(own),
        )
        vocabulary = load_vocabulary(settings)
        again = identify(settings, vocabulary, read(settings, vocabulary), spec, variant)
        if again != manifest["edition"]:
            raise PublishError(
                f"{folder}: made by another program, catalogue or own tables (--own) than those of this "
                f"wijkatlas {__version__}, which makes {again} of it; {version}"
            )
        return compare_files(folder, make_edition(settings))


def compare_files(one: Path, other: Path) -> list[str]:
    """Return the paths within two editions of the files that are not in both with the same bytes."""
    paths = {*list_files(one), *list_files(other), MANIFEST, CHECKSUMS}
    return sorted(path for path in paths if _content(one / path) != _content(other / path))


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None
