"""Two editions beside each other: who came, who went, how ranks moved and why."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from wijkatlas.areas import Level
from wijkatlas.errors import PublishError
from wijkatlas.publish.changes import Changes, LevelChanges
from wijkatlas.replay import Replayed, credits_of, replay
from wijkatlas.scoring.moves import Moves, Ranking, explain_moves

NAMES = ["naam", "gemeente_code", "gemeente_naam"]
DOUBT = ["rang_p05", "rang_p95", "reden_niet_gescoord"]


def compare_editions(before: Path, after: Path, data: Path, own: Sequence[Path] = ()) -> Changes:
    """
    Compare two editions of the same region.

    Parameters
    ----------
    before, after
        The folders of the older and the newer edition.
    data
        Where the raw store and the samples are, or one store, to replay both.
    own
        The catalogue files of the own tables that went into both.

    Raises
    ------
    PublishError
        A folder is no edition, or they are of different regions.
    SnapshotError, SourceError, CatalogueError, ScoringError
        One of them cannot be replayed.
    """
    return compare_lists(replay(before, data, own), replay(after, data, own))


def compare_lists(old: Replayed, new: Replayed) -> Changes:
    """
    Compare two editions of the same region whose figures are at hand.

    Raises
    ------
    PublishError
        They are of different regions, or have no readable lists.
    ScoringError
        The figures of one cannot be scored as the other's were.
    """
    regions = [edition.manifest["sample"] or "Nederland" for edition in (old, new)]
    if regions[0] != regions[1]:
        raise PublishError(f"an edition of {regions[0]} and one of {regions[1]} have no list in common")
    levels = {}
    for level in (Level.BUURT, Level.WIJK):
        lists = old.published(level), new.published(level)
        moves = explain_moves(_ranking(old, level, lists[0]), _ranking(new, level, lists[1]), new.catalogue)
        levels[level] = LevelChanges(level, _named(moves, *lists), moves.gone.join(lists[0][NAMES]))
    return Changes(old.manifest, new.manifest, levels, credits_of([old, new]))


def _ranking(edition: Replayed, level: Level, published: pd.DataFrame) -> Ranking:
    return Ranking(edition.tables[level], edition.spec, published["rang"])


def _named(moves: Moves, before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Put names, margins and reasons beside the moves, by code in the new division."""
    former = before.reindex(moves.areas["vorige_code"]).set_axis(moves.areas.index)
    return (
        moves.areas.assign(vorige_naam=former["naam"])
        .join(after[NAMES])
        .join(former[DOUBT].add_suffix("_voor"))
        .join(after[DOUBT].add_suffix("_na"))
    )
