"""The flow under test: `orders`, whose queues are pick → pack → ship; `pack` has the child queues `label` and `box`.

Its functions do what the job's `kind` says (`tests.faults.behaviours`) and write to the ledger what they do.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import BaseModel

from flows import (
    ChildJob,
    ChildrenOf,
    ChildResult,
    CurrentJob,
    Endings,
    Flow,
    FlowOptions,
    Job,
    JobResult,
    Limiter,
    QueueOptions,
    current_job,
    current_jobs,
)
from flows.model.endings.outbox import Outbox, ReportsTo
from flows.store.jobs.finished import FinishedAttempt
from flows.telemetry.events import Event
from tests.faults import behaviours
from tests.faults.ledger import Ledger

#: All queues that have workers, the parent queue among them.
QUEUES: Final = ("pick", "pack", "pack:label", "pack:box", "ship")


class Order(BaseModel):
    """What a job is created with."""

    number: int = 0
    kind: str = "plain"
    customer: int = 0


class Pick(Job):
    """The first queue's view."""

    number: int
    kind: str


class Picked(JobResult):
    """Who picked it; and the children for the parent queue."""

    pick_fence: int
    pick_pid: int


class Pack(Job):
    """The parent queue."""


class Part(Job):
    """A child of either queue."""

    number: int
    kind: str


class Label(Part):
    """A child of `pack:label`."""


class Box(Part):
    """A child of `pack:box`."""


class Packed(JobResult):
    """What a child made: its number, doubled."""

    value: int
    part_fence: int
    part_pid: int


class Ship(Job):
    """The last queue's view: how the children ended."""

    number: int
    kind: str
    labels: Annotated[list[ChildResult[Packed]], ChildrenOf("pack", "label")]
    boxes: Annotated[list[ChildResult[Packed]], ChildrenOf("pack", "box")]


class Reports(Job):
    """The queue whose child queue tells of endings; it has no jobs itself."""


class Audit(Job):
    """A report."""

    ending: dict[str, Any]


class Shipped(JobResult):
    """Who shipped it, with how many children, how many of them done, and the sum of what those made."""

    ship_fence: int
    ship_pid: int
    parts: int
    parts_done: int
    total: int


Orders: TypeAlias = Flow[Pick | Pack | Ship, Order, Literal["customer"]]

#: Where endings are told, and the queue that it belongs to.
REPORTS: Final = "reports:audit"
_REPORTS: Final = QueueOptions("reports", job=Reports, children=[QueueOptions("audit", job=Audit)])


class ReportingOptions(FlowOptions[Any, Any]):
    """The options of a flow that logs its endings and tells of each."""

    @property
    def outbox(self) -> Outbox:
        """All that an ending leaves behind."""
        return Outbox(Endings(), (ReportsTo(REPORTS),), ("kind",))


_TIMES: Final = frozenset({"job_ttl", "retention", "hang_limit", "timeout"})


def make_options(url: str | None, namespace: str = "", *, lease: float = 1.0, **options: Any) -> FlowOptions[Any, Any]:
    """Return the options of the flow.

    Args:
        url: The server, or a proxy before it.
        namespace: Before every key.
        lease: In seconds.
        options: More of FlowOptions, and of QueueOptions `retries` and `timeout`, for all queues with functions, and
            `on_child_failure`. Times may be numbers of seconds, and `retries` a dict. `rules` are options of single
            queues, by their names; a limiter is a dict. With `reports`, endings are logged, and told in `REPORTS`.
    """
    given = {name: _time(value) if name in _TIMES else value for name, value in options.items()}
    of_queues = {name: given.pop(name) for name in ("retries", "timeout") if name in given}
    if isinstance(of_queues.get("retries"), dict):
        of_queues["retries"] = _retries(**of_queues["retries"])
    rules = {name: rules_of(**options) for name, options in given.pop("rules", {}).items()}
    policy: Any = given.pop("on_child_failure", "continue")
    made, told = (ReportingOptions, [_REPORTS]) if given.pop("reports", False) else (FlowOptions, [])
    children = [QueueOptions("label", job=Label, **of_queues), QueueOptions("box", job=Box, **of_queues)]
    return made(
        name="orders",
        lookup_attributes=["customer"],
        queues=[
            QueueOptions("pick", job=Pick, next_queue="pack", **of_queues, **rules.get("pick", {})),
            QueueOptions("pack", job=Pack, next_queue="ship", children=children, on_child_failure=policy),
            QueueOptions("ship", job=Ship, **of_queues, **rules.get("ship", {})),
            *told,
        ],
        redis_url=url,
        namespace=namespace,
        lease=timedelta(seconds=lease),
        **given,
    )


def make_flow(url: str | None, namespace: str = "", *, lease: float = 1.0, **options: Any) -> Orders:
    """Return the flow without workers; the arguments are those of `make_options`."""
    made = make_options(url, namespace, lease=lease, **options)
    if isinstance(made, ReportingOptions):
        reporting: Any = Flow[Pick | Pack | Ship | Reports, Order, Literal["customer"]](made)
        return reporting  # type: ignore[no-any-return] # its queue more is asked for by its name
    return Flow[Pick | Pack | Ship, Order, Literal["customer"]](made)


