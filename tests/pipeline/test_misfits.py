"""Jobs that do not fit their class: handed back while another release may fit them, failed at once where none can."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from annotated_types import Gt
from pydantic import BaseModel, ConfigDict, Field, field_validator
from redis import Redis

from flows import (
    ChildJob,
    ChildrenOf,
    ChildResult,
    Flow,
    FlowOptions,
    Job,
    JobResult,
    QueueOptions,
    Retries,
)
from flows.kernel.deploy import misfits
from flows.telemetry.events import Event
from tests.pipeline.parts import LONG, within

Version = Callable[..., Any]
#: Until when the heartbeat of a process counts that is there for the whole test, in milliseconds.
EVER = 1 << 50


class Given(BaseModel):
    """What jobs are created with: the parts of a hash are written by hand."""

    note: str = ""


class Done(JobResult):
    """A result."""

    seen: str = ""


class Colour(Enum):
    """Members that a release may not know."""

    RED = "red"


@pytest.fixture
def version(redis_url: str, namespace: str) -> Version:
    """Make flows of one queue whose class has the field `it` of a type."""

    def make(kind: Any, *, default: Any = ..., config: ConfigDict | None = None, **queue: Any) -> Any:
        bases: dict[str, Any] = {"__annotations__": {"it": kind}, "__module__": __name__}
        if default is not ...:
            bases["it"] = default
        if config is not None:
            bases["model_config"] = config
        job: Any = type("Step", (Job,), bases)
        return Flow[job, Loose](
            FlowOptions(
                name="misfits", queues=[QueueOptions("step", job, **queue)], redis_url=redis_url, namespace=namespace
            )
        )

    return make


class Loose(BaseModel):
    """Params that declare the field and never have it."""

    it: Any = None


async def create(flow: Any, redis: Redis, namespace: str, value: str | None) -> str:
    """Create a job whose hash holds this JSON."""
    job_id: str = await flow.create_job(Loose())
    key = f"{namespace}job:misfits:{job_id}"
    redis.hset(key, "note", '"kept"')
    if value is None:
        redis.hdel(key, "it")
    else:
        redis.hset(key, "it", value)
    return job_id


@pytest.fixture
def others(redis: Redis, namespace: str) -> None:
    """A process of another release works on the queue."""
    redis.zadd(f"{namespace}flows:workers:step", {"there.1.ab": EVER})
    redis.set(f"{namespace}flows:process:misfits:there.1.ab", '{"at":1,"n":1,"digest":"abcd"}')


class Positive(BaseModel):
    """A part with a validator."""

    number: Annotated[int, Gt(0)]

    @field_validator("number")
    @classmethod
    def not_13(cls, number: int) -> int:
        """Refuse one number."""
        assert number != 13
        return number


class Cat(BaseModel):
    """One of a tagged union."""

    kind: Literal["cat"]


class Dog(BaseModel):
    """The other."""

    kind: Literal["dog"]


SHAPES = [
    (int, None),
    (int, '"seven"'),
    (int, "null"),
    (int, "1.5"),
    (str, "7"),
    (list[int], "7"),
    (list[int], '["a"]'),
    (dict[str, int], "[]"),
    (Colour, '"green"'),
    (Literal["a", "b"], '"c"'),
    (int | list[int], '{"a": 1}'),
    (Positive, "{}"),
    (Annotated[Cat | Dog, Field(discriminator="kind")], '{"kind": "cow"}'),
    (datetime, "[]"),
    (bool, '"perhaps"'),
]
VALUES = [
    (Positive, '{"number": -1}'),
    (Positive, '{"number": 13}'),
    (Annotated[int, Gt(0)] | None, "-1"),
    (Annotated[str, Field(max_length=2)], '"abc"'),
    (Annotated[str, Field(pattern="^a")], '"b"'),
    (datetime, '"yesterday"'),
    (UUID, '"7"'),
    (Decimal, '"many"'),
    (int, "{"),
    (int, ""),
]


@pytest.mark.usefixtures("others")
@pytest.mark.parametrize(("kind", "value"), SHAPES, ids=repr)
async def test_by_its_shape_a_job_is_handed_back(
    version: Version, redis: Redis, namespace: str, kind: Any, value: str | None
) -> None:
    """It is delayed, no attempt is used up, and that is told at WARNING with class, field, and when it fails."""
    flow = version(kind)
    flow.create_workers("step", lambda _job: None)
    job_id = await create(flow, redis, namespace, value)
    begun = datetime.now(UTC)
    async with flow:
        told = await within(flow.events.wait_for("job.misfit"))
        await within(flow.events.wait_for("job.recorded"))
        record = await flow.get_job(job_id)
    assert (told.level, told.fields["job_class"], told.fields["job_id"]) == (30, "Step", job_id)
    assert str(told.fields["fields"]).startswith("it")
    assert str(told.fields["error"]).startswith("it does not fit Step: it")
    told_of = re.fullmatch(
        r"handed back, since another release works here; it fails at (\d\d):(\d\d) UTC if that does not take it",
        str(told.fields["follows"]),
    )
    assert told_of is not None
    minutes = (int(told_of[1]) * 60 + int(told_of[2]) - begun.hour * 60 - begun.minute) % 1440
    assert 59 <= minutes <= 61
    assert (record.status, record.attempts, record.error) == ("delayed", 0, None)
    [past] = record.history
    assert (past.verb, past.reason[:34]) == ("snooze", "it does not fit Step (visit 0): it")


@pytest.mark.parametrize(("kind", "value"), VALUES, ids=repr)
async def test_a_value_that_is_refused_fails_its_job_at_once(
    version: Version, redis: Redis, namespace: str, kind: Any, value: str
) -> None:
    """No release would take it, nor would another attempt; the error has the field's name where there is one."""
    flow = version(kind, retries=Retries())
    flow.create_workers("step", lambda _job: None)
    job_id = await create(flow, redis, namespace, value)
    async with flow:
        record = await flow.wait_for(job_id, LONG)
    assert (record.status, record.error.type, record.attempts) == ("failed", "MalformedJob", 1)
    assert record.error.message.startswith("it does not fit Step: it")
    assert not value.isalpha() or value not in record.error.message  # no value is shown


