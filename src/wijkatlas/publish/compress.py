"""Gzip copies beside the files, for servers that hand them out as they are (nginx: `gzip_static on`)."""

import gzip
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

TEXT = frozenset({".geojson", ".csv", ".json", ".jsonld", ".html", ".js", ".css", ".svg"})
AT_LEAST = 1400  # bytes: a smaller file fits in one packet anyway
PAYS_BELOW = 0.9  # of the size: a map's page holds mostly what is compressed already
LEVEL = 6


def write_gzip_copies(folder: Path) -> None:
    """Write `<file>.gz` beside each file of text in `folder` where that saves anything."""
    paths = sorted(path for path in folder.rglob("*") if path.suffix in TEXT)
    with ThreadPoolExecutor() as pool:
        list(pool.map(write_gzip_copy, paths))


def write_gzip_copy(path: Path) -> None:
    """Write a gzip copy without a clock or a name in it, if it is worth having."""
    content = path.read_bytes()
    if len(content) < AT_LEAST:
        return
    packed = gzip.compress(content, LEVEL, mtime=0)
    if len(packed) < PAYS_BELOW * len(content):
        path.with_name(f"{path.name}.gz").write_bytes(packed)
