"""The README stays true: its commands run, its links lead somewhere."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

from conftest import ROOT

TEXT = (ROOT / "README.md").read_text(encoding="utf-8")


def test_its_commands_run(tmp_path: Path) -> None:
    (tmp_path / "data").symlink_to(ROOT / "data")
    lines = [
        line for block in re.findall(r"```console\n(.*?)```", TEXT, re.DOTALL) for line in block.splitlines()
    ]
    commands = [shlex.split(line, comments=True) for line in lines if line.startswith("wijkatlas ")]
    assert len(commands) >= 6
    for _, *arguments in commands:
        done = subprocess.run(
            [sys.executable, "-m", "wijkatlas", *arguments],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, (arguments, done.stderr)
        assert done.stdout.strip()


def test_its_make_targets_exist() -> None:
    targets = re.findall(r"^make (\w+)", TEXT, re.MULTILINE)
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert targets[:2] == ["demo", "test"]
    assert all(re.search(rf"^{target}:", makefile, re.MULTILINE) for target in targets)


def test_its_links_lead_somewhere() -> None:
    for name in ("README.md", "CONTRIBUTING.md", "docs/gids-voor-planners.md"):
        text = (ROOT / name).read_text(encoding="utf-8")
        for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", text):
            assert ((ROOT / name).parent / target).exists(), f"{name}: {target}"


def test_no_address_of_a_registry_is_committed() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert "://" not in lock
    assert "index-url" not in lock
    assert "--hash=sha256:" in lock
