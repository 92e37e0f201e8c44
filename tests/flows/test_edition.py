"""A real Prefect run, watched: the same bytes as without Prefect, and no call beyond loopback."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import ROOT
from wijkatlas.publish.manifest import verify

# Python reads this module at the start of every process of the run, Prefect's own server included.
WATCH = """
import os, sys

def watch(event, arguments):
    if event in ("socket.connect", "socket.sendto"):
        address = arguments[1]
        host = address[0] if isinstance(address, tuple) else "unix"
    elif event == "socket.getaddrinfo":
        host = arguments[0]
    else:
        return
    with open(os.environ["WATCHED"], "a") as log:
        log.write(f"{host}\\n")

sys.addaudithook(watch)
"""


@pytest.fixture(scope="module")
def flow_run(edition: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, set[str]]:
    """Run the flow as `make demo` does, after an edition; return the shelf, what it told, whom it called."""
    folder = tmp_path_factory.mktemp("flow")
    shutil.copytree(edition, folder / "outputs" / "editions" / edition.name)
    (folder / "watch").mkdir()
    (folder / "watch" / "sitecustomize.py").write_text(WATCH)
    watched = folder / "watched.txt"
    environment = {
        **os.environ,
        "PYTHONPATH": str(folder / "watch"),
        "WATCHED": str(watched),
        "PREFECT_HOME": str(folder / "prefect"),
    }
    done = subprocess.run(
        [sys.executable, "-m", "flows.edition", "--sample", "rotterdam", "--out", str(folder / "outputs")],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder / "outputs", done.stdout + done.stderr, set(watched.read_text().split())


def test_the_flow_prints_where_the_index_is(flow_run: tuple[Path, str, set[str]]) -> None:
    shelf, printed, _ = flow_run
    assert str(shelf / "latest" / "index.html") in printed
    assert (shelf / "latest" / "index.html").is_file()
    verify((shelf / "latest").resolve())


def test_the_flow_tells_each_stage_once(flow_run: tuple[Path, str, set[str]]) -> None:
    _, printed, _ = flow_run
    told = [line.partition("wijkatlas - ")[2] for line in printed.splitlines() if "wijkatlas - " in line]
    stages = ["read", "assemble", "score", "analyse", "publish", "compare"]
    assert [line.split()[0] for line in told] == stages
    assert "91 buurten" in told[0]


def test_the_flow_tells_what_changed_since_the_last_edition(
    edition: Path, flow_run: tuple[Path, str, set[str]]
) -> None:
    shelf, _, _ = flow_run
    newest = json.loads((shelf / "index.json").read_bytes())["editions"][0]
    assert [change["since"] for change in newest["changes"]] == [edition.name]
    assert (shelf / newest["changes"][0]["page"]).is_file()


def test_the_flow_calls_nobody_beyond_loopback(flow_run: tuple[Path, str, set[str]]) -> None:
    _, _, called = flow_run
    assert called & {"127.0.0.1", "localhost"}, "the watch saw nothing: it proves nothing"
    assert called <= {"127.0.0.1", "localhost", "::1", "unix", "None"}


def test_the_flow_makes_the_same_bytes_as_the_command(
    flow_run: tuple[Path, str, set[str]], tmp_path: Path
) -> None:
    shelf, _, _ = flow_run
    done = subprocess.run(
        [sys.executable, "-m", "wijkatlas", "run", "--sample", "rotterdam", "--out", str(tmp_path / "shelf")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == [str(tmp_path / "shelf" / "latest" / "index.html")]
    stages = [line.split()[0] for line in done.stderr.splitlines()]
    assert stages == ["read", "assemble", "score", "analyse", "publish"]
    other = tmp_path / "shelf" / "latest"
    assert (shelf / "latest" / "SHA256SUMS").read_bytes() == (other / "SHA256SUMS").read_bytes()
    verify(other.resolve())