async def test_another_release_that_fits_takes_it(version: Version, redis: Redis, namespace: str) -> None:
    """Whichever of the two sees it first."""
    newer, older = version(int), version(int, default=0)
    seen, go_on = asyncio.Event(), asyncio.Event()

    async def busy(job: Any) -> Done:
        if not seen.is_set():
            seen.set()
            await go_on.wait()
        return Done(seen=str(job.it))

    newer.create_workers("step", lambda _job: None)
    older.create_workers("step", busy)
    first, job_id = await create(older, redis, namespace, "1"), await create(older, redis, namespace, None)
    async with older:
        await within(seen.wait())
        told = asyncio.create_task(newer.events.wait_for("job.misfit"))
        await asyncio.sleep(0)
        async with newer:
            await within(told)
            go_on.set()
            record = await older.wait_for(job_id, LONG)
            await older.wait_for(first, LONG)
    assert (record.status, record.attempts, record.view(Done).seen) == ("done", 1, "0")


async def test_where_no_other_release_works_it_fails_at_once(version: Version, redis: Redis, namespace: str) -> None:
    """Also where another process of the same release does, another release of another queue, or one that was killed."""
    flow, twin = version(int), version(int)
    told: list[Event] = []
    for one in (flow, twin):
        one.events.subscribe(lambda event: told.append(event) if event.name == "job.misfit" else None)
        one.create_workers("step", lambda _job: None)
    redis.set(f"{namespace}flows:process:misfits:there.1.ab", '{"at":1,"n":1,"digest":"abcd"}')
    redis.zadd(f"{namespace}flows:workers:step", {"there.1.ab": 1})
    redis.zadd(f"{namespace}flows:workers:other", {"there.1.ab": EVER})
    redis.zadd(f"{namespace}flows:processes:misfits", {"there.1.ab": EVER})
    job_id = await create(flow, redis, namespace, None)
    async with flow, twin:
        record = await flow.wait_for(job_id, LONG)
    assert (record.status, record.error.type, record.attempts) == ("failed", "FieldMissing", 1)
    assert record.error.message == "Step of queue 'step' needs 'it'; this job has note"
    assert told == []


