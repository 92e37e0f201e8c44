"""From one year's areas to another's: what became of each, and figures carried over with counts conserved."""

from dataclasses import dataclass, replace
from enum import StrEnum

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from wijkatlas.errors import SourceError, some
from wijkatlas.geometry import RD_NEW, Geometries

TOLERANCE = 5.0  # metres: what CBS itself takes for a moved border
MIN_COVERED = 0.5  # an old area of which less lies in the new division has no counterpart there

Floats = npt.NDArray[np.float64]
Positions = npt.NDArray[np.intp]


class Change(StrEnum):
    """What became of an area; published as it is, so in Dutch."""

    UNCHANGED = "ongewijzigd"
    RECODED = "andere code, zelfde grens"
    MOVED = "grens verschoven"
    SPLIT = "gesplitst"
    MERGED = "samengevoegd"
    VANISHED = "vervallen"
    APPEARED = "nieuw"


COPIED = [Change.UNCHANGED.value, Change.RECODED.value]  # the same area: its figures need no computing
# What CBS says by its Indelingswijziging, and what the shapes then ought to say; a moved border includes
# splits and mergers.
CBS_SAYS = {1: "code en grens ongewijzigd", 2: "code gewijzigd", 3: "grens gewijzigd"}
CBS_EXPECTS = {Change.UNCHANGED.value: 1, Change.RECODED.value: 2}


@dataclass(frozen=True)
class Crosswalk:
    """
    What became of every area between two divisions.

    `table` has a row per pair of an old and a new area that share ground, sorted by code: old_code, new_code,
    share_of_old and share_of_new (each sums to 1 over its area), kind (a `Change`, as text) and cbs (the new
    area's Indelingswijziging, <NA> where not given). An area without a counterpart has a row with a null.
    """

    old_year: int
    new_year: int
    table: pd.DataFrame

    @property
    def pairs(self) -> pd.DataFrame:
        """The rows of `table` that lead from an old area to a new one."""
        return self.table[self.table["old_code"].notna() & self.table["new_code"].notna()]

    @property
    def redrawn(self) -> list[str]:
        """Codes of the new areas whose carried figures are computed instead of copied, sorted."""
        return sorted(set(self.pairs.loc[~self.pairs["kind"].isin(COPIED), "new_code"]))

    def ledger(self) -> pd.DataFrame:
        """
        Return the changes as they are published, and every row on which CBS and the shapes disagree.

        Returns
        -------
        ledger
            Columns van_jaar, naar_jaar, oude_code, nieuwe_code, aandeel_oud, aandeel_nieuw, wijziging,
            volgens_cbs and tegenspraak (whether CBS says something else); sorted by old, then new code.
        """
        expected = self.table["kind"].map(CBS_EXPECTS).fillna(3).astype("Int8")
        contradicted = (self.table["cbs"] != expected).fillna(value=False).astype(bool)
        listed = contradicted | (self.table["kind"] != Change.UNCHANGED.value)
        ledger = pd.DataFrame(
            {
                "van_jaar": self.old_year,
                "naar_jaar": self.new_year,
                "oude_code": self.table["old_code"],
                "nieuwe_code": self.table["new_code"],
                "aandeel_oud": self.table["share_of_old"],
                "aandeel_nieuw": self.table["share_of_new"],
                "wijziging": self.table["kind"],
                "volgens_cbs": self.table["cbs"].map(CBS_SAYS).astype("str"),
                "tegenspraak": contradicted,
            }
        )
        return ledger[listed].reset_index(drop=True)


def make_crosswalk(
    old: gpd.GeoDataFrame,
    new: gpd.GeoDataFrame,
    *,
    years: tuple[int, int],
    changed: pd.Series | None = None,
    tolerance_m: float = TOLERANCE,
) -> Crosswalk:
    """
    Find what became of the areas of one division in another.

    Parameters
    ----------
    old, new
        Two divisions of the same ground and level, indexed by area code, EPSG:28992.
    years
        The years of the two divisions.
    changed
        CBS's Indelingswijziging (1, 2 or 3) by new code, only between consecutive years. It is kept beside
        the finding and never decides it: codes are reused for other areas, so the shapes have the last word.
    tolerance_m
        A strip that is on average narrower is no overlap but a border drawn twice.

    Returns
    -------
    crosswalk
        Shares are of the ground that is found in both divisions, strips left out: they sum to 1.

    Raises
    ------
    ValueError
        A division is not in EPSG:28992, or has a code or an outline twice.

    Notes
    -----
    Pairs that are linked by shared ground form one change: one to many is a split, many to one a merger,
    many to many a moved border.
    """
    for year, areas in zip(years, (old, new), strict=True):
        if areas.crs is None or areas.crs.to_epsg() != RD_NEW or not areas.index.is_unique:
            raise ValueError(f"the division of {year} must have unique codes and be in EPSG:{RD_NEW}")
    before, after = old.geometry.sort_index(), new.geometry.sort_index()
    i, j, ground = match(before.to_numpy(), after.to_numpy(), tolerance_m)
    table = pd.DataFrame({"old_code": before.index[i], "new_code": after.index[j]}, dtype="str")
    table["share_of_old"] = ground / np.bincount(i, ground)[i]
    table["share_of_new"] = ground / np.bincount(j, ground)[j]
    single = (np.bincount(i)[i] == 1) & (np.bincount(j)[j] == 1)
    moved = np.zeros(len(i), dtype=bool)
    moved[single] = differ(before.to_numpy()[i[single]], after.to_numpy()[j[single]], tolerance_m)
    table["kind"] = kinds(i, j, same_code=table["old_code"] == table["new_code"], moved=moved)
    alone = [
        pd.DataFrame({f"{side}_code": codes, "kind": kind}, dtype="str")
        for side, codes, kind in (
            ("old", before.index.difference(table["old_code"]), Change.VANISHED.value),
            ("new", after.index.difference(table["new_code"]), Change.APPEARED.value),
        )
    ]
    table = pd.concat([table, *(part for part in alone if len(part))])
    said = pd.Series(dtype="Int8") if changed is None else changed.astype("Int8")
    table["cbs"] = table["new_code"].map(said).astype("Int8")
    table = table.sort_values(["old_code", "new_code"], ignore_index=True)
    return Crosswalk(*years, table)


