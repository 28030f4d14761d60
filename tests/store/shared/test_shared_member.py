"""member.lua of queues that several flows share: a job stands there as `<flow>:<id>`."""

from __future__ import annotations

from tests.world import NOW, World, await_children, finish, processing, release, retry, snooze


def test_jobs_come_and_go_by_their_members(shared: World) -> None:
    """In `waiting`, in `processing`, in the answer; another flow's job stands beside them."""
    shared.seed(jobs={"shop:1": {"a": "1"}, "farm:2": {"a": "2"}}, waiting={"pick": ["shop:1", "farm:2"]})
    claimed = shared.claim(5, fields=("a",))
    assert [(job.id, job.fence, job.values) for job in claimed] == [("shop:1", 1, ("1",)), ("farm:2", 1, ("2",))]
    assert set(shared.snapshot()["processing"]["pick"]) == {"shop:1", "farm:2"}
    words = shared.report(retry("farm:2"), release("shop:1"))
    assert words == ["ok", "ok"]
    found = shared.snapshot()
    assert (found["delayed"], found["waiting"]) == ({"pick": {"farm:2": NOW + 5000}}, {"pick": ["shop:1"]})
    assert "processing" not in found


def test_delayed_jobs_are_promoted_by_their_members(shared: World) -> None:
    """A snoozed job of the other flow is due, and waits behind what came meanwhile."""
    shared.seed(jobs={"farm:2": processing()}, processing={"pick": {"farm:2": NOW + 9}})
    assert shared.report(snooze("farm:2", delay_ms=5)) == ["ok"]
    shared.now += 10
    assert [job.id for job in shared.claim()] == ["farm:2"]
    assert "delayed" not in shared.snapshot()


def test_parents_wait_by_their_members(shared: World) -> None:
    """Of the other flow too; its children stand by their ids, and its name is that of its own flow."""
    shared.seed(jobs={"farm:9": processing("pack")}, processing={"pack": {"farm:9": NOW + 9}})
    assert shared.report(await_children("farm:9", children=(("label", "c1"),)), queue="pack") == ["ok"]
    found = shared.snapshot()
    assert (found["children"], found["waiting"]) == ({"pack": {"farm:9": NOW}}, {"pack:label": ["c1"]})
    assert found["parents"] == {"pack:label": {"c1": "farm:9"}}
    (child,) = shared.claim(queue="pack:label")
    assert shared.report(finish(child.id, child.fence, "7"), queue="pack:label") == ["ok"]
    found = shared.snapshot()
    assert "children" not in found
    assert found["waiting"] == {"barn": ["9"]}


def test_what_is_not_shared_stands_by_its_id(shared: World) -> None:
    """A queue of the flow's own, and its jobs there."""
    shared.seed(jobs={"shop:1": {"_status": "waiting", "_queue": "ship"}}, waiting={"ship": ["1"]})
    assert [job.id for job in shared.claim(queue="ship")] == ["1"]
    assert set(shared.snapshot()["processing"]["ship"]) == {"1"}


def test_jobs_are_cancelled_deleted_and_retried_by_their_members(shared: World) -> None:
    """Each takes out, or puts in, this job's member alone."""
    jobs = {f"shop:{n}": {"a": "1"} for n in (1, 2, 3)}
    shared.seed(jobs=jobs, waiting={"pick": ["farm:1", "shop:1", "shop:2", "shop:3"]})
    assert shared.run("cancel", id="1", reason="why") == ["cancelled", 0]
    assert shared.run("delete", id="2") == ["deleted", []]
    assert shared.run("move", id="3", target="ship") == "moved"
    found = shared.snapshot(unseen=frozenset())
    assert found["waiting"] == {"pick": ["farm:1"], "ship": ["3"]}
    assert shared.redis.zrange(shared.keys.ended_jobs("pick", "cancelled"), 0, -1) == ["shop:1"]
    assert shared.run("retry_job", id="1") == "retried"
    assert shared.run("move", id="3", target="pick") == "moved"
    assert shared.snapshot()["waiting"] == {"pick": ["farm:1", "shop:1", "shop:3"]}
    assert shared.redis.zcard(shared.keys.ended_jobs("pick", "cancelled")) == 0
