"""Why ranks moved between two editions: the score replayed with one thing changed at a time."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
import pandas as pd

from wijkatlas.areas import LevelTable, Status
from wijkatlas.catalog import Catalogue
from wijkatlas.crosswalk import Crosswalk, carry_counts, carry_means, make_crosswalk, weigh
from wijkatlas.scoring.score import score
from wijkatlas.scoring.spec import ScoreSpec


class Cause(StrEnum):
    """What moves a rank; published as it is, so in Dutch."""

    PROGRAM = "programma"
    BOUNDARIES = "grenzen"
    FIGURES = "cijfers"
    METHOD = "methode"


# What changes from each state to the next. The last and first are what another version of the program makes
# of the same figures and specification.
STEPS = (Cause.PROGRAM, Cause.BOUNDARIES, Cause.FIGURES, Cause.METHOD, Cause.PROGRAM)


@dataclass(frozen=True)
class Ranking:
    """One level of an edition: its figures, its specification and the ranks that it published."""

    table: LevelTable
    spec: ScoreSpec
    published: pd.Series  # Int32 rank by area code; <NA> or no row where not scored

    @property
    def state(self) -> "State":
        """The published list."""
        return State.of(self.published, self.spec)


@dataclass(frozen=True)
class State:
    """A list between the old and the new: the rank of each scored area, and who is in the top share."""

    ranks: pd.Series  # float, by code; only scored areas
    listed: pd.Series  # bool, by code; only scored areas

    @classmethod
    def of(cls, ranks: pd.Series, spec: ScoreSpec) -> "State":
        """Make the list of these ranks."""
        scored = ranks.dropna().astype(float)
        return cls(scored, scored <= spec.uncertainty.places(len(scored)))

    def seen_from(self, codes: pd.Series) -> "State":
        """Return the same list under other codes: `codes` holds, by new code, the old one."""
        return State(
            self.ranks.reindex(codes).set_axis(codes.index).dropna(),
            self.listed.reindex(codes).set_axis(codes.index).dropna().astype(bool),
        )


@dataclass(frozen=True)
class Moves:
    """
    How a level's ranks moved.

    `areas`, by code in the new division: vorige_code (the old area that holds most of its inhabitants),
    rang_voor, rang_na, verschuiving (places gained towards rank 1) and its parts programma, grenzen, cijfers
    and methode, which add up to it; lijst_voor and lijst_na (in the top share), and oorzaak: the last step
    that took the area over the edge of the list. Numbers are missing where either edition has no rank.

    `gone`, by old code: rang_voor, lijst_voor and nieuwe_codes of areas that no new area continues.
    """

    areas: pd.DataFrame
    gone: pd.DataFrame
    crosswalk: Crosswalk

    @property
    def entered(self) -> pd.DataFrame:
        """The areas that are on the list now and were not, by rank."""
        return self.areas[self.areas["lijst_na"] & ~self.areas["lijst_voor"]].sort_values(
            "rang_na", kind="stable"
        )

    @property
    def left(self) -> pd.DataFrame:
        """The areas that were on the list and are not any more, by former rank."""
        return self.areas[self.areas["lijst_voor"] & ~self.areas["lijst_na"]].sort_values(
            "rang_voor", kind="stable"
        )


def explain_moves(before: Ranking, after: Ranking, catalogue: Catalogue) -> Moves:
    """
    Split every area's change of rank by cause.

    The order is declared: first the old figures are carried to the new boundaries, then the new figures come,
    then the new specification. Each step's list can be made and looked at by itself, and each part is a whole
    number of places; what figures and method do only together counts as method. What a replay does not
    reproduce of a published rank is the program's.

    Parameters
    ----------
    before, after
        The same level of two editions of the same ground.
    catalogue
        As for `score`.

    Returns
    -------
    moves
        The parts are differences between successive lists, so they add up exactly. A list in which an area
        has no score does not move it: the next one that has takes the whole of the move.

    Raises
    ------
    ScoringError
        The new table cannot bear the old specification, or a table not its own.
    """
    new = after.table
    years = (before.table.year, new.year)
    crosswalk = weigh(make_crosswalk(before.table.areas, new.areas, years=years), new.values["inwoners"])
    origin = predecessors(crosswalk, before.table.values["inwoners"])
    carried = carry(before.table, crosswalk, new, catalogue)

    def replay(table: LevelTable, spec: ScoreSpec) -> State:
        return State.of(score(table, spec, catalogue).overview["rang"], spec)

    states = [
        before.state.seen_from(origin),
        replay(before.table, before.spec).seen_from(origin),
        replay(carried, before.spec),
        replay(new, before.spec),
        replay(new, after.spec),
        after.state,
    ]
    areas = split(states, STEPS, new.areas.index.sort_values())
    areas.insert(0, "vorige_code", origin.reindex(areas.index))
    return Moves(areas, _gone(before.state, crosswalk, origin), crosswalk)


def split(states: Sequence[State], steps: Sequence[Cause], codes: pd.Index) -> pd.DataFrame:
    """Return the columns of `Moves.areas` but the former code, from successive lists."""
    ranks = pd.concat([state.ranks.reindex(codes) for state in states], axis=1, ignore_index=True)
    listed = pd.concat(
        [state.listed.reindex(codes).fillna(value=False).astype(bool) for state in states],
        axis=1,
        ignore_index=True,
    )
    first, last = ranks[0], ranks[len(steps)]
    both = first.notna() & last.notna()
    parts = -ranks.ffill(axis=1).diff(axis=1)
    columns = {"rang_voor": first, "rang_na": last, "verschuiving": first - last}
    for cause in Cause:
        own = [number for number, step in enumerate(steps, start=1) if step is cause]
        columns[cause.value] = parts[own].sum(axis=1).where(both)
    crossed = listed.astype(int).diff(axis=1).iloc[:, 1:].ne(0)
    crossing = crossed.iloc[:, ::-1].idxmax(axis=1).map(dict(enumerate(map(str, steps), start=1)))
    was, is_now = listed[0], listed[len(steps)]
    return (
        pd.DataFrame(columns, codes)
        .astype("Int32")
        .assign(lijst_voor=was, lijst_na=is_now, oorzaak=crossing.where(was != is_now).astype("str"))
    )


def predecessors(crosswalk: Crosswalk, inhabitants: pd.Series) -> pd.Series:
    """
    Return by new code the old area that most of its inhabitants come from.

    Parameters
    ----------
    crosswalk
        Between the two divisions, weighed by inhabitants.
    inhabitants
        By old code; where they are unknown or 0, ground decides.
    """
    pairs = crosswalk.pairs
    brought = (pairs["share_of_old"] * pairs["old_code"].map(inhabitants)).fillna(0.0)
    ordered = pairs.assign(brought=brought).sort_values(
        ["new_code", "brought", "share_of_new", "old_code"], ascending=[True, False, False, True]
    )
    return ordered.drop_duplicates("new_code").set_index("new_code")["old_code"]


def carry(table: LevelTable, crosswalk: Crosswalk, onto: LevelTable, catalogue: Catalogue) -> LevelTable:
    """
    Return the figures of `table` in the division of `onto`.

    Counts are divided and summed; rates, means and medians are averaged over their denominators, which for
    a rate is the same as dividing both of its counts. An area that was not redrawn keeps its figures.
    """
    index, columns = onto.areas.index, table.values.columns
    counts = [name for name in columns if not catalogue.indicators[name].denominator]
    means = [name for name in columns if catalogue.indicators[name].denominator]
    covered = catalogue.rules.min_parts_covered
    values = pd.concat(
        [
            carry_counts(table.values[counts], crosswalk),
            carry_means(table.values[means], table.denominators[means], crosswalk, min_covered=covered),
        ],
        axis=1,
    ).reindex(index=index, columns=columns)
    known = values.notna()
    origin = predecessors(crosswalk, table.values["inwoners"]).reindex(index)

    def own(frame: pd.DataFrame) -> pd.DataFrame:
        return frame.reindex(origin).set_axis(index)

    redrawn = index.isin(crosswalk.redrawn)[:, np.newaxis]
    status = own(table.status).mask(known & redrawn, Status.CONVERTED.value)
    return replace(
        onto,
        values=values,
        denominators=carry_counts(table.denominators, crosswalk).reindex(index),
        status=status.mask(~known & redrawn, Status.NOT_APPLICABLE.value).fillna(Status.NO_ROW.value),
        peiljaar=own(table.peiljaar).where(known),
        parts_missing=own(table.parts_missing),
    )


def _gone(before: State, crosswalk: Crosswalk, origin: pd.Series) -> pd.DataFrame:
    """List the old areas that no new area continues, and what their ground belongs to now."""
    known = crosswalk.table["old_code"].dropna().unique()
    codes = pd.Index(sorted(set(known) - set(origin)), dtype="str", name="code")
    successors = crosswalk.pairs.groupby("old_code")["new_code"].agg(lambda new: "; ".join(sorted(new)))
    return pd.DataFrame(
        {
            "rang_voor": before.ranks.reindex(codes).astype("Int32"),
            "lijst_voor": before.listed.reindex(codes).fillna(value=False).astype(bool),
            "nieuwe_codes": successors.reindex(codes),
        },
        codes,
    )
