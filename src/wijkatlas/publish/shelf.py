"""The catalogue of editions: a page and a JSON file at the root of the shelf, for any web server."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from wijkatlas.publish.manifest import MANIFEST
from wijkatlas.publish.pages import render
from wijkatlas.publish.release import CHANGES, EDITIONS, LATEST, list_shelf
from wijkatlas.snapshots import write_whole

INDEX = "index.json"
PAGE = "index.html"


def write_shelf(out: Path) -> None:
    """
    Write `index.json` and `index.html`, newest edition first, where they are not as they should be.

    The page stands among the editions too, so that `../index.html` leads to it from an edition as well as
    from `latest`. A folder without editions is no shelf, and gets no page.
    """
    listed = list(_entries(out))
    if not listed:
        return
    options = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
    _write(out / INDEX, orjson.dumps({"editions": listed}, option=options))
    for folder, up in ((out, ""), (out / EDITIONS, "../")):
        page = render("shelf.html", edition=None, editions=listed, up=up, root=f"{up}{LATEST}/")
        _write(folder / PAGE, page.encode())


def _entries(out: Path) -> Iterator[dict[str, Any]]:
    """Yield what is told of each edition, newest first."""
    latest = (out / LATEST).resolve().name
    shelf = list_shelf(out)
    compared = {path.parent.name for path in (out / CHANGES).glob(f"[!.]*/{PAGE}")}
    for shelved in shelf:
        name, manifest = shelved.folder.name, shelved.manifest
        yield {
            "edition": name,
            "title": manifest["title"],
            "sample": manifest["sample"],
            "peiljaar": manifest["peiljaar"],
            "date": manifest["date"],
            "specification": manifest["specification"]["title"],
            "wijkatlas": manifest["wijkatlas"],
            "levels": manifest["levels"],
            "files": len(manifest["files"]),
            "bytes": sum(file["bytes"] for file in manifest["files"].values()),
            "latest": name == latest,
            "page": f"{EDITIONS}/{name}/{PAGE}",
            "manifest": f"{EDITIONS}/{name}/{MANIFEST}",
            "changes": [
                {
                    "since": other.folder.name,
                    "title": other.manifest["title"],
                    "date": other.manifest["date"],
                    "page": f"{CHANGES}/{pair}/{PAGE}",
                }
                for other in shelf
                if (pair := f"{other.folder.name}--{name}") in compared
            ],
        }


def _write(path: Path, content: bytes) -> None:
    if not path.is_file() or path.read_bytes() != content:
        write_whole(path, content)
