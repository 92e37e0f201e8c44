"""Many editions at once, on threads and on a real Dask cluster of two processes, one of them killed."""

import importlib.util
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import ROOT, skip_or_fail
from editions import QUICK, quick_settings
from flows.many import choices, runner
from scheduling import BIN, Site, free_port, prefect_server, wait_for
from wijkatlas.errors import SettingsError
from wijkatlas.publish.manifest import verify
from wijkatlas.settings import UserSettings

pytestmark = pytest.mark.timeout(600)
SEEDS = (1, 2, 3, 4)


def specifications(folder: Path) -> list[Path]:
    """Write specifications that differ in their seed alone."""
    folder.mkdir(exist_ok=True)
    paths = []
    for seed in SEEDS:
        path = folder / f"zaad{seed}.toml"
        path.write_text(QUICK.replace("[uncertainty]", f"[uncertainty]\nseed = {seed}"), encoding="utf-8")
        paths.append(path)
    return paths


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with prefect_server(tmp_path_factory.mktemp("many")) as found:
        yield found


def arguments(folder: Path) -> list[str]:
    specs = [f"--spec={path}" for path in specifications(folder)]
    return [str(BIN / "python"), "-m", "flows.many", "--sample", "rotterdam", *specs]


def make_all(site: Site, folder: Path, out: Path, **environment: str) -> dict[str, bytes]:
    """Make all editions on shelves under `out`; return the checksums of each."""
    done = subprocess.run(
        arguments(folder),
        cwd=ROOT,
        env=site.environment | {"WIJKATLAS_EDITION__OUT": str(out)} | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return checksums(out)


def checksums(out: Path) -> dict[str, bytes]:
    found = {}
    for shelf in sorted(out.iterdir()):
        latest = (shelf / "latest").resolve()
        verify(latest)
        found[shelf.name] = (latest / "SHA256SUMS").read_bytes()
    return found


@pytest.fixture(scope="module")
def on_threads(site: Site) -> dict[str, bytes]:
    return make_all(site, site.folder / "specs", site.folder / "threads")


def test_threads_make_each_edition_on_its_own_shelf(on_threads: dict[str, bytes]) -> None:
    assert list(on_threads) == [f"rotterdam-2024-zaad{seed}" for seed in SEEDS]
    assert len(set(on_threads.values())) == len(SEEDS)


def test_cluster_makes_the_same_bytes_though_a_worker_is_killed(
    site: Site, on_threads: dict[str, bytes]
) -> None:
    if importlib.util.find_spec("prefect_dask") is None:
        skip_or_fail("wijkatlas[dask] is not installed")
    address, out = f"tcp://127.0.0.1:{free_port()}", site.folder / "cluster"
    local = ("--host", "127.0.0.1", "--no-dashboard")
    worker = ("dask", "worker", address, *local, "--nthreads", "1", "--no-nanny")
    port = address.rpartition(":")[2]
    with (
        site.beside("scheduler", "dask", "scheduler", *local, "--port", port) as scheduler,
        site.beside("first", *worker),
        site.beside("second", *worker) as second,
    ):
        log = scheduler
        wait_for("two workers", lambda: log.read_text().count("Register worker") > 1 or None, log)
        printed = site.folder / "many.log"
        with printed.open("w") as told:
            run = subprocess.Popen(
                arguments(site.folder / "specs"),
                cwd=ROOT,
                env=site.environment
                | {"WIJKATLAS_EDITION__OUT": str(out), "WIJKATLAS_EDITION__CLUSTER": address},
                stdout=told,
                stderr=subprocess.STDOUT,
            )
            wait_for("work on the second worker", lambda: "making" in second.read_text() or None, printed)
            site.signal("second", signal.SIGKILL)
            assert run.wait(300) == 0, printed.read_text()
    assert "Remove worker" in log.read_text()
    assert checksums(out) == on_threads


def test_two_specifications_do_not_share_a_shelf(tmp_path: Path) -> None:
    quick = quick_settings(tmp_path)
    assert isinstance(quick.spec, str)
    with pytest.raises(SettingsError, match="two specifications of that name"):
        choices(UserSettings(), "rotterdam", (), [quick.spec, quick.spec])


def test_years_that_are_fetched_have_a_store_each() -> None:
    found = choices(UserSettings(), "", (2023, 2024), ())
    assert list(found) == ["nederland-2023-deltaplan", "nederland-2024-deltaplan"]
    assert len({settings.store for settings in found.values()}) == 2
    assert len({settings.out for settings in found.values()}) == 2


def test_address_of_a_cluster_is_checked() -> None:
    with pytest.raises(ValueError, match="pattern"):
        UserSettings.model_validate({"edition": {"cluster": "http://example.org"}})


def test_absent_dask_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "prefect_dask", None)
    with pytest.raises(SettingsError, match=r"wijkatlas\[dask\]"):
        runner("tcp://127.0.0.1:8786")
