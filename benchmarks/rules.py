"""What the server spends on a job, by the kind of rules that its queue has: claims of a hundred, and their ends."""

# redis-py leaves **kwargs and some results untyped
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from statistics import median
from typing import Any, Final, Self, cast

from measure import Row, empty, quiet_server
from pydantic import BaseModel
from redis.asyncio import Redis

from flows import Flow, FlowOptions, Job, Limiter, QueueOptions
from flows.model.outcome import Finish
from flows.store.jobs.finished import FinishedAttempt
from flows.store.jobs.turns import Turns

WORKLOAD: Final = "rules"
#: So many jobs of each kind are drained in a round, by turns of so many.
_JOBS: Final = 4_000
_TURN: Final = 100
_QUEUE: Final = "send"
_ANY: Final = 1_000_000
_SECOND: Final = timedelta(seconds=1)
_EACH: Final = Limiter(_ANY, _SECOND, group_key="tenant")
_PLAIN: Final = "plain"


class Message(BaseModel):
    """What a job is made of."""

    n: int
    tenant: str


class Send(Job):
    """What its function would need."""

    n: int
    tenant: str


@dataclass(frozen=True)
class Kind:
    """One kind of queue; no limit of it is ever reached."""

    name: str
    options: dict[str, Any] = field(default_factory=dict[str, Any])
    groups: int = 1
    priorities: int = 1


KINDS: Final = (
    Kind(_PLAIN),
    Kind("3 priorities", {"priorities": 3}, priorities=3),
    Kind("3 priorities by share", {"priorities": (8, 3, 1)}, priorities=3),
    Kind("a limit", {"limits": [Limiter(_ANY, _SECOND)]}),
    Kind("slots", {"max_concurrency": _ANY}),
    Kind("10 groups", {"group_by": "tenant"}, groups=10),
    Kind("1,000 groups", {"group_by": "tenant"}, groups=1_000),
    Kind("1,000 groups, a limit each", {"limits": [_EACH]}, groups=1_000),
    Kind("1,000 groups, slots each", {"group_by": "tenant", "max_concurrency_per_group": _ANY}, groups=1_000),
    Kind("1,000 groups, both", {"limits": [_EACH], "max_concurrency_per_group": _ANY}, groups=1_000),
    Kind(
        "all of it",
        {
            "priorities": 3,
            "limits": [_EACH, Limiter(_ANY, _SECOND)],
            "max_concurrency": _ANY,
            "max_concurrency_per_group": _ANY,
        },
        groups=1_000,
        priorities=3,
    ),
)


async def rows(url: str | None, size: float, count: int) -> list[Row]:
    """Measure so many rounds; in each, all kinds take their turns side by side, one after another.

    So what else the machine does falls on all of them alike: a figure is the median of all turns, and a ratio that of
    each turn to the plain queue's next to it.
    """
    jobs = max(4 * _TURN, round(_JOBS * size))
    found: dict[str, list[float]] = {kind.name: [] for kind in KINDS}
    with quiet_server(url) as server:
        for _ in range(count):
            await _round(server, jobs, found)
            await empty(server)
    return [
        {
            "workload": WORKLOAD,
            "setting": kind.name,
            "figure": median(found[kind.name]),
            "unit": "µs of the server a job",
            "ratio": median(mine / plain for mine, plain in zip(found[kind.name], found[_PLAIN], strict=True)),
            "rounds": count,
        }
        for kind in KINDS
    ]


async def _round(url: str, jobs: int, found: dict[str, list[float]]) -> None:
    """Drain as many jobs of each kind, and add what each turn took of the server for a job, in microseconds."""
    async with AsyncExitStack() as stack:
        queues = [await _Queue.filled(stack, url, kind, jobs, number) for number, kind in enumerate(KINDS)]
        client = await stack.enter_async_context(Redis.from_url(url))
        for cycle in range(jobs // _TURN):
            by = cycle % len(queues)
            for queue in (*queues[by:], *queues[:by]):  # nobody is always behind the same one
                before = await _used(client)
                await queue.take_turn()
                after = await _used(client)
                if cycle:  # the first turn reports nothing
                    found[queue.kind.name].append((after - before) / _TURN)


class _Queue:
    """One queue of a kind, whose turns are taken by hand."""

    def __init__(self, kind: Kind, turns: Turns) -> None:
        self.kind = kind
        self._turns = turns
        self._ended: list[FinishedAttempt] = []

    @classmethod
    async def filled(cls, stack: AsyncExitStack, url: str, kind: Kind, jobs: int, number: int) -> Self:
        """Create its jobs, below a namespace of its own."""
        queue = QueueOptions(_QUEUE, job=Send, **kind.options)
        options = FlowOptions(name="rules", redis_url=url, namespace=f"n{number}:", queues=[queue])
        flow = Flow[Send, Message, str](options)
        stack.push_async_callback(flow.stop_all)
        for priority in range(1, kind.priorities + 1):
            mine = range(priority, jobs + 1, kind.priorities)
            given: Any = {} if priority == 1 else {"priority": priority}
            await flow.create_jobs((Message(n=n, tenant=f"tenant-{n % kind.groups}") for n in mine), **given)
        session = await flow._runtime.open()  # noqa: SLF001 - its turns are taken by hand
        turns = session.turns(_QUEUE, f"bench.1.{number:010d}", ["n", "tenant"])
        await turns.turn([], 0, busy=False)  # the server knows the script now
        return cls(kind, turns)

    async def take_turn(self) -> None:
        """End the jobs of the last turn and claim the next ones."""
        turn = await self._turns.turn(self._ended, _TURN, busy=False)
        self._ended = [self._turns.finished(claimed, Finish({}, b"")) for claimed in turn.claimed]
        if len(self._ended) != _TURN:
            msg = f"{self.kind.name}: a turn brought {len(self._ended)} of {_TURN} jobs"
            raise RuntimeError(msg)


async def _used(client: Redis) -> float:
    told = cast("dict[str, float]", await client.info("cpu"))
    return (told["used_cpu_user"] + told["used_cpu_sys"]) * 1e6
