"""Crosswalks: what became of an area is told apart, and carried figures conserve what they count."""

from collections import defaultdict
from itertools import pairwise, product

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal, assert_series_equal

from wijkatlas.crosswalk import (
    Change,
    Crosswalk,
    carry_counts,
    carry_means,
    make_crosswalk,
    weigh,
)
from wijkatlas.errors import SourceError
from wijkatlas.geometry import RD_NEW, clean_coverage

SIDE, CELL, ORIGIN = 6, 100.0, 100_000.0  # a world of 6 x 6 cells of 100 m; two gemeenten, left and right
YEARS = (2023, 2024)
CELLS = list(product(range(SIDE), range(SIDE)))

Division = dict[str, list[tuple[int, int]]]  # the cells of each area, by code


def gemeente(code: str) -> str:
    return code[2:6]


def by_gemeente(counts: pd.DataFrame) -> pd.Series:
    return counts["inwoners"].rename_axis("code").groupby(gemeente).sum()


def shapes(division: Division, shift: float = 0.0) -> gpd.GeoDataFrame:
    """Return the areas of a division; `shift` moves every corner a little, as when a map is drawn again."""

    def area(cells: list[tuple[int, int]]) -> shapely.Geometry:
        corners = np.array(cells) * CELL + ORIGIN
        return shapely.union_all(shapely.box(*(corners + shift).T, *(corners + CELL + shift).T))

    geometry = [area(cells) for cells in division.values()]
    return gpd.GeoDataFrame(geometry=geometry, index=list(division), crs=RD_NEW)


