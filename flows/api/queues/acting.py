"""Operations that act on a queue: pause, resume, drain, and its limits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

from pydantic import Field

from flows.api.admin import Admin
from flows.api.borrowed import queue_handle
from flows.api.known_flow import KnownFlow
from flows.api.operation import operation
from flows.api.queues.board import limit_views
from flows.api.queues.group_value import group_value, maybe_group
from flows.api.views.flows import LimitsView, LimitView
from flows.api.views.time import Time
from flows.api.views.view import Acted
from flows.errors import ValidationError
from flows.kernel.callers.queue_handle import QueueHandle

#: As long as one request waits.
_LONGEST = timedelta(hours=1)


async def _handle(admin: Admin, queue: str, flow: str | None) -> tuple[KnownFlow, QueueHandle]:
    known = await admin.flow(flow or await admin.flow_of_queue(queue))
    return known, queue_handle(admin.connection, known, queue)


@operation("queues.pause", role="operator")
async def pause(
    admin: Admin,
    queue: str,
    *,
    until: datetime | None = None,
    lasting: Time | None = None,
    note: Annotated[str, Field(max_length=1000)] = "",
    flow: str | None = None,
) -> Acted:
    """Let no job of a queue start until it is resumed, or until a time; jobs in flight go on.

    Args:
        queue: Its full name.
        until: An instant with a time zone, by the server's clock.
        lasting: For so long, in place of `until`.
        note: Who or why: whoever looks at the queue sees it.
        flow: Of a queue that several flows share, one of them.

    Raises:
        NothingThere: there is no such queue.
        ValidationError: `until` is over, or has no time zone, or `lasting` is given too.
    """
    if until is not None and lasting is not None:
        raise ValidationError("until= and lasting= both say when the pause ends: give one of them")
    if lasting is not None:
        seconds, micro = await admin.connection.call("TIME")
        until = datetime.fromtimestamp(int(seconds) + int(micro) / 1e6, UTC) + lasting
    known, handle = await _handle(admin, queue, flow)
    await handle.pause(until, note)
    return Acted(word="paused", flow=known.name, queue=queue)


@operation("queues.resume", role="operator")
async def resume(admin: Admin, queue: str, *, flow: str | None = None) -> Acted:
    """Let a paused queue go on at once.

    Args:
        queue: Its full name.
        flow: Of a queue that several flows share, one of them.

    Raises:
        NothingThere: there is no such queue.
    """
    known, handle = await _handle(admin, queue, flow)
    was = (await handle.state()).paused
    await handle.resume()
    return Acted(word="resumed" if was else "not paused", flow=known.name, queue=queue)


@operation("queues.drain", role="operator")
async def drain(admin: Admin, queue: str, timeout: Time = timedelta(seconds=30), *, flow: str | None = None) -> Acted:
    """Wait until nothing waits in a queue, runs or awaits children; delayed jobs come later and do not count.

    Args:
        queue: Its full name.
        timeout: For how long, an hour at most.
        flow: Of a queue that several flows share, one of them.

    Raises:
        NothingThere: there is no such queue.
        WaitTimeout: it holds jobs still; the message says how many, and whether anything works on them.
    """
    if not timedelta(0) < timeout <= _LONGEST:
        raise ValidationError("timeout: give a time of up to an hour")
    known, handle = await _handle(admin, queue, flow)
    await handle.drain(timeout.total_seconds())
    return Acted(word="drained", flow=known.name, queue=queue)


@operation("queues.limits")
async def limits(admin: Admin, queue: str, *, group: str | None = None, flow: str | None = None) -> LimitsView:
    """Show what each limiter of a queue has given out, and its slots.

    Args:
        queue: Its full name.
        group: A value of the field by which the queue is grouped: what that group has used of its own.
        flow: Of a queue that several flows share, one of them.

    Raises:
        NothingThere: there is no such queue.
        ValidationError: the queue has no groups.
    """
    known, handle = await _handle(admin, queue, flow)
    return await _limits(known, handle, "shown", group)


@operation("queues.set_limit", role="operator")
async def set_limit(
    admin: Admin,
    queue: str,
    limiter: str,
    reservoir: int | None = None,
    *,
    interval: Time | None = None,
    group: str | None = None,
    flow: str | None = None,
) -> LimitsView:
    """Set a limiter of a queue while workers run, from the next claim on; it holds until it is set anew.

    Args:
        queue: Its full name.
        limiter: Its id, as `queues.limits` shows it.
        reservoir: Tokens; without one, reservoir and interval as declared again.
        interval: After which a token comes back; as declared where it is left out.
        group: For this group alone, where each has its own.
        flow: Of a queue that several flows share, one of them.

    Raises:
        NothingThere: there is no such queue.
        ValidationError: the queue has no such limiter or no groups, or a number is out of bounds.
    """
    known, handle = await _handle(admin, queue, flow)
    before = await handle.limits(group)
    await handle.set_limit(limiter, reservoir, interval, group=maybe_group(known, queue, group))
    return await _limits(known, handle, "set", group, limit_views(before))


@operation("queues.set_concurrency", role="operator")
async def set_concurrency(
    admin: Admin,
    queue: str,
    most: int | None = None,
    *,
    per_group: int | None = None,
    group: str | None = None,
    flow: str | None = None,
) -> LimitsView:
    """Set how many jobs of a queue may run at a time, while workers run; jobs that run go on.

    Args:
        queue: Its full name.
        most: Of the queue, or with `group` of that group; left out, as declared again.
        per_group: Of each group; left out, as declared again.
        group: The group that `most` is for.
        flow: Of a queue that several flows share, one of them.

    Raises:
        NothingThere: there is no such queue.
        ValidationError: the queue does not declare such slots, or a number is out of bounds.
    """
    known, handle = await _handle(admin, queue, flow)
    before = await handle.limits(group)
    await handle.set_concurrency(most, per_group=per_group, group=maybe_group(known, queue, group))
    return await _limits(known, handle, "set", group, limit_views(before))


@operation("queues.set_share", role="operator")
async def set_share(admin: Admin, queue: str, group: str, share: float, *, flow: str | None = None) -> Acted:
    """Set the share of a group of a queue: one of 2 gets twice as many turns as one of 1, the default.

    Args:
        queue: Its full name.
        group: A value of the field by which the queue is grouped.
        share: 0.001 to 1,000.
        flow: Of a queue that several flows share, one of them.

    Raises:
        NothingThere: there is no such queue.
        ValidationError: the queue has no groups, or the share is out of bounds.
    """
    known, handle = await _handle(admin, queue, flow)
    await handle.set_share(group_value(known, queue, group), share)
    return Acted(word="set", flow=known.name, queue=queue)


@operation("queues.hold", role="operator")
async def hold(admin: Admin, queue: str, lasting: Time, *, group: str | None = None, flow: str | None = None) -> Acted:
    """Let nothing of a queue, or of one group of it, start for a time; what runs goes on.

    Args:
        queue: Its full name.
        lasting: For how long; 0 ends a hold.
        group: Hold this group alone.
        flow: Of a queue that several flows share, one of them.

    Raises:
        NothingThere: there is no such queue.
        ValidationError: the queue has no groups.
    """
    known, handle = await _handle(admin, queue, flow)
    await handle.hold(lasting, group=maybe_group(known, queue, group))
    return Acted(word="held" if lasting else "let go", flow=known.name, queue=queue)


async def _limits(
    known: KnownFlow, handle: QueueHandle, word: str, group: str | None, before: list[LimitView] | None = None
) -> LimitsView:
    found = limit_views(await handle.limits(maybe_group(known, handle.name, group)))
    return LimitsView(word=word, flow=known.name, queue=handle.name, limits=found, before=before)
