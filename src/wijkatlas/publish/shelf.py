"""The catalogue of editions: a page and a JSON file at the root of the shelf, for any web server."""

from pathlib import Path

import orjson

from wijkatlas.publish.manifest import MANIFEST
from wijkatlas.publish.pages import render
from wijkatlas.publish.release import EDITIONS, LATEST, list_shelf
from wijkatlas.snapshots import write_whole

INDEX = "index.json"
PAGE = "index.html"


def write_shelf(out: Path) -> None:
    """Write `index.json` and `index.html`, newest edition first, where they are not as they should be."""
    latest = (out / LATEST).resolve().name
    listed = [
        {
            "edition": shelved.folder.name,
            "title": shelved.manifest["title"],
            "sample": shelved.manifest["sample"],
            "peiljaar": shelved.manifest["peiljaar"],
            "date": shelved.manifest["date"],
            "specification": shelved.manifest["specification"]["title"],
            "wijkatlas": shelved.manifest["wijkatlas"],
            "levels": shelved.manifest["levels"],
            "files": len(shelved.manifest["files"]),
            "bytes": sum(file["bytes"] for file in shelved.manifest["files"].values()),
            "latest": shelved.folder.name == latest,
            "page": f"{EDITIONS}/{shelved.folder.name}/index.html",
            "manifest": f"{EDITIONS}/{shelved.folder.name}/{MANIFEST}",
        }
        for shelved in list_shelf(out)
    ]
    style = f"{EDITIONS}/{latest}/assets/style.css"
    options = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
    _write(out / INDEX, orjson.dumps({"editions": listed}, option=options))
    _write(out / PAGE, render("shelf.html", editions=listed, style=style).encode())


def _write(path: Path, content: bytes) -> None:
    if not path.is_file() or path.read_bytes() != content:
        write_whole(path, content)
