"""Ranked areas as GeoJSON, CSV, GeoPackage and GeoParquet, each the same figures."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Self

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from wijkatlas.areas import Level
from wijkatlas.errors import PublishError
from wijkatlas.processes import do_all
from wijkatlas.publish.columns import cells
from wijkatlas.publish.contents import Contents, folder_name
from wijkatlas.publish.geojson import Features
from wijkatlas.publish.geopackage import Records, empty_geopackage, stamped, write_geopackage
from wijkatlas.publish.tables import Lines

NOTICE = "LICENTIE.txt"


@dataclass(frozen=True)
class Layer:
    """The rows of one level, each written out once for all the files that it is in."""

    records: Records
    features: Features
    csv: Lines
    excel: Lines
    figures: Lines  # every single figure with its provenance: see `columns.cells`

    @classmethod
    def of(cls, frame: gpd.GeoDataFrame, figures: pd.DataFrame) -> Self:
        """Write out a whole level."""
        table = pd.DataFrame(frame.drop(columns="geometry"))
        return cls(
            Records.of(frame),
            Features.of(frame),
            Lines.of(table),
            Lines.for_excel(table),
            Lines.of(figures),
        )

    def by_gemeente(self, frame: gpd.GeoDataFrame, figures: pd.DataFrame) -> dict[str, Self]:
        """Return the rows of each gemeente by its code; `frame` and `figures` are what this was made of."""
        own = frame["gemeente_code"]
        figures_of = places_by(figures["code"].map(own))
        return {
            code: type(self)(
                self.records.take(places),
                self.features.take(places),
                self.csv.take(places),
                self.excel.take(places),
                self.figures.take(figures_of[code]),
            )
            for code, places in places_by(own).items()
        }


def places_by(groups: pd.Series) -> dict[str, NDArray[np.intp]]:
    """Return the places of each group's rows, in order."""
    return {str(group): np.asarray(places) for group, places in groups.groupby(groups).indices.items()}


def write_data(contents: Contents, folder: Path) -> None:
    """Write the downloads of the whole and of each gemeente."""
    whole, gemeenten = folder / "downloads", folder / "gemeenten"
    whole.mkdir()
    layers: dict[Level, Layer] = {}
    parts: dict[str, dict[Level, Layer]] = {}
    for level, frame in contents.frames.items():
        figures = cells(contents.assessments[level], contents.catalogue)
        layers[level] = Layer.of(frame, figures)
        for code, part in layers[level].by_gemeente(frame, figures).items():
            parts.setdefault(code, {})[level] = part
        write_geoparquet(frame, whole / f"{level.plural}.parquet", contents.terms)
        write_parquet(figures, whole / f"{level.plural}-cijfers.parquet", contents.terms)
    if len(contents.changes):
        Lines.of(contents.changes).write(whole / "grenswijzigingen.csv")
    names = contents.frames[Level.GEMEENTE].set_index("gemeente_code")["gemeente_naam"]
    with stamped(contents.date):
        records = {level: layer.records for level, layer in layers.items()}
        empty = empty_geopackage(records, contents, whole)

        def write_gemeente(code: str) -> None:
            place = gemeenten / folder_name(code, names[code])
            place.mkdir(parents=True)
            write_layers(parts[code], place, contents=contents, empty=empty)
            for level, layer in parts[code].items():
                layer.figures.write(place / f"{level.plural}-cijfers.csv")

        def write_whole() -> None:
            write_layers(layers, whole, contents=contents, empty=empty)

        do_all([write_whole, *(partial(write_gemeente, code) for code in sorted(parts))], PublishError)


def write_layers(layers: Mapping[Level, Layer], folder: Path, *, contents: Contents, empty: bytes) -> None:
    """Write the rows of one region: for each level a file in each text format, and one GeoPackage."""
    for level, layer in layers.items():
        name = level.plural
        members = {"name": name, "title": contents.title, **contents.terms}
        layer.features.write(folder / f"{name}.geojson", members)
        layer.csv.write(folder / f"{name}.csv")
        layer.excel.write(folder / f"{name}-excel.csv")
    records = {level: layer.records for level, layer in layers.items()}
    write_geopackage(records, folder / "gebieden.gpkg", empty)
    (folder / NOTICE).write_text(f"{contents.title}\n{contents.notice}\n", encoding="utf-8")


def write_geoparquet(frame: gpd.GeoDataFrame, path: Path, terms: Mapping[str, str]) -> None:
    """Write GeoParquet 1.1 (EPSG:28992) with a bounding box a row and its source and licence."""
    buffer = BytesIO()
    frame.to_parquet(buffer, index=False, schema_version="1.1.0", write_covering_bbox=True)
    _write_parquet(pq.read_table(buffer), path, terms)


def write_parquet(frame: pd.DataFrame, path: Path, terms: Mapping[str, str]) -> None:
    """Write Parquet with its source and licence."""
    _write_parquet(pa.Table.from_pandas(frame, preserve_index=False), path, terms)


def _write_parquet(table: pa.Table, path: Path, terms: Mapping[str, str]) -> None:
    table = table.replace_schema_metadata({**table.schema.metadata, **terms})
    pq.write_table(table, path, compression="zstd")
