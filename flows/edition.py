"""The edition flow: each stage of `wijkatlas.edition` as a Prefect task, and a report as its artifact."""

import argparse
import logging
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar

from prefect import flow, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.logging import get_run_logger
from prefect.utilities.annotations import quote

from wijkatlas.edition import make_edition, perform, report, sample_settings

P = ParamSpec("P")
T = TypeVar("T")


def as_task(stage: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Carry out one stage as a task; `quote` spares Prefect a walk through every frame it is given."""

    @task(name=stage.__name__, task_run_name=stage.__name__, cache_policy=NO_CACHE)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        return perform(stage, *args, **kwargs)

    quoted = {name: quote(value) for name, value in kwargs.items()}
    return run(*map(quote, args), **quoted)  # type: ignore[arg-type]  # the task gets them unquoted


@flow(name="edition", flow_run_name="edition-{sample}", persist_result=False)
def edition(sample: str, data: Path = Path("data"), out: Path = Path("outputs")) -> Path:
    """Make the edition of a sample, and show its ten highest priorities as an artifact."""
    logging.getLogger("wijkatlas").setLevel(logging.INFO)  # its line a stage appears among Prefect's
    folder = make_edition(sample_settings(sample, data=data, out=out), perform=as_task)
    create_markdown_artifact(report(folder), key="edition", description=f"Edition {folder.name}")
    get_run_logger().info("open %s", (out / "latest" / "index.html").resolve())
    return folder


def main() -> None:
    """Run the flow once from the command line."""
    parser = argparse.ArgumentParser(prog="python -m flows.edition", description=edition.__doc__)
    parser.add_argument("--sample", required=True, help="an embedded sample, such as rotterdam")
    parser.add_argument("--out", type=Path, default=Path("outputs"), help="the shelf of editions")
    arguments = parser.parse_args()
    edition(sample=arguments.sample, out=arguments.out)
    print(arguments.out / "latest" / "index.html")  # noqa: T201  the one thing to open


if __name__ == "__main__":
    main()
