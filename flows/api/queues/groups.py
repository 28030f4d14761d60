"""`queues.groups`: the groups of a queue, which of them wait, run and are parked."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from flows.api.admin import Admin
from flows.api.operation import operation
from flows.api.reading.hiding import Hiding
from flows.api.views.flows import GroupsPage, GroupView
from flows.errors import ValidationError
from flows.store.rules.read_groups import Groups


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
    views = [
        GroupView(
            group=one.value if shown else None,
            share=one.share,
            waiting=one.waiting,
            in_flight=one.in_flight,
            parked=one.parked,
            until=one.until,
            held=one.held,
        )
        for one in found
    ]
    return GroupsPage(flow=known.name, queue=queue, by=rules.group, groups=views, cursor=behind)
