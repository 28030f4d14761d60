"""`flow.queue(…)`: limits are read and set while workers run, queues and groups are held; what is refused."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from pydantic import BaseModel
from redis import Redis

from flows import Flow, FlowOptions, Job, Limiter, LimitState, QueueOptions, Slots, Snooze, ValidationError
from tests.pipeline.parts import within

SECOND = timedelta(seconds=1)


class Send(BaseModel):
    """What a job is created with."""

    guild: int = 7


class Deliver(Job):
    """A job of a queue with rules."""

    guild: int


class Log(Job):
    """A job of a queue without any."""


Mail = Flow[Deliver | Log, Send]


def mail(redis_url: str, namespace: str = "") -> Mail:
    """Return a flow of a queue with rules, which is the second one, and one without."""
    rules: dict[str, Any] = {
        "limits": [Limiter(5, SECOND, group_key="guild"), Limiter(50, SECOND, id="api")],
        "max_concurrency": 10,
        "max_concurrency_per_group": 2,
    }
    queues: list[Any] = [QueueOptions("log", Log, "deliver"), QueueOptions("deliver", Deliver, **rules)]
    return Flow[Deliver | Log, Send](FlowOptions("mail", queues, redis_url=redis_url, namespace=namespace))


async def live(flow: Mail, group: int | None = None) -> dict[str, tuple[int, Any]]:
    """Return the live number of each limit, and its interval."""
    return {state.id: (state.live, state.interval) for state in await flow.queue("deliver").limits(group)}


async def test_limits_are_set_while_workers_run_and_taken_back(redis_url: str, namespace: str) -> None:
    """Without a restart: for all, and for one group."""
    flow = mail(redis_url, namespace)
    queue = flow.queue("deliver")
    async with flow:
        declared = await live(flow)
        assert declared == {
            "deliver:1": (5, SECOND), "api": (50, SECOND), "slots": (10, None), "slots_per_group": (2, None),
        }  # fmt: skip
        await queue.set_limit("api", 20)
        await queue.set_limit("deliver:1", 3, 0.5, group=7)
        await queue.set_concurrency(4, per_group=3)
        await queue.set_concurrency(1, group=7)
        await queue.set_share(7, 2.5)
        assert (await live(flow))["api"] == (20, SECOND)
        assert await live(flow, 7) == {
            "deliver:1": (3, SECOND / 2), "api": (20, SECOND), "slots": (4, None), "slots_per_group": (1, None),
        }  # fmt: skip
        assert await live(flow, 8) == {**await live(flow), "slots_per_group": (3, None)}
        await queue.set_limit("api", None)
        await queue.set_limit("deliver:1", None, group=7)
        await queue.set_concurrency(None)
        await queue.set_concurrency(None, group=7)
        assert await live(flow) == await live(flow, 7) == declared
        assert await flow.queue("log").limits() == []
    first, *_others = await asyncio.to_thread(flow.sync.queue("deliver").limits)
    assert first == LimitState("deliver:1", "limiter", 5, 5, interval=SECOND, per_group=True)
    await asyncio.to_thread(flow.sync.close)


async def test_queues_and_groups_are_held(redis_url: str, namespace: str, redis: Redis) -> None:
    """For a time; 0 ends it. A queue without rules is paused so long."""
    flow = mail(redis_url, namespace)
    async with flow:
        await flow.queue("deliver").hold(60)
        assert redis.hget(f"{namespace}queue:deliver:meta", "held") is not None
        await flow.queue("deliver").hold(timedelta(0))
        assert redis.hget(f"{namespace}queue:deliver:meta", "held") is None
        await flow.queue("deliver").hold(60, group=7)
        assert redis.zrange(f"{namespace}flows:parked:deliver", 0, -1) == ["1/7"]
        await flow.queue("log").hold(60)
        state = await flow.queue("log").state()
        assert (state.paused, state.note) == (True, "held")


@pytest.mark.parametrize("how", ["queue", "group"])
async def test_a_snooze_holds_others_too(redis_url: str, namespace: str, redis: Redis, how: Any) -> None:
    """It is held before the job comes back: a turn that ends it starts no other."""
    rules: Any = {"limits": [Limiter(500, SECOND, group_key="guild")]}
    options = FlowOptions("mail", [QueueOptions("deliver", Deliver, **rules)], redis_url=redis_url, namespace=namespace)
    flow = Flow[Deliver, Send](options)
    snoozed = asyncio.Event()

    async def deliver(_job: Deliver) -> Snooze:
        return Snooze("429", after=60, hold=how)

    flow.create_workers("deliver", deliver)
    flow.events.subscribe(lambda _event: snoozed.set(), "job.snoozed")
    async with flow:
        job_id = await flow.create_job(Send())
        await within(snoozed.wait())
        due = redis.zscore(f"{namespace}queue:deliver:delayed", job_id)
        held = redis.hget(f"{namespace}queue:deliver:meta", "held")
        parked = redis.zscore(f"{namespace}flows:parked:deliver", "1/7")
    until = held if how == "queue" else parked
    assert until is not None
    assert due is not None
    assert -1 < due - float(until) < 60_000  # a held group has half a millisecond more
    assert (held is None, parked is None) == (how == "group", how == "queue")


async def test_a_snooze_in_a_queue_without_groups_fails_the_job(redis_url: str, namespace: str) -> None:
    """With a reason that says what to declare: another attempt would come to the same."""
    flow = mail(redis_url, namespace)

    async def log(_job: Log) -> Snooze:
        return Snooze(after=60, hold="group")

    flow.create_workers("log", log)
    async with flow:
        done = await flow.wait_for(await flow.create_job(Send()), 60)
    assert done.error is not None
    assert done.error.message == "Snooze(hold=\"group\"): queue 'log' has no groups: declare group_by="


REFUSED: list[tuple[str, str, dict[str, Any], str]] = [
    ("deliver", "limits", {"group": 1.5}, "group=1.5: give the value of the field"),
    ("deliver", "limits", {"group": True}, "group=True: give the value of the field"),
    ("log", "limits", {"group": 7}, "queue 'log' has no groups: declare group_by="),
    ("deliver", "set_limit", {"limiter_id": "x", "reservoir": 5}, "no limiter 'x': it has deliver:1, api"),
    ("deliver", "set_limit", {"limiter_id": 5, "reservoir": 5}, "no limiter 5: it has"),
    ("log", "set_limit", {"limiter_id": "x", "reservoir": 5}, "no limiter 'x': it declares none"),
    ("deliver", "set_limit", {"limiter_id": "api", "reservoir": 0}, "reservoir=0: give a whole number"),
    ("deliver", "set_limit", {"limiter_id": "api", "reservoir": 5, "interval": 0.001}, "interval=0.001 s: give 0.01 s"),
    ("deliver", "set_limit", {"limiter_id": "api", "reservoir": 5, "interval": "1s"}, "interval='1s': give a datetime"),
    ("deliver", "set_limit", {"limiter_id": "api", "reservoir": None, "interval": 1}, "interval= without a reservoir"),
    (
        "deliver",
        "set_limit",
        {"limiter_id": "api", "reservoir": 5, "group": 7},
        "'api' of queue 'deliver' has no groups",
    ),
    ("deliver", "set_concurrency", {"most": 0}, "most=0: give a whole number"),
    ("deliver", "set_concurrency", {"most": 1, "per_group": True}, "per_group=True: give a whole number"),
    ("deliver", "set_concurrency", {"most": 1, "per_group": 1, "group": 7}, "per_group= is for all groups"),
    ("log", "set_concurrency", {"most": 1}, "queue 'log' counts no slots: declare max_concurrency="),
    ("log", "set_concurrency", {"most": None}, "queue 'log' counts no slots: declare max_concurrency="),
    (
        "log",
        "set_concurrency",
        {"most": 1, "group": 7},
        "counts no slots of groups: declare max_concurrency_per_group=",
    ),
    ("deliver", "set_share", {"group": 7, "share": 0}, "share=0: give a number from 0.001 to 1,000"),
    ("deliver", "set_share", {"group": None, "share": 1}, "group=None: give the value"),
    ("log", "set_share", {"group": 7, "share": 2}, "queue 'log' has no groups"),
    ("deliver", "hold", {"how_long": -1}, "how_long=-1 s is negative"),
    ("deliver", "hold", {"how_long": "1s"}, "how_long='1s': give a datetime.timedelta"),
    ("log", "hold", {"how_long": 1, "group": 7}, "queue 'log' has no groups"),
]


@pytest.mark.parametrize(("queue", "method", "given", "says"), REFUSED)
async def test_what_is_refused(queue: str, method: str, given: dict[str, Any], says: str) -> None:
    """Before anything is sent: nobody listens where this flow would connect."""
    handle = mail("redis://127.0.0.1:1").queue(queue)
    with pytest.raises(ValidationError, match=says):
        await getattr(handle, method)(**given)


async def test_slots_that_queues_share_are_set_for_all_of_them(redis_url: str, namespace: str) -> None:
    """By whichever of them."""
    gpu: Any = {"max_concurrency": Slots(8, id="gpu")}
    queues: list[Any] = [QueueOptions("log", Log, "deliver", **gpu), QueueOptions("deliver", Deliver, **gpu)]
    flow = Flow[Deliver | Log, Send](FlowOptions("mail", queues, redis_url=redis_url, namespace=namespace))
    async with flow:
        await flow.queue("log").set_concurrency(3)
        for queue in ("log", "deliver"):
            assert [(state.id, state.declared, state.live) for state in await flow.queue(queue).limits()] == [
                ("gpu", 8, 3)
            ]
