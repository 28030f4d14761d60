"""Every key that a run leaves behind, or passes through, is one that docs/key_names.md documents."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel
from redis import Redis

from flows import (
    ChildJob,
    ChildrenOf,
    ChildResult,
    Debounce,
    Flow,
    FlowOptions,
    Job,
    JobResult,
    Limiter,
    QueueOptions,
    Slots,
    Unique,
    current_job,
)
from flows.kernel.attempt import Attempt
from flows.kernel.worker import Worker
from flows.model.ids import new_job_id
from flows.model.outcome import Snooze
from flows.model.tree.task_record import TaskRecord
from flows.store.jobs.control import Cascaded
from flows.store.jobs.log_line import pack_line
from flows.telemetry.failpoints import struck
from flows.tree.index.redis import RedisIndex
from flows.tree.storage.protocol import Execution, InstanceRow, Token, Write
from flows.tree.storage.redis import RedisStorage
from tests.waiting import LONG, until

DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "key_names.md"
#: A row of the table: the key in backticks, its type, what it holds.
ROW = re.compile(r"^\| `([^`]+)` \| (\w+) \|", re.MULTILINE)


class Given(BaseModel):
    """What a job is created with."""

    user_id: int = 0
    tags: list[str] = []


class Split(Job):
    """The first queue: it names children."""

    user_id: int


class Named(JobResult):
    """It only names children."""


class Add(Job):
    """The parent queue."""


class One(Job):
    """A child."""

    number: int


class Many(Job):
    """A child with children."""


class Found(JobResult):
    """What a child found."""

    value: int


class Total(Job):
    """The last queue."""

    ones: Annotated[list[ChildResult[Found]], ChildrenOf("add", "one")]


class Later(Job):
    """A queue whose jobs are put off."""


def documented() -> list[tuple[re.Pattern[str], str]]:
    """Return the patterns of the table, each with the type that stands beside it."""
    rows = ROW.findall(DOCUMENT.read_text("utf-8"))
    return [(re.compile(re.sub(r"<[^<>]+>", ".+", re.escape(key).replace(r"\<", "<"))), kind) for key, kind in rows]


def audit(redis: Redis, namespace: str) -> tuple[set[str], set[str]]:
    """Return the keys that no row describes, and the patterns that some key is described by."""
    strange, used = set[str](), set[str]()
    for key in redis.scan_iter(f"{namespace}*", count=1000):
        kind, name = redis.type(key), key.removeprefix(namespace)
        rows = [pattern.pattern for pattern, of in documented() if of == kind and pattern.fullmatch(name)]
        used.update(rows)
        if not rows and kind != "none":
            strange.add(f"{name} ({kind})")
    return strange, used


async def split(job: Split) -> Named:
    """Name two children, one that fails, one with children, and for user 2 so many that they are written in parts."""
    current_job().log(f"job of {job.user_id}")
    current_job().progress(0.5, "half")
    current_job().stream("some text")
    if job.user_id == 13:
        raise ValueError("unlucky")
    count = 600 if job.user_id == 2 else 2
    ones = [ChildJob(One, {"number": number}) for number in range(-1, count)]
    return Named(children=[*ones, ChildJob(Many, {}, children=ones[:2])])


async def one(job: One) -> Found:
    """Find the number; negative ones fail."""
    if job.number < 0:
        raise ValueError("negative")
    return Found(value=job.number)


async def total(job: Total) -> None:
    """Look at the children, and pass the job on."""
    assert job.ones


class PutOff:
    """A runner that puts its jobs off for an hour."""

    fields: list[str] = []  # noqa: RUF012 - it is never changed
    timeout: float | None = None

    async def run(self, _running: Attempt) -> Snooze:
        """Put it off."""
        return Snooze(3_600_000)

    def clock(self, watch: Callable[[Attempt], None]) -> Callable[[Attempt], None]:
        """Return what starts the timeout."""
        return watch

    def timed_out(self, _running: Attempt) -> Snooze:
        """Put it off as well."""
        return Snooze(3_600_000)


@pytest.mark.skipif(not DOCUMENT.exists(), reason="docs/key_names.md is not there")
async def test_every_key_is_documented(redis_url: str, namespace: str, redis: Redis) -> None:
    """After lookups, parents, delayed jobs, logs, failures, cancellations: each key fits a row of the table.

    It is looked at while the jobs are under way too, since most keys of parents are gone in the end.
    """
    children = [QueueOptions("one", job=One), QueueOptions("many", job=Many, children=[QueueOptions("one", job=One)])]
    flow = Flow[Split | Add | Total | Later, Given, Literal["user_id", "tags"]](
        FlowOptions(
            name="audited",
            lookup_attributes=["user_id", "tags"],
            queues=[
                QueueOptions("split", job=Split, next_queue="add"),
                QueueOptions("add", job=Add, next_queue="total", children=children),
                QueueOptions("total", job=Total, next_queue="later"),
                QueueOptions("later", job=Later),
            ],
            redis_url=redis_url,
            namespace=namespace,
        )
    )
    flow.create_workers(Split, split)
    flow.create_parent_workers(Add)
    flow.create_parent_workers("add:many")
    flow.create_child_workers(Add, One, one, concurrency=8)
    flow.create_child_workers("add:many", One, one)
    flow.create_workers(Total, total)
    later = Worker(flow._runtime, "later", PutOff(), 1)
    strange, used = set[str](), set[str]()

    def look(_event: object = None) -> None:
        found, rows = audit(redis, namespace)
        strange.update(found)
        used.update(rows)

    ids = await flow.create_jobs([Given(user_id=number, tags=["a", "b:c", ""]) for number in (1, 2, 13)])
    look()
    delayed = asyncio.create_task(wait_for_delayed(flow, 2))
    async with flow:
        stop = flow.events.subscribe(lambda event: look() if event.fields.get("queue") in {"add", "add:many"} else None)
        await later.start()
        with struck("mid-fan-out", look):  # what is being built is there no longer than a fan-out takes
            failed = await flow.wait_for(ids[2], LONG)
            await until(lambda: any("building" in pattern for pattern in used))
        async with asyncio.timeout(LONG):
            await delayed
        stop()
        look()
        assert await flow.cancel_job(ids[0]) == "cancelled"
        await flow.retry_job(failed.id)
        assert await flow.delete_job(ids[1])
        await flow.create_job(Given(user_id=7), idempotency_key="k", delay=3600)
        await flow.create_job(Given(user_id=7), unique=Unique("k"), delay=3600)
        await flow.create_job(Given(user_id=7), debounce=Debounce("k", 3600))
        await cancel_a_parent(flow, look)
        await later.stop()
    look()
    assert strange == set()
    needed = (
        "building",
        "pending",
        "parents",
        "log:",
        ":stream",
        "timer",
        "call",
        "wake",
        "delayed",
        "children",
        "meta",
    )
    of_processes = ("flows:flow:", "flows:process:", "flows:processes:", "flows:workers:", "flows:stats:")
    keys = ("job:.+:\\#key:", "job:.+:\\#unique:", "job:.+:\\#debounce:")
    for part in (*needed, "cancelling", "reconcile", *of_processes, *keys):
        assert any(part in pattern for pattern in used), part


@pytest.mark.skipif(not DOCUMENT.exists(), reason="docs/key_names.md is not there")
async def test_every_key_of_rules_is_documented(redis_url: str, namespace: str, redis: Redis) -> None:
    """Priorities, groups, limits, slots, shares and holds: while jobs run, and when none is left."""
    second = timedelta(seconds=1)
    flow = Flow[Later, Given](
        FlowOptions(
            name="ruled",
            queues=[
                QueueOptions(
                    "later",
                    job=Later,
                    priorities=(3, 1),
                    group_by="user_id",
                    limits=[
                        Limiter(100, second),
                        Limiter(50, second, group_key="user_id"),
                        Limiter(99, second, id="api"),
                    ],
                    max_concurrency=Slots(4, id="gpu"),
                    max_concurrency_per_group=2,
                )
            ],
            redis_url=redis_url,
            namespace=namespace,
        )
    )
    strange, used = set[str](), set[str]()

    async def run(_job: Later) -> None:
        found, rows = audit(redis, namespace)
        strange.update(found)
        used.update(rows)

    flow.create_workers(Later, run, concurrency=4)
    async with flow:
        queue = flow.queue("later")
        await queue.set_limit("later:1", 90)
        await queue.set_concurrency(3, per_group=2)
        await queue.set_share(1, 2)
        await queue.hold(timedelta(milliseconds=1), group=3)
        ids = await flow.create_jobs([Given(user_id=number % 4) for number in range(30)], priority=2, cost=2)
        ids.append(await flow.create_job(Given(user_id=1)))
        for job_id in ids:
            await flow.wait_for(job_id, LONG)
    strange.update(audit(redis, namespace)[0])
    assert strange == set()
    for part in ("group", "ring", "parked", "fair", "shares", "limit", "window", "windows", "slots", "load", "sharing"):
        assert any(f"flows:{part}:" in pattern for pattern in used), part


@pytest.mark.skipif(not DOCUMENT.exists(), reason="docs/key_names.md is not there")
async def test_every_key_of_trees_is_documented(redis_url: str, namespace: str, redis: Redis) -> None:
    """An instance with records, results, a log, a key and a realm, and what the index and its outbox have."""
    storage, index = RedisStorage(redis_url, namespace=namespace), RedisIndex(redis_url, namespace=namespace)
    new, run = InstanceRow(new_job_id(), "imports", "site", realm="acme"), Execution(new_job_id(), "#", ("#.a",))
    await storage.create(new, b"{}", b'{"data":[],"tasks":[]}', "key")
    await storage.begin(new.id, run, b'{"data":[],"tasks":[]}', 1)
    await storage.write(new.id, Token(run.id), [Write("#.a", TaskRecord("ok"), b"1")])
    await storage.log(new.id, "#.a", [pack_line("x", "info", {}, 1)])
    await index.put([one.row for one in await storage.unindexed("imports") if one.row is not None])
    strange, used = audit(redis, namespace)
    assert strange == set()
    kinds = ("", "tasks", "results", "log", "key", "dirty", "apps", "rows", "s", "sworking")
    for kind in kinds:
        assert any(re.match(rf"flows:tree{kind}(:|$)", pattern) for pattern in used), kind
    await storage.close()
    await index.close()


async def cancel_a_parent(
    flow: Flow[Split | Add | Total | Later, Given, Literal["user_id", "tags"]], look: Callable[[], None]
) -> None:
    """Cancel a job that waits for its children, and look at the keys before each time that some of those are."""
    cascade = flow._runtime.session.control.cascade

    async def watched(parent: str = "") -> Cascaded:
        look()
        return await cascade(parent)

    await asyncio.gather(*(worker.stop() for worker in flow.workers if worker.queue.startswith("add:")))
    waits = asyncio.create_task(flow.events.wait_for("job.recorded", queue="add"))
    await asyncio.sleep(0)
    job_id = await flow.create_job(Given(user_id=1))
    async with asyncio.timeout(LONG):
        await waits
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(flow._runtime.session.control, "cascade", watched)
        assert await flow.cancel_job(job_id) == "cancelled"


async def wait_for_delayed(
    flow: Flow[Split | Add | Total | Later, Given, Literal["user_id", "tags"]], count: int
) -> None:
    """Wait until so many jobs were recorded as put off."""
    recorded = 0
    while recorded < count:
        event = await flow.events.wait_for("job.recorded", queue="later")
        recorded += int(str(event.fields["count"]))
