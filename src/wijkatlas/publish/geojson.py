"""GeoJSON as RFC 7946 has it: WGS84, six decimals, rings by the right-hand rule, `id` the area's code."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import geopandas as gpd
import numpy as np
import orjson
import shapely
from numpy.typing import NDArray

from wijkatlas.geometry import to_wgs84
from wijkatlas.publish.tables import plain

DECIMALS = 6  # about a tenth of a metre
REPAIRS = 5  # a repair adds points, which are rounded in turn; two were enough for the whole country


@dataclass(frozen=True)
class Features:
    """Areas written out as GeoJSON, so that each is written once for all the files that it is in."""

    texts: NDArray[np.object_]  # (n,) JSON as bytes
    boxes: NDArray[np.float64]  # (n, 4) west, south, east, north in degrees

    @classmethod
    def of(cls, frame: gpd.GeoDataFrame) -> Self:
        """Write each area of `frame` (EPSG:28992, its code first), in the order of the rows."""
        shapes = outlines(frame)
        boxes = shapely.bounds(shapes)
        names = [name for name in frame.columns if name != frame.geometry.name]
        rows = zip(*(plain(frame[name]) for name in names), strict=True)
        texts = np.empty(len(frame), dtype=object)
        for n, (row, box, outline) in enumerate(zip(rows, boxes, shapely.to_geojson(shapes), strict=True)):
            feature = {
                "type": "Feature",
                "id": row[0],
                "bbox": box.tolist(),
                "properties": dict(zip(names, row, strict=True)),
                "geometry": orjson.Fragment(outline),
            }
            texts[n] = orjson.dumps(feature)
        return cls(texts, boxes)

    def take(self, rows: NDArray[np.intp]) -> Self:
        """Return some of the areas."""
        return type(self)(self.texts[rows], self.boxes[rows])

    def write(self, path: Path, members: Mapping[str, object]) -> None:
        """Write a collection; its foreign `members` (RFC 7946, 6.1) say what it is and whose."""
        box = [*self.boxes[:, :2].min(axis=0).tolist(), *self.boxes[:, 2:].max(axis=0).tolist()]
        head = orjson.dumps({"type": "FeatureCollection", **members, "bbox": box}).removesuffix(b"}")
        path.write_bytes(head + b',"features":[\n' + b",\n".join(self.texts) + b"\n]}\n")


def outlines(frame: gpd.GeoDataFrame) -> NDArray[np.object_]:
    """Return the shapes in WGS84, rounded and valid, outer rings counter-clockwise and holes clockwise."""
    shapes = rounded(to_wgs84(frame).geometry.to_numpy())
    for _ in range(REPAIRS):
        broken = ~shapely.is_valid(shapes)  # where a sliver narrower than the grid folds up
        if not broken.any():
            break
        mended = shapely.make_valid(shapes[broken], method="structure", keep_collapsed=False)
        shapes[broken] = rounded(mended)
    oriented: NDArray[np.object_] = shapely.orient_polygons(shapes)
    return oriented


def rounded(shapes: NDArray[np.object_]) -> NDArray[np.object_]:
    """Round degrees."""
    return shapely.transform(shapes, lambda degrees: degrees.round(DECIMALS))
