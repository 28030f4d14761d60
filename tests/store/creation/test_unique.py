"""A unique key: it keeps others out while its job waits in the first queue, until it ends, or for some time."""

from __future__ import annotations

import pytest

from tests.store.creation.keyed import create, listed
from tests.world import LEASE, NOW, TTL, World, advance, cancel, fail, finish, release, retry, snooze

STARTED, ENDED = "unique started", "unique ended"


def holds(world: World, condition: str) -> bool:
    """Whether the key keeps another job out; where it does not, there is none afterwards either."""
    before = world.snapshot(unseen=frozenset())
    word, job_id = create(world, condition)
    if word == "duplicate":
        assert job_id == "1"
        assert world.snapshot(unseen=frozenset()) == before
        return True
    assert word == "created"
    world.run("delete", id=job_id)
    world.redis.rpush(world.key("lookups", "shop:#unique:k"), "1")  # as it was before
    return False


def test_it_holds_while_the_job_waits(world: World) -> None:
    """Under both rules, and for as long as the job does."""
    assert create(world, ENDED, job_id="1") == ("created", "1")
    assert world.job("shop:1") == {"a": "1", "_lookups": "#unique:k", "_unique": str(NOW)}
    assert holds(world, ENDED)
    assert holds(world, STARTED)
    world.now += TTL - 1
    assert holds(world, ENDED)


def test_it_holds_while_the_job_is_delayed(world: World) -> None:
    """By its creation, a retry or a snooze: it starts again."""
    create(world, ENDED, job_id="1", delay_ms=500)
    assert holds(world, ENDED)
    assert holds(world, STARTED)
    world.now += 500
    for again in (retry, snooze):
        [job] = world.claim()
        world.report(again("1", job.fence, delay_ms=10))
        assert holds(world, ENDED)
        assert holds(world, STARTED)
        world.now += 10


def test_while_the_job_runs_only_until_ended_holds(world: World) -> None:
    """Who waits until it has started, goes on then; a job that is rescued or handed back is to start again."""
    create(world, ENDED, job_id="1")
    [job] = world.claim()
    assert holds(world, ENDED)
    assert not holds(world, STARTED)
    world.report(release("1", job.fence))
    assert holds(world, STARTED)
    world.claim()
    world.now += 2 * LEASE
    world.run("rescue")
    assert holds(world, ENDED)
    assert holds(world, STARTED)


def test_in_a_later_queue_it_has_started(world: World) -> None:
    """However long it waits there."""
    create(world, ENDED, job_id="1")
    [job] = world.claim()
    world.report(advance("1", job.fence))
    assert world.job("shop:1")["_status"] == "waiting"
    assert holds(world, ENDED)
    assert not holds(world, STARTED)
    [job] = world.claim(queue="pack")
    world.report(retry("1", job.fence), queue="pack")
    assert holds(world, ENDED)
    assert not holds(world, STARTED)


def test_a_parent_that_waits_for_its_children_has_not_ended(world: World) -> None:
    """It holds until it has."""
    create(world, ENDED, job_id="1")
    world.redis.lrem(world.key("waiting", "pick"), 0, "1")
    world.edit("shop:1", _status="children", _queue="pack", _fence="1", _worker="w", _attempts="1")
    assert holds(world, ENDED)
    assert not holds(world, STARTED)


@pytest.mark.parametrize("end", [finish, fail, cancel])
def test_an_end_frees_it(world: World, end: object) -> None:
    """Done, failed or cancelled: the same script that ends the job frees the key."""
    create(world, ENDED, job_id="1")
    [job] = world.claim()
    world.report(end("1", job.fence))  # type: ignore[operator]
    assert not holds(world, ENDED)
    assert not holds(world, STARTED)


@pytest.mark.parametrize("lost", ["cancelled", "deleted", "expired", "another state"])
def test_what_ends_from_outside_frees_it(world: World, lost: str) -> None:
    """As does a hash that is gone, or says nothing that a job can be."""
    create(world, ENDED, job_id="1")
    if lost == "cancelled":
        world.run("cancel", id="1", reason="why")
    elif lost == "deleted":
        world.run("delete", id="1")
    elif lost == "expired":
        world.redis.delete(world.key("jobs", "shop:1"))
    else:
        world.redis.hset(world.key("jobs", "shop:1"), "_status", "nonsense")
    assert create(world, ENDED, job_id="2") == ("created", "2")
    assert listed(world, "#unique:k") == ["2"]


def test_within_a_time_it_holds_whatever_became_of_the_job(world: World) -> None:
    """By the server's clock, from the job's creation on, to the millisecond."""
    create(world, "unique 700", job_id="1")
    [job] = world.claim()
    assert holds(world, "unique 700")
    world.report(finish("1", job.fence))
    world.now = NOW + 699
    assert holds(world, "unique 700")
    assert holds(world, "unique 5000")
    world.now = NOW + 700
    assert not holds(world, "unique 700")


def test_a_time_that_was_edited_away_holds_nothing(world: World) -> None:
    """No edit makes a key hold for ever."""
    for nonsense in ("", "soon"):
        create(world, "unique 700", job_id="1")
        world.redis.hset(world.key("jobs", "shop:1"), "_unique", nonsense)
        assert not holds(world, "unique 700")
        world.run("delete", id="1")


def test_the_key_names_the_newer_job(world: World) -> None:
    """The one that runs keeps the line in its lookups, and harms the key in nothing when it ends, or is deleted."""
    create(world, STARTED, job_id="1")
    [job] = world.claim()
    assert create(world, STARTED, job_id="2") == ("created", "2")
    assert create(world, STARTED) == ("duplicate", "2")
    world.report(finish("1", job.fence))
    assert world.life("lookups", "shop:#unique:k") >= world.life("jobs", "shop:2")
    world.run("delete", id="1")
    assert listed(world, "#unique:k") == ["2"]
    assert create(world, STARTED) == ("duplicate", "2")


@pytest.mark.parametrize("condition", [STARTED, ENDED, "unique 700"])
def test_sent_twice_it_creates_once(world: World, condition: str) -> None:
    """Also where the key is another job's by now: this call has created its job."""
    assert create(world, condition, job_id="1") == ("created", "1")
    [job] = world.claim()
    world.report(finish("1", job.fence))
    world.now += 800
    assert create(world, condition, job_id="2") == ("created", "2")
    before = world.snapshot()
    assert create(world, condition, job_id="1") == ("created", "1")
    assert world.snapshot() == before
