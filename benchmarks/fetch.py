"""
Measure reading one KWB table, as ratios in one run of `python -m benchmarks.fetch`.

The same stand-in serves the same 18,495 rows of 121 columns to `cbsodata.get_data` and to our own fetch,
which also checks and keeps what came, and reads it into a table. Each reader is a process of its own, so
that its peak memory is its own; medians of the rounds, the readers take turns within a round. The stand-in
answers from rows in memory and selects columns itself, on the same machine: what the network would save
by asking for fewer columns is not in these figures, only told in bytes.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from urllib.parse import urlsplit

import cbsodata
import pandas as pd

from wijkatlas.catalog import load_catalogue
from wijkatlas.snapshots import Lock, SnapshotStore
from wijkatlas.sources import parse_table, read_documents
from wijkatlas.sources.fetch import Run, fetch_job

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))
from standins.server import StandIn  # noqa: E402
from standins.world import big_world, settings  # noqa: E402

YEAR, ROWS, COLUMNS = 2024, 18_495, 121


def by_cbsodata(root: str) -> int:
    """Read the table as the library's own page shows it."""
    cbsodata.options.use_https = False
    rows = cbsodata.get_data("85984NED", catalog_url=urlsplit(root).netloc + "/v3")
    return len(pd.DataFrame(rows))


def by_wijkatlas(root: str) -> int:
    """Fetch the table into a store, and read it from there."""
    catalogue = load_catalogue()
    with tempfile.TemporaryDirectory() as folder:
        store = SnapshotStore(Path(folder))
        run = Run(store, catalogue, settings(root), lambda _tally: None, date(2026, 1, 1))
        with run.job(catalogue.sources["kwb"], YEAR) as job:
            lock = Lock.of(fetch_job(job))
        documents = read_documents(store, lock, "kwb", "85984NED")[1]
        return len(parse_table(documents, catalogue, "kwb", YEAR).frame)


def nothing(_root: str) -> int:
    """Only import: what every reader has spent before it begins."""
    return 0


READERS: dict[str, Callable[[str], int]] = {
    "imports alone": nothing,
    "cbsodata.get_data": by_cbsodata,
    "wijkatlas": by_wijkatlas,
}


def measure(reader: str, server: StandIn) -> dict[str, float]:
    """Let one reader read in a process of its own."""
    before = server.sent
    command = [sys.executable, "-m", "benchmarks.fetch", "--reader", reader, "--root", server.root]
    result: dict[str, float] = json.loads(subprocess.check_output(command, cwd=ROOT))
    return {**result, "sent": (server.sent - before) / 1e6}


def read(reader: str, root: str) -> None:
    """Be that process: read, and print seconds, rows, bytes and the peak of memory."""
    start = time.perf_counter()
    rows = READERS[reader](root)
    seconds = time.perf_counter() - start
    # of this process alone: ru_maxrss begins with what the parent had
    status = Path("/proc/self/status").read_text()
    peak = int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) / 1024
    print(json.dumps({"seconds": seconds, "rows": rows, "MB": peak}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--reader", choices=READERS, help=argparse.SUPPRESS)
    parser.add_argument("--root", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.reader:
        read(arguments.reader, arguments.root)
        return
    with big_world(load_catalogue(), sizes={YEAR: ROWS}, columns=COLUMNS).serve() as server:
        rounds = [
            {reader: measure(reader, server) for reader in READERS} for _ in range(arguments.rounds + 1)
        ][1:]  # the first one warms up
    medians = {
        reader: {key: statistics.median(r[reader][key] for r in rounds) for key in rounds[0][reader]}
        for reader in READERS
    }
    for reader, median in medians.items():
        print(
            f"{reader:18} {median['seconds']:6.2f} s {median['MB']:7.0f} MB {median['rows']:7.0f} rows, "
            f"{median['sent']:5.1f} MB sent"
        )
    ours, theirs, base = (medians[name] for name in ("wijkatlas", "cbsodata.get_data", "imports alone"))
    print(f"time   wijkatlas / cbsodata: {ours['seconds'] / theirs['seconds']:.2f}")
    above = (ours["MB"] - base["MB"]) / (theirs["MB"] - base["MB"])
    print(f"memory wijkatlas / cbsodata: {above:.2f}, above what the imports take")
    print(f"sent   wijkatlas / cbsodata: {ours['sent'] / theirs['sent']:.2f}")


if __name__ == "__main__":
    main()
