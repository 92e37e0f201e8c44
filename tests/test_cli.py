"""The command line as its user meets it."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from conftest import ROOT
from editions import DATA, quick_settings
from wijkatlas.cli import app


def leaves(command: Any, name: str = "") -> dict[str, Any]:
    """Return every command that does something, by its whole name."""
    own = getattr(command, "commands", {})
    below = {k: v for part, c in own.items() for k, v in leaves(c, f"{name} {part}".strip()).items()}
    return below if own and not command.invoke_without_command else {**below, name: command}


COMMANDS = leaves(typer.main.get_command(app))


def wijkatlas(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "wijkatlas", *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_is_explained(name: str) -> None:
    command = COMMANDS[name]
    assert command.help
    assert all(getattr(p, "help", None) for p in command.params if p.name != "help"), command.params
    shown = CliRunner().invoke(app, [*name.split(), "--help"])
    assert shown.exit_code == 0
    assert command.help.split(":")[0].split(",")[0][:30] in " ".join(shown.output.split())


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_stands_in_the_readme(name: str) -> None:
    assert f"wijkatlas {name}" in (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["run", "--sample", "atlantis"], "no sample 'atlantis'"),
        (["run"], "either --sample or --year"),
        (["run", "--year", "2024", "--offline", "--data", "nowhere"], "nowhere"),
        (["catalogue", "check", "nowhere.toml"], "nowhere.toml"),
        (["verify", "nowhere"], "this is no edition"),
        (["rebuild", "nowhere"], "this is no edition"),
        (["explain", "BU99999999", "--sample", "rotterdam"], "BU99999999"),
        (["score", "--spec", "nowhere.toml", "--sample", "rotterdam"], "nowhere.toml"),
    ],
)
def test_a_failure_is_one_line_and_exit_code_1(arguments: list[str], told: str) -> None:
    done = wijkatlas(*arguments)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("wijkatlas: ")
    assert told in done.stderr


def test_run_passes_on_what_stays_and_what_is_forced(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: list[Any] = []
    monkeypatch.setattr("wijkatlas.cli.make_edition", asked.append)
    run = ["run", "--sample", "rotterdam", "--out", str(tmp_path), "--data", str(DATA)]
    for options in ([], ["--force", "--keep", "3"]):
        assert CliRunner().invoke(app, [*run, *options]).exit_code == 0
    assert [(settings.force, settings.keep) for settings in asked] == [(False, None), (True, 3)]
    assert CliRunner().invoke(app, [*run, "--keep", "0"]).exit_code == 2


def explained(code: str, folder: Path) -> str:
    spec = quick_settings(folder).spec
    return wijkatlas("explain", code, "--sample", "rotterdam", "--spec", spec).stdout


def test_explain_tells_figures_reasons_and_interval(tmp_path: Path) -> None:
    told = explained("BU05991087", tmp_path)
    for word in (
        "Feijenoord",
        "(90%: ",
        "Bestaanszekerheid",
        "Corporatiebezit",
        "2024",
        "het middelste gebied",
    ):
        assert word in told


def test_explain_says_why_an_area_has_no_score(tmp_path: Path) -> None:
    assert "minder dan 100 inwoners" in explained("BU05992459", tmp_path)


def test_catalogue_lists_every_indicator_and_source() -> None:
    told = wijkatlas("catalogue", COLUMNS="80").stdout
    for word in ("personen_in_armoede", "corporatiebezit", "leefbaarometer", "CC BY 4.0"):
        assert word in told
