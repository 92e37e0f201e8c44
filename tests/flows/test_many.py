"""Many years at once, fetched and made on threads and on a real Dask cluster, one of its workers killed."""

import importlib.util
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import ROOT, skip_or_fail
from editions import quick_settings
from flows.many import choices, runner
from scheduling import BIN, Site, free_port, prefect_server, source_variables, wait_for
from standins.places import zip_of
from standins.world import LIVEABILITY, MEMBER, OTHERS, SAMPLE, World, small_world
from wijkatlas.catalog import load_catalogue
from wijkatlas.errors import SettingsError
from wijkatlas.publish.manifest import verify
from wijkatlas.settings import UserSettings
from wijkatlas.snapshots import SnapshotStore
from wijkatlas.sources import read_documents

pytestmark = pytest.mark.timeout(600)
YEARS = (2022, 2023, 2024)


def several_years() -> World:
    """Return Rotterdam with what each year asks for: of what the sample has once, the same again."""
    world, store = small_world(load_catalogue()), SnapshotStore(SAMPLE)
    measured = read_documents(store, store.lock(), "leefbaarometer", "2024")[1]["buurten"][0]
    earlier = measured.partition(b"\n")[2].replace(b",2024,", b",2022,")
    world.downloads.files[LIVEABILITY] = zip_of({**OTHERS, MEMBER: measured + earlier})
    world.features.etags = True  # and no time on its pages, which would make each fetch another edition
    return world


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("many")
    with several_years().serve() as standin, prefect_server(folder) as found:
        found.environment |= source_variables(standin.root)
        found.environment["WIJKATLAS_EDITION__SPEC"] = quick_settings(folder).spec
        yield found


ARGUMENTS = [str(BIN / "python"), "-m", "flows.many", *(f"--year={year}" for year in YEARS)]


def places(folder: Path) -> dict[str, str]:
    """Let everything be fetched and made anew, in a folder of its own."""
    return {"WIJKATLAS_EDITION__OUT": str(folder / "out"), "WIJKATLAS_EDITION__DATA": str(folder / "data")}


def checksums(out: Path) -> dict[str, bytes]:
    found = {}
    for shelf in sorted(out.iterdir()):
        latest = (shelf / "latest").resolve()
        verify(latest)
        found[shelf.name] = (latest / "SHA256SUMS").read_bytes()
    return found


@pytest.fixture(scope="module")
def on_threads(site: Site) -> dict[str, bytes]:
    folder = site.folder / "threads"
    done = subprocess.run(
        ARGUMENTS,
        cwd=ROOT,
        env=site.environment | places(folder),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return checksums(folder / "out")


def test_threads_fetch_and_make_each_year_on_its_own_shelf(on_threads: dict[str, bytes]) -> None:
    assert list(on_threads) == [f"nederland-{year}-quick" for year in YEARS]
    assert len(set(on_threads.values())) == len(YEARS)


def test_cluster_makes_the_same_bytes_though_a_worker_is_killed(
    site: Site, on_threads: dict[str, bytes]
) -> None:
    if importlib.util.find_spec("prefect_dask") is None:
        skip_or_fail("wijkatlas[dask] is not installed")
    address, folder = f"tcp://127.0.0.1:{free_port()}", site.folder / "cluster"
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
                ARGUMENTS,
                cwd=ROOT,
                env=site.environment | places(folder) | {"WIJKATLAS_EDITION__CLUSTER": address},
                stdout=told,
                stderr=subprocess.STDOUT,
            )
            wait_for("work on the second worker", lambda: "making" in second.read_text() or None, printed)
            site.signal("second", signal.SIGKILL)
            assert run.wait(300) == 0, printed.read_text()
    assert "Remove worker" in log.read_text()
    assert checksums(folder / "out") == on_threads


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