async def test_a_release_that_has_stopped_takes_nothing(version: Version, redis: Redis, namespace: str) -> None:
    """Who stops in order says so: what it could have done fails from then on."""
    newer, older = version(int), version(int, default=0)
    for flow in (newer, older):
        flow.create_workers("step", lambda _job: None)
    async with newer:
        async with older:
            assert {process.digest for process in await newer.processes()} == {
                (await flow._runtime._descriptor.description()).digest for flow in (newer, older)
            }
        await newer.workers[0].stop()
        job_id = await create(newer, redis, namespace, None)
        await newer.workers[0].start()
        record = await newer.wait_for(job_id, LONG)
    assert (record.status, record.error.type) == ("failed", "FieldMissing")


@pytest.mark.parametrize("text", [None, "", "{", "[]", "7", '{"digest": 7}', "\x80"])
async def test_a_process_that_cannot_be_read_may_be_of_another_release(
    version: Version, redis: Redis, namespace: str, text: str | None
) -> None:
    """To fail is for good, to be handed back is not."""
    redis.zadd(f"{namespace}flows:workers:step", {"there.1.ab": EVER})
    if text is not None:
        redis.set(f"{namespace}flows:process:misfits:there.1.ab", text)
    flow = version(int)
    flow.create_workers("step", lambda _job: None)
    job_id = await create(flow, redis, namespace, None)
    async with flow:
        await within(flow.events.wait_for("job.misfit"))
        assert (await flow.get_job(job_id)).error is None


async def test_an_index_of_another_type_is_as_none(version: Version, redis: Redis, namespace: str) -> None:
    """Nobody is known to work there."""
    redis.set(f"{namespace}flows:workers:step", "not ours")
    flow = version(int)
    flow.create_workers("step", lambda _job: None)
    job_id = await create(flow, redis, namespace, None)
    async with flow:
        record = await flow.wait_for(job_id, LONG)
    assert (record.status, record.error.type) == ("failed", "FieldMissing")


def test_the_pauses_grow_and_end_within_an_hour() -> None:
    """The history keeps as many lines as there are pauses."""
    pauses = [misfits.pause_of(number, misfits.FIRST, misfits.LONGEST, misfits.IN_ALL)[0] for number in range(20)]
    assert pauses[:4] == [0.1, 0.2, 0.4, 0.8]
    assert sum(pauses) == pytest.approx(3600)
    assert max(pauses) == 600
    assert pauses.index(0.0) == 18
    assert misfits.pause_of(1, 0.1, 600.0, 3600.0) == (0.2, 3599.9)


