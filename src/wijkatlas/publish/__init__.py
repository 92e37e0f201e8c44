"""Frames in, files out: downloads, maps, pages and the manifest that vouches for them."""

from pathlib import Path

from wijkatlas import __version__
from wijkatlas.areas import Level
from wijkatlas.publish.compress import write_gzip_copies
from wijkatlas.publish.contents import Contents
from wijkatlas.publish.datapackage import write_datapackage
from wijkatlas.publish.dcat import write_dcat
from wijkatlas.publish.dictionary import write_dictionaries
from wijkatlas.publish.downloads import write_data
from wijkatlas.publish.manifest import write_manifest
from wijkatlas.publish.pages import write_pages
from wijkatlas.publish.schema import write_schemas
from wijkatlas.snapshots import LOCK_NAME, Lock

__all__ = ["Contents", "write_contents"]


def write_contents(contents: Contents, folder: Path) -> None:
    """Write everything an edition holds into an empty folder, and last the manifest that vouches for it."""
    write_data(contents, folder)
    write_schemas(contents, folder / "downloads" / "schema")
    write_datapackage(contents, folder / "downloads")
    write_dictionaries(contents, folder / "downloads")
    write_dcat(contents, folder)
    (folder / LOCK_NAME).write_text(Lock.of(contents.sources.snapshots).render(), encoding="utf-8")
    write_pages(contents, folder)
    write_gzip_copies(folder)
    write_manifest(folder, about(contents))


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
        "variant": contents.variant.model_dump(mode="json", by_alias=True),
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
