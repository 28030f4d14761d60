"""cancel: a job is ended from outside, or asked to end while it runs."""

from __future__ import annotations

import pytest
from redis.client import PubSub
from redis.exceptions import ResponseError

from tests.waiting import LONG
from tests.world import KEPT, NOW, TTL, Argument, World, advance, cancel, fail, finish, processing, release

CANCELLED = {"_status": "cancelled", "_ended": str(NOW), "_reason": "why"}


def call(world: World, job_id: str = "1", **named: str) -> list[object]:
    """Call the script with a reason."""
    answer: list[object] = world.run("cancel", id=job_id, reason="why", **named)
    return answer


def test_takes_a_new_job_out_of_its_queue(world: World) -> None:
    """A job that no worker has had is cancelled at once."""
    world.seed(jobs={"shop:1": {"a": "1"}}, waiting={"pick": ["0", "1", "2"]})
    assert call(world) == ["cancelled", 0]
    assert world.snapshot() == {"jobs": {"shop:1": {"a": "1", **CANCELLED}}, "waiting": {"pick": ["0", "2"]}}
    assert world.lives("jobs", "shop:1", KEPT[2])


@pytest.mark.parametrize("state", ["waiting", "delayed"])
def test_takes_a_job_out_of_the_place_of_its_state(world: World, state: str) -> None:
    """It leaves the queue where it is, and only that place."""
    job = {"_status": state, "_queue": "pack", "_fence": "1", "_worker": "w1", "_attempts": "1"}
    world.seed(jobs={"shop:1": job}, waiting={"pack": ["1", "2"]}, delayed={"pack": {"1": 5, "2": 6}})
    assert call(world) == ["cancelled", 0]
    found = world.snapshot()
    assert found["jobs"] == {"shop:1": job | CANCELLED}
    waits, delayed = (["2"], {"1": 5, "2": 6}) if state == "waiting" else (["1", "2"], {"2": 6})
    assert (found["waiting"], found["delayed"]) == ({"pack": waits}, {"pack": delayed})


def test_asks_the_worker_of_a_job_that_runs(world: World) -> None:
    """The job keeps its worker, who sees the flag when it renews or ends."""
    world.seed(jobs={"shop:1": processing()}, processing={"pick": {"1": NOW + 9}})
    assert call(world) == ["requested", 0]
    assert world.snapshot() == {
        "jobs": {"shop:1": processing(_cancel="why")},
        "processing": {"pick": {"1": NOW + 9}},
    }


def heard(world: World, queue: str = "pick") -> PubSub:
    """Listen to what the workers of a queue are told."""
    listener = world.redis.pubsub(ignore_subscribe_messages=True)
    listener.ssubscribe(world.keys.cancel(queue))
    listener.get_message(timeout=LONG)
    return listener


def test_the_worker_of_a_job_that_runs_is_told(world: World) -> None:
    """The message bears the id; the flag decides. Of a job that does not run nothing is told."""
    world.seed(jobs={"shop:1": processing(), "shop:2": {"a": "1"}}, processing={"pick": {"1": NOW + 9}})
    with heard(world) as listener:
        call(world, "2")
        call(world)
        message = listener.get_message(timeout=LONG)
        assert message is not None
        assert (message["channel"], message["data"]) == (world.keys.cancel("pick"), "1")
        assert listener.get_message() is None


def test_asked_twice_tells_twice_and_keeps_the_first_reason(world: World) -> None:
    """Whoever asks again repeats a message that may have been lost; nothing else changes."""
    world.seed(jobs={"shop:1": processing()}, processing={"pick": {"1": NOW + 9}})
    call(world)
    once = world.snapshot()
    with heard(world) as listener:
        assert world.run("cancel", id="1", reason="another") == ["requested", 0]
        assert listener.get_message(timeout=LONG) is not None
    assert world.snapshot() == once


def test_the_reason_is_that_of_whoever_asked(world: World) -> None:
    """The worker ends the attempt and has no reason of its own."""
    world.seed(jobs={"shop:1": processing()}, processing={"pick": {"1": NOW + 9}})
    call(world)
    assert world.report(cancel("1", reason="")) == ["cancelled"]
    assert world.job("shop:1")["_reason"] == "why"


def test_notes_that_the_children_are_to_be_cancelled(world: World) -> None:
    """A parent that waits is cancelled at once, and stays until `cascade` has come to all of its children."""
    of = f"{world.namespace}job:pack:box:"
    parent = {**processing("pack"), "_status": "children", "children:pack:jobs": f'["{of}1","{of}2","{of}3"]'}
    world.seed(
        jobs={"shop:1": parent},
        children={"pack": {"1": NOW}},
        pending={"shop:1": {"1", "3"}},
        settled={"shop:1:children:pack": {"2": "{}"}},
    )
    assert call(world) == ["cancelled", 1]
    assert world.snapshot() == {
        "jobs": {"shop:1": parent | CANCELLED},
        "pending": {"shop:1": {"1", "3"}},
        "cancelling": {"shop": {"shop:1": "1"}},
        "settled": {"shop:1:children:pack": {"2": "{}"}},
    }
    assert world.life("jobs", "shop:1") == -1
    assert world.lives("settled", "shop:1:children:pack", KEPT[2])
    assert call(world) == ["too late", 1]


