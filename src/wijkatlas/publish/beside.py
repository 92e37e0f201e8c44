"""What stands beside the editions on a shelf: a page that leads into an edition, and tables."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pandas as pd

from wijkatlas.catalog import Source
from wijkatlas.publish.contents import folder_name
from wijkatlas.publish.pages import render
from wijkatlas.publish.release import written_aside
from wijkatlas.publish.tables import Lines


def write_beside(
    place: Path,
    edition: Path,
    manifest: Mapping[str, Any],
    sources: tuple[Source, ...],
    tables: Mapping[str, pd.DataFrame],
    template: str,
    **context: object,
) -> None:
    """
    Write a page about an edition, and tables as CSV for programs and for Excel, in one rename.

    Parameters
    ----------
    place
        The folder to write. The same input gives the same bytes.
    edition
        The edition's folder, to whose pages and styles the page leads.
    manifest, sources
        The edition's manifest, and whom to credit.
    tables
        By name of the file.
    template
        Of the page, and what it needs besides the edition.

    Raises
    ------
    PublishError
        It could not be written; what stood there is as it was.
    """
    with written_aside(place) as aside:
        for name, table in tables.items():
            Lines.of(table).write(aside / f"{name}.csv")
            Lines.for_excel(table).write(aside / f"{name}-excel.csv")
        page = render(
            template,
            here="",
            root=quote(os.path.relpath(edition.resolve(), place.resolve())) + "/",
            edition=about(manifest, sources),
            scope=manifest["sample"] or "Nederland",
            folder_name=folder_name,
            **context,
        )
        (aside / "index.html").write_text(page, encoding="utf-8")


def about(manifest: Mapping[str, Any], sources: tuple[Source, ...]) -> dict[str, Any]:
    """Return what every page says of its edition, from the edition's manifest."""
    return {
        "id": manifest["edition"],
        "title": manifest["title"],
        "sample": manifest["sample"],
        "year": manifest["peiljaar"],
        "date": manifest["date"],
        "credits": sources,
    }
