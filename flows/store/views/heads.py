"""Reads the first jobs of the places of queues: who runs, who is next, who ended last; two writes for all queues."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from flows.model.names import is_job_id
from flows.model.state import JobState
from flows.store.client.wire import ReplyError
from flows.store.keys.rules import RuleKeys

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from flows.store.client.connection import Connection
    from flows.store.client.scripts import Command
    from flows.store.jobs.flow_settings import FlowSettings

#: Of those that run, so many are looked at: the set is sorted by leases, which are renewed all the time.
_MOST_RUNNING: Final = 50
_NEXT: Final = 2
#: Of each way to end.
_ENDED: Final = ((JobState.DONE, 2), (JobState.FAILED, 2), (JobState.CANCELLED, 1))


@dataclass(frozen=True, slots=True)
class Heads:
    """Jobs of one queue, each as its flow and its id."""

    running: list[tuple[str, str]]
    """Those that were created first."""
    next: list[tuple[str, str]]
    """Those that wait first; of a queue with groups, the first of each group whose turn comes."""
    ended: list[tuple[str, str]]
    """The last ones of each kind, in no order."""


async def read_heads(
    connection: Connection, settings: FlowSettings, queues: Sequence[str], running: int
) -> dict[str, Heads]:
    """Return the heads of queues; a key that somebody else has written counts as empty.

    Args:
        connection: To the server.
        settings: Those of the flow.
        queues: Full names.
        running: So many of those that run.

    Raises:
        StoreError: the server cannot be used.
    """
    each = [list(_commands(settings, queue)) for queue in queues]
    replies = iter(await connection.together([command for commands in each for command in commands]))
    read = {queue: [_texts(next(replies)) for _one in commands] for queue, commands in zip(queues, each, strict=True)}
    grouped = [queue for queue in queues if _grouped(settings, queue)]
    groups = await _of_groups(connection, settings, {queue: read[queue].pop() for queue in grouped})
    heads: dict[str, Heads] = {}
    for queue, (in_flight, done, failed, cancelled, *waiting) in read.items():

        def jobs(members: Iterable[str], queue: str = queue) -> list[tuple[str, str]]:
            found = (_job(settings, queue, member) for member in members)
            return [one for one in found if one is not None]

        first = [*(member for some in waiting for member in some), *groups.get(queue, ())]
        heads[queue] = Heads(
            running=sorted(jobs(in_flight), key=lambda job: job[1])[:running],
            next=jobs(first)[:_NEXT],
            ended=jobs([*done, *failed, *cancelled]),
        )
    return heads


def _grouped(settings: FlowSettings, queue: str) -> bool:
    rules = settings.rules.get(queue)
    return rules is not None and rules.group is not None


def _commands(settings: FlowSettings, queue: str) -> Iterable[Command]:
    keys, rules = settings.keys, settings.rules.get(queue)
    yield ("ZRANGE", keys.processing(queue), 0, _MOST_RUNNING - 1)
    for state, many in _ENDED:
        key = keys.ended_jobs(queue, state.value)
        yield ("LRANGE", key, 0, many - 1) if state == JobState.DONE else ("ZREVRANGE", key, 0, many - 1)
    for band in range(1, 1 + (rules.priorities if rules else 1)):
        yield ("LRANGE", keys.waiting(queue, band), 0, _NEXT - 1)
    if _grouped(settings, queue):
        yield ("ZRANGE", RuleKeys(keys.namespace).ring(queue, 1), 0, _NEXT)


async def _of_groups(
    connection: Connection, settings: FlowSettings, by_queue: dict[str, list[str]]
) -> dict[str, list[str]]:
    """Return by queue the first ids of the groups at the head of its ring; the ring's empty name is of no group."""
    keys = RuleKeys(settings.keys.namespace)
    places = [(queue, group) for queue, groups in by_queue.items() for group in groups if group]
    found: dict[str, list[str]] = {}
    if places:
        replies = await connection.together([("LINDEX", keys.group(queue, 1, group), 0) for queue, group in places])
        for (queue, _group), reply in zip(places, replies, strict=True):
            found.setdefault(queue, []).extend(_texts([reply]))
    return found


def _texts(reply: Any) -> list[str]:
    if isinstance(reply, ReplyError) or not isinstance(reply, list):
        return []
    members: list[Any] = reply  # pyright: ignore[reportUnknownVariableType]
    return [one.decode("utf-8", "replace") for one in members if isinstance(one, bytes)]


def _job(settings: FlowSettings, queue: str, member: str) -> tuple[str, str] | None:
    """Return flow and id of a job; None for one of another flow that shares the queue."""
    flow, _, job_id = member.rpartition(":")
    own = settings.flow_of(queue)
    return (own, job_id) if flow in {"", own} and is_job_id(job_id) else None
