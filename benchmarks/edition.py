"""
Measure a whole national edition, and how it grows: `python -m benchmarks.edition [gemeenten ...]`.

The 12,147 buurten of 2024 in ../shared/data/national with their wijken and gemeenten, 1,000 replications,
every format and page. Each size is made in a process group of its own: seconds of wall and of processor,
what each stage wrote, and the peak of the group's memory, in which pages that processes share count once.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import wijkatlas.publish as publishing
from national import national_catalogue
from national_edition import national_contents, national_tables
from wijkatlas.edition import publish
from wijkatlas.inputs import Settings
from wijkatlas.publish.manifest import verify
from wijkatlas.publish.release import only_writer

NATIONAL = Path(__file__).parents[2] / "shared" / "data" / "national"
SIZES = (1, 10, 100, 342)
STAGES = (
    "write_data", "write_schemas", "write_datapackage", "write_dictionaries", "write_dcat",
    "write_pages", "write_gzip_copies", "write_manifest",
)  # fmt: skip


@contextmanager
def measured(name: str, folder: Path | None = None) -> Iterator[None]:
    """Print what a stage took, and what came into `folder` meanwhile."""
    before = written(folder)
    start = clocks()
    yield
    wall, processor = (now - then for now, then in zip(clocks(), start, strict=True))
    files, size = (now - then for now, then in zip(written(folder), before, strict=True))
    made = f"{files:6,} files {size / 1e6:7.1f} MB" if folder else ""
    print(f"  {name:20} {wall:6.2f} s  {processor:6.2f} s of processor  {made}", flush=True)


def clocks() -> tuple[float, float]:
    """Return seconds of the wall's clock, and of the processor's for this process and those it started."""
    return time.perf_counter(), sum(os.times()[:4])


def memory(group: int) -> int:
    """Return how many bytes the processes of a group hold together (their proportional set sizes)."""
    held = 0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if os.getpgid(int(process.name)) == group:
                sizes = (process / "smaps_rollup").read_text().split()
                held += 1024 * int(sizes[sizes.index("Pss:") + 1])
        except (OSError, ValueError):  # it has just ended
            continue
    return held


def written(folder: Path | None) -> tuple[int, int]:
    sizes = [path.stat().st_size for path in folder.rglob("*") if path.is_file()] if folder else []
    return len(sizes), sum(sizes)


def staged(stage: Callable[..., None]) -> Callable[..., None]:
    """Return the stage with its measure around it; its folder is its second argument, or its first."""

    def run(*arguments: object) -> None:
        folder = next(argument for argument in arguments if isinstance(argument, Path))
        with measured(stage.__name__, folder):
            stage(*arguments)

    return run


def one(gemeenten: int) -> None:
    """Make one edition."""
    catalogue = national_catalogue()
    for name in STAGES:
        setattr(publishing, name, staged(getattr(publishing, name)))
    print(f"{gemeenten} gemeenten", flush=True)
    with measured("assemble"):
        tables, spec = national_tables(NATIONAL, catalogue, gemeenten)
    start = clocks()
    with measured("score and analyse"):
        contents = national_contents(NATIONAL, tables, spec, catalogue)
    with measured("columns"):
        _ = contents.frames
    with tempfile.TemporaryDirectory() as out:
        settings = Settings(2024, Path(), Path(out))
        with only_writer(settings.out):
            folder = publish(contents, settings, None)
        files, size = written(folder)
        with measured("verify"):
            verify(folder)
    wall, processor = (now - then for now, then in zip(clocks(), start, strict=True))
    print(
        f"  = {wall:.1f} s ({processor:.1f} s of processor) after assembling, "
        f"{sum(len(t.values) for t in tables.values()):,} areas, {files:,} files, {size / 1e6:.0f} MB",
        flush=True,
    )


def main() -> None:
    if len(sys.argv) == 3 and sys.argv[1] == "one":
        one(int(sys.argv[2]))
        return
    print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}", flush=True)
    for gemeenten in [int(given) for given in sys.argv[1:]] or SIZES:
        command = [sys.executable, "-m", "benchmarks.edition", "one", str(gemeenten)]
        group, peak = subprocess.Popen(command, process_group=0), 0
        while group.poll() is None:
            peak = max(peak, memory(group.pid))
            time.sleep(1)  # reading it holds the processes up
        print(f"    peak {peak / 1e9:.2f} GB", flush=True)
        if group.returncode:
            sys.exit(group.returncode)


if __name__ == "__main__":
    main()
