"""A process of the storm of schedules: `python -m tests.faults.schedules.app URL NAMESPACE SCHEDULES INTERVAL_MS`."""

from __future__ import annotations

import asyncio
import sys
from datetime import timedelta

from flows.model.schedules.every import Every
from flows.workflow.app import Workflows
from flows.workflow.steps.step import Step


def app(url: str, namespace: str, schedules: int, interval_ms: int) -> Workflows:
    """Return an app with a workflow that does nothing, and schedules of it."""
    workflows = Workflows("storm", redis_url=url, namespace=namespace, lease=2.0)
    every = timedelta(milliseconds=interval_ms)
    cron = [Every(every, id=f"s{number}", overlap="allow", missed="all") for number in range(schedules)]

    @workflows.define("tick", max_concurrency=None, cron=cron)
    async def tick(step: Step) -> None:
        del step

    workflows.create_workers()
    return workflows


if __name__ == "__main__":
    url, namespace, schedules, interval_ms = sys.argv[1:]
    sys.exit(asyncio.run(app(url, namespace, int(schedules), int(interval_ms)).run()))
