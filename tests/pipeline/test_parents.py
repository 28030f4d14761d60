"""Parents and their children: however the children end, the parent goes on exactly once."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any, cast

import pytest
from pydantic import BaseModel
from redis import Redis

from flows import ChildJob, ChildResult, FlowOptions, JobRecord, QueueOptions, StoreUnavailable
from tests.pipeline.parts import (
    LONG,
    Add,
    Added,
    Empty,
    ListFlow,
    Lists,
    Many,
    Numbers,
    One,
    Order,
    Split,
    Total,
    TotalOfAll,
    Value,
    one,
    split,
    staff,
    total,
    within,
)

MakeLists = Callable[..., Lists]


async def added(lists: Lists, params: Numbers, seconds: float = LONG) -> Added:
    """Return what a job came to."""
    done = await lists.wait_for(await lists.create_job(params), seconds)
    assert done.status == "done", done.error
    return done.view(Added)


def one_workers(flow: Lists, queue: str, function: Callable[[One], Any]) -> None:
    """Make workers of a child queue of a child queue, which is named by its parent's full name."""
    flow.create_child_workers(queue, One, function, concurrency=8)


@pytest.mark.parametrize("count", [0, 1, 3, 501])
async def test_all_children_are_seen_in_order(lists: Lists, count: int) -> None:
    """With any number of children, none and more than fit one script too, the next queue sees all of them."""
    staff(lists, concurrency=64)
    async with lists:
        job_id = await lists.create_job(Numbers(numbers=list(range(count))))
        done = await lists.wait_for(job_id, LONG)
        assert done.view(Added) == Added(total=sum(range(count)), endings=["done"] * count, errors=[])
        record = await lists.get_job(job_id, resolve_children=True)
    assert record is not None
    assert [child.view(Value).value for child in record.child_jobs] == list(range(count))
    assert done.children == [child.id for child in record.child_jobs]