def turned(areas: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    return areas.set_geometry(areas.rotate(17, origin=(ORIGIN, ORIGIN)))


def walk(old: Division, new: Division, **options: object) -> Crosswalk:
    return make_crosswalk(shapes(old), shapes(new), years=YEARS, **options)  # type: ignore[arg-type]


def strip(*areas: str) -> Division:
    """Return a row of cells whose letters say which area each belongs to: "AAB" is two cells A, one B."""
    cells: Division = defaultdict(list)
    for y, row in enumerate(areas):
        for x, letter in enumerate(row):
            if letter != ".":
                cells[f"BU00010{letter}00"].append((x, y))
    return dict(cells)


def kinds(crosswalk: Crosswalk) -> dict[tuple[str, str], str]:
    """Return the kind of each pair by the letters of its two areas; "-" stands for none."""
    letters = [crosswalk.table[f"{side}_code"].str[7].fillna("-") for side in ("old", "new")]
    return dict(zip(zip(*letters, strict=True), crosswalk.table["kind"], strict=True))


@st.composite
def divisions(draw: st.DrawFn) -> Division:
    """Draw a division of the whole world into areas that never cross the border between the gemeenten."""
    labels = draw(st.lists(st.integers(0, 4), min_size=len(CELLS), max_size=len(CELLS)))
    division: Division = defaultdict(list)
    for (x, y), label in zip(CELLS, labels, strict=True):
        division[f"BU{'0001' if x < SIDE // 2 else '0002'}{label:04d}"].append((x, y))
    codes = draw(st.permutations(sorted(division)))
    # Codes are dealt out anew within a gemeente, so that the same code often means another area.
    return {
        new: cells
        for half in ("0001", "0002")
        for new, (_, cells) in zip(
            [code for code in codes if gemeente(code) == half],
            [(c, division[c]) for c in sorted(division) if gemeente(c) == half],
            strict=True,
        )
    }


def figures(division: Division, name: str = "inwoners") -> pd.DataFrame:
    """Return a count per area that is not proportional to its ground."""
    counts = [7.0 * len(cells) ** 2 + 5 * x + y for cells in division.values() for x, y in cells[:1]]
    return pd.DataFrame({name: counts}, index=list(division))


@settings(max_examples=30, deadline=None)
@given(old=divisions(), new=divisions())
def test_shares_are_those_of_the_cells(old: Division, new: Division) -> None:
    pairs = walk(old, new).table
    expected = {
        (a, b): (shared / len(old[a]), shared / len(new[b]))
        for a, b in product(old, new)
        if (shared := len(set(old[a]) & set(new[b])))
    }
    found = {(row.old_code, row.new_code): (row.share_of_old, row.share_of_new) for row in pairs.itertuples()}
    assert list(found) == sorted(expected)
    assert all(found[pair] == pytest.approx(shares, abs=1e-12) for pair, shares in expected.items())


@settings(max_examples=30, deadline=None)
@given(old=divisions(), new=divisions())
def test_counts_are_conserved_per_gemeente_and_for_the_country(old: Division, new: Division) -> None:
    before = figures(old)
    crosswalk = walk(old, new)
    for way in (crosswalk, weigh(crosswalk, figures(new)["inwoners"])):
        after = carry_counts(before, way)
        assert list(after.index) == sorted(new)
        assert after["inwoners"].sum() == pytest.approx(before["inwoners"].sum(), rel=1e-13)
        assert_series_equal(by_gemeente(after), by_gemeente(before), rtol=1e-13)


@settings(max_examples=20, deadline=None)
@given(division=divisions())
def test_nothing_changes_where_nothing_changed(division: Division) -> None:
    crosswalk = walk(division, division, tolerance_m=5)
    assert set(crosswalk.table["kind"]) == {Change.UNCHANGED}
    assert crosswalk.redrawn == []
    assert crosswalk.ledger().empty
    before = figures(division).sort_index()
    before.iloc[0] = np.nan
    assert_frame_equal(carry_counts(before, crosswalk), before.rename_axis("code"), check_exact=True)
    means = carry_means(before / 3, before * 0, crosswalk, min_covered=1)
    assert_frame_equal(means, before.rename_axis("code") / 3, check_exact=True)


@settings(max_examples=20, deadline=None)
@given(old=divisions(), new=divisions(), data=st.data())
def test_order_of_rows_changes_no_bit(old: Division, new: Division, data: st.DataObject) -> None:
    shuffled = {code: old[code] for code in data.draw(st.permutations(sorted(old)))}
    again = {code: new[code] for code in data.draw(st.permutations(sorted(new)))}
    # Turned, so that areas are no round numbers and every sum depends on its order.
    first, second = (
        make_crosswalk(*(turned(shapes(division)) for division in pair), years=YEARS)
        for pair in ((old, new), (shuffled, again))
    )
    assert_frame_equal(first.table, second.table, check_exact=True)
    assert_frame_equal(
        carry_counts(figures(old), first), carry_counts(figures(shuffled), second), check_exact=True
    )


@settings(max_examples=30, deadline=None)
@given(old=divisions(), new=divisions(), data=st.data())
def test_a_mean_lies_between_its_parts_and_keeps_the_weighted_sum(
    old: Division, new: Division, data: st.DataObject
) -> None:
    shares = st.floats(0, 100, allow_subnormal=False)
    rate = pd.DataFrame({"armoede": [data.draw(shares) for _ in old]}, index=list(old))
    weight = figures(old, "armoede")
    crosswalk = walk(old, new)
    after = carry_means(rate, weight, crosswalk, min_covered=1)["armoede"]
    parts = crosswalk.pairs.assign(rate=crosswalk.pairs["old_code"].map(rate["armoede"]))
    by_new = parts.groupby("new_code")["rate"]
    assert (after >= by_new.min()).all()
    assert (after <= by_new.max()).all()
    carried = carry_counts(weight, crosswalk)["armoede"]
    assert (after * carried).sum() == pytest.approx((rate * weight)["armoede"].sum(), rel=1e-9, abs=1e-9)


@settings(max_examples=30, deadline=None)
@given(old=divisions(), new=divisions(), shift=st.floats(-0.4, 0.4))
def test_a_map_drawn_again_is_the_same_map(old: Division, new: Division, shift: float) -> None:
    exact = walk(old, new)
    moved = make_crosswalk(shapes(old), shapes(new, shift), years=YEARS)
    columns = ["old_code", "new_code", "kind"]
    assert_frame_equal(exact.table[columns], moved.table[columns])
    assert carry_counts(figures(old), moved)["inwoners"].sum() == pytest.approx(
        figures(old)["inwoners"].sum(), rel=1e-13
    )


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (["AB"], ["AB"], {("A", "A"): Change.UNCHANGED, ("B", "B"): Change.UNCHANGED}),
        (["AB"], ["AC"], {("A", "A"): Change.UNCHANGED, ("B", "C"): Change.RECODED}),
        (
            ["AAB"],
            ["CDB"],
            {("A", "C"): Change.SPLIT, ("A", "D"): Change.SPLIT, ("B", "B"): Change.UNCHANGED},
        ),
        (
            ["ABC"],
            ["AAC"],
            {("A", "A"): Change.MERGED, ("B", "A"): Change.MERGED, ("C", "C"): Change.UNCHANGED},
        ),
        (["AAB"], ["ABB"], {("A", "A"): Change.MOVED, ("A", "B"): Change.MOVED, ("B", "B"): Change.MOVED}),
        (["AB"], ["BA"], {("A", "B"): Change.RECODED, ("B", "A"): Change.RECODED}),
        (["AB"], ["A."], {("A", "A"): Change.UNCHANGED, ("B", "-"): Change.VANISHED}),
        (["A."], ["AB"], {("A", "A"): Change.UNCHANGED, ("-", "B"): Change.APPEARED}),
        (["AB."], ["ABB"], {("A", "A"): Change.UNCHANGED, ("B", "B"): Change.MOVED}),
        (["A."], [".B"], {("A", "-"): Change.VANISHED, ("-", "B"): Change.APPEARED}),
    ],
    ids=[
        "unchanged",
        "another code",
        "split",
        "merged",
        "border moved",
        "codes reused for each other's area",
        "vanished",
        "appeared",
        "grown into ground that was no area",
        "nothing in common",
    ],
)
def test_changes_are_told_apart(
    old: list[str], new: list[str], expected: dict[tuple[str, str], Change]
) -> None:
    assert kinds(walk(strip(*old), strip(*new))) == expected


