"""Joining sources and levels: counts are conserved, and every gap has its reason."""

from dataclasses import replace
from itertools import product

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from wijkatlas.areas import Level, Status
from wijkatlas.assemble import assemble
from wijkatlas.catalog import load_catalogue
from wijkatlas.errors import SourceError
from wijkatlas.sources import Sources, SourceTable

CATALOGUE = load_catalogue()
CODES = [f"BU0001{wijk:02d}{buurt:02d}" for wijk, buurt in product(range(2), range(3))]
COUNTS = {"inwoners": 1000.0, "huishoudens": 500.0, "woningvoorraad": 400.0, "bijstand": 40.0}


def sources(figures: pd.DataFrame, boundaries: gpd.GeoDataFrame | None = None) -> Sources:
    table = SourceTable("kwb", "85984NED", 2024, figures, {column: f"{column}_1" for column in figures})
    return Sources(2024, {"kwb": table}, _grid() if boundaries is None else boundaries, (), ())


def _grid() -> gpd.GeoDataFrame:
    boxes = [
        shapely.box(1000 * i, 1000 * j, 1000 * (i + 1), 1000 * (j + 1))
        for j, i in product(range(2), range(3))
    ]
    wijken = [code.replace("BU", "WK")[:8] for code in CODES]
    return gpd.GeoDataFrame(
        {
            "naam": [f"Buurt {code}" for code in CODES],
            "wijk_code": wijken,
            "wijk_naam": [f"Wijk {code}" for code in wijken],
            "gemeente_code": "GM0001",
            "gemeente_naam": "Ergens",
        },
        geometry=boxes,
        crs=28992,
        index=pd.Index(CODES, name="code"),
    )


def figures(**changed: list[float]) -> pd.DataFrame:
    columns = {name: [value] * len(CODES) for name, value in COUNTS.items()} | {"corporatiebezit": [50.0] * 6}
    return pd.DataFrame(columns | changed, index=pd.Index(CODES, name="code"))


def test_counts_become_rates_with_their_own_denominator() -> None:
    buurten = assemble(sources(figures()), CATALOGUE).tables[Level.BUURT]
    assert (buurten.values["bijstand"] == 40.0).all()  # per 1,000
    assert (buurten.denominators["bijstand"] == 1000.0).all()
    assert (buurten.denominators["corporatiebezit"] == 400.0).all()
    assert (buurten.status["bijstand"] == Status.OBSERVED).all()
    assert (buurten.peiljaar["bijstand"] == 2024).all()


def test_every_gap_has_its_reason() -> None:
    table = figures(bijstand=[np.nan, 40, 40, 40, 40, 40], inwoners=[1000, 10, 1000, 1000, 1000, 1000]).drop(
        CODES[2]
    )
    buurten = assemble(sources(table), CATALOGUE).tables[Level.BUURT]
    assert buurten.status["bijstand"].tolist()[:3] == [
        Status.NOT_PUBLISHED,
        Status.NOT_APPLICABLE,  # 10 inhabitants: no rate
        Status.NO_ROW,
    ]
    assert (buurten.status["lbm_overlast"] == Status.NOT_CARRIED).all()
    assert buurten.peiljaar["bijstand"].isna().tolist() == [True, True, True, False, False, False]
    assert (buurten.values.isna() == ~buurten.status.isin([Status.OBSERVED])).all(axis=None)


@settings(max_examples=20)
@given(
    st.lists(
        st.tuples(
            st.integers(1, 400).map(lambda n: 5 * n), st.integers(0, 20).map(lambda n: 10 * n), st.booleans()
        ),
        min_size=6,
        max_size=6,
    )
)
def test_counts_are_conserved_on_aggregation(rows: list[tuple[int, int, bool]]) -> None:
    people = [float(p) for p, _, _ in rows]
    benefits = [float(min(b, p)) if known else np.nan for p, b, known in rows]
    tables = assemble(sources(figures(inwoners=people, bijstand=benefits)), CATALOGUE).tables
    for level in (Level.WIJK, Level.GEMEENTE):
        assert tables[level].values["inwoners"].sum() == sum(people)
        rate, under = tables[level].values["bijstand"], tables[level].denominators["bijstand"]
        known = pd.DataFrame({"people": people, "benefits": benefits}, index=CODES)
        parent = tables[Level.BUURT].areas[f"{level}_code"]
        sums = known[known["benefits"].notna()].groupby(parent).sum()
        shown = rate.dropna().index
        np.testing.assert_allclose(rate[shown] * under[shown] / 1000, sums.loc[shown, "benefits"])
        covered = sums["people"] / known["people"].groupby(parent).sum()
        hidden = rate.index[rate.isna()]
        assert not ((covered.reindex(hidden) >= 0.5) & (sums["people"].reindex(hidden) >= 50)).any()
        missing = known["benefits"].isna().groupby(parent).sum()
        assert (tables[level].parts_missing["bijstand"] == missing).all()


def test_rates_are_aggregated_by_weighted_mean() -> None:
    table = figures(corporatiebezit=[0, 30, 90, 10, 10, np.nan], woningvoorraad=[100, 100, 200, 100, 0, 100])
    wijken = assemble(sources(table), CATALOGUE).tables[Level.WIJK]
    assert wijken.values["corporatiebezit"].tolist() == [52.5, 10.0]
    assert wijken.status["corporatiebezit"].tolist() == [Status.AGGREGATED] * 2
    assert wijken.parts_missing["corporatiebezit"].tolist() == [0, 1]