async def test_results_that_cannot_be_read_now(lists: Lists, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many children's results are read in pages; if the server is away just then, the job waits and does not fail."""
    read, failures = lists._runtime.children_results, 0

    async def failing_once(flow: str, job_id: str, queue: str) -> bytes | None:
        nonlocal failures
        if failures == 0:
            failures += 1
            raise StoreUnavailable("away")
        return await read(flow, job_id, queue)

    monkeypatch.setattr(lists._runtime, "children_results", failing_once)
    staff(lists, concurrency=64)
    async with lists:
        done = await lists.wait_for(await lists.create_job(Numbers(numbers=[1] * 501)), LONG)
    assert (done.view(Added).total, failures, done.attempts) == (501, 1, 1)


async def test_ten_thousand_children(lists: Lists) -> None:
    """The largest parent: ten thousand children are created, run and joined, and one more is refused."""
    staff(lists, concurrency=500)
    async with lists:
        assert (await added(lists, Numbers(numbers=[1] * 10_000), 60)).total == 10_000
        failed = await lists.wait_for(await lists.create_job(Numbers(numbers=[1] * 10_001)), LONG)
    assert failed.error is not None
    assert (failed.status, failed.error.type) == ("failed", "PayloadTooLarge")


async def test_a_child_that_fails_is_seen(lists: Lists) -> None:
    """With the policy `continue` the parent goes on and its next queue sees the child's error."""
    staff(lists)
    async with lists:
        found = await added(lists, Numbers(numbers=[1, -2, 3]))
    assert found == Added(total=4, endings=["done", "failed", "done"], errors=["-2 is negative"])


async def test_a_child_that_fails_fails_its_parent(make_lists: MakeLists) -> None:
    """With the policy `fail` the parent fails with the first child that does, and says which."""
    lists = make_lists("fail")
    staff(lists)
    async with lists:
        failed = await lists.wait_for(await lists.create_job(Numbers(numbers=[1, -2, 3])), LONG)
        assert (await added(lists, Numbers(numbers=[1, 2]))).total == 3
    assert failed.error is not None
    assert (failed.status, failed.queue, failed.error.type) == ("failed", "add", "ChildFailed")
    assert failed.children[1] in failed.error.message


async def test_a_child_that_is_cancelled_or_deleted_settles(lists: Lists) -> None:
    """A child that nobody runs settles by being cancelled or deleted, and its parent goes on."""
    lists.create_workers(Split, split)
    lists.create_parent_workers(Add)
    lists.create_workers(Total, total)
    async with lists:
        waits = asyncio.create_task(lists.events.wait_for("job.recorded", queue="add"))
        job_id = await lists.create_job(Numbers(numbers=[1, 2, 3]))
        await within(waits)
        record = await lists.get_job(job_id)
        assert record is not None
        control = lists._runtime.session.control
        cancelled, deleted, expired = record.child_ids
        assert await control.cancel("add:one", cancelled, "not wanted") == "cancelled"
        assert await control.delete("add:one", deleted)
        await lists._runtime.session.connection.call("DEL", lists._runtime.settings.keys.job("add:one", expired))
        lists_of_one = lists.create_child_workers(Add, One, one)
        await lists_of_one[0].start()
        done = await lists.wait_for(job_id, LONG)
    assert done.view(Added).endings == ["cancelled", "deleted", "expired"]


async def test_a_child_may_have_children(lists: Lists) -> None:
    """`ChildJob(children=[…])` builds two levels; a parent worker of the child queue fans the second one out."""
    staff(lists)
    lists.create_parent_workers("add:many")
    one_workers(lists, "add:many", one)
    async with lists:
        job_id = await lists.create_job(Numbers(numbers=[1], nested=[[2, 3], [], [-4]]))
        done = await lists.wait_for(job_id, LONG)
        assert done.view(Added) == Added(total=1, endings=["done"], errors=[])
        record = await lists.get_job(job_id, resolve_children=True)
    assert record is not None
    assert [tree(child) for child in record.child_jobs] == [
        "add:one done",
        ["add:many done", "add:many:one done", "add:many:one done"],
        "add:many done",
        ["add:many done", "add:many:one failed"],
    ]


def tree(record: JobRecord[BaseModel]) -> object:
    """Return a job and what it came to, or a list of it and its children."""
    name = f"{record.flow_name} {record.status}"
    return [name, *(tree(child) for child in record.child_jobs)] if record.child_jobs else name


async def test_a_childs_function_names_children(lists: Lists) -> None:
    """A child queue's function may return children of its own queue: the child ends when they have."""
    seen: list[list[int]] = []

    async def many(job: Many) -> Empty:
        seen.append(job.numbers)
        return Empty(children=[ChildJob(One, {"number": number}) for number in job.numbers])

    async def split_many(job: Split) -> Empty:
        return Empty(children=[ChildJob(Many, {"numbers": numbers}) for numbers in job.nested])

    lists.create_workers(Split, split_many)
    lists.create_parent_workers(Add)
    lists.create_child_workers(Add, Many, many)
    one_workers(lists, "add:many", one)
    lists.create_workers(Total, total)
    async with lists:
        job_id = await lists.create_job(Numbers(nested=[[1, 2, 3], [], [-1]]))
        done = await lists.wait_for(job_id, LONG)
        record = await lists.get_job(job_id, resolve_children=True)
    assert record is not None
    assert done.status == "done"
    assert sorted(seen) == [[], [-1], [1, 2, 3]]
    assert [[child.status for child in many.child_jobs] for many in record.child_jobs] == [["done"] * 3, [], ["failed"]]


async def test_parents_go_on_exactly_once(lists: Lists) -> None:
    """Two hundred parents, whose children end at once in eight workers, each reach the next queue once."""
    seen: Counter[str] = Counter()

    async def counted(job: Total) -> Added:
        seen[job.id] += 1
        return await total(job)

    lists.create_workers(Split, split, concurrency=16)
    lists.create_parent_workers(Add, 2)
    lists.create_child_workers(Add, One, one, 8, concurrency=4)
    lists.create_workers(Total, counted, 2, concurrency=4)
    async with lists:
        ids = await lists.create_jobs(Numbers(numbers=[1, -1, 2, 3, 4]) for _ in range(200))
        for job_id in ids:
            assert (await lists.wait_for(job_id, LONG)).view(Added).total == 10
    assert seen == Counter(dict.fromkeys(ids, 1))


async def test_the_next_queue_sees_children_with_children(make_lists: MakeLists) -> None:
    """The results of a child that had children of its own are read by the next queue like any others."""
    seen: list[TotalOfAll] = []

    async def see(job: TotalOfAll) -> None:
        seen.append(job)

    lists = make_lists(last=TotalOfAll)
    lists.create_workers(Split, split)
    lists.create_parent_workers(Add)
    lists.create_parent_workers("add:many")
    one_workers(lists, "add:many", one)
    lists.create_workers("total", see)
    async with lists:
        done = await lists.wait_for(await lists.create_job(Numbers(nested=[[1, 2]])), LONG)
    assert done.status == "done"
    assert [child.status for child in seen[0].many] == ["done"]


async def test_three_levels_of_children(redis_url: str, namespace: str) -> None:
    """Children to the third level, each level but the last fanned out by parent workers of its full name."""
    leaf = QueueOptions("one", job=One)
    middle = QueueOptions("many", job=Many, children=[leaf])
    outer = QueueOptions("many", job=Many, children=[middle])
    flow = ListFlow(
        FlowOptions(
            name="deep",
            queues=[
                QueueOptions("split", job=Split, next_queue="add"),
                QueueOptions("add", job=Add, children=[outer]),
            ],
            redis_url=redis_url,
            namespace=namespace,
        )
    )

    async def split_deep(job: Split) -> Empty:
        leaves = [ChildJob(One, {"number": number}) for number in job.numbers]
        inner = [ChildJob(Many, {}, children=[leaf]) for leaf in leaves]
        return Empty(children=[ChildJob(Many, {}, children=inner), ChildJob("many", {"numbers": [7]})])

    flow.create_workers(Split, split_deep)
    for queue in ("add", "add:many", "add:many:many"):
        flow.create_parent_workers(queue)
    one_workers(flow, "add:many:many", one)
    async with flow:
        job_id = await flow.create_job(Numbers(numbers=[1, 2]))
        assert (await flow.wait_for(job_id, LONG)).status == "done"
        record = await flow.get_job(job_id, resolve_children=True)
    assert record is not None
    inner = ["add:many:many done", "add:many:many:one done"]
    assert tree(record) == ["deep done", ["add:many done", inner, inner], "add:many done"]


@pytest.mark.parametrize(
    ("child", "message"),
    [
        (ChildJob(Total, {}), "has no child queue 'Total'; it has one (One), many (Many)"),
        (ChildJob("two", {}), "has no child queue 'two'"),
        (ChildJob(One, {}), "is not a One"),
        (ChildJob(One, {"number": "many"}), "is not a One"),
        (ChildJob("one", {"number": 1, "other": 2}), "declares no other"),
        (ChildJob("one", Order()), "declares no user_id, tags"),
        (ChildJob(One, {"number": 1}, children=[ChildJob(One, {"number": 1})]), "has no child queue"),
    ],
)
async def test_a_child_that_cannot_be_is_refused(lists: Lists, child: ChildJob, message: str) -> None:
    """A child that the parent queue does not declare fails the job that named it, before any child is created."""

    async def wrong(_job: Split) -> Empty:
        return Empty(children=[ChildJob(One, {"number": 1}), child])

    lists.create_workers(Split, wrong)
    async with lists:
        failed = await lists.wait_for(await lists.create_job(Numbers()), LONG)
    assert failed.error is not None
    assert (failed.queue, failed.error.type) == ("split", "ValidationError")
    assert message in failed.error.message


async def test_children_edited_by_hand(lists: Lists, redis: Redis, namespace: str) -> None:
    """What names the children was edited into nonsense: the parent fails, the parents beside it go on."""
    (worker,) = lists.create_workers(Split, split)
    await worker.start()  # and with it no parent worker
    try:
        ids: list[str] = []
        for _ in range(5):
            recorded = asyncio.create_task(lists.events.wait_for("job.recorded", queue="split"))
            ids.append(await lists.create_job(Numbers(numbers=[1])))
            await within(recorded)
        for job_id, value in zip(ids, ("{", "7", '[{"child": 1}]', '[{"child": "two", "params": {}}]'), strict=False):
            redis.hset(f"{namespace}job:lists:{job_id}", "children:add:params", value)
        for worker in (*lists.create_parent_workers(Add), *lists.create_child_workers(Add, One, one)):
            await worker.start()
        await lists.create_workers(Total, total)[0].start()
        found = [await lists.wait_for(job_id, LONG) for job_id in ids[:3]]
        assert [record.status for record in found] == ["failed"] * 3
        assert all(record.error and "its children cannot be created" in record.error.message for record in found)
        assert (await lists.wait_for(ids[4], LONG)).status == "done"
    finally:
        await lists.stop_all()


async def test_retry_a_parent_that_failed(make_lists: MakeLists) -> None:
    """A parent that failed by a child creates its children anew in its new life, and can then be done."""
    lists = make_lists("fail")
    failing = True

    async def child(job: One) -> Value:
        if failing:
            raise RuntimeError("not yet")
        return Value(value=job.number)

    staff(lists, child)
    async with lists:
        job_id = await lists.create_job(Numbers(numbers=[1, 2]))
        assert (await lists.wait_for(job_id, LONG)).status == "failed"
        failing = False
        await lists.retry_job(job_id)
        done = await lists.wait_for(job_id, LONG)
    assert done.view(Added) == Added(total=3, endings=["done", "done"], errors=[])


async def test_who_waits_occupies_no_worker(lists: Lists) -> None:
    """A hundred parents wait at once although one parent worker, of one job at a time, made them wait."""
    lists.create_workers(Split, split)
    lists.create_parent_workers(Add, concurrency=1)
    lists.create_workers(Total, total)
    async with lists:
        waiting = await lists.create_jobs(Numbers(numbers=[1]) for _ in range(100))
        at_once = await lists.wait_for(await lists.create_job(Numbers()), LONG)
        assert at_once.status == "done"
        assert {cast("JobRecord[Numbers]", job).status for job in await lists.get_jobs(waiting)} == {"children"}
        await lists.create_child_workers(Add, One, one, concurrency=8)[0].start()
        for job_id in waiting:
            assert (await lists.wait_for(job_id, LONG)).status == "done"


async def test_results_of_a_child_are_typed(lists: Lists) -> None:
    """The next queue sees its children's results as the classes that its own class declares."""
    seen: list[ChildResult[Value]] = []

    async def see(job: Total) -> None:
        seen.extend(job.ones)

    lists.create_workers(Split, split)
    lists.create_parent_workers(Add)
    lists.create_child_workers(Add, One, one)
    lists.create_workers(Total, see)
    async with lists:
        await lists.wait_for(await lists.create_job(Numbers(numbers=[5, -5])), LONG)
    good, bad = seen
    assert (good.status, good.result, good.error) == ("done", Value(value=5), None)
    assert bad.error is not None
    assert (bad.status, bad.result, bad.error.type, bad.error.queue) == ("failed", None, "ValueError", "add:one")


async def test_a_child_that_returns_nothing(lists: Lists) -> None:
    """Its result is None for the next queue, and its parent goes on; the others' results are seen as ever."""
    seen: list[ChildResult[Value]] = []

    async def some(job: One) -> Value | None:
        return None if job.number == 2 else Value(value=job.number)

    async def see(job: Total) -> None:
        seen.extend(job.ones)

    lists.create_workers(Split, split)
    lists.create_parent_workers(Add)
    lists.create_child_workers(Add, One, some)
    lists.create_workers(Total, see)
    async with lists:
        done = await lists.wait_for(await lists.create_job(Numbers(numbers=[1, 2, 3])), LONG)
    assert (done.status, done.error) == ("done", None)
    assert [(child.status, child.result) for child in seen] == [
        ("done", Value(value=1)),
        ("done", None),
        ("done", Value(value=3)),
    ]


@pytest.mark.parametrize("by", ["a function", "a parent worker"])
async def test_a_child_with_children_that_returns_nothing(make_lists: MakeLists, by: str) -> None:
    """The same for one whose queue has child queues: whether a function takes it, or it has no children to wait for."""
    seen: list[TotalOfAll] = []

    async def nothing(_job: Many) -> None: ...

    async def see(job: TotalOfAll) -> None:
        seen.append(job)

    lists = make_lists(last=TotalOfAll)
    lists.create_workers(Split, split)
    lists.create_parent_workers(Add)
    if by == "a function":
        lists.create_child_workers(Add, Many, nothing)
    else:
        lists.create_parent_workers("add:many")
    lists.create_workers("total", see)
    async with lists:
        done = await lists.wait_for(await lists.create_job(Numbers(nested=[[]])), LONG)
    assert (done.status, done.error) == ("done", None)
    assert [(child.status, child.result) for child in seen[0].many] == [("done", None)]
