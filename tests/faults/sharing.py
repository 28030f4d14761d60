"""The flow `returns`, which shares the queue `pick` with the flow under test: its jobs go from there to `shelve`.

Its workers write to the same ledger.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, TypeAlias

from flows import Flow, FlowOptions, Job, JobResult, QueueOptions, current_job
from tests.faults.flow_under_test import Functions, Order, Pick, record_endings, rules_of
from tests.faults.ledger import Ledger


class Shelve(Job):
    """The view of its own queue."""

    number: int
    kind: str


class Shelved(JobResult):
    """Who shelved it."""

    shelve_pid: int


Returns: TypeAlias = Flow[Pick | Shelve, Order]


def make_returns(url: str | None, namespace: str = "", *, lease: float = 1.0, rules: dict[str, Any]) -> Returns:
    """Return the flow without workers; `rules` are those of the flow under test, by its queues."""
    return Returns(
        FlowOptions(
            name="returns",
            queues=[
                QueueOptions("pick", job=Pick, next_queue="shelve", **rules_of(**rules["pick"])),
                QueueOptions("shelve", job=Shelve),
            ],
            redis_url=url,
            namespace=namespace,
            lease=timedelta(seconds=lease),
        )
    )


def add_workers_of_returns(flow: Returns, ledger: Ledger, queues: Sequence[str], concurrency: int) -> None:
    """Create workers of these queues that write to the ledger."""
    functions = _Functions(ledger)
    record_endings(flow, ledger)
    if "pick" in queues:
        flow.create_workers(Pick, functions.pick, concurrency=concurrency)
    if "shelve" in queues:
        flow.create_workers(Shelve, functions.shelve, concurrency=concurrency)


class _Functions(Functions):
    async def shelve(self, job: Shelve) -> Shelved:
        """Put it back."""
        await self._work(job.kind, "shelve", current_job())
        return Shelved(shelve_pid=os.getpid())