def test_a_reused_code_gets_the_figures_of_its_ground() -> None:
    old, new = strip("AB"), strip("BA")
    counts = pd.DataFrame({"inwoners": [10.0, 99.0]}, index=["BU00010A00", "BU00010B00"])
    carried = carry_counts(counts, walk(old, new))["inwoners"]
    assert carried.to_dict() == {"BU00010A00": 99.0, "BU00010B00": 10.0}


@pytest.mark.parametrize(("width", "kind"), [(4.9, Change.UNCHANGED), (5.2, Change.MOVED)])
def test_a_border_moves_when_it_moves_by_more_than_the_tolerance(width: float, kind: Change) -> None:
    def pair(border: float) -> gpd.GeoDataFrame:
        boxes = [shapely.box(0, 0, border, 1000), shapely.box(border, 0, 2000, 1000)]
        return gpd.GeoDataFrame(geometry=boxes, index=["BU00010A00", "BU00010B00"], crs=RD_NEW)

    crosswalk = make_crosswalk(pair(1000), pair(1000 + width), years=YEARS)
    assert set(crosswalk.table["kind"]) == {kind}
    assert crosswalk.table.groupby("old_code")["share_of_old"].sum().tolist() == [1, pytest.approx(1)]


def columns_of(*edges: float) -> gpd.GeoDataFrame:
    """Return areas side by side, a kilometre high, between these edges."""
    boxes = [shapely.box(left, 0, right, 1000) for left, right in pairwise(edges)]
    codes = [f"BU00010{letter}00" for letter in "ABCDEF"[: len(boxes)]]
    return gpd.GeoDataFrame(geometry=boxes, index=codes, crs=RD_NEW)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ((0, 500, 504, 1000), (0, 500, 504.5, 1000), [1, 2, 4]),
        ((0, 500, 504, 1000), (0, 504.5, 1000), [3, 4]),
        ((0, 500, 1000), (0, 500, 504, 1000), [1, 0.016, 1.984]),
    ],
    ids=["redrawn", "swallowed", "cut off"],
)
def test_an_area_narrower_than_the_tolerance_is_no_strip(
    old: tuple[float, ...], new: tuple[float, ...], expected: list[float]
) -> None:
    before = columns_of(*old)
    counts = pd.DataFrame({"inwoners": [1.0, 2.0, 4.0][: len(before)]}, index=before.index)
    carried = carry_counts(counts, make_crosswalk(before, columns_of(*new), years=YEARS))["inwoners"]
    assert carried.tolist() == pytest.approx(expected, rel=0.02)
    assert carried.sum() == pytest.approx(counts["inwoners"].sum(), rel=1e-13)


