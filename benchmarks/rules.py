"""What the server spends on a job, by the kind of rules that its queue has: claims of a hundred, and their ends."""

# redis-py leaves **kwargs and some results untyped
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final, cast

from measure import Row, empty, quiet_server
from pydantic import BaseModel
from redis.asyncio import Redis

from flows import Flow, FlowOptions, Job, Limiter, QueueOptions
from flows.model.outcome import Finish

WORKLOAD: Final = "rules"
#: So many jobs are drained in each round, by turns of so many.
_JOBS: Final = 8_000
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
    """Measure so many rounds, each of every kind in turn; the least of each counts, which other load raises least."""
    jobs = max(_TURN, round(_JOBS * size))
    found: dict[str, list[float]] = {kind.name: [] for kind in KINDS}
    with quiet_server(url) as server:
        for number in range(count):
            # Each round begins elsewhere, since what comes later may find a slower machine.
            for kind in _turned(KINDS, number):
                found[kind.name].append(await _drain(server, kind, jobs))
                await empty(server)
    return [
        {
            "workload": WORKLOAD,
            "setting": kind.name,
            "figure": min(found[kind.name]),
            "unit": "µs of the server a job",
            "ratio": min(found[kind.name]) / min(found[_PLAIN]),
            "rounds": count,
        }
        for kind in KINDS
    ]


def _turned(kinds: Sequence[Kind], by: int) -> list[Kind]:
    by %= len(kinds)
    return [*kinds[by:], *kinds[:by]]


async def _drain(url: str, kind: Kind, jobs: int) -> float:
    """Return how many microseconds of a core the server used for a job, from its claim to its end."""
    queue = QueueOptions(_QUEUE, job=Send, **kind.options)
    flow = Flow[Send, Message, str](FlowOptions(name="rules", redis_url=url, queues=[queue]))
    try:
        for priority in range(1, kind.priorities + 1):
            mine = range(priority, jobs + 1, kind.priorities)
            options: Any = {} if priority == 1 else {"priority": priority}
            await flow.create_jobs((Message(n=n, tenant=f"tenant-{n % kind.groups}") for n in mine), **options)
        session = await flow._runtime.open()  # noqa: SLF001 - its turns are taken by hand
        turns = session.turns(_QUEUE, "bench.1.0000000000", ["n", "tenant"])
        async with Redis.from_url(url) as client:
            await turns.turn([], 0, busy=False)  # it knows the script now
            before, done = await _used(client), 0
            ended: list[Any] = []
            while done < jobs:
                turn = await turns.turn(ended, _TURN, busy=False)
                ended = [turns.finished(claimed, Finish({}, b"")) for claimed in turn.claimed]
                done += len(ended)
                if not ended:
                    msg = f"{kind.name}: {done} of {jobs} jobs came, and nothing after them"
                    raise RuntimeError(msg)
            await turns.turn(ended, 0, busy=False)
            return (await _used(client) - before) / jobs
    finally:
        await flow.stop_all()


async def _used(client: Redis) -> float:
    told = cast("dict[str, float]", await client.info("cpu"))
    return (told["used_cpu_user"] + told["used_cpu_sys"]) * 1e6
