"""A week in the life of a server: sources that change, and fail, by a seeded chance."""

import random
from pathlib import Path

from standins.server import StandIn
from standins.world import World
from wijkatlas.publish.manifest import verify
from wijkatlas.snapshots import SnapshotStore

FAULTS = ("status", "reset", "short", "cut", "html")
STATUSES = (429, 500, 503, 404)
FIGURE = "AantalInwoners_5"


class Fate:
    """Decides what happens before each run; the same seed, the same week."""

    def __init__(self, world: World, standin: StandIn, seed: int) -> None:
        self.world, self.standin = world, standin
        self.draw = random.Random(seed)

    def strike(self) -> str:
        """Let a source change and a source fail, or not, and say what was done."""
        told = []
        if self.draw.random() < 0.3:
            table = self.world.tables["85984NED"]
            row = self.draw.choice([row for row in table.rows if row.get(FIGURE)])
            row[FIGURE] += 1
            table.modified = f"2026-09-01T{self.draw.randrange(24):02}:{self.draw.randrange(10**6):06}"
            told.append("news")
        self.standin.faults.clear()
        for _ in range(self.draw.choice((0, 0, 1, 1, 2, 3))):
            kind, status = self.draw.choice(FAULTS), self.draw.choice(STATUSES)
            # up to five times: more often than the three attempts that a page is given
            times, after = self.draw.randrange(1, 6), self.draw.randrange(30)
            self.standin.fail(kind, times=times, after=after, status=status)
            told.append(f"{kind}{f' {status}' if kind == 'status' else ''} x{times}")
        return ", ".join(told) or "nothing"


def check_shelf(out: Path, store: Path, known: set[str]) -> set[str]:
    """
    Verify every edition and every snapshot, and that nothing that was there is gone.

    Returns
    -------
    editions
        Their names.
    """
    editions = {path.name for path in (out / "editions").glob("*") if path.is_dir()}
    assert known <= editions, f"lost: {known - editions}"
    for name in editions:
        verify(out / "editions" / name)
    if editions:
        assert (out / "latest").resolve().name in editions
    assert not [path for path in (out / "editions").glob(".*") if editions]
    assert SnapshotStore(store).verify() == []
    return editions
