"""Payload: what one map page shows, layers and levels, packed into one block of text."""

import base64
import gzip
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Self

import geopandas as gpd
import numpy as np
import orjson
import pandas as pd
import shapely
from numpy.typing import NDArray

from wijkatlas.areas import Level
from wijkatlas.errors import PublishError, some
from wijkatlas.geometry import (
    RD_NEW,
    WEB_MERCATOR,
    Geometries,
    clean_coverage,
    dissolve,
    simplify_coverage,
    transformer,
)
from wijkatlas.publish.columns import worse_than
from wijkatlas.publish.topology import FINER, Integers, Topology, build_topology, varint_sizes, varints

# ColorBrewer YlGnBu-6 and PuOr-7 without their darkest ends, on which a dark border would not show.
SEQUENTIAL = ("#ffffcc", "#c7e9b4", "#7fcdbb", "#41b6c4", "#2c7fb8")
DIVERGING = ("#998ec3", "#d8daeb", "#f7f7f7", "#fee0b6", "#f1a340")
BORDER = "#1a1a1a"

# Web Mercator stretches the Netherlands (52 degrees north) by this much.
STRETCH = 1.63

# Numbers of steps that the page can read.
LARGEST = 2**30

# Attributes that the page knows by name, with the decimals they are published with (None: text).
KNOWN: Mapping[str, int | None] = {
    "naam": None,
    "gemeente": None,
    "rang": 0,
    "rang_p05": 0,
    "rang_p95": 0,
    "kans_top10": 3,
    "klasse": None,
    "reden_niet_gescoord": None,
}


@dataclass(frozen=True)
class MapLayer:
    """
    One thing that the map can show: the score, a domain, an indicator, a class.

    `id` is its column in every level's attributes. `worse` says which end is reason to invest, None where
    neither is; `counted` layers are those of the filter "at least k figures worse than in p% of the areas".
    `limits` are the lowest values of the second and following classes; without them they are
    quantiles of the finest level. `classes` are the names of a layer of kind "class", most urgent first.
    With `threshold` the reader can ask for areas at or above a value; `hatched` marks areas whose
    klasse is "onzeker".
    """

    id: str
    label: str
    group: str
    unit: str = ""
    decimals: int = 0
    explanation: str = ""
    kind: Literal["sequential", "diverging", "class"] = "sequential"
    worse: Literal["high", "low"] | None = None
    limits: tuple[float, ...] = ()
    classes: tuple[str, ...] = ()
    threshold: bool = False
    counted: bool = False
    hatched: bool = False


@dataclass(frozen=True)
class MapLevel:
    """
    One level's areas and what is known of them; every frame is indexed by area code.

    `attributes` holds every layer's column and those of `KNOWN` that there are. `status`, `peiljaar` and
    `contributions` have layer ids as columns: why a figure is what it is, the year it describes, and its
    contribution to the gap between the area's score and the median. `notes` are further texts for the
    reason card, a column a heading.
    """

    level: Level
    label: str
    areas: gpd.GeoDataFrame
    attributes: pd.DataFrame
    status: pd.DataFrame = field(default_factory=pd.DataFrame)
    peiljaar: pd.DataFrame = field(default_factory=pd.DataFrame)
    contributions: pd.DataFrame = field(default_factory=pd.DataFrame)
    notes: pd.DataFrame = field(default_factory=pd.DataFrame)


@dataclass(frozen=True)
class Columns:
    """Columns that are packed alike: numbers, or texts that share one list."""

    names: tuple[str, ...]
    cells: NDArray[Any]  # (n, k): whole steps, NaN where there is none; or texts, null where there is none
    decimals: tuple[int, ...] = ()  # of which a step is one, by column; none for texts
    sparse: bool = False  # a column without any text is left out

    @classmethod
    def of(cls, frame: pd.DataFrame, decimals: Sequence[int] | None = None, *, sparse: bool = False) -> Self:
        """
        Take a frame's columns: numbers with so many `decimals`, or else texts.

        Raises
        ------
        PublishError
            A number is larger than the page can read.
        """
        names = tuple(map(str, frame))
        if decimals is None:
            return cls(names, frame.to_numpy(dtype=object), sparse=sparse)
        figures = frame.to_numpy(dtype=float, na_value=np.nan)
        steps = np.rint(figures * 10.0 ** np.array(decimals, dtype=int))
        for name, places, column in zip(names, decimals, np.abs(steps).T, strict=True):
            if not np.nanmax(column, initial=0) < LARGEST:
                raise PublishError(f"map: {name} has values too large for {places} decimals")
        return cls(names, steps, tuple(decimals))

    def take(self, rows: NDArray[np.intp]) -> Self:
        """Return some of the rows."""
        return replace(self, cells=self.cells[rows])

    def pack(self) -> Iterator[tuple[dict[str, Any], bytes]]:
        """Yield each column's description, and its cells as variable-length integers; 0 is a null."""
        if self.sparse:
            held = np.flatnonzero(~pd.isna(self.cells).all(axis=0))
            told = replace(self, names=tuple(self.names[j] for j in held), cells=self.cells[:, held])
        else:
            told = self
        values, heads = told._as_steps() if told.decimals else told._as_places()
        data, sizes = varints(values.ravel()), varint_sizes(values).sum(axis=1)
        for name, head, size, end in zip(told.names, heads, sizes, np.cumsum(sizes), strict=True):
            yield {"id": name, "bytes": int(size), **head}, data[end - size : end]

    def _as_steps(self) -> tuple[Integers, list[dict[str, Any]]]:
        """Return the steps above each column's lowest, plus 1."""
        known = ~np.isnan(self.cells)
        lowest = np.min(self.cells, axis=0, initial=LARGEST, where=known) * known.any(axis=0)
        values = np.where(known, self.cells - lowest + 1, 0).T.astype(np.int64)
        described = zip(self.decimals, lowest, strict=True)
        return values, [{"decimals": places, "lowest": int(low)} for places, low in described]

    def _as_places(self) -> tuple[Integers, list[dict[str, Any]]]:
        """Return the texts' places in one list of all of them, plus 1."""
        places, texts = pd.factorize(self.cells.ravel())
        listed = [str(text) for text in texts]
        return places.reshape(self.cells.shape).T + 1, [{"texts": listed}] * len(self.names)