def match(old: Geometries, new: Geometries, tolerance: float) -> tuple[Positions, Positions, Floats]:
    """
    Pair the areas that share ground.

    Returns
    -------
    i, j, ground
        Positions in `old` and `new`, and the m2 that the two share, each of shape (n_pairs,).
    """
    outlines = [pd.Series(shapely.to_wkb(shapely.normalize(shapes))) for shapes in (old, new)]
    # An area with the very same outline shares no ground with any other: most need no intersection.
    same = outlines[0].rename_axis("i").reset_index(name="wkb")
    same = same.merge(outlines[1].rename_axis("j").reset_index(name="wkb"), on="wkb", validate="1:1")
    rest_i = np.setdiff1d(np.arange(len(old)), same["i"])
    rest_j = np.setdiff1d(np.arange(len(new)), same["j"])
    i, j, ground = overlaps(old[rest_i], new[rest_j], tolerance)
    return (
        np.concatenate([same["i"].to_numpy(), rest_i[i]]),
        np.concatenate([same["j"].to_numpy(), rest_j[j]]),
        np.concatenate([shapely.area(old[same["i"]]), ground]),
    )


def overlaps(old: Geometries, new: Geometries, tolerance: float) -> tuple[Positions, Positions, Floats]:
    """
    Intersect two coverages, without the strips along borders that are drawn twice.

    An area that is itself nothing but a strip keeps all its ground.
    """
    i, j = shapely.STRtree(new).query(old, predicate="intersects")
    pieces, pair = shapely.get_parts(shapely.intersection(old[i], new[j]), return_index=True)
    areas = shapely.area(pieces)
    ground = np.bincount(pair, areas, minlength=len(i))
    solid = np.bincount(pair, areas * is_wide(pieces, tolerance), minlength=len(i))
    covered = np.bincount(i, ground, minlength=len(old)) / shapely.area(old) >= MIN_COVERED
    narrow = covered & (np.bincount(i, solid, minlength=len(old)) == 0)
    found = np.bincount(j, ground, minlength=len(new)) / shapely.area(new) >= MIN_COVERED
    slim = found & (np.bincount(j, solid, minlength=len(new)) == 0)
    shared = np.where(narrow[i] | slim[j], ground, solid)
    kept = (shared > 0) & covered[i]
    return i[kept], j[kept], shared[kept]


def is_wide(pieces: Geometries, tolerance: float) -> npt.NDArray[np.bool_]:
    """Whether each polygon is wider than `tolerance`: on average twice its area by its outline's length."""
    wide: npt.NDArray[np.bool_] = 2 * shapely.area(pieces) > tolerance * shapely.length(pieces)
    return wide


def differ(old: Geometries, new: Geometries, tolerance: float) -> npt.NDArray[np.bool_]:
    """Whether each pair's outlines differ by more than strips, also where no other area is."""
    moved = np.zeros(len(old), dtype=bool)
    redrawn = np.flatnonzero(~shapely.equals_exact(old, new, normalize=True))
    difference = shapely.symmetric_difference(old[redrawn], new[redrawn])
    pieces, pair = shapely.get_parts(difference, return_index=True)
    moved[redrawn[pair[is_wide(pieces, tolerance)]]] = True
    return moved