def test_an_area_that_lies_mostly_elsewhere_is_not_squeezed_in() -> None:
    old, new = strip("AAAB"), strip("A..B")
    crosswalk = walk(old, new)
    assert kinds(crosswalk) == {
        ("A", "-"): Change.VANISHED,
        ("-", "A"): Change.APPEARED,
        ("B", "B"): Change.UNCHANGED,
    }
    carried = carry_counts(figures(old), crosswalk)["inwoners"]
    assert carried.isna().to_dict() == {"BU00010A00": True, "BU00010B00": False}


def test_missing_stays_missing_and_is_never_a_zero() -> None:
    crosswalk = walk(strip("ABCC"), strip("AADE"))
    codes = ["BU00010A00", "BU00010B00", "BU00010C00"]
    counts = pd.DataFrame({"inwoners": [100.0, np.nan, np.nan]}, index=codes)
    assert carry_counts(counts, crosswalk)["inwoners"].isna().all()
    assert carry_counts(counts.iloc[:1], crosswalk)["inwoners"].isna().all()  # no row is no zero either
    rate = pd.DataFrame({"armoede": [8.0, np.nan, np.nan]}, index=codes)
    weight = pd.DataFrame({"armoede": [60.0, 40.0, 10.0]}, index=codes)
    covered = carry_means(rate, weight, crosswalk, min_covered=0.5)["armoede"]
    assert covered["BU00010A00"] == 8
    assert covered[["BU00010D00", "BU00010E00"]].isna().all()
    assert carry_means(rate, weight, crosswalk, min_covered=0.7)["armoede"].isna().all()
    weight.loc["BU00010B00"] = np.nan
    assert carry_means(rate, weight, crosswalk, min_covered=0.5)["armoede"].isna().all()


def test_a_mean_of_areas_without_people_is_missing() -> None:
    crosswalk = walk(strip("AB"), strip("AA"))
    rate = pd.DataFrame({"armoede": [8.0, 12.0]}, index=["BU00010A00", "BU00010B00"])
    assert carry_means(rate, rate * 0, crosswalk, min_covered=0.5)["armoede"].isna().all()


def test_a_mean_of_equal_shares_is_that_share_to_the_last_bit() -> None:
    crosswalk = walk(strip("ABC"), strip("AAA"))
    codes = ["BU00010A00", "BU00010B00", "BU00010C00"]
    rate = pd.DataFrame({"armoede": [100.0] * 3}, index=codes)
    for weights in ([135.2, 304.2, 156.7], [254.6, 42.2, 204.0], [3e7, 1.1, 0.7]):
        weight = pd.DataFrame({"armoede": weights}, index=codes)
        assert carry_means(rate, weight, crosswalk, min_covered=0.5).to_numpy().tolist() == [[100.0]]


def test_a_split_follows_the_people_where_it_is_told_where_they_live() -> None:
    crosswalk = walk(strip("AA"), strip("BC"))
    counts = pd.DataFrame({"bijstand": [80.0]}, index=["BU00010A00"])
    people = pd.Series({"BU00010B00": 900.0, "BU00010C00": 100.0})
    assert carry_counts(counts, crosswalk)["bijstand"].tolist() == [40, 40]
    assert carry_counts(counts, weigh(crosswalk, people))["bijstand"].tolist() == pytest.approx([72, 8])
    for unknown in (people * 0, people.iloc[:1], people * np.nan):
        assert carry_counts(counts, weigh(crosswalk, unknown))["bijstand"].tolist() == [40, 40]


