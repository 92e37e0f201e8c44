"""Why ranks moved: every part belongs to its cause, and the parts add up exactly."""

from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely import union_all

from tests.scoring.worlds import INDICATORS, level_table, random_worse, specification
from wijkatlas.areas import LevelTable, Status
from wijkatlas.catalog import load_catalogue
from wijkatlas.crosswalk import make_crosswalk
from wijkatlas.errors import ScoringError
from wijkatlas.scoring.moves import Cause, Moves, Ranking, State, carry, explain_moves, split
from wijkatlas.scoring.score import score
from wijkatlas.scoring.spec import ScoreSpec

CATALOGUE = load_catalogue()
CAUSES = [cause.value for cause in Cause]
SPEC = specification()
OTHER_SPEC = specification(
    domain=[
        {
            "id": "meedoen_en_werk",
            "weight": 1.0,
            "indicator": [{"id": "netto_arbeidsparticipatie", "weight": 1.0}],
        },
        {
            "id": "leefbaarheid_en_veiligheid",
            "weight": 1.0,
            "indicator": [{"id": "lbm_overlast", "weight": 1.0}],
        },
    ]
)


def ranking(table: LevelTable, spec: ScoreSpec = SPEC) -> Ranking:
    return Ranking(table, spec, score(table, spec, CATALOGUE).overview["rang"])


def explained(before: Ranking, after: Ranking) -> Moves:
    moves = explain_moves(before, after, CATALOGUE)
    both = moves.areas.dropna(subset=["rang_voor", "rang_na"])
    assert (both[CAUSES].sum(axis=1) == both["verschuiving"]).all()
    assert (both["rang_voor"] - both["rang_na"] == both["verschuiving"]).all()
    return moves


def redrawn(table: LevelTable, members: dict[str, list[str]]) -> LevelTable:
    """Return the table of the next year: each new area holds these old ones, the rest is as it was."""
    taken = {old for olds in members.values() for old in olds}
    members = {code: [code] for code in table.values.index if code not in taken} | members
    codes = pd.Index(sorted(members), name="code")
    firsts = [members[code][0] for code in codes]
    held = table.denominators.loc[[members[c][0] for c in codes]].set_axis(codes) * 0
    frames = {
        name: getattr(table, name).loc[firsts].set_axis(codes)
        for name in ("status", "peiljaar", "parts_missing")
    }
    values, denominators = held.copy(), held.copy()
    for code in codes:
        part = table.values.loc[members[code]]
        values.loc[code] = part.mean()
        values.loc[code, "inwoners"] = part["inwoners"].sum()
        denominators.loc[code] = table.denominators.loc[members[code]].sum()
    areas = gpd.GeoDataFrame(
        table.areas.loc[firsts].drop(columns="geometry").set_axis(codes),
        geometry=[union_all(table.areas.geometry.loc[members[code]].to_numpy()) for code in codes],
        crs=28992,
    )
    return replace(
        table, year=table.year + 1, areas=areas, values=values, denominators=denominators, **frames
    )


def at_scale(table: LevelTable) -> LevelTable:
    """Return the table with areas of 100 m, wider than the tolerance of the crosswalk."""
    return replace(table, areas=table.areas.set_geometry(table.areas.geometry.scale(100, 100, origin=(0, 0))))


OLD = at_scale(level_table(random_worse(60, 1)))
NEW = at_scale(level_table(random_worse(60, 2)))
CODES = list(OLD.values.index)


def test_nothing_changed_nothing_moved() -> None:
    moves = explained(ranking(OLD), ranking(OLD))
    assert (moves.areas[["verschuiving", *CAUSES]] == 0).all(axis=None)
    assert moves.entered.empty
    assert moves.left.empty
    assert moves.gone.empty
    assert moves.areas["oorzaak"].isna().all()
    assert moves.areas["lijst_na"].sum() == 6


