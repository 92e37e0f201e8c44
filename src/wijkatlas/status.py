"""Is all well? The last good edition, its age, the next run and the last error, for people and monitors."""

import base64
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener
from zoneinfo import ZoneInfo

from wijkatlas.errors import PublishError, SettingsError, one_line
from wijkatlas.publish.manifest import read_manifest, verify
from wijkatlas.publish.release import LATEST
from wijkatlas.settings import ScheduleSettings, check_address

FLOW = "edition"
PATIENCE = 10  # seconds for one answer of the scheduler
LARGEST = 1_000_000  # bytes of one answer


class Health(IntEnum):
    """The exit codes that monitors know (Nagios, Icinga, Zabbix)."""

    OK = 0
    WARNING = 1
    CRITICAL = 2
    UNKNOWN = 3


@dataclass(frozen=True)
class Shelf:
    """The edition that readers are given now."""

    edition: str = ""
    title: str = ""
    since: datetime | None = None  # when `latest` was pointed at it
    problem: str = ""


@dataclass(frozen=True)
class Runs:
    """What the scheduler knows of the runs of the edition flow."""

    following: datetime | None = None
    good: datetime | None = None  # the end of the last run that went well
    bad: datetime | None = None  # the end of the last run that did not
    error: str = ""  # of that run
    problem: str = ""


def look_at_shelf(out: Path) -> Shelf:
    """Look at what `latest` points at, and check every file of it."""
    link = out / LATEST
    try:
        folder = link.resolve(strict=True)
        manifest = read_manifest(folder)
        since = datetime.fromtimestamp(link.lstat().st_mtime, UTC)
        verify(folder)
    except OSError as error:
        return Shelf(problem=f"{link}: {error.strerror}; no edition was published yet")
    except PublishError as error:
        return Shelf(problem=str(error))
    return Shelf(str(manifest["edition"]), str(manifest["title"]), since)


def ask_scheduler(environment: Mapping[str, str] = os.environ) -> Runs | None:
    """
    Ask the Prefect server at `PREFECT_API_URL` about the runs of the edition flow.

    Returns
    -------
    runs
        None where no server is named: an edition can be made without one.

    Raises
    ------
    SettingsError
        The server's address is not safe.
    """
    address = environment.get("PREFECT_API_URL", "").rstrip("/")
    if not address:
        return None
    try:
        check_address(address)
    except ValueError as error:
        raise SettingsError(f"PREFECT_API_URL: {error}") from error
    headers = {"Content-Type": "application/json"}
    if secret := environment.get("PREFECT_API_AUTH_STRING"):
        headers["Authorization"] = f"Basic {base64.b64encode(secret.encode()).decode()}"
    # a proxy has no business between a server and its own machine
    opener = build_opener(ProxyHandler({}))

    def first(order: str, *states: str) -> dict[str, Any]:
        asked = {
            "flows": {"name": {"any_": [FLOW]}},
            "flow_runs": {"state": {"type": {"any_": states}}},
            "sort": order,
            "limit": 1,
        }
        request = Request(f"{address}/flow_runs/filter", json.dumps(asked).encode(), headers)  # noqa: S310  checked
        with opener.open(request, timeout=PATIENCE) as reply:
            found = json.loads(reply.read(LARGEST))
        return dict(found[0]) if found else {}

    try:
        following = first("EXPECTED_START_TIME_ASC", "SCHEDULED")
        good = first("END_TIME_DESC", "COMPLETED")
        bad = first("END_TIME_DESC", "FAILED", "CRASHED")
        return Runs(
            moment(following.get("expected_start_time")),
            moment(good.get("end_time")),
            moment(bad.get("end_time")),
            str((bad.get("state") or {}).get("message") or ""),
        )
    except HTTPError as error:
        return Runs(problem=f"the scheduler at {address} answered {error.code} {error.reason}")
    except (OSError, ValueError, LookupError, TypeError) as error:  # away, or not speaking as Prefect does
        return Runs(problem=f"the scheduler at {address} cannot be asked ({error})")


def moment(text: str | None) -> datetime | None:
    """Read a moment as Prefect writes it."""
    return datetime.fromisoformat(text) if text else None


def judge(shelf: Shelf, runs: Runs | None, silence: timedelta, now: datetime) -> tuple[Health, str]:
    """
    Weigh what was found.

    Parameters
    ----------
    silence
        How long ago the last good run may have ended.

    Returns
    -------
    health, reason
        `CRITICAL` where readers get nothing good, or no new edition will come without a hand; `WARNING`
        where the last run failed and the next may do better.
    """
    if problem := shelf.problem or (runs.problem if runs else ""):
        return Health.CRITICAL, problem
    if runs is None:
        return Health.OK, "the edition is whole; no scheduler is named (PREFECT_API_URL)"
    if runs.following is None:
        return Health.CRITICAL, "no run is scheduled; start flows/serve.py or a worker"
    ends = [end for end in (runs.good, shelf.since) if end]
    if not ends or now - max(ends) > silence:
        return Health.CRITICAL, f"no run went well in {silence.total_seconds() / 3600:g} hours"
    if runs.bad and (runs.good is None or runs.bad > runs.good):
        return Health.WARNING, f"the last run failed: {one_line(runs.error)}"
    return Health.OK, "the edition is whole and the last run went well"


def tell(shelf: Shelf, runs: Runs | None, schedule: ScheduleSettings, now: datetime) -> tuple[Health, str]:
    """Return how well it is, and that in words: the verdict on the first line, what it rests on below."""
    health, reason = judge(shelf, runs, timedelta(hours=schedule.silence), now)
    zone = ZoneInfo(schedule.timezone)

    def at(when: datetime | None) -> str:
        return f"{when.astimezone(zone):%Y-%m-%d %H:%M %Z} ({distance(when, now)})" if when else "none"

    lines = [f"{health.name}: {reason}"]
    if shelf.edition:
        lines.append(f"edition    {shelf.edition} ({shelf.title}), published {at(shelf.since)}")
    if runs and not runs.problem:
        lines += [f"last good  {at(runs.good)}", f"next run   {at(runs.following)}"]
        lines.append(f"last error {at(runs.bad)} {one_line(runs.error)}".rstrip())
    return health, "\n".join(lines)


def distance(when: datetime, now: datetime) -> str:
    """Say how far away a moment is, in its largest unit."""
    seconds = abs((when - now).total_seconds())
    for unit, length in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= 2 * length:
            told = f"{seconds / length:.0f} {unit}"
            break
    else:
        told = f"{seconds:.0f} seconds"
    return f"in {told}" if when > now else f"{told} ago"