def test_the_ledger_names_every_change_and_what_cbs_says_of_it() -> None:
    said = pd.Series({"BU00010A00": 1, "BU00010E00": 3, "BU00010F00": 3, "BU00010G00": 1}, dtype="Int8")
    ledger = walk(strip("ABBCD"), strip("AEFCG"), changed=said).ledger()
    assert ledger.to_dict("list") == {
        "van_jaar": [2023] * 3,
        "naar_jaar": [2024] * 3,
        "oude_code": ["BU00010B00", "BU00010B00", "BU00010D00"],
        "nieuwe_code": ["BU00010E00", "BU00010F00", "BU00010G00"],
        "aandeel_oud": [0.5, 0.5, 1],
        "aandeel_nieuw": [1, 1, 1],
        "wijziging": ["gesplitst", "gesplitst", "andere code, zelfde grens"],
        "volgens_cbs": ["grens gewijzigd", "grens gewijzigd", "code en grens ongewijzigd"],
        "tegenspraak": [False, False, True],
    }
    contradicted = walk(strip("AB"), strip("AB"), changed=pd.Series({"BU00010A00": 3})).ledger()
    assert contradicted[["oude_code", "wijziging", "tegenspraak"]].to_numpy().tolist() == [
        ["BU00010A00", "ongewijzigd", True]
    ]


def test_redrawn_are_the_areas_whose_figures_are_computed() -> None:
    assert walk(strip("ABBCDD"), strip("AEFGDD")).redrawn == ["BU00010E00", "BU00010F00"]


def test_a_code_that_the_old_division_does_not_have_is_refused() -> None:
    crosswalk = walk(strip("AB"), strip("AB"))
    counts = pd.DataFrame({"inwoners": [1.0]}, index=["BU00010Z00"])
    with pytest.raises(SourceError, match=r"^crosswalk 2023-2024: no area of 2023: BU00010Z00$"):
        carry_counts(counts, crosswalk)
    with pytest.raises(SourceError, match="BU00010Z00"):
        carry_means(counts, counts, crosswalk, min_covered=0.5)


def test_degrees_and_repeated_codes_are_refused() -> None:
    good = shapes(strip("AB"))
    for bad in (good.to_crs(4326), good.set_crs(None, allow_override=True), pd.concat([good, good])):
        with pytest.raises(
            ValueError, match="the division of 2024 must have unique codes and be in EPSG:28992"
        ):
            make_crosswalk(good, bad, years=YEARS)


@pytest.mark.national
def test_the_country_with_mergers_splits_and_moves(national: object) -> None:
    buurten = gpd.read_parquet(f"{national}/buurten_2024.parquet").set_index("buurtcode").sort_index()
    buurten["geometry"] = clean_coverage(buurten.geometry.to_numpy())
    codes = buurten.index.to_numpy(dtype=object)
    merged_into = codes.copy()
    neighbours = np.flatnonzero(
        (np.arange(len(codes) - 1) % 10 == 0) & (buurten.index.str[:8][1:] == buurten.index.str[:8][:-1])
    )
    merged_into[neighbours + 1] = codes[neighbours]
    fewer = buurten[["geometry"]].dissolve(by=merged_into)
    people = buurten[["inwoners"]]
    assert people["inwoners"].notna().all()

    merged = make_crosswalk(buurten, fewer, years=YEARS)
    assert merged.table["kind"].value_counts().to_dict() == {
        Change.UNCHANGED: len(codes) - 2 * len(neighbours),
        Change.MERGED: 2 * len(neighbours),
    }
    carried = carry_counts(people, merged)
    exact = people.groupby(merged_into).sum()
    assert_frame_equal(carried, exact.rename_axis("code"), check_exact=True)

    split = make_crosswalk(fewer, buurten, years=YEARS)
    assert set(split.table["kind"]) == {Change.UNCHANGED, Change.SPLIT}
    back = carry_counts(exact, weigh(split, people["inwoners"]))
    assert_frame_equal(back, people.rename_axis("code"), rtol=1e-9)
    assert_series_equal(by_gemeente(carry_counts(exact, split)), by_gemeente(people), rtol=1e-12)
