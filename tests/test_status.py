"""The status: what it asks, how it judges, and the exit codes that a monitor reads."""

import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from typer.testing import CliRunner
from werkzeug import Request, Response

from wijkatlas.cli import app
from wijkatlas.errors import SettingsError, one_line
from wijkatlas.settings import ScheduleSettings
from wijkatlas.status import Health, Runs, Shelf, ask_scheduler, judge, look_at_shelf, tell

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
WELL = Shelf("rotterdam-2024", "Rotterdam 2024", NOW - 90 * 24 * HOUR)
BUSY = Runs(following=NOW + 18 * HOUR, good=NOW - 6 * HOUR)


@pytest.mark.parametrize(
    ("shelf", "runs", "health", "reason"),
    [
        (WELL, BUSY, Health.OK, "the last run went well"),
        (WELL, None, Health.OK, "no scheduler is named"),
        (Shelf(problem="outputs/latest: gone"), BUSY, Health.CRITICAL, "gone"),
        (WELL, Runs(problem="cannot be asked"), Health.CRITICAL, "cannot be asked"),
        (WELL, replace(BUSY, following=None), Health.CRITICAL, "no run is scheduled"),
        (WELL, replace(BUSY, good=NOW - 51 * HOUR), Health.CRITICAL, "no run went well in 50 hours"),
        (WELL, replace(BUSY, good=None), Health.CRITICAL, "no run went well in 50 hours"),
        (replace(WELL, since=NOW - HOUR), replace(BUSY, good=None), Health.OK, "whole"),
        (WELL, replace(BUSY, bad=NOW - HOUR, error="a\nb"), Health.WARNING, "the last run failed: a b"),
        (WELL, replace(BUSY, bad=NOW - 7 * HOUR, error="old"), Health.OK, "the last run went well"),
    ],
)
def test_verdict(shelf: Shelf, runs: Runs | None, health: Health, reason: str) -> None:
    found, told = judge(shelf, runs, 50 * HOUR, NOW)
    assert found is health
    assert reason in told


def test_an_old_edition_is_no_fault_where_nothing_is_new() -> None:
    health, text = tell(WELL, BUSY, ScheduleSettings(), NOW)
    assert health is Health.OK
    assert "published 2025-10-07 14:00 CEST (90 days ago)" in text
    assert "next run   2026-01-06 07:00 CET (in 18 hours)" in text


def test_shelf_tells_what_readers_get(edition: Path) -> None:
    shelf = look_at_shelf(edition.parents[1])
    assert shelf.edition == edition.name
    assert shelf.title == "Rotterdam 2024"
    assert shelf.since
    assert not shelf.problem


def test_empty_and_damaged_shelves_are_told(edition: Path, tmp_path: Path) -> None:
    assert "no edition was published yet" in look_at_shelf(tmp_path).problem
    shutil.copytree(edition.parents[1], tmp_path / "outputs", symlinks=True)
    (tmp_path / "outputs" / "latest" / "index.html").write_text("defaced")
    assert "altered: index.html" in look_at_shelf(tmp_path / "outputs").problem


def prefect(httpserver: HTTPServer, answers: dict[str, list[dict[str, Any]]]) -> dict[str, str]:
    """Let a stand-in answer as Prefect does, by the states that are asked for; return the environment."""

    def answer(request: Request) -> Response:
        assert request.headers.get("Authorization") == "Basic YWRtaW46c2VjcmV0"
        states = request.get_json()["flow_runs"]["state"]["type"]["any_"]
        return Response(json.dumps(answers.get(states[0], [])), content_type="application/json")

    httpserver.expect_request("/api/flow_runs/filter", method="POST").respond_with_handler(answer)
    return {"PREFECT_API_URL": httpserver.url_for("/api"), "PREFECT_API_AUTH_STRING": "admin:secret"}


def test_scheduler_is_asked_for_the_next_and_the_last_runs(httpserver: HTTPServer) -> None:
    answers: dict[str, list[dict[str, Any]]] = {
        "SCHEDULED": [{"expected_start_time": "2026-01-06T06:00:00Z"}],
        "COMPLETED": [{"end_time": "2026-01-05T06:00:09.5Z"}],
        "FAILED": [{"end_time": "2026-01-04T06:00:00Z", "state": {"message": "kwb: gone"}}],
    }
    runs = ask_scheduler(prefect(httpserver, answers))
    assert runs == Runs(
        datetime(2026, 1, 6, 6, tzinfo=UTC),
        datetime(2026, 1, 5, 6, 0, 9, 500_000, tzinfo=UTC),
        datetime(2026, 1, 4, 6, tzinfo=UTC),
        "kwb: gone",
    )


def test_scheduler_without_runs_has_none(httpserver: HTTPServer) -> None:
    assert ask_scheduler(prefect(httpserver, {})) == Runs()


@pytest.mark.parametrize("body", [b"<html>", b"{}", b'[{"expected_start_time": "soon"}]', b"[3]", b"\xff"])
def test_server_that_does_not_speak_as_prefect_is_a_problem(httpserver: HTTPServer, body: bytes) -> None:
    httpserver.expect_request("/api/flow_runs/filter").respond_with_data(body)
    runs = ask_scheduler({"PREFECT_API_URL": httpserver.url_for("/api")})
    assert runs
    assert "cannot be asked" in runs.problem or runs == Runs()


def test_server_that_is_away_or_refuses_is_a_problem(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/api/flow_runs/filter").respond_with_data(b"", status=401)
    refused = ask_scheduler({"PREFECT_API_URL": httpserver.url_for("/api")})
    assert refused
    assert "answered 401" in refused.problem
    away = ask_scheduler({"PREFECT_API_URL": "http://127.0.0.1:9/api"})
    assert away
    assert "cannot be asked" in away.problem


def test_scheduler_is_not_asked_over_an_open_line() -> None:
    with pytest.raises(SettingsError, match=r"PREFECT_API_URL: .*only https"):
        ask_scheduler({"PREFECT_API_URL": "http://prefect.example.org/api"})
    assert ask_scheduler({}) is None


def test_message_of_a_run_cannot_break_the_line() -> None:
    assert one_line("a\x1b[31m\nb\r\n  c") == "a [31m b c"
    assert len(one_line("x" * 9999)) == 301


@pytest.mark.parametrize(
    ("made", "variables", "code", "told"),
    [
        (True, {}, Health.OK, "OK: the edition is whole"),
        (False, {}, Health.CRITICAL, "CRITICAL: "),
        (True, {"WIJKATLAS_SCHEDULE__SILENCE": "0"}, Health.UNKNOWN, "UNKNOWN: "),
        (True, {"PREFECT_API_URL": "http://127.0.0.1:9/api"}, Health.CRITICAL, "CRITICAL: the scheduler at"),
    ],
)
def test_exit_code_is_the_monitors(
    edition: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    made: bool,  # noqa: FBT001
    variables: dict[str, str],
    code: Health,
    told: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    monkeypatch.setenv("WIJKATLAS_EDITION__OUT", str(edition.parents[1] if made else tmp_path))
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    done = CliRunner().invoke(app, ["status"])
    assert done.exit_code == code
    assert done.stdout.startswith(told)
