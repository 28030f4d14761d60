"""Holds queues and groups: nothing of them starts until a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from flows.model.creation.job_options import Due
    from flows.store.client.connection import Connection
    from flows.store.client.scripts import Argument
    from flows.store.jobs.answers import HoldAnswer
    from flows.store.jobs.flow_settings import FlowSettings


async def hold(connection: Connection, settings: FlowSettings, queue: str, due: Due) -> None:
    """Let no job of a queue start until a time; of two holds the later one counts, and a delay of 0 ends it.

    Raises:
        StoreError: the server cannot be used.
    """
    await _send(connection, settings, queue, due, {"scope": "queue"})


async def hold_group(connection: Connection, settings: FlowSettings, queue: str, due: Due, group: str) -> None:
    """Let no job of a group, which is named by its text, start until a time.

    Raises:
        StoreError: the server cannot be used.
    """
    await _send(connection, settings, queue, due, {"scope": "group", "group": group})


async def hold_group_of(
    connection: Connection, settings: FlowSettings, queue: str, due: Due, job_id: str
) -> HoldAnswer:
    """Let no job of a job's group start until a time; "no group" where it has none.

    Raises:
        StoreError: the server cannot be used.
    """
    return await _send(connection, settings, queue, due, {"scope": "group", "id": job_id})


async def _send(
    connection: Connection, settings: FlowSettings, queue: str, due: Due, scope: dict[str, Argument]
) -> HoldAnswer:
    rules = settings.rules.get(queue)
    named: dict[str, Argument] = {
        **settings.named(settings.flow_of(queue)),
        "queue": queue,
        "delay_ms": due.delay_ms,
        "until_ms": due.until_ms,
        "group": "",
        "id": "",
        "field": "" if rules is None else rules.group or "",
        "priorities": 0 if rules is None else rules.priorities,
        **scope,
    }
    word = await connection.run(settings.script("hold"), named)
    return cast("HoldAnswer", word.decode())