@dataclass(frozen=True)
class Sheet:
    """A level as the page gets it, in the order of the codes: made once for all the maps that it is on."""

    level: Level
    label: str
    codes: pd.Index
    shapes: Geometries  # EPSG:28992
    columns: tuple[Columns, ...]

    def take(self, rows: NDArray[np.intp]) -> Self:
        """Return some of the areas."""
        columns = tuple(columns.take(rows) for columns in self.columns)
        return replace(self, codes=self.codes[rows], shapes=self.shapes[rows], columns=columns)

    def without(self, name: str) -> Self:
        """Leave out what stands in columns of its own."""
        return replace(self, columns=tuple(columns for columns in self.columns if columns.names != (name,)))

    def of_column(self, name: str) -> NDArray[Any] | None:
        """Return the texts of a column, or its numbers as they are shown; None where there is none such."""
        for columns in self.columns:
            if name in columns.names:
                at = columns.names.index(name)
                cells = columns.cells[:, at]
                return cells / 10.0 ** columns.decimals[at] if columns.decimals else cells
        return None


def sheets_of(levels: Sequence[MapLevel], layers: Sequence[MapLayer]) -> list[Sheet]:
    """
    Lay out levels.

    Raises
    ------
    PublishError
        A layer or level is incomplete, or a figure is larger than the page can read.
    """
    sheets = []
    for level in levels:
        _check(level, layers)
        areas = level.areas.sort_index()
        columns = tuple(_columns(level, areas.index, layers))
        sheets.append(Sheet(level.level, level.label, areas.index, areas.geometry.to_numpy(), columns))
    return sheets


def pack(sheets: Sequence[Sheet], layers: Sequence[MapLayer], *, tolerance_m: float, grid_m: float) -> str:
    """
    Pack shapes and attributes for the page.

    Parameters
    ----------
    sheets
        The levels, finest first.
    layers
        In the order of the page's list.
    tolerance_m
        Detail of the borders, in metres (see `simplify_coverage`).
    grid_m
        Width of a grid cell, in metres on the ground.

    Returns
    -------
    payload
        Base64 of gzip of: a header's length, the header (JSON), the topology, the columns. No byte of it
        can end or start anything in HTML.

    Raises
    ------
    PublishError
        An area vanishes.
    """
    topology = build_topology(_project(_simplify(sheets, tolerance_m)), grid_m * STRETCH)
    described, columns = [], []
    for sheet in sheets:
        packed = [column for own in sheet.columns for column in own.pack()]
        described.append(
            {
                "id": sheet.level,
                "label": sheet.label,
                "codes": sheet.codes.tolist(),
                "columns": [head for head, _ in packed],
            }
        )
        columns += [data for _, data in packed]
    header = {
        "topology": _describe(topology),
        "layers": [_layer(layer, sheets[0]) for layer in layers],
        "border": BORDER,
        "levels": described,
    }
    text = orjson.dumps(header, option=orjson.OPT_SERIALIZE_NUMPY)
    raw = b"".join([varints(np.array([len(text)])), text, topology.encode(), *columns])
    return base64.b64encode(gzip.compress(raw, 9, mtime=0)).decode("ascii")


def _check(level: MapLevel, layers: Sequence[MapLayer]) -> None:
    if level.areas.crs is None or level.areas.crs.to_epsg() != RD_NEW:
        raise PublishError(f"map of {level.label}: areas must be in EPSG:{RD_NEW}")
    codes = level.areas.index
    if not (codes.is_unique and codes.sort_values().equals(level.attributes.index.sort_values())):
        raise PublishError(
            f"map of {level.label}: areas and attributes do not have the same codes, once each"
        )
    absent = [layer.id for layer in layers if layer.id not in level.attributes]
    if absent or "naam" not in level.attributes:
        raise PublishError(f"map of {level.label}: no attributes {some(absent or ['naam'])}")
    ranks = level.attributes.reindex(columns=["rang", "rang_p05", "rang_p95"]).notna()
    alone = level.attributes.index[ranks["rang"] & ~ranks.all(axis=1)]
    if len(alone):
        raise PublishError(f"map of {level.label}: a rank without its interval: {some(alone)}")
    for layer in layers:
        if layer.kind == "class":
            strange = set(level.attributes[layer.id].dropna()) - set(layer.classes)
            if strange:
                raise PublishError(f"map of {level.label}: {layer.id} has other classes: {some(strange)}")


