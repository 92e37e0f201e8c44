"""The threat list stays true: each test it names exists, and the code keeps to its own rules."""

import ast
import re
from pathlib import Path

import pytest

from conftest import ROOT

THREATS = (ROOT / "docs" / "threats.md").read_text(encoding="utf-8")
CODE = sorted([*(ROOT / "src").rglob("*.py"), *(ROOT / "flows").rglob("*.py")])
# Modules that start programs, read objects from bytes, or parse XML with whatever it declares.
FORBIDDEN = {
    *("pickle", "cPickle", "cloudpickle", "dill", "joblib", "shelve", "marshal"),
    *("subprocess", "pty", "multiprocessing.managers"),
    *("xml", "lxml", "ctypes", "yaml"),
}
FORBIDDEN_CALLS = {"eval", "exec", "compile", "__import__", "system", "popen", "read_pickle", "extractall"}


def names_of_tests() -> set[str]:
    found = set()
    for path in (ROOT / "tests").rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                found.add(node.name)
    return found


def test_every_test_that_the_threat_list_names_is_there() -> None:
    named = set(re.findall(r"`(test_\w+)`", THREATS))
    assert len(named) > 30
    assert named - names_of_tests() == set()


def test_every_threat_is_covered() -> None:
    threats = THREATS.split("\n## ")[1:]
    assert [threat.splitlines()[0] for threat in threats] == [
        "A hostile reply of a source",
        "A hostile own table",
        "A hostile name",
        "A poisoned mirror",
        "A curious web visitor",
    ]
    for threat in threats:
        lines = [line for line in threat.splitlines() if line.startswith("- ")]
        assert lines
        assert all("`test_" in line for line in lines), lines


def imports(tree: ast.AST) -> set[str]:
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def calls(tree: ast.AST) -> set[str]:
    functions = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    named = {function.id for function in functions if isinstance(function, ast.Name)}
    return named | {
        function.attr
        for function in functions
        if isinstance(function, ast.Attribute)
        and not (isinstance(function.value, ast.Name) and function.value.id == "re")  # re.compile
    }


@pytest.mark.parametrize("path", CODE, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_shell_no_pickle_no_eval_no_xml(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    roots = {name for name in imports(tree) if name in FORBIDDEN or name.partition(".")[0] in FORBIDDEN}
    assert roots == set()
    assert calls(tree) & FORBIDDEN_CALLS == set()


def test_rules_would_see_what_they_forbid() -> None:
    bad = ast.parse("import os, xml.etree.ElementTree\nfrom pickle import load\nos.system('x')\neval('1')")
    assert {"xml.etree.ElementTree", "pickle"} <= imports(bad)
    assert {"system", "eval"} <= calls(bad)


def test_lock_holds_a_hash_for_everything_and_no_address() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    requirements = re.split(r"\n(?=[\w.-]+==)", lock)
    assert len(requirements) > 100
    assert [entry for entry in requirements if "--hash=sha256:" not in entry] == []
    assert "://" not in lock
