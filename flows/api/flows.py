"""Operations on flows: which there are, and what they declare."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from flows.api.admin import Admin
from flows.api.operation import operation
from flows.api.reading.hiding import Hiding
from flows.api.reading.run_host import run_host
from flows.api.reading.tree_host import count_trees
from flows.api.runs import workflows
from flows.api.views.flows import (
    ClassView,
    DeclaredQueueView,
    FlowRow,
    FlowSummary,
    FlowView,
    Overview,
    ReleaseView,
)
from flows.errors import Forbidden
from flows.model.names import OWN, is_own
from flows.store.fleet.declarations import read_declared_results
from flows.store.fleet.processes import read_processes
from flows.store.schedules.recorded import RecordedSchedules
from flows.store.views.observe import observe

if TYPE_CHECKING:
    from flows.api.known_flow import KnownFlow
    from flows.model.declared.declared_flow import DeclaredClass, DeclaredQueue
    from flows.model.limits.rules import Rules

#: What a schema keeps of a property that is hidden.
_KEPT = ("title", "type")


@operation("flows.list")
async def list_flows(admin: Admin, *, own: bool = False) -> list[FlowRow]:
    """List the flows there are, whether or not a process of them runs.

    Args:
        own: The library's own too: those of bulk actions, and `run`.
    """
    names = [name for name in await admin.flows() if own or not is_own(name)]
    return [_row(known) for known in await asyncio.gather(*map(admin.link.flow, names))]


@operation("flows.overview")
async def overview(admin: Admin) -> Overview:
    """Show what all flows hold, and how many runs, trees, schedules, processes and limits there are."""
    names = [name for name in await admin.flows() if not name.startswith(OWN)]
    found = await asyncio.gather(*(_summary(admin, name) for name in names))
    runs, trees, schedules = 0, 0, 0
    with suppress(Forbidden):  # the caller may not look at runs
        runs = sum(one.waiting + one.processing + one.delayed for one in await workflows(admin))
        trees = await count_trees(admin)
        host = await run_host(admin)
        recorded = RecordedSchedules(admin.connection, (await host.open()).settings)
        schedules = sum(host.sees(one.workflow) for one in await recorded.list())
    return Overview(
        flows=[summary for summary, _processes in found],
        runs=runs,
        trees=trees,
        schedules=schedules,
        workers=len({process for _summary, processes in found for process in processes}),
        limits=sum(summary.limits for summary, _processes in found),
    )


async def _summary(admin: Admin, name: str) -> tuple[FlowSummary, list[tuple[str, int | None]]]:
    """Return what a flow holds, and the host and number of each process that it has: one may serve several flows."""
    known = await admin.link.flow(name)
    states = list((await observe(admin.connection, known.settings, known.queues)).values()) if known.queues else []
    processes = [one for one in await read_processes(admin.connection, known.settings, name) if one.alive]
    aged = [(one.oldest_age, one.queue) for one in states if one.oldest_age is not None]
    oldest = max(aged, default=None)
    summary = FlowSummary(
        name=name,
        own=is_own(name),
        queues=len(known.queues),
        waiting=sum(one.waiting for one in states),
        processing=sum(one.processing for one in states),
        delayed=sum(one.delayed for one in states),
        children=sum(one.children for one in states),
        failed=sum(one.failed for one in states),
        cancelled=sum(one.cancelled for one in states),
        oldest=None if oldest is None else oldest[0].total_seconds(),
        oldest_in=None if oldest is None else oldest[1],
        paused=[one.queue for one in states if one.paused],
        unserved=[one.queue for one in states if (one.waiting or one.processing or one.delayed) and not one.workers],
        workers=len(processes),
        limits=sum(map(_limits, known.settings.rules.values())),
    )
    return summary, [(one.host, one.pid) for one in processes]


def _limits(rules: Rules) -> int:
    return len(rules.limiters) + bool(rules.slots) + bool(rules.slots_per_group)


@operation("flows.show")
async def show(admin: Admin, flow: str) -> FlowView:
    """Show what a flow declares: its queues, classes, times, and the releases that were seen.

    Args:
        flow: Its name.

    Raises:
        NothingThere: there is no such flow.
    """
    known = await admin.flow(flow)
    results = await read_declared_results(admin.connection, known.settings, known.name)
    processes = await read_processes(admin.connection, known.settings, known.name)
    live = Counter(process.digest for process in processes if process.alive)
    newest = known.declared[0] if known.declared else None
    hiding = Hiding(admin.caller, known.name)
    times = newest.times if newest else None
    return FlowView(
        **dict(_row(known)),
        params=_class(newest.params, hiding) if newest else None,
        declared=[
            _queue(
                queue,
                [_class(one, hiding) for one in results.get(queue.name, ())],
                Hiding(admin.caller, known.name, queue.name),
            )
            for queue in (newest.walk() if newest else ())
        ],
        undeclared=[
            name for name in known.had if name not in {queue.name for queue in (newest.walk() if newest else ())}
        ],
        versions=[ReleaseView(digest=one.digest, seen=one.seen, processes=live[one.digest]) for one in known.declared],
        kept={}
        if times is None
        else {
            "ttl": None if times.ttl is None else times.ttl.total_seconds(),
            "done": times.done.total_seconds(),
            "failed": times.failed.total_seconds(),
            "cancelled": times.cancelled.total_seconds(),
        },
    )


def _row(known: KnownFlow) -> FlowRow:
    return FlowRow(
        name=known.name,
        own=is_own(known.name),
        queues=len(known.queues),
        lookups=list(known.lookups),
        seen=known.declared[0].seen if known.declared else None,
        releases=len(known.declared),
    )


def _queue(queue: DeclaredQueue, results: list[ClassView], hiding: Hiding) -> DeclaredQueueView:
    rules = queue.rules
    return DeclaredQueueView(
        name=queue.name,
        job=_class(queue.job, hiding),
        parent=queue.name.rpartition(":")[0] or None,
        next=queue.next_queue,
        timeout=None if queue.timeout is None else queue.timeout.total_seconds(),
        max_attempts=queue.max_attempts,
        priorities=1 if rules is None else rules.priorities,
        grouped_by=None if rules is None else rules.group,
        results=results,
    )


def _class(declared: DeclaredClass, hiding: Hiding) -> ClassView:
    """Return a class with its schema: of a hidden field, neither defaults nor examples, which may be values."""
    schema: Any = declared.schema if not hiding.names else _without_values(declared.schema, hiding)
    return ClassView(title=declared.title, json_schema=schema)


def _without_values(part: Any, hiding: Hiding) -> Any:
    if isinstance(part, list):
        some: list[Any] = part  # pyright: ignore[reportUnknownVariableType]
        return [_without_values(one, hiding) for one in some]
    if not isinstance(part, dict):
        return part
    members: dict[str, Any] = part  # pyright: ignore[reportUnknownVariableType]
    kept = {name: _without_values(one, hiding) for name, one in members.items()}
    properties = kept.get("properties")
    if isinstance(properties, dict):
        shown: dict[str, Any] = properties  # pyright: ignore[reportUnknownVariableType]
        kept["properties"] = {
            name: one if hiding.allows(name) else {key: one[key] for key in _KEPT if key in one}
            for name, one in shown.items()
        }
    return kept
