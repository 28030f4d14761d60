"""Operations on flows: which there are, and what they declare."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Any

from flows.api.admin import Admin
from flows.api.operation import operation
from flows.api.reading.hiding import Hiding
from flows.api.views.flows import ClassView, DeclaredQueueView, FlowRow, FlowView, ReleaseView
from flows.model.names import is_own
from flows.store.fleet.declarations import read_declared_results
from flows.store.fleet.processes import read_processes

if TYPE_CHECKING:
    from flows.api.known_flow import KnownFlow
    from flows.model.declared.declared_flow import DeclaredClass, DeclaredQueue

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
        max_attempts=1 if queue.retries is None else int(queue.retries.get("max_attempts", 1)),
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
