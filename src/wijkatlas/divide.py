"""Scenarios divided over the areas of an edition, by the scores that it published."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from wijkatlas.areas import Level
from wijkatlas.errors import PublishError, some
from wijkatlas.publish.allocations import Divided, Divisions
from wijkatlas.replay import Replayed, credits_of, replay
from wijkatlas.scoring.allocation import allocate, load_scenarios
from wijkatlas.scoring.score import score


def divide(edition: Path, scenarios: Path | None, data: Path, own: Sequence[Path] = ()) -> Divisions:
    """
    Divide what a scenario file offers over the areas of an edition.

    Parameters
    ----------
    edition
        The folder of an edition.
    scenarios
        A scenario file; without one, the examples that ship with the package.
    data
        Where the raw store and the samples are, to score the edition's own figures again.
    own
        The catalogue files of the own tables that went into it; their counts may be the people.

    Raises
    ------
    CatalogueError
        The scenario file is wrong.
    PublishError
        The folder is no edition, or this program gives other ranks than the edition has.
    SnapshotError, SourceError, ScoringError
        The edition cannot be replayed, or a scenario cannot be divided over it.
    """
    replayed = replay(edition, data, own)
    catalogue = replayed.catalogue
    asked = load_scenarios(scenarios, catalogue)
    divided = []
    for level in (Level.BUURT, Level.WIJK):
        if wanted := [scenario for scenario in asked if scenario.level == level]:
            published = replayed.published(level)
            check_ranks(replayed, level, published["rang"])
            table = replayed.tables[level]
            allocations = allocate(table, replayed.spec, catalogue, wanted, published["kans_top10"])
            divided += [Divided(allocation, published, catalogue) for allocation in allocations]
    in_order = sorted(divided, key=lambda each: asked.index(each.scenario))
    return Divisions(replayed.manifest, tuple(in_order), credits_of([replayed]))


def check_ranks(edition: Replayed, level: Level, published: pd.Series) -> None:
    """Refuse to divide by another score than the one that the edition published."""
    ranks = score(edition.tables[level], edition.spec, edition.catalogue).overview["rang"]
    pairs = pd.concat([ranks, published], axis=1, keys=["now", "then"]).astype(float).fillna(0)
    other = pairs.index[pairs["now"] != pairs["then"]]
    if len(other):
        raise PublishError(
            f"{edition.folder}: this version of the program ranks {len(other)} areas otherwise, such as "
            f"{some(other)}; make the edition again"
        )
