"""Shared fixtures: what a test may find on this machine, and what to do where it is not there."""

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import settings

from editions import quick_settings
from wijkatlas.edition import make_edition

# The same examples on every run, and no verdict by the clock: machines differ.
settings.register_profile("wijkatlas", deadline=None, derandomize=True, max_examples=50)
settings.load_profile("wijkatlas")

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared"


def skip_or_fail(reason: str) -> None:
    """Skip on a bare machine; fail where CI has promised that nothing is missing."""
    if os.environ.get("WIJKATLAS_NO_SKIP"):
        pytest.fail(f"not skipped, because WIJKATLAS_NO_SKIP is set: {reason}")
    pytest.skip(reason)


@pytest.fixture(scope="session")
def shared() -> Path:
    """Return the folder of shared data beside the checkout."""
    if not SHARED.is_dir():
        skip_or_fail("no ../shared beside the checkout")
    return SHARED


@pytest.fixture(scope="session")
def national(shared: Path) -> Path:
    """Return the folder of real national sets, which are never committed."""
    folder = shared / "data" / "national"
    if not folder.is_dir():
        skip_or_fail("no ../shared/data/national beside the checkout")
    return folder


@pytest.fixture(scope="session")
def chromium() -> str:
    """Return the path of the browser that the map tests drive."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        skip_or_fail("no chromium on this machine")
    return str(path)


@pytest.fixture(scope="session")
def edition(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a quick edition of the sample, to be read only."""
    return make_edition(quick_settings(tmp_path_factory.mktemp("edition")))
