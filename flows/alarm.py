"""The alarm: a Prefect automation that calls a webhook when a run of the edition flow fails."""

import asyncio
from contextlib import suppress
from datetime import timedelta

from prefect.automations import Automation
from prefect.blocks.webhook import Webhook
from prefect.events.actions import CallWebhook
from prefect.events.schemas.automations import EventTrigger, Posture
from prefect.events.schemas.events import ResourceSpecification
from prefect.types import SecretDict
from pydantic import SecretStr

NAME = "wijkatlas-alarm"
BAD_ENDS = {f"prefect.flow-run.{state}" for state in ("Failed", "Crashed", "TimedOut")}
# Filled in by the server, as JSON: a message may hold quotes.
PAYLOAD = """{
 "text": {{ ("wijkatlas: run " ~ flow_run.name ~ " " ~ flow_run.state.name) | tojson }},
 "run": {{ flow_run.name | tojson }},
 "id": {{ flow_run.id | string | tojson }},
 "state": {{ flow_run.state.name | tojson }},
 "message": {{ (flow_run.state.message or "") | tojson }}
}"""


def set_alarm(webhook: SecretStr | None) -> None:
    """Let the server call `webhook` after every failed run, in place of what it called before, or nobody."""
    asyncio.run(_set_alarm(webhook))


async def _set_alarm(webhook: SecretStr | None) -> None:
    with suppress(ValueError):  # there was none
        await (await Automation.aread(name=NAME)).adelete()
    if webhook is None:
        return
    block = Webhook(url=webhook, headers=SecretDict({"Content-Type": "application/json"}))
    await Automation(
        name=NAME,
        description="Tells of a run of the edition flow that failed",
        trigger=EventTrigger(
            expect=BAD_ENDS,
            match=ResourceSpecification({"prefect.resource.id": "prefect.flow-run.*"}),
            match_related=ResourceSpecification(
                {"prefect.resource.role": "flow", "prefect.resource.name": "edition"}
            ),
            posture=Posture.Reactive,
            threshold=1,
            within=timedelta(0),
        ),
        actions=[CallWebhook(block_document_id=await block.asave(NAME, overwrite=True), payload=PAYLOAD)],
    ).acreate()