@pytest.mark.usefixtures("others")
async def test_after_an_hour_it_fails_with_what_it_lacks(
    version: Version, redis: Redis, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And what it has; tried again by hand, it has another hour."""
    monkeypatch.setattr(misfits, "IN_ALL", 0.1)
    flow = version(int)
    flow.create_workers("step", lambda _job: None)
    job_id = await create(flow, redis, namespace, None)
    async with flow:
        record = await flow.wait_for(job_id, LONG)
        await flow.retry_job(job_id)
        again = await flow.wait_for(job_id, LONG)
    assert (record.status, record.error.type) == ("failed", "FieldMissing")
    assert record.error.message == "Step of queue 'step' needs 'it'; this job has note"
    assert [past.verb for past in record.history] == ["snooze", "fail"]
    assert [past.verb for past in again.history] == ["snooze", "snooze", "fail"]


@pytest.mark.usefixtures("others")
async def test_one_of_a_kind_is_told_in_a_minute(version: Version, redis: Redis, namespace: str) -> None:
    """However many jobs there are, and however often they come back."""
    flow = version(int)
    flow.create_workers("step", lambda _job: None, concurrency=4)
    told: list[Event] = []
    snoozed = asyncio.Semaphore(0)
    flow.events.subscribe(lambda event: told.append(event) if event.name == "job.misfit" else None)
    flow.events.subscribe(lambda event: snoozed.release() if event.name == "job.snoozed" else None)
    for value in (None, None, "[]"):
        await create(flow, redis, namespace, value)
    async with flow:
        for _ in range(9):
            await within(snoozed.acquire())
    assert len(told) == 1


# Two releases side by side: Params, a job class and a child's result have a field more in the newer one.


class OldParams(BaseModel):
    """What the older release creates jobs with."""

    number: int


class NewParams(OldParams):
    """The newer release requires more."""

    width: int


class OldPlan(Job):
    """The older release's first class."""

    number: int


class NewPlan(OldPlan):
    """The newer one's."""

    width: int


class Gather(Job):
    """The parent's class."""


class OldPart(Job):
    """A child."""

    number: int


class NewPart(OldPart):
    """A child of the newer release."""

    width: int


class OldFound(JobResult):
    """What a child returns."""

    size: int


class NewFound(OldFound):
    """What a child of the newer release returns."""

    mime: str


class Nothing(JobResult):
    """A result without fields."""


class OldSum(Job):
    """The last class."""

    number: int
    parts: Annotated[list[ChildResult[OldFound]], ChildrenOf("gather", "part")]


class NewSum(Job):
    """The last class of the newer release, which requires what newer children return."""

    width: int
    parts: Annotated[list[ChildResult[NewFound]], ChildrenOf("gather", "part")]


async def old_plan(_job: OldPlan) -> Nothing:
    """Name two children."""
    return Nothing(children=[ChildJob(OldPart, {"number": number}) for number in range(2)])


async def new_plan(job: NewPlan) -> Nothing:
    """Name two children of the newer kind."""
    return Nothing(children=[ChildJob(NewPart, {"number": number, "width": job.width}) for number in range(2)])


async def old_part(job: OldPart) -> OldFound:
    """Return less."""
    return OldFound(size=job.number)


async def new_part(job: NewPart) -> NewFound:
    """Return more."""
    return NewFound(size=job.number, mime="x")


async def total(job: Any) -> Done:
    """Add up."""
    return Done(seen=str(sum(part.result.size for part in job.parts)))


def release(redis_url: str, namespace: str, classes: tuple[Any, ...], functions: tuple[Any, ...]) -> Any:
    """Return one release of the flow, with its workers."""
    params, plan, part, last = classes
    flow: Any = Flow[plan | Gather | last, params](
        FlowOptions(
            name="rolling",
            queues=[
                QueueOptions("plan", plan, "gather"),
                QueueOptions("gather", Gather, "sum", [QueueOptions("part", part)]),
                QueueOptions("sum", last),
            ],
            redis_url=redis_url,
            namespace=namespace,
        )
    )
    flow.create_workers(plan, functions[0], concurrency=4)
    flow.create_child_workers(Gather, part, functions[1], concurrency=4)
    flow.create_workers(last, total, concurrency=4)
    return flow


async def test_two_releases_side_by_side_fail_no_job(redis_url: str, namespace: str) -> None:
    """Each creates jobs under load, and each works on those of both: what one cannot read the other can."""
    old = release(redis_url, namespace, (OldParams, OldPlan, OldPart, OldSum), (old_plan, old_part))
    new = release(redis_url, namespace, (NewParams, NewPlan, NewPart, NewSum), (new_plan, new_part))
    failed: list[Event] = []
    for flow in (old, new):
        flow.events.subscribe(lambda event: failed.append(event) if event.name == "job.failed" else None)
    async with old, new:
        ids: list[str] = []
        for number in range(10):
            ids += await old.create_jobs([OldParams(number=number)] * 3)
            ids += await new.create_jobs([NewParams(number=number, width=1)] * 3)
        ended = [await old.wait_for(job_id, LONG) for job_id in ids]
    assert {record.status for record in ended} == {"done"}
    assert {record.view(Done).seen for record in ended} == {"1"}
    assert failed == []
