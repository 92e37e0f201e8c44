"""
Show months of a server in an hour: `python -m benchmarks.week --runs 100`.

A Prefect server of its own (SQLite, or Debian's PostgreSQL with --postgresql) has the flow served as on a
real machine, against stand-in sources that change and fail by a seeded chance; now and then the process of
a run is killed. After every run each edition is verified, and a day passes in the database, which forgets
as the shipped settings say, only sooner. Prints a line a run, and at the end what grew.
"""

import argparse
import asyncio
import os
import random
import re
import signal
import sys
import tempfile
import time
from collections import Counter
from contextlib import nullcontext
from pathlib import Path

import httpx
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from wijkatlas.catalog import load_catalogue

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from conftest import ROOT
from editions import quick_settings
from scheduling import Site, postgresql, prefect_server, source_variables, wait_for
from standins.world import YEAR, small_world
from week import Fate, check_shelf

ENDS = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}
MB = 1_000_000
DAYS = 10  # that runs are kept: so many runs later nothing may grow any more
FORGETTING = {
    "PREFECT_SERVER_SERVICES_DB_VACUUM_RETENTION_PERIOD": str(DAYS * 86_400),
    "PREFECT_SERVER_SERVICES_DB_VACUUM_LOOP_SECONDS": "30",
    "PREFECT_SERVER_SERVICES_DB_VACUUM_ORPHAN_CLEANUP_LOOP_SECONDS": "60",
}
# What the server goes by when it forgets: the end of a run, the moment of an event.
MOMENTS = {"flow_run": "end_time", "events": "occurred", "event_resources": "occurred"}
DAY_EARLIER = {
    "sqlite": "strftime('%Y-%m-%d %H:%M:%f000', {}, '-1 day')",
    "postgresql": "{} - interval '1 day'",
}
SIZE = {
    "sqlite": "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size",
    "postgresql": "SELECT pg_database_size(current_database())",
}


def variables(root: str, folder: Path, cron: str) -> dict[str, str]:
    """Return settings as the environment gives them."""
    return source_variables(root) | {
        "WIJKATLAS_EDITION__YEAR": str(YEAR),
        "WIJKATLAS_EDITION__DATA": str(folder / "data"),
        "WIJKATLAS_EDITION__OUT": str(folder / "outputs"),
        "WIJKATLAS_EDITION__SPEC": quick_settings(folder).spec,
        "WIJKATLAS_SCHEDULE__RETRIES": "0",
        "WIJKATLAS_SCHEDULE__CRON": cron,
    }


def shipped() -> dict[str, str]:
    """Return what the server's unit says of forgetting."""
    unit = (ROOT / "deploy" / "systemd" / "wijkatlas-server.service").read_text()
    return dict(re.findall(r"^Environment=(\w+_DB_VACUUM_\w+)=(.*)$", unit, flags=re.MULTILINE))


def children(parent: int) -> list[int]:
    """Return the processes that a process started, and theirs."""
    direct = [
        int(entry.name)
        for entry in Path("/proc").iterdir()
        if entry.name.isdigit() and parent_of(entry) == parent
    ]
    return direct + [grandchild for child in direct for grandchild in children(child)]


def parent_of(entry: Path) -> int:
    try:
        return int((entry / "stat").read_text().rpartition(")")[2].split()[1])
    except OSError:  # it ended meanwhile
        return 0


def resident(process: int) -> float:
    """Return the memory of a process in MB."""
    try:
        return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / MB
    except OSError:
        return 0


def size(folder: Path) -> float:
    """Return the disk that a folder takes in MB."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / MB


async def pass_a_day(database: str) -> float:
    """Let everything in the scheduler's database have happened a day earlier; return its size in MB."""
    kind = database.partition("+")[0]
    engine = create_async_engine(database, connect_args={"timeout": 60})
    try:
        async with engine.begin() as connection:
            for table, moment in MOMENTS.items():
                earlier = DAY_EARLIER[kind].format(moment)
                await connection.execute(text(f"UPDATE {table} SET {moment} = {earlier}"))
            return int((await connection.execute(text(SIZE[kind]))).scalar_one()) / MB
    finally:
        await engine.dispose()