@pytest.mark.parametrize(
    ("after", "cause"),
    [(ranking(replace(NEW, year=2025)), Cause.FIGURES), (ranking(OLD, OTHER_SPEC), Cause.METHOD)],
)
def test_one_thing_changed_is_the_whole_cause(after: Ranking, cause: Cause) -> None:
    moves = explained(ranking(OLD), after)
    assert (moves.areas["verschuiving"] != 0).any()
    assert (moves.areas[cause] == moves.areas["verschuiving"]).all()
    assert set(moves.entered["oorzaak"]) | set(moves.left["oorzaak"]) == {cause}
    assert len(moves.entered) == len(moves.left) > 0


def test_a_recoded_area_does_not_move() -> None:
    after = redrawn(OLD, {"BU99999999": [CODES[0]]})
    moves = explained(ranking(OLD), ranking(after))
    assert moves.areas.loc["BU99999999", "vorige_code"] == CODES[0]
    assert (moves.areas[["verschuiving", *CAUSES]] == 0).all(axis=None)


def test_a_merger_is_a_matter_of_boundaries() -> None:
    ranks = score(OLD, SPEC, CATALOGUE).overview["rang"].sort_values()
    first, last = ranks.index[0], ranks.index[-1]
    after = redrawn(OLD, {"BU99999999": [first, last]})
    moves = explained(ranking(OLD), ranking(after))
    merged = moves.areas.loc["BU99999999"]
    assert merged["vorige_code"] == min(first, last)  # as many inhabitants: the first code
    assert (moves.areas["grenzen"] == moves.areas["verschuiving"]).all()
    gone = moves.gone.loc[max(first, last)]
    assert gone["nieuwe_codes"] == "BU99999999"
    assert gone["rang_voor"] == ranks[max(first, last)]
    assert gone["lijst_voor"] == (max(first, last) == first)


def test_most_inhabitants_decide_which_area_goes_on() -> None:
    table = replace(OLD, values=OLD.values.copy())
    table.values.loc[CODES[1], "inwoners"] = 5000.0
    after = redrawn(table, {"BU99999999": CODES[:3]})
    moves = explained(ranking(table), ranking(after))
    assert moves.areas.loc["BU99999999", "vorige_code"] == CODES[1]
    assert list(moves.gone.index) == [CODES[0], CODES[2]]


def test_a_split_gives_both_parts_the_figures_of_the_whole() -> None:
    whole = redrawn(OLD, {"BU99999999": CODES[:2]})
    after = ranking(replace(OLD, year=whole.year + 1))
    moves = explained(ranking(whole), after)
    parts = moves.areas.loc[CODES[:2]]
    assert set(parts["vorige_code"]) == {"BU99999999"}
    crosswalk = make_crosswalk(whole.areas, OLD.areas, years=(2025, 2026))
    carried = carry(whole, crosswalk, OLD, CATALOGUE)
    figures = carried.values.loc[CODES[:2], INDICATORS]
    assert figures.to_numpy() == pytest.approx(np.tile(whole.values.loc["BU99999999", INDICATORS], (2, 1)))
    assert carried.values.loc[CODES[:2], "inwoners"].sum() == 2000
    assert (carried.status.loc[CODES[:2], INDICATORS] == Status.CONVERTED).all(axis=None)
    assert (carried.status.loc[CODES[2:], INDICATORS] == Status.OBSERVED).all(axis=None)


def test_carrying_keeps_what_is_not_redrawn_bit_for_bit() -> None:
    gaps = at_scale(level_table(random_worse(60, 3, missing=0.1)))
    crosswalk = make_crosswalk(gaps.areas, NEW.areas, years=(2024, 2025))
    carried = carry(gaps, crosswalk, NEW, CATALOGUE)
    for name in ("values", "denominators", "status", "peiljaar", "parts_missing"):
        pd.testing.assert_frame_equal(
            getattr(carried, name), getattr(gaps, name), check_dtype=False, check_names=False
        )


def test_all_changed_at_once_adds_up() -> None:
    after = redrawn(NEW, {"BU99999999": CODES[:2], CODES[7]: CODES[7:9]})
    moves = explained(ranking(OLD), ranking(after, OTHER_SPEC))
    assert all((moves.areas[cause] != 0).any() for cause in ("grenzen", "cijfers", "methode"))
    assert (moves.areas["programma"] == 0).all()


