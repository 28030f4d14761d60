"""route.lua of queues that several flows share: a job goes where its own flow says, with the priority that it says."""

from __future__ import annotations

import pytest

from tests.world import NOW, World, advance, await_children, finish, processing


def seed(world: World, name: str, queue: str, **fields: str) -> None:
    """Let worker `w1` have a job."""
    world.seed(jobs={name: processing(queue, a="1", **fields)}, processing={queue: {name: NOW + 9}})


@pytest.mark.parametrize("ending", [advance, finish])
def test_a_job_goes_where_its_flow_says(shared: World, ending: object) -> None:
    """Whatever its worker says, to advance it or to finish it; what the function returned is kept."""
    end = advance("farm:2", to="ship", b="2") if ending is advance else finish("farm:2", b="2")
    seed(shared, "farm:2", "pack")
    assert shared.report(end, queue="pack") == ["ok"]
    job = shared.job("farm:2")
    assert (job["_status"], job["_queue"], job["b"]) == ("waiting", "barn", "2")
    assert shared.snapshot()["waiting"] == {"barn": ["2"]}


@pytest.mark.parametrize("ending", [advance, finish])
def test_a_job_is_done_where_its_flow_says(shared: World, ending: object) -> None:
    """In the last queue of its flow, whatever its worker says."""
    end = advance("farm:2", to="pack", b="2") if ending is advance else finish("farm:2", b="2")
    seed(shared, "farm:2", "pick")
    assert shared.report(end) == ["ok"]
    job = shared.job("farm:2")
    assert (job["_status"], job["_queue"], job["b"]) == ("done", "pick", "2")
    assert "_priority" not in job, "it goes nowhere"


def test_a_parent_is_done_where_its_flow_says(shared: World) -> None:
    """When its children have ended; what its worker reports after it is read as it was sent."""
    shared.seed(
        jobs={"farm:9": processing(), "shop:1": processing()},
        processing={"pick": {"farm:9": NOW + 9, "shop:1": NOW + 9}},
    )
    words = shared.report(await_children("farm:9", to="pack", children=(("label", "c1"),)), finish("shop:1"))
    assert words == ["ok", "ok"]
    assert (shared.job("farm:9")["_status"], shared.job("shop:1")["_queue"]) == ("children", "pack")
    (child,) = shared.claim(queue="pick:label")
    assert shared.report(finish(child.id, child.fence), queue="pick:label") == ["ok"]
    assert (shared.job("farm:9")["_status"], shared.job("farm:9")["_queue"]) == ("done", "pick")


@pytest.mark.parametrize(
    ("where", "before", "after"),
    [
        ("shop:1 pick", "2", "1"),
        ("shop:1 pick", "5", "2"),
        ("shop:1 pick", None, None),
        ("farm:2 pack", None, "2"),
        ("farm:2 pack", "3", "3"),
        ("farm:2 pack", "8", "3"),
        ("shop:1 pack", "4", "4"),
    ],
)
@pytest.mark.parametrize("parent", [False, True])
def test_the_priority_changes_as_its_flow_says(
    shared: World, where: str, before: str | None, after: str | None, *, parent: bool
) -> None:
    """By the flow's difference, within the priorities of its next queue; of a parent, as it begins to wait."""
    name, queue = where.split()
    seed(shared, name, queue, **({"_priority": before} if before else {}))
    child = (("label" if queue == "pack" else "x", "c1"),)
    end = await_children(name, children=child, b="2") if parent else advance(name, b="2")
    assert shared.report(end, queue=queue) == ["ok"]
    job = shared.job(name)
    assert (job.get("_priority"), job["b"]) == (after, "2")
    assert job["_status"] == ("children" if parent else "waiting")


def test_other_ends_are_as_their_worker_says(shared: World) -> None:
    """A job of the flow's own queues, too."""
    seed(shared, "shop:1", "ship")
    shared.redis.zrem(shared.keys.processing("ship"), "shop:1")
    shared.redis.zadd(shared.keys.processing("ship"), {"1": NOW + 9})
    assert shared.report(advance("1", to="ship"), queue="ship") == ["ok"]
    assert shared.snapshot()["waiting"] == {"ship": ["1"]}


@pytest.mark.parametrize("says", ["600000 1000000 90000000 3000000 30000 3 2", "", ["no", "text"]])
def test_jobs_of_a_flow_that_says_nothing_are_done(shared: World, says: str | list[str]) -> None:
    """It is not known any more: its job ends where it is, by its member; nothing of it comes to the caller's queues."""
    shared.redis.delete(shared.keys.settings("farm"))
    if isinstance(says, list):
        shared.redis.rpush(shared.keys.settings("farm"), *says)
    elif says:
        shared.redis.set(shared.keys.settings("farm"), says)
    seed(shared, "farm:2", "pack")
    assert shared.report(advance("farm:2", to="ship", b="2"), queue="pack") == ["ok"]
    assert (shared.job("farm:2")["_status"], shared.job("farm:2")["b"]) == ("done", "2")
    assert "processing" not in shared.snapshot()
