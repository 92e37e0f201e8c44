"""
Fuzz every parser for as long as you like, in bounded memory.

    python -m benchmarks.fuzz --seconds 600          # ten minutes each: four hours in all
    python -m benchmarks.fuzz --seconds 60 own_xlsx leefbaarometer

A failure is printed by Hypothesis with the smallest bytes that show it; exit code 1.
"""

import argparse
import resource
import sys
import time
import traceback
import warnings
from pathlib import Path

from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from wijkatlas.errors import WijkatlasError

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from fuzz.spoil import spoiled
from fuzz.targets import targets

MEMORY = 4 << 30  # bytes of address space; more than that is a failure too
BATCH = 200


def fuzz(name: str, seconds: float) -> tuple[int, str]:
    """Try spoiled replies on one parser; return how many, and the traceback of a failure."""
    target, tried, end, batch = targets()[name], 0, time.monotonic() + seconds, 0
    while time.monotonic() < end:
        batch += 1

        @seed(batch)
        @settings(max_examples=BATCH, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(content=st.one_of(st.binary(max_size=1000), spoiled(target.real)))
        def attempt(content: bytes) -> None:
            nonlocal tried
            tried += 1
            try:
                target.parse(content)
            except WijkatlasError:
                return

        try:
            attempt()
        except BaseException:  # noqa: BLE001  whatever it is, it is what is looked for
            return tried, traceback.format_exc(limit=-4)
    return tried, ""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("names", nargs="*", default=sorted(targets()))
    arguments = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    warnings.simplefilter("ignore")  # GDAL has much to say before it refuses
    failed = False
    print(f"{'parser':28} {'tried':>8} {'peak MB':>8}  result")
    for name in arguments.names:
        tried, failure = fuzz(name, arguments.seconds)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        print(f"{name:28} {tried:8} {peak:8}  {'FAILED' if failure else 'no crash'}", flush=True)
        if failure:
            print(failure)
        failed |= bool(failure)
    raise SystemExit(failed)


if __name__ == "__main__":
    main()
