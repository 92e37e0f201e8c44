"""The edition flow: each stage of `wijkatlas.edition` as a Prefect task, and a report as its artifact."""

import argparse
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from prefect import flow, runtime, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.logging import get_run_logger
from prefect.tasks import Task
from prefect.utilities.annotations import quote

from wijkatlas.edition import Perform, fetch, make_edition, perform
from wijkatlas.errors import SourceError
from wijkatlas.inputs import chosen_settings
from wijkatlas.publish.release import last_edition
from wijkatlas.report import report
from wijkatlas.settings import ScheduleSettings, UserSettings, load_settings

P = ParamSpec("P")
T = TypeVar("T")


def as_tasks(schedule: ScheduleSettings) -> Perform:
    """Return how a stage is carried out as a task; a fetch is tried again where its source failed."""

    def as_task(stage: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Carry out one stage; `quote` spares Prefect a walk through every frame it is given."""

        @task(
            name=stage.__name__,
            task_run_name=stage.__name__,
            cache_policy=NO_CACHE,
            retries=schedule.retries if stage is fetch else 0,
            retry_delay_seconds=schedule.retry_delay,
            retry_condition_fn=source_failed,
        )
        def run(*args: P.args, **kwargs: P.kwargs) -> T:
            return perform(stage, *args, **kwargs)

        quoted = {name: quote(value) for name, value in kwargs.items()}
        return run(*map(quote, args), **quoted)  # type: ignore[arg-type]  # the task gets them unquoted

    return as_task


def source_failed(_task: Task[..., Any], _run: TaskRun, state: State[Any]) -> bool:
    """Whether a later attempt may cure what a task died of: a wrong setting is wrong the next time too."""
    return isinstance(state.result(raise_on_failure=False), SourceError)


def run_name() -> str:
    """Name a run after what it was asked to make."""
    asked = runtime.flow_run.parameters
    return f"edition-{asked['sample'] or asked['year'] or 'settings'}"


@flow(name="edition", flow_run_name=run_name, persist_result=False)
def edition(sample: str = "", year: int | None = None, out: Path | None = None) -> Path:
    """
    Make the edition that `wijkatlas.toml` asks for, or another one, and show its report as an artifact.

    Parameters
    ----------
    sample, year
        An embedded sample, or a year of the country, in place of what the settings say.
    out
        Another shelf of editions.
    """
    logging.getLogger("wijkatlas").setLevel(logging.INFO)  # its line a stage appears among Prefect's
    user = load_settings()
    settings = chosen_settings(altered(user, sample, year, out))
    before = last_edition(settings.out, settings.sample, settings.year)
    folder = make_edition(settings, perform=as_tasks(user.schedule))
    create_markdown_artifact(report(folder, before), key="edition", description=f"Edition {folder.name}")
    get_run_logger().info("open %s", (settings.out / "latest" / "index.html").resolve())
    return folder


def altered(user: UserSettings, sample: str, year: int | None, out: Path | None) -> UserSettings:
    """Return the settings with another choice of what is made, and where."""
    changes: dict[str, Any] = {"sample": sample, "year": year} if sample or year else {}
    if out:
        changes["out"] = out
    return user.model_copy(update={"edition": user.edition.model_copy(update=changes)})


def main() -> None:
    """Run the flow once from the command line."""
    parser = argparse.ArgumentParser(prog="python -m flows.edition", description="Make an edition once.")
    parser.add_argument("--sample", default="", help="an embedded sample, such as rotterdam")
    parser.add_argument("--year", type=int, help="a year of the country, fetched from the sources")
    parser.add_argument("--out", type=Path, default=Path("outputs"), help="the shelf of editions")
    arguments = parser.parse_args()
    edition(sample=arguments.sample, year=arguments.year, out=arguments.out)
    print(arguments.out / "latest" / "index.html")  # noqa: T201  the one thing to open


if __name__ == "__main__":
    main()