def _simplify(sheets: Sequence[Sheet], tolerance: float) -> list[Geometries]:
    """Simplify the finest level; build the others from it where they consist of its areas."""
    finest = sheets[0]
    simplified = [_simplified(finest, tolerance)]
    for sheet in sheets[1:]:
        parents = parents_of(finest.codes, sheet.level)
        place = sheet.codes.get_indexer(parents)
        area = np.bincount(place[place >= 0], shapely.area(finest.shapes)[place >= 0], len(sheet.codes))
        if (place >= 0).all() and np.allclose(area, shapely.area(sheet.shapes), rtol=0.01):
            simplified.append(dissolve(simplified[0], parents)[sheet.codes].to_numpy())
        else:
            simplified.append(_simplified(sheet, tolerance))
    return simplified


def _simplified(sheet: Sheet, tolerance: float) -> Geometries:
    return simplify_coverage(clean_coverage(sheet.shapes), tolerance)


def parents_of(codes: pd.Index, level: Level) -> pd.Index:
    """Return the code of the area of a coarser `level` that each area lies in: CBS codes nest."""
    digits = {Level.WIJK: 6, Level.GEMEENTE: 4}[level]
    return pd.Index(level.prefix + codes.str[2 : 2 + digits])


def _project(shapes: Sequence[Geometries]) -> list[Geometries]:
    return [shapely.transform(level, transformer(RD_NEW, WEB_MERCATOR)) for level in shapes]


def _describe(topology: Topology) -> dict[str, Any]:
    areas = [area for level in topology.areas for area in level]
    return {
        "origin": topology.origin,
        "step": topology.step,
        "finer": FINER,
        "arcs": len(topology.arcs),
        "coarse": topology.coarse,
        "points": sum(len(arc) for arc in topology.arcs),
        "rings": sum(len(area) for area in areas),
        "uses": sum(len(ring) for area in areas for ring in area),
    }


def _layer(layer: MapLayer, finest: Sheet) -> dict[str, Any]:
    limits: tuple[float, ...] = ()
    if layer.kind != "class":
        limits = layer.limits or quantile_limits(pd.Series(finest.of_column(layer.id)), 5, layer.decimals)
    palette = DIVERGING if layer.kind == "diverging" else SEQUENTIAL
    steps = np.linspace(0, len(palette) - 1, len(layer.classes) or len(limits) + 1)
    colours = [palette[round(step)] for step in steps]
    if layer.kind == "class" or layer.worse == "low":  # the most urgent end is the darkest
        colours.reverse()
    return vars(layer) | {"limits": limits, "colours": colours}


def quantile_limits(values: pd.Series, classes: int, decimals: int) -> tuple[float, ...]:
    """
    Return the lowest value of the second and following classes of about equal size.

    Parameters
    ----------
    values
        Nulls allowed.
    classes
        How many classes there may be; fewer where values are often the same.
    decimals
        With which values are shown, so that a limit is a value that can be read.
    """
    present = values.dropna().round(decimals)
    if present.empty:
        return ()
    cuts = np.quantile(present, np.arange(1, classes) / classes, method="higher")
    return tuple(float(cut) for cut in np.unique(cuts) if cut > present.min())


def _columns(level: MapLevel, index: pd.Index, layers: Sequence[MapLayer]) -> Iterator[Columns]:
    attributes = level.attributes.loc[index]
    known = {name: decimals for name, decimals in KNOWN.items() if name in attributes}
    shown = {layer.id: None if layer.kind == "class" else layer.decimals for layer in layers}
    for name in [name for name, decimals in (shown | known).items() if decimals is None]:
        yield Columns.of(attributes[[name]])
    yield Columns.of(level.status.reindex(index).add_prefix("status:"), sparse=True)
    for name in map(str, level.notes):
        yield Columns.of(level.notes[[name]].reindex(index).add_prefix("note:"))
    numbers = {name: decimals for name, decimals in (shown | known).items() if decimals is not None}
    yield Columns.of(attributes[list(numbers)], list(numbers.values()))
    shares = {
        f"ongunstiger:{layer.id}": worse_than(attributes[layer.id].round(layer.decimals), layer.worse)
        for layer in layers
        if layer.worse
    }
    yield Columns.of(pd.DataFrame(shares, index), [0] * len(shares))
    years = level.peiljaar.reindex(index)
    yield Columns.of(years.add_prefix("peiljaar:"), [0] * years.shape[1])
    gaps = level.contributions.reindex(index)
    finer = [(shown.get(str(name)) or 0) + 2 for name in gaps]
    yield Columns.of(gaps.add_prefix("bijdrage:"), finer)