@pytest.mark.parametrize("state", ["waiting", "delayed"])
def test_a_parent_whose_attempt_was_interrupted_leaves_no_children(world: World, state: str) -> None:
    """Its children may be written, or let out in part: they are noted from every state, and kept until then."""
    place = {"waiting": {"pack": ["1"]}} if state == "waiting" else {"delayed": {"pack": {"1": NOW}}}
    world.seed(jobs={"shop:1": processing("pack") | {"_status": state}}, building={"shop:1": ["c"]}, **place)
    world.redis.pexpire(world.key("building", "shop:1"), TTL)
    assert call(world) == ["cancelled", 1]
    found = world.snapshot()
    assert (found["cancelling"], found["building"]) == ({"shop": {"shop:1": "1"}}, {"shop:1": ["c"]})
    assert world.life("building", "shop:1") == -1


def test_a_child_is_noted_with_its_root(world: World) -> None:
    """Rescuers know the flow, and not how deep its queues are nested."""
    world.seed(jobs={"pack:box:1": {**processing("pack:box"), "_status": "children"}}, pending={"pack:box:1": {"5"}})
    assert call(world, flow="pack:box", first="pack:box") == ["cancelled", 1]
    assert world.snapshot()["cancelling"] == {"shop": {"pack:box:1": "1"}}


def test_a_note_of_another_type_is_named(world: World) -> None:
    """Nothing is written."""
    world.seed(jobs={"shop:1": {"a": "1"}}, waiting={"pick": ["1"]})
    world.redis.set(world.key("cancelling", "shop"), "not ours")
    before = world.snapshot()
    with pytest.raises(ResponseError, match=f"FLOWSCONFLICT {world.key('cancelling', 'shop')} holds a string"):
        call(world)
    assert world.snapshot() == before


@pytest.mark.parametrize("state", ["done", "failed", "cancelled"])
def test_comes_too_late_for_what_has_ended(world: World, state: str) -> None:
    """An ending stands."""
    world.seed(jobs={"shop:1": {**processing(), "_status": state}})
    before = world.snapshot()
    assert call(world) == ["too late", 0]
    assert world.snapshot() == before


def test_of_a_missing_job_nothing_is_written(world: World) -> None:
    """No hash comes into being, and what is of another type is left alone."""
    assert call(world) == ["gone", 0]
    world.redis.set(world.key("jobs", "shop:1"), "not ours")
    assert call(world) == ["malformed", 0]
    assert world.snapshot() == {"jobs": {"shop:1": "not ours"}}


def test_sent_twice_changes_nothing_more(world: World) -> None:
    """The second call finds a job that has ended."""
    world.seed(jobs={"shop:1": {"a": "1"}}, waiting={"pick": ["1"]})
    call(world)
    once = world.snapshot()
    world.now += 1
    assert call(world) == ["too late", 0]
    assert world.snapshot() == once


def test_a_key_of_the_queue_of_another_type_is_named(world: World) -> None:
    """Nothing is written."""
    world.seed(jobs={"shop:1": {"a": "1"}})
    world.redis.set(world.key("waiting", "pick"), "not ours")
    before = world.snapshot()
    with pytest.raises(ResponseError, match=f"FLOWSCONFLICT {world.key('waiting', 'pick')} holds a string"):
        call(world)
    assert world.snapshot() == before


def test_an_id_in_a_very_long_list_stays_and_is_dropped_at_its_turn(world: World) -> None:
    """Searching a long list would hold up everybody: the id stays and the claim drops it."""
    world.seed(jobs={"shop:1": {"a": "1"}}, waiting={"pick": ["1", *(str(n) for n in range(2, 10_002))]})
    assert call(world) == ["cancelled", 0]
    assert world.redis.llen(world.key("waiting", "pick")) == 10_001
    assert world.claim() == []
    assert world.job("shop:1")["_status"] == "cancelled"


def test_an_attempt_may_end_as_cancelled(world: World) -> None:
    """What a function's own cancelling writes is the same."""
    world.seed(jobs={"shop:1": processing()}, processing={"pick": {"1": NOW + 9}})
    assert world.report(cancel("1")) == ["cancelled"]
    assert world.snapshot() == {"jobs": {"shop:1": processing() | CANCELLED}}


@pytest.mark.parametrize("verb", [cancel("1"), advance("1"), release("1")], ids=["cancel", "advance", "release"])
def test_an_attempt_that_ends_as_cancelled_leaves_no_children(world: World, verb: list[Argument]) -> None:
    """A parent that is cancelled while its many children are being written is noted too."""
    world.seed(
        jobs={"shop:1": processing(_cancel="why")},
        processing={"pick": {"1": NOW + 9}},
        building={"shop:1": ["c"]},
    )
    assert world.report(verb) == ["cancelled"]
    found = world.snapshot()
    assert (found["cancelling"], found["jobs"]["shop:1"]["_status"]) == ({"shop": {"shop:1": "1"}}, "cancelled")


@pytest.mark.parametrize("verb", [finish("1"), fail("1")], ids=["finish", "fail"])
def test_an_attempt_that_came_to_its_end_is_not_cancelled(world: World, verb: list[Argument]) -> None:
    """Completing at the same instant: the work is there, so the job ends as it would have."""
    world.seed(jobs={"shop:1": processing(_cancel="why")}, processing={"pick": {"1": NOW + 9}})
    assert world.report(verb) == ["ok"]
    assert world.job("shop:1")["_status"] in {"done", "failed"}
    assert call(world) == ["too late", 0]


def test_a_call_that_is_sent_twice_answers_the_same(world: World) -> None:
    """Whoever did not hear the answer hears it now, and not that the job has ended."""
    world.seed(jobs={"shop:1": {"a": "1"}}, waiting={"pick": ["1"]})
    named = {"flow": "shop", "first": "pick", "id": "1", "reason": "why"}
    call = world.settings.new_call()
    assert world.run("cancel", **named, call=call) == ["cancelled", 0]
    assert world.run("cancel", **named, call=call) == ["cancelled", 0]
    assert world.run("cancel", **named) == ["too late", 0]