def add_workers(  # noqa: PLR0913 - keyword-only, and each as in Spec
    flow: Orders,
    ledger: Ledger,
    *,
    queues: Sequence[str] = QUEUES,
    count: int = 1,
    concurrency: int = 4,
    batch: int = 0,
) -> None:
    """Create workers of these queues that write to the ledger; with `batch`, `pick` and `ship` take so many at once."""
    functions = Functions(ledger)
    record_endings(flow, ledger)
    many: dict[str, Any] = {"batch": batch, "linger": timedelta(milliseconds=20), "concurrency": concurrency}
    if "pick" in queues and batch:
        flow.create_workers(Pick, functions.pick_many, count, **many)
    elif "pick" in queues:
        flow.create_workers(Pick, functions.pick, count, concurrency=concurrency)
    if "pack" in queues:
        flow.create_parent_workers(Pack, count)
    if "pack:label" in queues:
        flow.create_child_workers(Pack, Label, functions.label, count, concurrency=concurrency)
    if "pack:box" in queues:
        flow.create_child_workers(Pack, Box, functions.box, count, concurrency=concurrency)
    if isinstance(flow._runtime.options, ReportingOptions):
        reporting: Any = flow
        reporting.create_child_workers(Reports, Audit, functions.audit, count, concurrency=concurrency)
    if "ship" in queues and batch:
        flow.create_workers(Ship, functions.ship_many, count, **many)
    elif "ship" in queues:
        flow.create_workers(Ship, functions.ship, count, concurrency=concurrency)


class Functions:
    """The functions; each writes START, does what the job says, and writes EFFECT."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def pick(self, job: Pick) -> Picked:
        """Name as many children as scripted, half of them labels."""
        return await self._pick(job, current_job())

    async def pick_many(self, jobs: list[Pick]) -> list[Picked | BaseException]:
        """Do the same for each of a batch, and say of each what it is."""
        each = zip(jobs, current_jobs(), strict=True)
        return await asyncio.gather(*(self._pick(job, here) for job, here in each), return_exceptions=True)

    async def _pick(self, job: Pick, here: CurrentJob) -> Picked:
        asked = await self._work(job.kind, "pick", here)
        of = {"kind": job.kind}
        parts = [
            ChildJob(Box if number % 2 else Label, {"number": number, **of})
            for number in range(behaviours.children_of(asked))
        ]
        return Picked(pick_fence=here.fence, pick_pid=os.getpid(), children=parts)

    async def label(self, job: Label) -> Packed:
        """Make a label."""
        return await self._part(job, "label")

    async def box(self, job: Box) -> Packed:
        """Make a box."""
        return await self._part(job, "box")

    async def audit(self, job: Audit) -> None:
        """Hear of an ending."""
        assert job.ending["outcome"] in {"done", "failed", "cancelled"}, job.ending
        await self._work("", "audit", current_job())

    async def ship(self, job: Ship) -> Shipped:
        """Sum up what the children made."""
        return await self._ship(job, current_job())

    async def ship_many(self, jobs: list[Ship]) -> list[Shipped | BaseException]:
        """Do the same for each of a batch."""
        each = zip(jobs, current_jobs(), strict=True)
        return await asyncio.gather(*(self._ship(job, here) for job, here in each), return_exceptions=True)

    async def _ship(self, job: Ship, here: CurrentJob) -> Shipped:
        await self._work(job.kind, "ship", here)
        parts = [*job.labels, *job.boxes]
        made = [part.result.value for part in parts if part.result is not None]
        return Shipped(
            ship_fence=here.fence, ship_pid=os.getpid(), parts=len(parts), parts_done=len(made), total=sum(made)
        )

    async def _part(self, job: Part, queue: str) -> Packed:
        await self._work(job.kind, queue, current_job())
        return Packed(value=job.number * 2, part_fence=current_job().fence, part_pid=os.getpid())

    async def _work(self, kind: str, queue: str, here: CurrentJob) -> list[behaviours.Behaviour]:
        facts = {"queue": here.queue, "attempt": here.attempt, "fence": here.fence, "key": here.idempotency_key}
        self._ledger.write("START", here.id, **facts)
        asked = behaviours.parse(kind, queue, here.attempt)
        try:
            await behaviours.perform(asked, self._ledger.directory)
        except asyncio.CancelledError:
            self._ledger.write("NOTE", here.id, what="cancelled", **facts)
            raise
        self._ledger.write("EFFECT", here.id, **facts)
        return asked


def record_endings(flow: Flow[Any, Any, Any], ledger: Ledger) -> None:
    """Write DONE or REFUSED for each attempt whose end the store has answered, and NOTE for each lost lease."""
    runtime: Any = flow._runtime
    tell = runtime.emit_outcomes

    def told(queue: str, ended: list[FinishedAttempt], words: list[str]) -> None:
        for attempt, word in zip(ended, words, strict=True):
            claimed, outcome = attempt.claimed, attempt.outcome
            kind = "DONE" if word in {"ok", "cancelled"} else "REFUSED"
            ending = "Cancel" if word == "cancelled" else type(outcome).__name__
            key = f"{claimed.id}:{claimed.visit}:{queue}"
            ledger.write(kind, claimed.id, queue=queue, fence=claimed.fence, key=key, ending=ending, word=word)
        tell(queue, ended, words)

    def heard(event: Event) -> None:
        if event.name in {"job.lost", "job.rescued", "job.poison", "loop.hangs", "worker.crashed"}:
            job_id = str(event.fields.get("job_id", ""))
            ledger.write(
                "NOTE", job_id, what=event.name, queue=event.fields.get("queue"), word=event.fields.get("word")
            )

    runtime.emit_outcomes = told
    flow.events.subscribe(heard)


def _time(value: Any) -> Any:
    return timedelta(seconds=value) if isinstance(value, int | float) else value


def rules_of(**given: Any) -> dict[str, Any]:
    """Return options of a queue in which each limiter was a dict."""
    limits = [Limiter(**limit) for limit in given.pop("limits", ())]
    return {**given, **({"limits": limits} if limits else {})}


def _retries(**given: Any) -> Any:
    from flows.model.retries import Retries  # noqa: PLC0415

    times = {name: _time(value) if name in {"backoff", "max_delay"} else value for name, value in given.items()}
    return Retries(**times)