def kinds(i: Positions, j: Positions, *, same_code: pd.Series, moved: npt.NDArray[np.bool_]) -> pd.Series:
    """Tell for each pair what change it is part of; `moved` tells of the pairs that are a change alone."""
    olds, news = i.max(initial=-1) + 1, j.max(initial=-1) + 1
    links = coo_array((np.ones(len(i)), (i, olds + j)), shape=(olds + news, olds + news))
    change = pd.Series(connected_components(links, directed=False)[1][i])
    from_many = pd.Series(i).groupby(change).transform("nunique") > 1
    to_many = pd.Series(j).groupby(change).transform("nunique") > 1
    kind = same_code.map({True: Change.UNCHANGED.value, False: Change.RECODED.value})
    kind = kind.mask(moved, Change.MOVED.value)
    kind = kind.mask(to_many, Change.SPLIT.value).mask(from_many, Change.MERGED.value)
    return kind.mask(to_many & from_many, Change.MOVED.value).astype("str")


def weigh(crosswalk: Crosswalk, inhabitants: pd.Series) -> Crosswalk:
    """
    Divide old areas by where people live instead of by ground.

    Parameters
    ----------
    inhabitants
        Inhabitants, dwellings or whatever the figures follow, by new code. An old area with an unknown
        or without any inhabitants in what became of it is still divided by ground.

    Returns
    -------
    crosswalk
        The same pairs with another `share_of_old`, which still sums to 1.

    Notes
    -----
    Dasymetric weighting: a pair holds its part of the new area's inhabitants, by the share of its ground.
    """
    pairs = crosswalk.pairs
    held = pairs["share_of_new"] * pairs["new_code"].map(inhabitants)
    total = held.groupby(pairs["old_code"]).transform("sum", skipna=False)
    share = (held / total).where(total > 0, pairs["share_of_old"])
    return replace(crosswalk, table=crosswalk.table.assign(share_of_old=share.reindex(crosswalk.table.index)))


def carry_counts(counts: pd.DataFrame, crosswalk: Crosswalk) -> pd.DataFrame:
    """
    Carry extensive figures over: an old area's count is divided by share, and a new area's parts are summed.

    Parameters
    ----------
    counts
        Counts by old code; NaN is missing. An old area without a row is missing.

    Returns
    -------
    carried
        Counts by new code, sorted; NaN where any part is missing: a sum of some parts is no count. Where
        nothing is missing and no area vanished, each column has the same sum as `counts`.

    Raises
    ------
    SourceError
        A code is not in the old division; names the codes.
    """
    pairs = crosswalk.pairs
    shares = pairs["share_of_old"].to_numpy()[:, np.newaxis]
    parts = _parts(counts, crosswalk, pairs) * shares
    return _framed(parts.groupby(pairs["new_code"].to_numpy()).sum(skipna=False), crosswalk)


def carry_means(
    means: pd.DataFrame, weights: pd.DataFrame, crosswalk: Crosswalk, *, min_covered: float
) -> pd.DataFrame:
    """
    Carry intensive figures over: a new area gets the mean of its parts, weighted by their denominators.

    Parameters
    ----------
    means
        Rates, means or medians by old code; NaN is missing.
    weights
        The persons, households or dwellings under each cell of `means`: extensive, same columns.
    min_covered
        The least share of a new area's weight that parts with a figure must hold.

    Returns
    -------
    carried
        Figures by new code, sorted. What lies in one old area keeps that area's figure as it is. NaN where
        too little is covered, or where a part's weight is unknown.

    Raises
    ------
    SourceError
        A code is not in the old division; names the codes.
    """
    pairs = crosswalk.pairs
    codes = pairs["new_code"].to_numpy()
    values = _parts(means, crosswalk, pairs)
    held = _parts(weights[list(means.columns)], crosswalk, pairs) * pairs["share_of_old"].to_numpy()[:, None]
    whole = held.groupby(codes).sum(skipna=False)
    held = held.where(values.notna())
    known = held.groupby(codes).sum()
    parts = values.groupby(codes)
    mean = (values * held).groupby(codes).sum() / known.where(known > 0)
    # Rounding may lift a mean of equal figures above them, and a share above 100%.
    mean = mean.clip(parts.min(), parts.max()).where(known >= min_covered * whole)
    single = pairs.groupby("new_code").size() == 1
    return _framed(mean.mask(single, parts.first(), axis=0), crosswalk)


def _parts(figures: pd.DataFrame, crosswalk: Crosswalk, pairs: pd.DataFrame) -> pd.DataFrame:
    """Return the old area's figures of every pair, in the order of `pairs`."""
    strangers = figures.index.difference(pd.Index(crosswalk.table["old_code"]))
    if len(strangers):
        raise SourceError(
            f"no area of {crosswalk.old_year}: {some(strangers)}",
            source=f"crosswalk {crosswalk.old_year}-{crosswalk.new_year}",
        )
    return figures.astype("float64").reindex(pairs["old_code"]).reset_index(drop=True)


def _framed(carried: pd.DataFrame, crosswalk: Crosswalk) -> pd.DataFrame:
    """Give every new area a row, sorted by code."""
    codes = crosswalk.table["new_code"].dropna().unique()
    return carried.reindex(pd.Index(sorted(codes), dtype="str", name="code"))
