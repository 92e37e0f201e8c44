"""The units and the files beside them: valid, hardened, and fitting each other."""

import re
import shutil
import subprocess
from configparser import RawConfigParser
from importlib import import_module
from pathlib import Path

import pytest
from prefect.settings.models.server.concurrency import ServerConcurrencySettings
from prefect.settings.models.server.services import ServerServicesDBVacuumSettings

from conftest import ROOT, skip_or_fail
from wijkatlas.inputs import chosen_settings
from wijkatlas.settings import load_settings

DEPLOY = ROOT / "deploy"
SYSTEMD = DEPLOY / "systemd"
UNITS = sorted(SYSTEMD.glob("*.service"))
WORST_EXPOSURE = 2.0  # of 10, as `systemd-analyze security` counts


def parts(unit: Path) -> RawConfigParser:
    parser = RawConfigParser(strict=False)  # SystemCallFilter stands there twice
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(unit)
    return parser


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """Return the units with programs that this machine has, in the place of their own."""
    if not shutil.which("systemd-analyze"):
        skip_or_fail("no systemd-analyze on this machine (Debian's package `systemd`)")
    shutil.copytree(SYSTEMD, tmp_path, dirs_exist_ok=True)
    for unit in UNITS:
        text = re.sub(r"^(ExecStart\w*)=\S+", r"\1=/bin/true", unit.read_text(), flags=re.MULTILINE)
        (tmp_path / unit.name).write_text(text)
    return tmp_path


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_unit_is_valid_and_hardened(installed: Path, unit: Path) -> None:
    path = installed / unit.name
    checked = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(path)], capture_output=True, text=True, check=False
    )
    assert (checked.returncode, checked.stderr) == (0, "")
    told = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", str(path)],
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    exposure = re.search(r"Overall exposure level for \S+: ([\d.]+)", told)
    assert exposure, told
    assert float(exposure[1]) <= WORST_EXPOSURE, told


def test_timer_is_valid(installed: Path) -> None:
    path = installed / "wijkatlas-mail.timer"
    checked = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(path)], capture_output=True, text=True, check=False
    )
    assert (checked.returncode, checked.stderr) == (0, "")


def test_units_run_as_their_own_user_under_the_name_that_hardens_them() -> None:
    shared = next(SYSTEMD.glob("*.service.d")).name.removesuffix(".service.d")
    assert [unit.stem.removeprefix(shared) for unit in UNITS] == ["flow", "mail", "server", "worker"]
    assert {parts(unit)["Service"]["User"] for unit in UNITS} == {"wijkatlas"}


@pytest.fixture
def as_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give this process what the server's unit gives the server."""
    unit = (SYSTEMD / "wijkatlas-server.service").read_text()
    for name, value in re.findall(r"^Environment=(PREFECT_SERVER_\w+)=(.*)$", unit, flags=re.MULTILINE):
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("as_the_server")
def test_server_forgets_what_is_old() -> None:
    assert {"flow_runs", "events"} <= ServerServicesDBVacuumSettings().enabled_vacuum_types


@pytest.mark.usefixtures("as_the_server")
def test_server_remembers_who_holds_the_slot_when_it_is_cut_off() -> None:
    storage = import_module(ServerConcurrencySettings().lease_storage)
    kept = storage.ConcurrencyLeaseStorage()
    assert kept.storage_path.name == "concurrency_leases"


def test_server_listens_on_loopback_only() -> None:
    command = parts(SYSTEMD / "wijkatlas-server.service")["Service"]["ExecStart"]
    assert "--host 127.0.0.1" in command
    address = (DEPLOY / "environment").read_text()
    assert "PREFECT_API_URL=http://127.0.0.1:4200/api" in address
    assert "--port 4200" in command


def test_shipped_settings_are_valid_and_lead_to_what_the_units_may_write() -> None:
    user = load_settings(DEPLOY / "wijkatlas.toml", {})
    settings = chosen_settings(user)
    assert settings.fetch_by == user
    writable = Path("/var/lib") / parts(SYSTEMD / "wijkatlas-flow.service")["Service"]["StateDirectory"]
    assert settings.out.is_relative_to(writable)
    assert settings.store.is_relative_to(writable)
    assert f"root {settings.out};" in (DEPLOY / "nginx" / "wijkatlas.conf").read_text()


def test_options_that_are_shipped_as_comments_are_valid_too(tmp_path: Path) -> None:
    shipped = (DEPLOY / "wijkatlas.toml").read_text()
    every = re.sub(r"^# (?=\w+ = )", "", shipped, flags=re.MULTILINE)
    (tmp_path / "wijkatlas.toml").write_text(every)
    user = load_settings(tmp_path / "wijkatlas.toml", {})
    assert user.schedule.webhook
    assert user.edition.own


def test_every_file_of_the_guide_is_there() -> None:
    guide = (ROOT / "docs" / "server.md").read_text(encoding="utf-8")
    named = set(re.findall(r"deploy/[\w./-]*\w", guide))
    assert named
    for path in named:
        assert (ROOT / path).exists(), path