def one_run(site: Site, log: Path, *, clock: bool, kill: bool) -> str:
    """Let the flow run once, now or by the clock, and kill it half-way if asked; return how it ended."""
    before = set(children(os.getpid()))
    if clock:
        run = wait_for("the clock", lambda: next(iter(site.runs("Scheduled")), None), log)["id"]
    else:
        run = site.start_run()

    def ended() -> str | None:
        reply = httpx.get(f"{site.api}/flow_runs/{run}", timeout=60).json()
        state = reply["state"]
        started = state["type"] == "RUNNING"
        if kill and started:
            for child in set(children(os.getpid())) - before:
                os.kill(child, signal.SIGKILL)
        return state["name"] if state["type"] in ENDS else None

    return wait_for("a run", ended, log)


def main() -> None:
    """Make the runs and tell what became of them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--postgresql", action="store_true")
    parser.add_argument("--clock", action="store_true", help="runs start by cron, every two minutes")
    arguments = parser.parse_args()
    world, draw = small_world(load_catalogue()), random.Random(arguments.seed)
    outcomes: Counter[str] = Counter()
    known: set[str] = set()
    measured: list[tuple[float, ...]] = []
    with (
        tempfile.TemporaryDirectory() as temporary,
        world.serve() as standin,
        postgresql() if arguments.postgresql else nullcontext() as address,
        prefect_server(Path(temporary), address, shipped() | FORGETTING) as site,
    ):
        folder = Path(temporary)
        database = address or f"sqlite+aiosqlite:///{folder}/prefect/prefect.db"
        cron = "*/2 * * * *" if arguments.clock else "0 6 * * *"
        site.environment |= variables(standin.root, folder, cron)
        server = next(iter(children(os.getpid())))
        with site.beside("serve", "python", "-m", "flows.serve") as log:
            wait_for("the served flow", lambda: deployed(site), log)
            serving = max(set(children(os.getpid())) - {server, *children(server)})
            fate = Fate(world, standin, arguments.seed)
            for number in range(1, arguments.runs + 1):
                told, kill = fate.strike(), draw.random() < 0.05
                start = time.monotonic()
                outcome = one_run(site, log, clock=arguments.clock, kill=kill)
                seconds = time.monotonic() - start
                earlier = known
                known = check_shelf(folder / "outputs", folder / "data" / "raw", known)
                outcomes[outcome] += 1
                outcomes["editions"] = len(known)
                memory = [sum(map(resident, (p, *children(p)))) for p in (server, serving)]
                history = asyncio.run(pass_a_day(database))
                disk = [history, size(folder / "data"), log.stat().st_size / MB]
                measured.append((seconds, *memory, *disk))
                print(
                    f"{number:4} {outcome:10} {'killed ' if kill else ''}{len(known - earlier)} new "
                    f"{seconds:5.1f} s  server {memory[0]:.0f} MB, serving {memory[1]:.0f} MB, "
                    f"Prefect {disk[0]:.1f} MB, store {disk[1]:.1f} MB  ({told})",
                    flush=True,
                )
            printed = log.read_text() + (folder / "server.log").read_text()
    locked = printed.lower().count("database is locked")
    if locked:
        print("".join(line + "\n" for line in printed.splitlines() if "locked" in line.lower())[:5000])
    print(
        f"{dict(outcomes)}; every edition verified after every run, none lost; "
        f"'database is locked' {locked} times"
    )
    half = len(measured) // 2
    for name, first, second in zip(
        ("seconds", "server MB", "serving MB", "Prefect MB on disk", "store MB", "log MB"),
        map(middle, zip(*measured[:half], strict=True)),
        map(middle, zip(*measured[half:], strict=True)),
        strict=True,
    ):
        print(f"{name:20} first half {first:8.1f}, second half {second:8.1f}")
    raise SystemExit(bool(locked))


def middle(values: tuple[float, ...]) -> float:
    """Return the median."""
    return sorted(values)[len(values) // 2]


def deployed(site: Site) -> bool | None:
    """Whether the flow is served."""
    return httpx.get(f"{site.api}/deployments/name/edition/schedule").is_success or None


if __name__ == "__main__":
    main()
