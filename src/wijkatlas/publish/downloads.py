"""Ranked areas as GeoJSON, CSV, GeoPackage and GeoParquet, each the same figures."""

import csv
from collections.abc import Mapping
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pyogrio

from wijkatlas.areas import Level
from wijkatlas.geometry import to_wgs84

PLURAL = {Level.BUURT: "buurten", Level.WIJK: "wijken", Level.GEMEENTE: "gemeenten"}


def write_geojson(frame: gpd.GeoDataFrame, path: Path) -> None:
    """Write RFC 7946 GeoJSON: WGS84, six decimals, rings oriented, `id` the area code, rows as they stand."""
    features = to_wgs84(frame)
    features.insert(0, "id", features.iloc[:, 0])
    pyogrio.write_dataframe(
        features,
        path,
        driver="GeoJSON",
        RFC7946="YES",
        COORDINATE_PRECISION=6,
        ID_FIELD="id",
        WRITE_NAME="NO",
        WRITE_BBOX="YES",
    )


def write_csv(frame: pd.DataFrame, path: Path) -> None:
    """Write CSV for programs: UTF-8, comma, decimal point, an empty field for a missing figure."""
    frame.to_csv(path, index=False, lineterminator="\n")


def write_excel_csv(frame: pd.DataFrame, path: Path) -> None:
    """Write CSV for Dutch Excel: semicolon, decimal comma, byte-order mark; no text can start a formula."""
    texts: list[str] = list(frame.select_dtypes("str").columns)
    safe = frame.copy()
    safe[texts] = safe[texts].map(
        lambda text: f"'{text}" if text[:1] in "=+-@\t\r" else text, na_action="ignore"
    )
    safe.to_csv(
        path,
        index=False,
        sep=";",
        decimal=",",
        encoding="utf-8-sig",
        lineterminator="\r\n",
        quoting=csv.QUOTE_MINIMAL,
    )


def write_geopackage(frames: Mapping[Level, gpd.GeoDataFrame], path: Path, *, date: str) -> None:
    """Write one GeoPackage with a layer a level (EPSG:28992), stamped with the edition's own date."""
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": f"{date}T00:00:00.000Z"})
    try:
        for level, frame in frames.items():
            pyogrio.write_dataframe(frame, path, driver="GPKG", layer=PLURAL[level])
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": None})


def write_downloads(frames: Mapping[Level, gpd.GeoDataFrame], folder: Path, *, date: str) -> None:
    """Write every format of one region into `folder`: a file a level, and one GeoPackage with all levels."""
    folder.mkdir(parents=True, exist_ok=True)
    for level, frame in frames.items():
        name = PLURAL[level]
        plain = pd.DataFrame(frame.drop(columns="geometry"))
        write_geojson(frame, folder / f"{name}.geojson")
        write_csv(plain, folder / f"{name}.csv")
        write_excel_csv(plain, folder / f"{name}-excel.csv")
    write_geopackage(frames, folder / "gebieden.gpkg", date=date)


def write_geoparquet(frame: gpd.GeoDataFrame, path: Path) -> None:
    """Write GeoParquet 1.1 (EPSG:28992) with a bounding box a row."""
    frame.to_parquet(path, index=False, schema_version="1.1.0", write_covering_bbox=True, compression="zstd")
