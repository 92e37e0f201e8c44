"""The schedule: a process that stays, and makes an edition whenever `wijkatlas.toml` says so."""

import os
import sys

from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
from prefect.schedules import Cron

from flows.alarm import set_alarm
from flows.edition import edition
from wijkatlas.errors import WijkatlasError
from wijkatlas.inputs import chosen_settings
from wijkatlas.settings import load_settings

OVERLAP = {"wait": ConcurrencyLimitStrategy.ENQUEUE, "stop": ConcurrencyLimitStrategy.CANCEL_NEW}


def main() -> None:
    """Serve the edition flow until the process is told to stop; settings that are wrong stop it at once."""
    try:
        user = load_settings()
        chosen_settings(user)
    except WijkatlasError as error:
        sys.exit(f"wijkatlas: {error}")
    schedule = user.schedule
    if schedule.log == "json":
        os.environ["PREFECT_LOGGING_HANDLERS_CONSOLE_FORMATTER"] = "json"  # of each run's own process
    set_alarm(schedule.webhook)
    edition.serve(
        name="schedule",
        schedule=Cron(schedule.cron, timezone=schedule.timezone),
        global_limit=ConcurrencyLimitConfig(limit=1, collision_strategy=OVERLAP[schedule.overlap]),
        pause_on_shutdown=False,  # after a restart the schedule goes on
    )


if __name__ == "__main__":
    main()
