"""`queues.groups`: the groups of a queue, which of them wait, run and are parked."""

from __future__ import annotations

import asyncio
from typing import Annotated

from pydantic import Field

from flows.api.admin import Admin
from flows.api.operation import operation
from flows.api.queues.board import limit_views
from flows.api.reading.hiding import Hiding
from flows.api.reading.rows import job_rows
from flows.api.views.flows import GroupsPage, GroupView
from flows.errors import ValidationError
from flows.model.explain.words import instant
from flows.model.names import is_job_id
from flows.store.jobs.leases import server_ms
from flows.store.rules.read_groups import Groups
from flows.store.rules.read_limits import Group, read_limits


@operation("queues.groups")
async def groups(
    admin: Admin,
    queue: str,
    *,
    cursor: str = "",
    limit: Annotated[int, Field(ge=1, le=100)] = 50,
    flow: str | None = None,
) -> GroupsPage:
    """List the groups of a queue that have jobs or a share of their own, in no order that stays.

    Args:
        queue: Its full name.
        cursor: Where to go on: what the page before had.
        limit: So many; a page may have some more.
        flow: Of a queue that several flows share, one of them.

    Raises:
        NothingThere: there is no such queue.
        ValidationError: the queue has no groups, or the cursor is none.
    """
    known = await admin.flow(flow or await admin.flow_of_queue(queue))
    known.check_queue(queue)
    rules = known.settings.rules.get(queue)
    if rules is None or rules.group is None:
        raise ValidationError(f"queue {queue!r} has no groups: it is declared without group_by=")
    shown = Hiding(admin.caller, known.name).allows(rules.group)
    found, behind = await Groups(admin.connection, known.settings, queue, rules).page(cursor, limit)
    now = instant(await server_ms(admin.connection, known.settings))
    own = known.settings.flow_of(queue)
    rows = await job_rows(admin, known, [(own, one.first) for one in found if is_job_id(one.first)])
    since = {row.id: row.since for row in rows}
    limits = await asyncio.gather(
        *(read_limits(admin.connection, known.settings, queue, Group(one.value or "", one.text)) for one in found)
    )
    views = [
        GroupView(
            group=one.value if shown else None,
            share=one.share,
            waiting=one.waiting,
            in_flight=one.in_flight,
            parked=one.parked,
            until=one.until,
            held=one.held,
            oldest=None if one.first not in since else max(0.0, (now - since[one.first]).total_seconds()),
            limits=limit_views(state for state in states if state.per_group),
        )
        for one, states in zip(found, limits, strict=True)
    ]
    return GroupsPage(flow=known.name, queue=queue, by=rules.group, groups=views, cursor=behind)
