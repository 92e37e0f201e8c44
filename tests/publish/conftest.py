"""What the tests of publishing share."""

from collections.abc import Callable

import pytest

from editions import quick_settings
from wijkatlas.edition import make_edition
from wijkatlas.publish import Contents


@pytest.fixture(scope="session")
def contents(tmp_path_factory: pytest.TempPathFactory) -> Contents:
    """Return what the quick edition of the sample is written from."""
    caught: list[Contents] = []

    def catch(stage: Callable[..., object], *args: object, **kwargs: object) -> object:
        if isinstance(args[0], Contents):
            caught.append(args[0])
        return stage(*args, **kwargs)

    make_edition(quick_settings(tmp_path_factory.mktemp("contents")), perform=catch)  # type: ignore[arg-type]
    return caught[0]
