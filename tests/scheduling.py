"""A Prefect server of one's own for a test, on SQLite or PostgreSQL, and what runs beside it."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx

from conftest import ROOT, skip_or_fail
from standins.world import settings

T = TypeVar("T")
BIN = Path(sys.executable).parent
PATIENCE = 240  # seconds; the machine may be busy


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(
    what: str, look: Callable[[], T | None], log: Path | None = None, patience: float = PATIENCE
) -> T:
    """Look again and again until there is something to see."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        if (seen := look()) is not None:
            return seen
        time.sleep(0.5)
    told = f"\n{log.read_text()[-4000:]}" if log else ""
    raise AssertionError(f"waited {patience} s for {what}{told}")


@dataclass
class Site:
    """A server, and the environment of whatever works with it."""

    folder: Path
    environment: dict[str, str]
    processes: dict[str, subprocess.Popen[Any]] = field(default_factory=dict)

    @property
    def api(self) -> str:
        return self.environment["PREFECT_API_URL"]

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """Ask the server, again where it is too busy, as Prefect's own client does."""

        def ask() -> httpx.Response | None:
            reply = httpx.post(f"{self.api}{path}", json=body, timeout=60)
            return None if reply.status_code == httpx.codes.SERVICE_UNAVAILABLE else reply

        reply = wait_for("the busy server", ask)
        reply.raise_for_status()
        return reply.json()

    def runs(self, *states: str) -> list[dict[str, Any]]:
        """Return the flow runs in these states, oldest first."""
        wanted = {"flow_runs": {"state": {"name": {"any_": list(states)}}}}
        found: list[dict[str, Any]] = self.post("/flow_runs/filter", wanted)
        return sorted(found, key=lambda run: run["start_time"] or run["expected_start_time"])

    def start_run(self, **parameters: Any) -> str:
        """Ask for a run now, beside the schedule."""
        reply = httpx.get(f"{self.api}/deployments/name/edition/schedule", timeout=60)
        reply.raise_for_status()
        made = self.post(
            f"/deployments/{reply.json()['id']}/create_flow_run",
            {"parameters": parameters, "state": {"type": "SCHEDULED"}},
        )
        return str(made["id"])

    def state_of(self, run: str) -> dict[str, Any]:
        state: dict[str, Any] = httpx.get(f"{self.api}/flow_runs/{run}", timeout=60).json()["state"]
        return state

    def command(self, *arguments: str) -> str:
        done = subprocess.run(
            [str(BIN / arguments[0]), *arguments[1:]],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    @contextmanager
    def beside(self, name: str, *arguments: str, **environment: str) -> Iterator[Path]:
        """Run a program beside the test, and yield the file with what it prints."""
        log = self.folder / f"{name}.log"
        with log.open("w") as out:
            process = subprocess.Popen(
                [str(BIN / arguments[0]), *arguments[1:]],
                cwd=ROOT,
                env=self.environment | environment,
                stdout=out,
                stderr=subprocess.STDOUT,
            )
            self.processes[name] = process
            try:
                yield log
            finally:
                stop(process)

    def signal(self, name: str, signal: int) -> None:
        """Send a signal to a program that runs beside the test."""
        self.processes[name].send_signal(signal)


def stop(process: subprocess.Popen[Any]) -> None:
    process.terminate()
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def source_variables(root: str) -> dict[str, str]:
    """Return, as the environment gives them, the settings that lead every source to the stand-ins."""
    user = settings(root)
    found = {
        f"WIJKATLAS_NETWORK__{name.upper()}": str(value)
        for name, value in user.network.model_dump(exclude_unset=True).items()
    }
    for name, service in user.sources.items():
        found[f"WIJKATLAS_SOURCES__{name.upper()}__ADDRESS"] = str(service.address)
    return found


@contextmanager
def prefect_server(
    folder: Path, database: str | None = None, of_server: Mapping[str, str] | None = None
) -> Iterator[Site]:
    """Start a server on a free port; without a database of its own it takes SQLite in `folder`."""
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")} | {
        "DO_NOT_TRACK": "1",
        "PREFECT_HOME": str(folder / "prefect"),
        "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
        "PREFECT_RUNNER_POLL_FREQUENCY": "2",
        "PREFECT_WORKER_QUERY_SECONDS": "2",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_DEPLOYMENTS_CONCURRENCY_SLOT_WAIT_SECONDS": "1",
    }
    if database:
        environment["PREFECT_API_DATABASE_CONNECTION_URL"] = database
    site = Site(folder, environment | dict(of_server or {}))

    def answers() -> bool | None:
        try:
            return True if httpx.get(f"{site.api}/health", timeout=5).is_success else None
        except httpx.TransportError:
            return None

    arguments = ("prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port), "--no-ui")
    with site.beside("server", *arguments) as log:
        wait_for("the Prefect server", answers, log)
        yield site


@contextmanager
def postgresql() -> Iterator[str]:
    """Start Debian's PostgreSQL on a fresh folder, never as root, and yield its address."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        skip_or_fail("no PostgreSQL on this machine (Debian's package `postgresql`)")
    programs = found[-1].parent
    folder = Path(tempfile.mkdtemp(prefix="wijkatlas-postgresql-"))
    unprivileged: list[str] = []
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
        unprivileged = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "--"]
    port = free_port()

    def run(program: str, *arguments: str) -> None:
        subprocess.run(
            [*unprivileged, str(programs / program), *arguments],
            cwd=folder,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
            stdout=subprocess.DEVNULL,
            check=True,
        )

    options = f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories='' -c fsync=off"
    try:
        run("initdb", "--pgdata=data", "--username=prefect", "--auth=trust", "--encoding=UTF8", "--no-sync")
        run("pg_ctl", "--pgdata=data", "--wait", "--log=log", f"--options={options}", "start")
        try:
            yield f"postgresql+asyncpg://prefect@127.0.0.1:{port}/postgres"
        finally:
            run("pg_ctl", "--pgdata=data", "--mode=immediate", "--wait", "stop")
    finally:
        shutil.rmtree(folder)
