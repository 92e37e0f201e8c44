"""The real country: the files of its gemeenten are together those of the whole."""

from collections import Counter
from pathlib import Path

import orjson
import pandas as pd
import pytest
import shapely

from national import national_catalogue
from national_edition import national_contents, national_tables
from wijkatlas.areas import Level
from wijkatlas.publish.downloads import write_data

GEMEENTEN = 342
EACH = 10  # buurten of a gemeente, so that all gemeenten take no longer than the largest would whole


@pytest.fixture(scope="module")
def written(national: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the downloads of all gemeenten."""
    catalogue = national_catalogue()
    tables, spec = national_tables(national, catalogue, GEMEENTEN, EACH)
    few = spec.uncertainty.model_copy(update={"replications": 10, "sobol_size": 2})
    quick = spec.model_copy(update={"uncertainty": few})
    folder = tmp_path_factory.mktemp("national")
    write_data(national_contents(national, tables, quick, catalogue), folder)
    return folder


@pytest.mark.national
@pytest.mark.parametrize("level", list(Level))
def test_gemeenten_are_together_the_whole(written: Path, level: Level) -> None:
    whole = orjson.loads((written / "downloads" / f"{level.plural}.geojson").read_bytes())
    parts = [orjson.loads(path.read_bytes()) for path in written.glob(f"gemeenten/*/{level.plural}.geojson")]
    assert len(parts) == GEMEENTEN
    together = {feature["id"]: feature for part in parts for feature in part["features"]}
    assert sum(len(part["features"]) for part in parts) == len(together) == len(whole["features"])
    assert together == {feature["id"]: feature for feature in whole["features"]}
    for part in parts:
        boxes = shapely.box(*zip(*(feature["bbox"] for feature in part["features"]), strict=True))
        assert part["bbox"] == shapely.total_bounds(boxes).tolist()
        ranks = [feature["properties"].get("rang") for feature in part["features"]]
        assert ranks == sorted(ranks, key=lambda rank: (rank is None, rank))


@pytest.mark.national
@pytest.mark.parametrize("level", list(Level))
@pytest.mark.parametrize("ending", [".csv", "-excel.csv"])
def test_rows_of_the_gemeenten_are_together_those_of_the_whole(
    written: Path, level: Level, ending: str
) -> None:
    header, *whole = (written / "downloads" / f"{level.plural}{ending}").read_bytes().splitlines()
    together = []
    for path in written.glob(f"gemeenten/*/{level.plural}{ending}"):
        own, *rows = path.read_bytes().splitlines()
        assert own == header
        together += rows
    assert len(whole) > GEMEENTEN or level is Level.GEMEENTE
    assert sorted(together) == sorted(whole)


@pytest.mark.national
def test_no_shape_is_spoiled_and_no_hole_turned(written: Path) -> None:
    whole = orjson.loads((written / "downloads" / "buurten.geojson").read_bytes())
    shapes = shapely.from_geojson([orjson.dumps(feature["geometry"]) for feature in whole["features"]])
    assert shapely.is_valid(shapes).all()
    polygons = shapely.get_parts(shapes)
    assert shapely.is_ccw(shapely.get_exterior_ring(polygons)).all()
    rings = shapely.get_rings(polygons)
    assert shapely.is_ccw(rings).sum() == len(polygons) < len(rings)  # no hole is


@pytest.mark.national
def test_every_single_figure_is_in_one_gemeente(written: Path) -> None:
    indicators = len(national_catalogue().indicators)
    for folder in sorted(written.glob("gemeenten/*")):
        for level in Level:
            areas = pd.read_csv(folder / f"{level.plural}.csv", usecols=[f"{level}_code", "gemeente_code"])
            assert set(areas["gemeente_code"]) == {folder.name[:6]}
            _, *figures = (folder / f"{level.plural}-cijfers.csv").read_text(encoding="utf-8").splitlines()
            count = Counter(line.partition(",")[0] for line in figures)
            assert count == dict.fromkeys(areas[f"{level}_code"], indicators)
