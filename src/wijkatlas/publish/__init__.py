"""Frames in, files out: downloads, maps, pages and the manifest that vouches for them."""

from pathlib import Path

import pandas as pd

from wijkatlas import __version__
from wijkatlas.areas import Level
from wijkatlas.publish.columns import cells
from wijkatlas.publish.contents import Contents
from wijkatlas.publish.downloads import PLURAL, write_csv, write_downloads, write_geoparquet
from wijkatlas.publish.manifest import write_manifest
from wijkatlas.publish.pages import write_pages
from wijkatlas.snapshots import LOCK_NAME, Lock

__all__ = ["Contents", "write_contents"]


def write_contents(contents: Contents, folder: Path) -> None:
    """Write everything an edition holds into an empty folder, and last the manifest that vouches for it."""
    write_data(contents, folder)
    (folder / LOCK_NAME).write_text(Lock.of(contents.sources.snapshots).render(), encoding="utf-8")
    write_pages(contents, folder)
    write_manifest(folder, about(contents))


def write_data(contents: Contents, folder: Path) -> None:
    """Write the downloads of the whole and of each gemeente."""
    write_downloads(contents.frames, folder / "downloads", date=contents.date)
    for level, frame in contents.frames.items():
        write_geoparquet(frame, folder / "downloads" / f"{PLURAL[level]}.parquet")
    figures = {level: cells(a, contents.catalogue) for level, a in contents.assessments.items()}
    for level, frame in figures.items():
        frame.to_parquet(folder / "downloads" / f"{PLURAL[level]}-cijfers.parquet", index=False)
    by_gemeente = {level: _by_gemeente(frame, contents, level) for level, frame in figures.items()}
    if len(contents.changes):
        write_csv(contents.changes, folder / "downloads" / "grenswijzigingen.csv")
    for name, frames in contents.gemeenten():
        place = folder / "gemeenten" / name
        write_downloads(frames, place, date=contents.date)
        code = name[:6]
        for level in frames:
            write_csv(by_gemeente[level][code], place / f"{PLURAL[level]}-cijfers.csv")


def _by_gemeente(figures: pd.DataFrame, contents: Contents, level: Level) -> dict[str, pd.DataFrame]:
    gemeente = figures["code"].map(contents.assessments[level].table.areas["gemeente_code"])
    return dict(tuple(figures.groupby(gemeente, sort=True)))


def about(contents: Contents) -> dict[str, object]:
    """Return what the manifest says of the edition itself."""
    return {
        "edition": contents.id,
        "title": contents.title,
        "sample": contents.sample,
        "peiljaar": contents.year,
        "date": contents.date,
        "wijkatlas": __version__,
        "specification": contents.spec.model_dump(mode="json", by_alias=True),
        "levels": {level.value: _counts(contents, level) for level in contents.assessments},
        "unmatched": contents.unmatched.to_dict(orient="records"),
        "water_left_out": list(contents.sources.water),
        "sources": [s.model_dump(mode="json") for s in contents.sources.snapshots],
        "attribution": [f"Bron: {source.attribution} ({source.licence})" for source in contents.credits],
    }


def _counts(contents: Contents, level: Level) -> dict[str, object]:
    frame = contents.frames[level]
    if "rang" not in frame:
        return {"areas": len(frame)}
    reasons = frame["reden_niet_gescoord"].value_counts().sort_index().to_dict()
    return {"areas": len(frame), "scored": int(frame["rang"].notna().sum()), "not_scored": reasons}