def test_a_parent_with_too_few_known_parts_has_no_figure() -> None:
    table = figures(corporatiebezit=[50, np.nan, np.nan, 50, 50, 50])
    wijken = assemble(sources(table), CATALOGUE).tables[Level.WIJK]
    assert wijken.values["corporatiebezit"].isna().tolist() == [True, False]
    assert wijken.status["corporatiebezit"].iloc[0] == Status.NOT_PUBLISHED


def test_a_sum_of_some_parts_is_no_count() -> None:
    table = figures(huishoudens=[500, np.nan, 500, 500, 500, 500], bijstand=[np.nan, 10, 10, 10, 10, 10])
    tables = assemble(sources(table), CATALOGUE).tables
    wijken = tables[Level.WIJK]
    assert wijken.values["huishoudens"].isna().tolist() == [True, False]
    assert wijken.status["huishoudens"].tolist() == [Status.NOT_PUBLISHED, Status.AGGREGATED]
    assert tables[Level.GEMEENTE].values["huishoudens"].isna().all()
    assert wijken.values["bijstand"].tolist() == [10.0, 10.0]  # a rate of the parts that are known


def test_a_published_count_is_not_divided_by_some_of_its_people() -> None:
    own = pd.DataFrame({"bijstand": 90.0}, index=pd.Index(["WK000100"], name="code"))
    table = figures(inwoners=[1000, np.nan, 1000, 1000, 1000, 1000])
    tables = assemble(sources(pd.concat([table, own])), CATALOGUE).tables
    assert tables[Level.WIJK].values["bijstand"].tolist() == [40.0, 40.0]  # not 90 of 2,000
    assert tables[Level.WIJK].status["bijstand"].iloc[0] == Status.AGGREGATED
    buurten = tables[Level.BUURT]
    assert np.isnan(buurten.values["bijstand"].iloc[1])
    assert buurten.status["bijstand"].iloc[1] == Status.NOT_PUBLISHED  # not too small: of unknown size


def test_a_parents_own_figure_wins() -> None:
    own = pd.DataFrame({"inwoners": 3002.0, "bijstand": np.nan}, index=pd.Index(["WK000100"], name="code"))
    wijken = assemble(sources(pd.concat([figures(), own])), CATALOGUE).tables[Level.WIJK]
    assert wijken.values["inwoners"].tolist() == [3002.0, 3000.0]
    assert wijken.status["inwoners"].tolist() == [Status.OBSERVED, Status.AGGREGATED]
    assert wijken.values["bijstand"].tolist() == [40.0, 40.0]


def test_parents_are_the_union_of_their_buurten() -> None:
    tables = assemble(sources(figures()), CATALOGUE).tables
    assert tables[Level.WIJK].areas.index.tolist() == ["WK000100", "WK000101"]
    assert tables[Level.WIJK].areas["naam"].tolist() == ["Wijk WK000100", "Wijk WK000101"]
    gemeente = tables[Level.GEMEENTE].areas
    assert gemeente.geometry.iloc[0].equals(shapely.box(0, 0, 3000, 2000))
    assert gemeente["naam"].tolist() == ["Ergens"]
    assert gemeente.crs.to_epsg() == 28992


def test_rows_without_an_area_are_reported_or_refused() -> None:
    stranger = pd.DataFrame({"inwoners": 0.0}, index=pd.Index(["BU99990000"], name="code"))
    assembly = assemble(sources(pd.concat([figures(), stranger])), CATALOGUE)
    assert assembly.unmatched.to_dict("records") == [
        {"source": "kwb", "table": "85984NED", "code": "BU99990000"}
    ]
    with pytest.raises(SourceError, match=r"kwb, table 85984NED: 1 areas with inhabitants .* BU99990000"):
        assemble(sources(pd.concat([figures(), stranger.replace(0.0, 5.0)])), CATALOGUE)


def test_an_impossible_rate_is_refused() -> None:
    table = figures(bijstand=[2000, 40, 40, 40, 40, 40])
    with pytest.raises(SourceError, match=r"kwb, table 85984NED, column bijstand_1: .*BU00010000 \(2000\)"):
        assemble(sources(table), CATALOGUE)


def test_order_of_rows_does_not_matter() -> None:
    table = figures(bijstand=[10, 20, 30, 40, 50, 60])
    straight = assemble(sources(table), CATALOGUE)
    turned = assemble(sources(table.iloc[::-1], _grid().iloc[::-1]), CATALOGUE)
    for level in Level:
        for field in ("values", "status", "denominators"):
            pd.testing.assert_frame_equal(
                getattr(turned.tables[level], field), getattr(straight.tables[level], field)
            )
        assert turned.tables[level].areas.geometry.equals(straight.tables[level].areas.geometry)


def test_other_years_figures_keep_their_own_peiljaar() -> None:
    base = sources(figures())
    older = SourceTable(
        "leefbaarometer", "2022", 2022, figures()[[]].assign(lbm_overlast=-0.1), {"lbm_overlast": "onv"}
    )
    tables = assemble(replace(base, tables={**base.tables, "leefbaarometer": older}), CATALOGUE).tables
    assert set(tables[Level.BUURT].peiljaar["lbm_overlast"]) == {2022}
    assert set(tables[Level.WIJK].peiljaar["lbm_overlast"]) == {2022}
    assert set(tables[Level.WIJK].peiljaar["inwoners"]) == {2024}
