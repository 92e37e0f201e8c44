"""The newest filled year of each indicator, carried over to this year's division."""

from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from wijkatlas.areas import Level, Status
from wijkatlas.assemble import assemble
from wijkatlas.catalog import load_catalogue
from wijkatlas.figures import newest_figures
from wijkatlas.sources import Sources, SourceTable

CATALOGUE = load_catalogue()


def division(shapes: dict[str, shapely.Polygon]) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(
        {
            "naam": list(shapes),
            "wijk_code": "WK000100",
            "wijk_naam": "Wijk",
            "gemeente_code": "GM0001",
            "gemeente_naam": "Ergens",
        },
        geometry=list(shapes.values()),
        crs=28992,
        index=pd.Index(list(shapes), name="code"),
    )


def year(number: int, shapes: dict[str, shapely.Polygon], **figures: list[float]) -> Sources:
    frame = pd.DataFrame(figures, index=pd.Index(list(shapes), name="code"))
    table = SourceTable("kwb", f"table of {number}", number, frame, {name: f"{name}_1" for name in frame})
    return Sources(number, {"kwb": table}, division(shapes), (), ())


WEST, MIDDLE, EAST = (shapely.box(x, 0, x + 1000, 1000) for x in (0, 1000, 2000))
NEW = {"BU00010000": WEST, "BU00010001": MIDDLE, "BU00010002": EAST}
# The old division had west and middle as one buurt; east has not changed.
OLD = {"BU00010000": shapely.box(0, 0, 2000, 1000), "BU00010002": EAST}


@pytest.fixture
def sources() -> Sources:
    newest = year(
        2024, NEW, inwoners=[1000, 600, 400], woningvoorraad=[500, 300, 200], bijstand=[np.nan] * 3,
        corporatiebezit=[50, 60, np.nan],
    )  # fmt: skip
    before = year(
        2023, OLD, inwoners=[2000, 400], woningvoorraad=[800, 200], bijstand=[100, 20],
        corporatiebezit=[10, 10], huishoudens_laagste_inkomen=[40, np.nan], huishoudens=[900, 200],
    )  # fmt: skip
    return replace(newest, earlier=(before,))


def test_each_indicator_gets_the_newest_year_that_is_filled(sources: Sources) -> None:
    newest = newest_figures(sources, CATALOGUE)
    assert newest.earlier["bijstand"] == 2023
    assert "corporatiebezit" not in newest.earlier  # 80% of the inhabitants have it
    assert newest.figures.peiljaar["bijstand"].tolist() == [2023] * 3
    assert newest.figures.peiljaar["inwoners"].tolist() == [2024] * 3


def test_carried_figures_keep_their_own_denominator_and_are_marked(sources: Sources) -> None:
    buurten = assemble(sources, CATALOGUE).tables[Level.BUURT]
    assert buurten.values["bijstand"].tolist() == [50.0, 50.0, 50.0]  # 100 of 2,000 and 20 of 400
    assert buurten.denominators["bijstand"].tolist() == [1000.0, 1000.0, 400.0]
    assert buurten.status["bijstand"].tolist() == [Status.CONVERTED, Status.CONVERTED, Status.OBSERVED]
    assert buurten.peiljaar["bijstand"].tolist() == [2023] * 3
    assert buurten.peiljaar["inwoners"].tolist() == [2024] * 3


def test_counts_are_conserved_when_carried(sources: Sources) -> None:
    newest = newest_figures(sources, CATALOGUE)
    assert newest.figures.raw["bijstand"].sum() == 120
    assert newest.figures.denominators["bijstand"].sum() == 2400
    tables = assemble(sources, CATALOGUE).tables
    assert tables[Level.GEMEENTE].values["bijstand"].tolist() == [50.0]
    assert tables[Level.GEMEENTE].peiljaar["bijstand"].tolist() == [2023]


def test_what_is_missing_in_the_earlier_year_stays_missing(sources: Sources) -> None:
    buurten = assemble(sources, CATALOGUE).tables[Level.BUURT]
    low = buurten.values["huishoudens_laagste_inkomen"]
    assert low.isna().tolist() == [False, False, True]
    assert buurten.status["huishoudens_laagste_inkomen"].iloc[2] == Status.NOT_PUBLISHED


def test_a_year_that_is_nowhere_filled_leaves_this_year_as_it_is(sources: Sources) -> None:
    hollow = sources.earlier[0].tables["kwb"]
    hollow = replace(hollow, frame=hollow.frame.assign(bijstand=np.nan))
    before = replace(sources.earlier[0], tables={"kwb": hollow})
    buurten = assemble(replace(sources, earlier=(before,)), CATALOGUE).tables[Level.BUURT]
    assert buurten.values["bijstand"].isna().all()
    assert (buurten.status["bijstand"] == Status.NOT_PUBLISHED).all()


def test_the_changes_of_the_division_are_listed(sources: Sources) -> None:
    changes = assemble(sources, CATALOGUE).changes
    assert set(changes["wijziging"]) == {"gesplitst"}
    assert set(changes["nieuwe_code"]) == {"BU00010000", "BU00010001"}
    assert assemble(replace(sources, earlier=()), CATALOGUE).changes.empty


def test_a_parents_own_count_is_divided_by_the_buurten_together(sources: Sources) -> None:
    table = sources.tables["kwb"]
    own = pd.DataFrame({"bijstand": [90.0]}, index=pd.Index(["WK000100"], name="code"))
    filled = pd.concat([table.frame.assign(bijstand=[10.0, 20.0, 30.0]), own])
    tables = assemble(replace(sources, tables={"kwb": replace(table, frame=filled)}), CATALOGUE).tables
    assert tables[Level.WIJK].values["bijstand"].tolist() == [45.0]  # 90 of 2,000
    assert tables[Level.WIJK].status["bijstand"].tolist() == [Status.OBSERVED]


def test_an_earlier_years_own_row_of_a_parent_is_not_mixed_with_this_years(sources: Sources) -> None:
    table = sources.tables["kwb"]
    own = pd.DataFrame({"bijstand": [90.0]}, index=pd.Index(["WK000100"], name="code"))
    tables = assemble(
        replace(sources, tables={"kwb": replace(table, frame=pd.concat([table.frame, own]))}), CATALOGUE
    ).tables
    assert tables[Level.WIJK].values["bijstand"].tolist() == [50.0]
    assert tables[Level.WIJK].peiljaar["bijstand"].tolist() == [2023]
