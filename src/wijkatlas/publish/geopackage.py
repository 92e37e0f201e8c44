"""GeoPackage: a layer a level in EPSG:28992, each with its style for QGIS."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any, Self

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely
from numpy.typing import NDArray
from pyogrio.errors import DataLayerError, DataSourceError, FeatureError, FieldError, GeometryError
from pyogrio.raw import write

from wijkatlas.areas import Level
from wijkatlas.errors import PublishError
from wijkatlas.geometry import RD_NEW
from wijkatlas.publish.columns import fields
from wijkatlas.publish.contents import Contents
from wijkatlas.publish.layers import CLASSES
from wijkatlas.publish.payload import quantile_limits
from wijkatlas.publish.qgis import style

FAILURES = (DataLayerError, DataSourceError, FeatureError, FieldError, GeometryError)
STYLES = "layer_styles"  # the table in which QGIS looks for them
GEOMETRY = "geom"
VERSION = "1.3"  # what the QGIS and ArcGIS of some years ago read without a warning

ONE_AT_A_TIME = Lock()  # GDAL's options are those of the whole process


@contextmanager
def stamped(date: str) -> Iterator[None]:
    """Let GDAL stamp files with an edition's own date, and leave it to the shelf that they are whole."""
    options = {
        "OGR_CURRENT_DATE": f"{date}T00:00:00.000Z",
        "OGR_SQLITE_SYNCHRONOUS": "OFF",
        "OGR_SQLITE_JOURNAL": "OFF",
    }
    with ONE_AT_A_TIME:
        pyogrio.set_gdal_config_options(options)
        try:
            yield
        finally:
            pyogrio.set_gdal_config_options(dict.fromkeys(options))


@dataclass(frozen=True)
class Records:
    """The rows of one level as GDAL takes them, so that each is converted once for all its files."""

    names: list[str]
    values: list[NDArray[np.generic]]  # (n,) each; whatever stands where a value is missing
    missing: list[NDArray[np.bool_]]  # (n,) each
    shapes: NDArray[np.object_]  # (n,) WKB

    @classmethod
    def of(cls, frame: gpd.GeoDataFrame) -> Self:
        """Convert a level (EPSG:28992), in the order of its rows."""
        names = [name for name in frame.columns if name != frame.geometry.name]
        values = [_array(frame[name]) for name in names]
        missing = [frame[name].isna().to_numpy() for name in names]
        return cls(names, values, missing, shapely.to_wkb(frame.geometry.to_numpy()))

    def take(self, rows: NDArray[np.intp]) -> Self:
        """Return some of the rows."""
        values, missing = [each[rows] for each in self.values], [each[rows] for each in self.missing]
        return type(self)(self.names, values, missing, self.shapes[rows])


def _array(column: pd.Series) -> NDArray[np.generic]:
    match column.dtype.kind:
        case "i":
            return column.fillna(0).to_numpy(np.int64)
        case "b":
            return column.fillna(value=False).to_numpy(np.bool_)
        case "f":
            return column.to_numpy(np.float64)
        case _:
            return column.astype(object).where(column.notna(), None).to_numpy()


def empty_geopackage(layers: Mapping[Level, Records], contents: Contents, folder: Path) -> bytes:
    """
    Make the GeoPackage that every one of an edition begins as: its layers, without rows, and their styles.

    Making its tables takes longer than filling those of a gemeente. It is made in `folder`, and does not
    stay there.

    Raises
    ------
    PublishError
        The file cannot be written.
    """
    nowhere = np.array([], np.intp)
    path = folder / "leeg.gpkg"
    with _failing_in_words(path):
        for level, records in layers.items():
            told = {"IDENTIFIER": level.plural.capitalize(), "DESCRIPTION": contents.notice}
            new = {"dataset_options": {"VERSION": VERSION}, "layer_options": told, "geometry_name": GEOMETRY}
            _write(path, level, records.take(nowhere), **new)
        pyogrio.write_dataframe(layer_styles(contents), path, driver="GPKG", layer=STYLES)
        empty = path.read_bytes()
        path.unlink()
        return empty


def write_geopackage(layers: Mapping[Level, Records], path: Path, empty: bytes) -> None:
    """
    Write one GeoPackage; deterministic while `stamped`.

    Parameters
    ----------
    layers
        The rows of each level, in the order in which they are published.
    path
        The file.
    empty
        What `empty_geopackage` returns.

    Raises
    ------
    PublishError
        The file cannot be written.
    """
    path.write_bytes(empty)
    with _failing_in_words(path):
        for level, records in layers.items():
            _write(path, level, records, append=True)


@contextmanager
def _failing_in_words(path: Path) -> Iterator[None]:
    try:
        yield
    except FAILURES as error:
        told = " ".join(str(error).split())
        raise PublishError(f"{path}: could not be written ({told}); is the disk full?") from error


def _write(path: Path, level: Level, records: Records, **how: Any) -> None:  # noqa: ANN401
    write(
        path,
        records.shapes,
        records.values,
        records.names,
        records.missing,
        driver="GPKG",
        layer=level.plural,
        crs=f"EPSG:{RD_NEW}",
        encoding="utf-8",
        geometry_type="MultiPolygon",  # of every layer, whatever a region happens to hold
        promote_to_multi=True,
        **how,
    )


def layer_styles(contents: Contents) -> pd.DataFrame:
    """
    Return the rows of the table of styles, one a level.

    Class limits are those of all buurten, as on the maps, so that a colour means the same everywhere.
    """
    limits = quantile_limits(contents.frames[Level.BUURT]["score"], CLASSES, 1)
    labels = [certainty.label for certainty in contents.spec.uncertainty.classes]
    rows = []
    for level, frame in contents.frames.items():
        columns = [field for field in fields(contents.catalogue, level) if field.name in frame]
        shown = next(name for name in ("score", "gemiddelde_score") if name in frame)
        doubtful = labels[-2] if "klasse" in frame else ""
        rows.append(
            {
                "f_table_catalog": "",
                "f_table_schema": "",
                "f_table_name": level.plural,
                "f_geometry_column": GEOMETRY,
                "styleName": "wijkatlas",
                "styleQML": style(shown, limits, columns, doubtful=doubtful),
                "styleSLD": "",
                "useAsDefault": True,
                "description": f"Score van {level.plural}, zoals op de kaarten",
                "owner": "",
                "ui": "",
                "update_time": pd.Timestamp(contents.date),
            }
        )
    return pd.DataFrame(rows)
