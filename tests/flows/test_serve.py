"""Unattended: a real Prefect server, on SQLite and on PostgreSQL, runs the edition flow by the clock."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from pytest_httpserver import HTTPServer

from conftest import ROOT
from editions import quick_settings
from flows.serve import main
from scheduling import Site, postgresql, prefect_server, wait_for
from wijkatlas.publish.manifest import read_manifest, verify

pytestmark = pytest.mark.timeout(600)  # of which most is waiting for the clock
EVERY_MINUTE = "* * * * *"


@dataclass
class Watch:
    """A site that makes quick editions every minute, and what can be seen of it."""

    site: Site
    out: Path
    log: Path
    calls: HTTPServer | None = None

    def first_edition(self) -> Path:
        """Wait until the clock alone has led to an edition."""
        wait_for("the first scheduled run", lambda: self.site.runs("Completed") or None, self.log)
        return (self.out / "latest").resolve()

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]


def settings_for(folder: Path) -> dict[str, str]:
    quick = quick_settings(folder)
    return {
        "WIJKATLAS_EDITION__SAMPLE": "rotterdam",
        "WIJKATLAS_EDITION__SPEC": quick.spec,
        "WIJKATLAS_EDITION__OUT": str(quick.out),
        "WIJKATLAS_SCHEDULE__CRON": EVERY_MINUTE,
        "WIJKATLAS_SCHEDULE__LOG": "json",
    }


@contextmanager
def served(folder: Path) -> Iterator[Watch]:
    """SQLite, `python -m flows.serve`, runs that wait, and a webhook."""
    with HTTPServer(host="127.0.0.1") as calls, prefect_server(folder) as site:
        calls.expect_request("/alarm", method="POST").respond_with_data("thanks")
        site.environment |= settings_for(folder)
        site.environment["WIJKATLAS_SCHEDULE__WEBHOOK"] = calls.url_for("/alarm")
        with site.beside("serve", "python", "-m", "flows.serve") as log:
            wait_for("the served flow", lambda: deployment(site), log)
            yield Watch(site, folder / "outputs", log, calls)


@contextmanager
def pooled(folder: Path) -> Iterator[Watch]:
    """PostgreSQL, `prefect.yaml`, a work pool with a worker, runs that stop."""
    with postgresql() as database, prefect_server(folder, database) as site:
        site.environment |= settings_for(folder) | {"WIJKATLAS_HOME": str(ROOT)}
        site.command("prefect", "work-pool", "create", "wijkatlas", "--type", "process")
        overlap = ("--concurrency-limit", "1", "--collision-strategy", "CANCEL_NEW")
        site.command(
            "prefect", "--no-prompt", "deploy", "--name", "schedule", "--cron", EVERY_MINUTE, *overlap
        )
        with site.beside("worker", "prefect", "worker", "start", "--pool", "wijkatlas") as log:
            yield Watch(site, folder / "outputs", log)


def deployment(site: Site) -> bool | None:
    return httpx.get(f"{site.api}/deployments/name/edition/schedule").is_success or None


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Watch]]:
    """Start both sites before anything is waited for: their minutes pass together."""
    with ExitStack() as stack:
        yield {
            "served": stack.enter_context(served(tmp_path_factory.mktemp("served"))),
            "pooled": stack.enter_context(pooled(tmp_path_factory.mktemp("pooled"))),
        }


@pytest.fixture(params=["served", "pooled"])
def watch(request: pytest.FixtureRequest, both: dict[str, Watch]) -> Watch:
    return both[request.param]


def test_the_clock_alone_publishes_an_edition(watch: Watch) -> None:
    edition = watch.first_edition()
    assert verify(edition) > 30
    assert read_manifest(edition)["title"] == "Rotterdam 2024"


def test_next_run_finds_no_news(watch: Watch) -> None:
    edition = watch.first_edition()
    written = {path: path.stat().st_mtime_ns for path in edition.rglob("*")}
    run = watch.site.start_run()
    wait_for("the next run", lambda: watch.site.state_of(run)["type"] == "COMPLETED" or None, watch.log)
    assert {path: path.stat().st_mtime_ns for path in edition.rglob("*")} == written
    assert "no news" in watch.log.read_text()
    assert [path.name for path in (watch.out / "editions").iterdir() if path.is_dir()] == [edition.name]


def test_each_run_shows_its_report(watch: Watch) -> None:
    edition = watch.first_edition()
    shown = httpx.get(f"{watch.site.api}/artifacts/edition/latest", timeout=60).json()
    assert shown["type"] == "markdown"
    assert edition.name in shown["data"]
    assert "| 1 (" in shown["data"]


def test_logs_tell_a_stage_a_line_in_json(both: dict[str, Watch]) -> None:
    both["served"].first_edition()
    told = {line["stage"]: line for line in both["served"].lines() if "stage" in line}
    assert {"read", "assemble", "score", "analyse", "publish"} <= told.keys()
    assert "91 buurten" in told["read"]["made"]
    assert all(line["seconds"] >= 0 for line in told.values())


def test_overlapping_run_waits_for_the_last_one(both: dict[str, Watch]) -> None:
    ended = end_of_two(both["served"])
    assert [run["state"]["name"] for run in ended] == ["Failed", "Failed"]
    first, second = sorted(ended, key=lambda run: run["start_time"])
    assert second["start_time"] >= first["end_time"]


def test_overlapping_run_stops_where_that_is_the_choice(both: dict[str, Watch]) -> None:
    ended = end_of_two(both["pooled"])
    assert "Cancelled" in [run["state"]["name"] for run in ended]


def end_of_two(watch: Watch) -> list[dict[str, Any]]:
    """Ask for two runs at the same moment, and return how they ended."""
    runs = [watch.site.start_run(sample="nowhere") for _ in range(2)]
    return [wait_for("both runs", partial(finished, watch.site, run), watch.log) for run in runs]


def finished(site: Site, run: str) -> dict[str, Any] | None:
    found: dict[str, Any] = httpx.get(f"{site.api}/flow_runs/{run}", timeout=60).json()
    return found if found["state"]["type"] in {"COMPLETED", "FAILED", "CANCELLED", "CRASHED"} else None


def test_failed_run_calls_the_webhook(both: dict[str, Watch]) -> None:
    watch = both["served"]
    run = watch.site.start_run(sample="<script>\"'nowhere")

    def call() -> dict[str, Any] | None:
        assert watch.calls
        told = [json.loads(request.get_data()) for request, _ in watch.calls.log]
        return next((body for body in told if body["id"] == run), None)

    body = wait_for("the webhook's call", call, watch.log)
    assert body["run"] == "edition-<script>\"'nowhere"
    assert body["text"] == "wijkatlas: run edition-<script>\"'nowhere Failed"
    assert body["state"] == "Failed"
    assert "no sample" in body["message"]


def test_nothing_that_a_run_leaves_behind_is_a_pickle(both: dict[str, Watch]) -> None:
    watch = both["served"]
    run = watch.site.start_run(sample="nowhere")
    wait_for("the failed run", lambda: finished(watch.site, run), watch.log)
    kept = list((watch.site.folder / "prefect" / "storage").rglob("*"))
    assert kept, "a failed run keeps its error"
    for path in kept:
        assert "no sample" in json.loads(path.read_bytes())["message"]


def test_status_tells_a_monitor(watch: Watch) -> None:
    edition = watch.first_edition()
    done = subprocess.run(
        [sys.executable, "-m", "wijkatlas", "status"],
        cwd=watch.site.folder,
        env=watch.site.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in {0, 1}, done.stdout + done.stderr  # a run of another test may have failed last
    assert done.stdout.splitlines()[0].startswith(("OK: ", "WARNING: the last run failed: "))
    assert edition.name in done.stdout
    assert "next run   20" in done.stdout


def test_wrong_settings_are_told_before_anything_is_served(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WIJKATLAS_EDITION__SAMPLE", "rotterdam")
    monkeypatch.setenv("WIJKATLAS_SCHEDULE__TIMEZONE", "Europe/Rotterdam")
    with pytest.raises(SystemExit, match=r"schedule\.timezone: .*Europe/Rotterdam is no time zone"):
        main()
    monkeypatch.setenv("WIJKATLAS_SCHEDULE__TIMEZONE", "Europe/Amsterdam")
    monkeypatch.setenv("WIJKATLAS_EDITION__YEAR", "2024")
    with pytest.raises(SystemExit, match="either `sample`, to make a sample, or `year`"):
        main()
