"""Writes what fourteen processes of two releases would say of themselves, one of which is blocked and one silent."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel
from redis import Redis

from flows import Flow, FlowOptions, Job, Limiter, QueueOptions, Retries

FLOW = "access"
QUEUES = ("preparation", "role", "requirement", "access-logic")
#: Of a process: number, release, state, busy slots, longest job as (queue, seconds), lag, memory in MB, seconds ago.
_Told = tuple[str, int, str, int, tuple[str, float], int, int, float]
_FLEET: tuple[_Told, ...] = (
    ("api-7f9.4127", 0, "blocked", 12, ("role", 48.2), 48_100, 412, 2),
    ("api-7f9.3980", 0, "leaving", 4, ("role", 9.1), 4, 388, 1),
    ("api-7f9.4011", 0, "leaving", 2, ("role", 3.3), 3, 391, 4),
    ("api-7f9.4090", 0, "silent", 8, ("requirement", 3.0), 5, 402, 22),
    ("api-7f9.4155", 0, "works", 9, ("requirement", 4.6), 5, 377, 3),
    *(
        (f"api-9b2.{811 + n}", 1, "works", 12 - n % 4, ("role", 1.2 + n / 5), 2 + n % 5, 298 + n, 1 + n % 6)
        for n in range(8)
    ),
    ("api-9b2.820", 1, "works", 11, ("access-logic", 61.0), 6, 344, 5),
    ("api-7f9.3977", 0, "died", 5, ("role", 2.0), 4, 395, 2500),
)
_SLOTS = 12


class Old(BaseModel):
    """What jobs were created with."""

    user_id: int


class New(BaseModel):
    """What they are created with now."""

    user_id: int
    locale: str = "en"


class Step(Job):
    """A job."""

    user_id: int


def release(number: int, url: str, namespace: str) -> Flow[Step, Any, Any]:
    """Return the flow as one of its two releases declares it."""
    queues = [
        QueueOptions("preparation", Step, next_queue="role"),
        QueueOptions(
            "role", Step, next_queue="requirement", timeout=[10, 8][number], limits=[Limiter([50, 100][number], 1)]
        ),
        QueueOptions("requirement", Step, next_queue="access-logic", max_concurrency=[32, 48][number]),
        QueueOptions("access-logic", Step, retries=Retries([5, 3][number])),
        *([QueueOptions("badge", Step)] if number else []),
    ]
    options: FlowOptions[Any, Any] = FlowOptions(FLOW, queues, ["user_id"], redis_url=url, namespace=namespace)
    return Flow[Step, New, Literal["user_id"]](options) if number else Flow[Step, Old, Literal["user_id"]](options)


@dataclass(frozen=True)
class Fleet:
    """What was written."""

    blocked: str
    silent: str
    names: tuple[str, ...]


async def write_fleet(redis: Redis, url: str, namespace: str, extra: int = 0) -> Fleet:
    """Declare both releases and write the heartbeats, and `extra` more of processes with nothing to say."""
    digests: list[str] = []
    for number in (0, 1):
        flow = release(number, url, namespace)
        await flow.create_job(New(user_id=62) if number else Old(user_id=62))
        digests.append((await flow._runtime._descriptor.description()).digest)
        await flow.stop_all()
    more = tuple(
        (f"big-{n:04}.{n}", 1, "works", n % 13, ("role", n % 9 + 0.5), n % 20, 300 + n % 90, n % 7)
        for n in range(extra)
    )
    seconds, micro = redis.time()
    now = seconds * 1000 + micro // 1000
    names: dict[str, str] = {}
    for told in (*_FLEET, *more):
        name = f"{told[0]}.{'0123456789ab'}"
        names[told[2]] = names.get(told[2], name)
        beat = _beat(told, digests[told[1]], now)
        until = now - 1000 if told[2] == "died" else 4e15
        redis.set(f"{namespace}flows:process:{FLOW}:{name}", json.dumps(beat))
        redis.zadd(f"{namespace}flows:processes:{FLOW}", {name: until})
    return Fleet(names["blocked"], names["silent"], tuple(f"{told[0]}" for told in (*_FLEET, *more)))


def _beat(told: _Told, digest: str, now: int) -> dict[str, Any]:
    name, number, state, busy, (queue, seconds), lag, memory, ago = told
    host, _, pid = name.rpartition(".")
    lags = [(lag * 7919 + n * n * 31 + n * 7) % 5 + 2 for n in range(70)]
    lags += [900, 12_000, 30_000, lag] if state == "blocked" else [lag]
    others = [
        [queue, f"0192f3a1-6c7e-7c41-8a90-{int(pid):08}{n:04}", round(seconds * 1000 / (n + 1))] for n in range(busy)
    ]
    return {
        "at": now - int(ago * 1000),
        "n": 7,
        "host": host,
        "pid": int(pid),
        "flows": "0.9.0",
        "python": "3.11.9",
        "digest": digest,
        "lease": 30_000 if state in {"silent", "died"} else 36_000_000,
        "hang": 600_000,
        "up": 200_000 + number * -60_000 + int(pid) % 50 * 100,
        "rss": memory * 1_000_000,
        "lag": lag,
        "lags": lags,
        "lately": {
            "ms": 60_000,
            "failed": [16, 2][number],
            "waited": "6:1j,2s,a",
            "ran": ["12:dc,4,c", "10:lc,5,1"][number],
        },
        "queues": {
            queue: {"workers": 1, "slots": _SLOTS, "busy": busy, "asked": 800},
            **{one: {"workers": 1, "slots": 0, "busy": 0, "asked": 900} for one in QUEUES if one != queue},
        },
        "running": others[:20],
        **({"leaving": 1} if state == "leaving" else {}),
        **({"blocked": [48_200, "score_wallet", "app/access.py", 212]} if state == "blocked" else {}),
    }