def test_another_programs_ranks_are_its_own_cause() -> None:
    before = ranking(OLD)
    swapped = before.published.replace({1: 2, 2: 1, 6: 7, 7: 6})
    moves = explained(replace(before, published=swapped), before)
    moved = moves.areas[moves.areas["verschuiving"] != 0]
    assert len(moved) == 4
    assert (moved["programma"] == moved["verschuiving"]).all()
    assert set(moves.entered["oorzaak"]) == {"programma"}


def test_an_area_without_a_rank_before_or_after_has_no_move() -> None:
    thin = replace(OLD, values=OLD.values.copy())
    thin.values.loc[CODES[:2], "inwoners"] = 10.0
    lost = explained(ranking(OLD), ranking(thin)).areas.loc[CODES[:2]]
    won = explained(ranking(thin), ranking(OLD)).areas.loc[CODES[:2]]
    for areas, missing in ((lost, "rang_na"), (won, "rang_voor")):
        assert areas[missing].isna().all()
        assert areas[["verschuiving", *CAUSES]].isna().all(axis=None)


def test_a_gap_in_between_is_bridged_by_the_next_list() -> None:
    codes = pd.Index(["a", "b"])
    lists = [{"a": 4.0, "b": 1.0}, {"b": 1.0}, {"a": 1.0, "b": 2.0}]
    states = [
        State(pd.Series(ranks), pd.Series({code: rank == 1 for code, rank in ranks.items()}))
        for ranks in lists
    ]
    moves = split(states, [Cause.FIGURES, Cause.METHOD], codes)
    assert moves.loc["a", ["verschuiving", "cijfers", "methode"]].tolist() == [3, 0, 3]
    assert moves.loc["b", ["verschuiving", "cijfers", "methode"]].tolist() == [-1, 0, -1]
    assert moves["oorzaak"].tolist() == ["methode", "methode"]


@given(st.integers(0, 10_000), st.integers(2, 5), st.integers(1, 25))
def test_split_adds_up_and_names_the_last_crossing(seed: int, steps: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    codes = pd.Index([f"c{i:02d}" for i in range(n)])
    states = []
    for _ in range(steps + 1):
        present = codes[rng.random(n) < 0.8]
        ranks = pd.Series(rng.permutation(len(present)) + 1.0, present)
        states.append(State(ranks, ranks <= 3))
    causes = [list(Cause)[i] for i in rng.integers(len(Cause), size=steps)]
    moves = split(states, causes, codes)
    both = moves.dropna(subset=["verschuiving"])
    assert (both[CAUSES].sum(axis=1) == both["verschuiving"]).all()
    for code in codes:
        on = [bool(state.listed.get(code, default=False)) for state in states]
        crossings = [cause for cause, a, b in zip(causes, on[:-1], on[1:], strict=True) if a != b]
        if on[0] == on[-1]:
            assert pd.isna(moves.loc[code, "oorzaak"])
        else:
            assert moves.loc[code, "oorzaak"] == crossings[-1]


def test_order_of_rows_does_not_matter() -> None:
    after = redrawn(NEW, {"BU99999999": CODES[:2]})

    def turned(table: LevelTable) -> LevelTable:
        names = ("areas", "values", "denominators", "status", "peiljaar", "parts_missing")
        return replace(table, **{name: getattr(table, name).iloc[::-1] for name in names})

    moves = explain_moves(ranking(OLD), ranking(after, OTHER_SPEC), CATALOGUE)
    again = explain_moves(ranking(turned(OLD)), ranking(turned(after), OTHER_SPEC), CATALOGUE)
    pd.testing.assert_frame_equal(moves.areas, again.areas)
    pd.testing.assert_frame_equal(moves.gone, again.gone)


def test_a_specification_that_the_new_figures_cannot_bear_is_told() -> None:
    bare = replace(NEW, values=NEW.values[["inwoners", "bijstand"]])
    own = specification(
        domain=[{"id": "bestaanszekerheid", "weight": 1.0, "indicator": [{"id": "bijstand", "weight": 1.0}]}]
    )
    with pytest.raises(ScoringError, match="carries"):
        explain_moves(ranking(OLD), ranking(bare, own), CATALOGUE)
