"""What an edition was made from and what it holds, so that anyone can check it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from wijkatlas.errors import PublishError, some
from wijkatlas.snapshots import sha256

MANIFEST = "manifest.json"
CHECKSUMS = "SHA256SUMS"
NEEDED = {"edition", "title", "sample", "peiljaar", "date", "wijkatlas", "specification", "levels", "sources"}


def list_files(folder: Path) -> list[str]:
    """Return every file's path relative to the edition, sorted, but for the two that vouch for the rest."""
    paths = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return sorted(path for path in paths if path not in {MANIFEST, CHECKSUMS})


def write_manifest(folder: Path, about: Mapping[str, Any]) -> None:
    """Write `manifest.json` (about the edition, and each file's size and hash) and `SHA256SUMS`."""
    contents = {path: (folder / path).read_bytes() for path in list_files(folder)}
    files = {path: {"bytes": len(data), "sha256": sha256(data)} for path, data in contents.items()}
    manifest = orjson.dumps({**about, "files": files}, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    (folder / MANIFEST).write_bytes(manifest)
    sums = {**{path: entry["sha256"] for path, entry in files.items()}, MANIFEST: sha256(manifest)}
    lines = (f"{digest}  {path}\n" for path, digest in sorted(sums.items()))
    (folder / CHECKSUMS).write_text("".join(lines), encoding="utf-8")


def read_manifest(folder: Path) -> dict[str, Any]:
    """
    Read an edition's manifest.

    Raises
    ------
    PublishError
        There is none, it cannot be read, or it has another form than this version of the program knows.
    """
    manifest = _load(folder)
    if absent := NEEDED - manifest.keys():
        version = manifest.get("wijkatlas", "an unknown version")
        raise PublishError(
            f"{folder}: made by wijkatlas {version}, whose {MANIFEST} this version cannot read "
            f"(it lacks {some(absent)}); read it with that version, or make the edition again"
        )
    return manifest


def _load(folder: Path) -> dict[str, Any]:
    """Read a manifest of any version: all of them list the files with their hashes."""
    try:
        manifest = orjson.loads((folder / MANIFEST).read_bytes())
    except (OSError, orjson.JSONDecodeError) as error:
        raise PublishError(f"{folder}: no readable {MANIFEST}; this is no edition") from error
    files = manifest.get("files") if isinstance(manifest, dict) else None
    if not isinstance(files, dict) or not all(
        isinstance(entry, dict) and isinstance(entry.get("sha256"), str) for entry in files.values()
    ):
        raise PublishError(f"{folder}: {MANIFEST} lists no files with their hashes")
    return dict(manifest)


def verify(folder: Path) -> int:
    """
    Check every file of an edition against its manifest and SHA256SUMS.

    Returns
    -------
    count
        How many files were checked.

    Raises
    ------
    PublishError
        Naming the files that are missing, altered or not listed.
    """
    listed = {path: entry["sha256"] for path, entry in _load(folder)["files"].items()}
    present = set(list_files(folder))
    altered = {
        path for path in present & listed.keys() if sha256((folder / path).read_bytes()) != listed[path]
    }
    listed[MANIFEST] = sha256((folder / MANIFEST).read_bytes())
    expected = "".join(f"{digest}  {path}\n" for path, digest in sorted(listed.items()))
    sums = folder / CHECKSUMS
    if not sums.is_file() or sums.read_text(encoding="utf-8") != expected:
        altered.add(CHECKSUMS)
    problems = {
        "missing": listed.keys() - present - {MANIFEST},
        "altered": altered,
        "not in the manifest": present - listed.keys(),
    }
    told = "; ".join(f"{what}: {some(paths)}" for what, paths in problems.items() if paths)
    if told:
        raise PublishError(f"{folder}: {told}; make the edition again")
    return len(listed)
