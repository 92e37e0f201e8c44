"""Many editions at once: each year or specification a task, on threads or on an existing Dask cluster."""

import argparse
import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner

from wijkatlas.edition import make_edition
from wijkatlas.errors import SettingsError
from wijkatlas.inputs import Settings, chosen_settings
from wijkatlas.settings import UserSettings, load_settings


@task(task_run_name="{name}", cache_policy=NO_CACHE, persist_result=False)
def make(name: str, settings: Settings) -> str:
    """Make one edition on a shelf of its own; only paths go in and out, so any worker that sees them can."""
    logging.getLogger("wijkatlas").setLevel(logging.INFO)
    logging.getLogger("wijkatlas").info("making %s", name)
    return str(make_edition(settings))


@flow(name="editions", persist_result=False)
def editions(sample: str = "", years: Sequence[int] = (), specs: Sequence[str] = ()) -> list[str]:
    """
    Make an edition of every combination of a year (or a sample) and a specification.

    Parameters
    ----------
    sample, years, specs
        In place of what `wijkatlas.toml` says.

    Returns
    -------
    folders
        `<out>/<what>/editions/<id>`, each on a shelf of its own.
    """
    chosen = choices(load_settings(), sample, years, specs)
    return [future.result() for future in [make.submit(name, settings) for name, settings in chosen.items()]]


def choices(
    user: UserSettings, sample: str, years: Sequence[int], specs: Sequence[str]
) -> dict[str, Settings]:
    """
    Return the settings of each edition, by the name of its shelf.

    Raises
    ------
    SettingsError
        Two of them would share a shelf.
    """
    asked = user.edition
    wanted: list[dict[str, Any]] = [{"sample": sample, "year": None}] if sample else []
    wanted += [{"sample": "", "year": year} for year in years]
    found: dict[str, Settings] = {}
    for what in wanted or [{}]:
        for spec in specs or [asked.spec]:
            edition = asked.model_copy(update={**what, "spec": spec})
            settings = chosen_settings(user.model_copy(update={"edition": edition}))
            name = f"{(settings.sample or 'nederland').lower()}-{settings.year}-{Path(spec).stem}"
            if name in found:
                raise SettingsError(f"{spec}: two specifications of that name; rename one")
            # a store keeps one lock: fetches of two years at once each need their own
            store = asked.data / "many" / name if settings.fetch_by else settings.store
            found[name] = replace(settings, out=asked.out / name, store=store)
    return found


def runner(cluster: str) -> TaskRunner[Any]:
    """
    Return what carries the tasks out: a Dask cluster by its address, else threads of this process.

    Raises
    ------
    SettingsError
        A cluster is asked for and `wijkatlas[dask]` is not installed.
    """
    if not cluster:
        return ThreadPoolTaskRunner(max_workers=2)
    try:
        from prefect_dask.task_runners import DaskTaskRunner  # noqa: PLC0415  optional
    except ImportError as error:
        raise SettingsError("a Dask cluster needs `pip install wijkatlas[dask]`") from error
    return DaskTaskRunner(address=cluster)


def main() -> None:
    """Run the flow once from the command line."""
    parser = argparse.ArgumentParser(prog="python -m flows.many", description="Make many editions at once.")
    parser.add_argument("--sample", default="", help="an embedded sample, such as rotterdam")
    parser.add_argument("--year", type=int, action="append", default=[], help="may be repeated")
    parser.add_argument("--spec", action="append", default=[], help="a specification; may be repeated")
    arguments = parser.parse_args()
    flow_on = editions.with_options(task_runner=runner(load_settings().edition.cluster))
    for folder in flow_on(arguments.sample, arguments.year, arguments.spec):
        print(folder)  # noqa: T201  what a script wants


if __name__ == "__main__":
    main()
