"""Atlas: the maps of one edition, of the whole and of each gemeente."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from markupsafe import Markup

from wijkatlas.areas import Level
from wijkatlas.publish.contents import Contents
from wijkatlas.publish.layers import map_layers, map_level, split_by_gemeente
from wijkatlas.publish.map import Html, MapText, asset, leaflet_html, map_html, write_map
from wijkatlas.publish.payload import sheets_of

# Detail of the map of one gemeente, finer than that of the whole.
TOLERANCE_M = 3
GRID_M = 1


class Atlas:
    """
    The maps of an edition.

    Parameters
    ----------
    contents
        The edition.
    texts
        The section `map` of the pages' texts.
    """

    def __init__(self, contents: Contents, texts: Mapping[str, Any]) -> None:
        credits_ = [source.attribution for source in contents.credits]
        self._text = MapText(
            title=f"{texts['title']} {contents.title}",
            caveat=texts["caveat"],
            attribution=texts["attribution"].format(year=contents.year, sources="; ".join(credits_)),
            sources=tuple(f"{source.attribution} ({source.licence})" for source in contents.credits),
            note=texts["sample"].format(sample=contents.sample) if contents.sample else "",
            links=tuple(texts["links"].items()),
        )
        self._layers = map_layers(contents, texts)
        levels = [map_level(contents, level, texts["levels"][level], self._layers) for level in Level]
        self._sheets = sheets_of(levels, self._layers)
        self._parts = [split_by_gemeente(sheet) for sheet in self._sheets[:-1]]

    def write_whole(self, path: Path) -> None:
        """Write the map of the whole as one page with everything in it."""
        write_map(path, self._sheets, self._layers, self._text)

    def write_shared(self, folder: Path) -> None:
        """Write the styles and scripts that the maps of all gemeenten share."""
        leaflet, any_map = leaflet_html(), self._pieces(min(self._parts[0]))
        (folder / "leaflet.css").write_text(_inside(leaflet.style), encoding="utf-8")
        (folder / "leaflet.js").write_text(_inside(leaflet.script), encoding="utf-8")
        (folder / "map.css").write_text(asset("map.css"), encoding="utf-8")
        (folder / "map.js").write_text(_inside(any_map.script), encoding="utf-8")

    def map_of(self, gemeente: str) -> Markup:
        """Return the map of one gemeente, by its code, for a page that has the shared styles and scripts."""
        return self._pieces(gemeente).body

    def _pieces(self, gemeente: str) -> Html:
        sheets = [part[gemeente] for part in self._parts]
        return map_html(sheets, self._layers, self._text, tolerance_m=TOLERANCE_M, grid_m=GRID_M)


def _inside(element: Markup) -> str:
    """Return the text of a `<style>` or `<script>`."""
    return str(element)[element.index(">") + 1 : element.rindex("<")]
