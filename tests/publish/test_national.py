"""The real country: the files of its gemeenten are together those of the whole."""

import csv
import json
from pathlib import Path

import pytest
import shapely

from national import national_catalogue
from national_edition import national_contents, national_tables
from wijkatlas.areas import Level
from wijkatlas.publish.downloads import write_data

GEMEENTEN = 25


@pytest.fixture(scope="module")
def written(national: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the downloads of the gemeenten with the most buurten."""
    catalogue = national_catalogue()
    tables, spec = national_tables(national, catalogue, GEMEENTEN)
    few = spec.uncertainty.model_copy(update={"replications": 10, "sobol_size": 2})
    quick = spec.model_copy(update={"uncertainty": few})
    folder = tmp_path_factory.mktemp("national")
    write_data(national_contents(national, tables, quick, catalogue), folder)
    return folder


@pytest.mark.national
@pytest.mark.parametrize("level", list(Level))
def test_gemeenten_are_together_the_whole(written: Path, level: Level) -> None:
    whole = json.loads((written / "downloads" / f"{level.plural}.geojson").read_bytes())
    parts = [json.loads(path.read_bytes()) for path in written.glob(f"gemeenten/*/{level.plural}.geojson")]
    assert len(parts) == GEMEENTEN
    together = {feature["id"]: feature for part in parts for feature in part["features"]}
    assert sum(len(part["features"]) for part in parts) == len(together) == len(whole["features"])
    assert together == {feature["id"]: feature for feature in whole["features"]}
    for part in parts:
        box = shapely.unary_union([shapely.box(*feature["bbox"]) for feature in part["features"]]).bounds
        assert part["bbox"] == list(box)
        ranks = [feature["properties"].get("rang") for feature in part["features"]]
        assert ranks == sorted(ranks, key=lambda rank: (rank is None, rank))


@pytest.mark.national
def test_no_shape_is_spoiled_and_no_hole_turned(written: Path) -> None:
    whole = json.loads((written / "downloads" / "buurten.geojson").read_bytes())
    for feature in whole["features"]:
        shape = shapely.geometry.shape(feature["geometry"])
        assert shape.is_valid, feature["id"]
        for polygon in getattr(shape, "geoms", [shape]):
            assert polygon.exterior.is_ccw
            assert not any(hole.is_ccw for hole in polygon.interiors)


@pytest.mark.national
def test_every_single_figure_is_in_one_gemeente(written: Path) -> None:
    catalogue = national_catalogue()
    for folder in sorted(written.glob("gemeenten/*")):
        code = folder.name[:6]
        for level in Level:
            areas = list(csv.DictReader((folder / f"{level.plural}.csv").open(encoding="utf-8")))
            figures = list(csv.DictReader((folder / f"{level.plural}-cijfers.csv").open(encoding="utf-8")))
            assert len(figures) == len(areas) * len(catalogue.indicators)
            assert {row["gemeente_code"] for row in areas} == {code}
            assert {row["code"] for row in figures} == {row[f"{level}_code"] for row in areas}
