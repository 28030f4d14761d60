"""cancel_jobs: many jobs are cancelled, each as `cancel` cancels one."""

from __future__ import annotations

import pytest

from tests.balanced import BalancedWorld, search_short_lists_only
from tests.store.bulk.kinds import same_as_single
from tests.world import NOW, World, processing

IDS = [f"{number:03}" for number in range(45)]


def test_each_is_cancelled_as_one_alone(world: World) -> None:
    """Of each kind of job the same becomes, and the same is answered; a parent's children are to be cancelled."""
    words, names = same_as_single(world, "cancel", "cancel_jobs", reason="why")
    assert words.count("cancelled") == 6
    assert {"requested", "too late", "gone"} < set(words)
    assert names == ["parent", "torn"]


@pytest.mark.parametrize("length", [10_000, 10], ids=["a short list", "a long list"])
@pytest.mark.parametrize("step", [1, 2, 9, 20], ids=["side by side", "apart", "few", "very few"])
def test_many_leave_one_list(world: World, monkeypatch: pytest.MonkeyPatch, length: int, step: int) -> None:
    """Nothing of them is claimed afterwards, and all is counted."""
    if length == 10:
        search_short_lists_only(monkeypatch, length)
    counting = BalancedWorld(world.redis, world.namespace)
    counting.seed(jobs={f"shop:{job_id}": {"a": "1"} for job_id in IDS}, waiting={"pick": IDS})
    gone = IDS[3::step]
    assert counting.run("cancel_jobs", *gone, reason="why") == [["cancelled"] * len(gone), [], []]
    if length > 10:
        assert world.snapshot()["waiting"]["pick"] == [job_id for job_id in IDS if job_id not in gone]
    assert [job.id for job in counting.claim(99)] == [job_id for job_id in IDS if job_id not in gone]


@pytest.mark.parametrize("ids", ["2345", "2435"], ids=["side by side", "apart"])
def test_a_job_that_stands_twice_is_given_out_no_more(world: World, monkeypatch: pytest.MonkeyPatch, ids: str) -> None:
    """Its old id was left in a list that was long then: it is taken out too, or still counts as stale."""
    counting = BalancedWorld(world.redis, world.namespace)
    counting.seed(jobs={f"shop:{job_id}": {"a": "1"} for job_id in "12345"}, waiting={"pick": [*"12345"]})
    with monkeypatch.context() as patch:
        search_short_lists_only(patch, 3)
        counting.run("cancel", id="2", reason="why")
        counting.run("retry_job", id="2")
    assert world.snapshot()["waiting"]["pick"] == [*"123452"]
    counting.run("cancel_jobs", *ids, reason="why")
    assert [job.id for job in counting.claim(9)] == ["1"]
    assert "stale" not in world.snapshot()


def test_only_in_the_states_that_were_asked_for(world: World) -> None:
    """Who cancels what waits does not stop what runs."""
    world.seed(
        jobs={"shop:1": processing(), "shop:2": {"a": "1"}}, waiting={"pick": ["2"]}, processing={"pick": {"1": NOW}}
    )
    words, _names, _errors = world.run("cancel_jobs", "1", "2", "3", reason="why", states=" waiting delayed ")
    assert words == ["changed", "cancelled", "gone"]
    assert "_cancel" not in world.job("shop:1")


def test_what_is_no_job_is_none_in_whatever_state(world: World) -> None:
    """Somebody has written something else where a job was."""
    world.redis.set(world.key("jobs", "shop:1"), "not ours")
    assert world.run("cancel_jobs", "1", reason="why", states=" waiting ") == [["malformed"], [], []]


def family(world: World, parents: int, children: int) -> list[str]:
    """Let parents wait, each for so many children; return the children's ids."""
    ids = [f"{parent}.{child}" for parent in range(parents) for child in range(children)]
    of = {job_id: f"shop:p{job_id.partition('.')[0]}" for job_id in ids}
    parent = processing("pack", _status="children", _policy="continue", _next="ship")
    world.seed(
        jobs={f"shop:p{number}": parent for number in range(parents)}
        | {f"pack:box:{job_id}": {"_parent": of[job_id]} for job_id in ids},
        children={"pack": {f"p{number}": NOW for number in range(parents)}},
        pending={f"shop:p{number}": {i for i in ids if of[i] == f"shop:p{number}"} for number in range(parents)},
        parents={"pack:box": of},
        waiting={"pack:box": ids},
    )
    return ids


def test_children_settle_once_with_their_parents(world: World) -> None:
    """Each parent goes on with its last child, though both children of it are cancelled by one call."""
    counting = BalancedWorld(world.redis, world.namespace)
    ids = family(counting, 3, 2)
    words, _names, _errors = counting.run("cancel_jobs", *ids, reason="why", flow="pack:box", first="pack:box")
    assert words == ["cancelled"] * 6
    assert world.snapshot()["waiting"] == {"ship": ["p0", "p1", "p2"]}


def test_one_call_lets_only_some_parents_go_on(world: World) -> None:
    """Each may copy the results of hundreds of children: the rest of the ids is left to the next call."""
    counting = BalancedWorld(world.redis, world.namespace)
    left, calls = family(counting, 90, 1), 0
    while left:
        words, _names, _errors = counting.run("cancel_jobs", *left, reason="why", flow="pack:box", first="pack:box")
        done = words.count("cancelled")
        assert words == ["cancelled"] * done + ["later"] * (len(left) - done)
        assert 0 < done <= 40
        left, calls = left[done:], calls + 1
    assert calls > 2
    assert len(world.snapshot()["waiting"]["ship"]) == 90


def test_many_children_of_one_parent_take_one_call(world: World) -> None:
    """It goes on once, however many they are."""
    counting = BalancedWorld(world.redis, world.namespace)
    ids = family(counting, 1, 90)
    words, _names, _errors = counting.run("cancel_jobs", *ids, reason="why", flow="pack:box", first="pack:box")
    assert words == ["cancelled"] * 90
    assert world.snapshot()["waiting"] == {"ship": ["p0"]}


def test_an_error_is_one_jobs_own(world: World) -> None:
    """A key that is not ours stands where one job waits: of that nothing is written, and the others are cancelled."""
    world.seed(
        jobs={"shop:1": {"a": "1"}, "shop:2": {"_status": "waiting", "_queue": "ship"}, "shop:3": {"a": "1"}},
        waiting={"pick": ["1", "3"]},
    )
    world.redis.set(world.key("waiting", "ship"), "theirs")
    words, names, errors = world.run("cancel_jobs", "1", "2", "3", reason="why")
    assert (words, names) == (["cancelled", "error", "cancelled"], [])
    assert f"FLOWSCONFLICT {world.key('waiting', 'ship')} holds a string" in errors[0]
    assert world.job("shop:2")["_status"] == "waiting"
    assert "waiting" in world.snapshot()


def test_notes_of_what_is_to_be_cancelled_that_are_none_are_named(world: World) -> None:
    """Nothing is cancelled whose children could not be."""
    world.seed(jobs={"shop:1": {"a": "1"}}, waiting={"pick": ["1"]})
    world.redis.set(world.key("cancelling", "shop"), "not ours")
    words, _names, [error] = world.run("cancel_jobs", "1", reason="why")
    assert words == ["error"]
    assert f"FLOWSCONFLICT {world.key('cancelling', 'shop')} holds a string" in error
    assert world.job("shop:1") == {"a": "1"}
