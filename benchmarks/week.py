"""
Show a week of a server in an hour: `python -m benchmarks.week --runs 100`.

A Prefect server of its own (SQLite, or Debian's PostgreSQL with --postgresql) has the flow served as on a
real machine, against stand-in sources that change and fail by a seeded chance; now and then the process of
a run is killed. After every run each edition is verified. Prints a line a run, and at the end what grew.
"""

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from contextlib import nullcontext
from pathlib import Path

import httpx

from wijkatlas.catalog import load_catalogue

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from editions import quick_settings
from scheduling import Site, postgresql, prefect_server, wait_for
from standins.world import YEAR, settings, small_world
from week import Fate, check_shelf

ENDS = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}
MB = 1_000_000


def variables(root: str, folder: Path) -> dict[str, str]:
    """Return settings as the environment gives them."""
    found = {
        "WIJKATLAS_EDITION__YEAR": str(YEAR),
        "WIJKATLAS_EDITION__DATA": str(folder / "data"),
        "WIJKATLAS_EDITION__OUT": str(folder / "outputs"),
        "WIJKATLAS_EDITION__SPEC": quick_settings(folder).spec,
        "WIJKATLAS_SCHEDULE__RETRIES": "0",
        "WIJKATLAS_SCHEDULE__CRON": "0 6 * * *",
    }
    user = settings(root)
    for name, value in user.network.model_dump(exclude_unset=True).items():
        found[f"WIJKATLAS_NETWORK__{name.upper()}"] = str(value)
    for name, service in user.sources.items():
        found[f"WIJKATLAS_SOURCES__{name.upper()}__ADDRESS"] = str(service.address)
    return found


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


def one_run(site: Site, kill: bool, log: Path) -> str:  # noqa: FBT001
    """Let the flow run once, and kill its process half-way if asked; return how it ended."""
    before = set(children(os.getpid()))
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
    arguments = parser.parse_args()
    world, draw = small_world(load_catalogue()), random.Random(arguments.seed)
    outcomes: Counter[str] = Counter()
    known: set[str] = set()
    measured: list[tuple[float, ...]] = []
    with (
        tempfile.TemporaryDirectory() as temporary,
        world.serve() as standin,
        postgresql() if arguments.postgresql else nullcontext() as database,
        prefect_server(Path(temporary), database) as site,
    ):
        folder = Path(temporary)
        site.environment |= variables(standin.root, folder)
        server = next(iter(children(os.getpid())))
        with site.beside("serve", "python", "-m", "flows.serve") as log:
            wait_for("the served flow", lambda: deployed(site), log)
            serving = max(set(children(os.getpid())) - {server, *children(server)})
            fate = Fate(world, standin, arguments.seed)
            for number in range(1, arguments.runs + 1):
                told, kill = fate.strike(), draw.random() < 0.05
                start = time.monotonic()
                outcome = one_run(site, kill, log)
                seconds = time.monotonic() - start
                earlier = known
                known = check_shelf(folder / "outputs", folder / "data" / "raw", known)
                outcomes[outcome] += 1
                outcomes["editions"] = len(known)
                memory = [sum(map(resident, (p, *children(p)))) for p in (server, serving)]
                disk = [size(folder / "prefect"), size(folder / "data"), log.stat().st_size / MB]
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
