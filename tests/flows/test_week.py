"""A short week: runs against sources that change and fail by chance (`benchmarks/week.py`: a long one)."""

from pathlib import Path

from editions import quick_settings
from standins.world import YEAR, settings, small_world
from week import Fate, check_shelf
from wijkatlas.catalog import load_catalogue
from wijkatlas.edition import make_edition
from wijkatlas.errors import WijkatlasError
from wijkatlas.inputs import Settings

RUNS = 8
SEED = 2


def test_nothing_is_lost_whatever_the_sources_do(tmp_path: Path) -> None:
    world = small_world(load_catalogue())
    known: set[str] = set()
    outcomes = []
    with world.serve() as standin:
        fate = Fate(world, standin, SEED)
        run = Settings(
            YEAR,
            tmp_path / "raw",
            tmp_path / "outputs",
            spec=quick_settings(tmp_path).spec,
            fetch_by=settings(standin.root),
        )
        for _ in range(RUNS):
            fate.strike()
            try:
                made = make_edition(run).name
                outcomes.append("no news" if made in known else "news")
            except WijkatlasError:
                outcomes.append("refused")
            known = check_shelf(run.out, run.store, known)
    assert set(outcomes) == {"news", "no news", "refused"}, outcomes
    assert len(known) == outcomes.count("news")
