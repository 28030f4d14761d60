"""rescue: jobs whose lease is over are taken back."""

from __future__ import annotations

import pytest
from redis.exceptions import ResponseError

from tests.world import LEASE, NOW, TTL, World, finish, line, processing


def test_takes_back_what_is_over(world: World) -> None:
    """The job waits at the head again; one whose lease ends in a millisecond is left with its worker."""
    world.seed(
        jobs={"shop:1": processing(a="1"), "shop:2": processing()},
        processing={"pick": {"1": NOW, "2": NOW + 1}},
        waiting={"pick": ["7"]},
    )
    assert world.run("rescue") == [["1", "rescued"]]
    after = {"_status": "waiting", "_rescues": "1", "_history": line("rescue")}
    assert world.snapshot(unseen=frozenset()) == {
        "jobs": {"shop:1": processing(a="1") | after, "shop:2": processing()},
        "processing": {"pick": {"2": NOW + 1}},
        "waiting": {"pick": ["1", "7"]},
        "wake": {"pick": {"w": 0}},
    }
    assert world.lives("jobs", "shop:1", TTL)


def test_where_nothing_waits_nobody_is_woken(world: World) -> None:
    """A rescuer comes by all the time: the workers of an idle queue sleep on."""
    world.seed(jobs={"shop:1": processing(_cancel="why")}, processing={"pick": {"1": NOW}})
    assert world.run("rescue") == [["1", "cancelled"]]
    assert "wake" not in world.snapshot(unseen=frozenset())


def test_sent_twice_takes_back_once(world: World) -> None:
    """Any number of rescuers may run at once."""
    world.seed(jobs={"shop:1": processing()}, processing={"pick": {"1": NOW}})
    world.run("rescue")
    once = world.snapshot()
    assert world.run("rescue") == []
    assert world.snapshot() == once


def test_the_late_worker_is_a_stranger(world: World) -> None:
    """After the rescue, and after the next claim, the old attempt writes nothing."""
    world.seed(jobs={"shop:1": {"a": "1"}}, waiting={"pick": ["1"]})
    world.claim()
    world.now += LEASE
    world.run("rescue")
    assert world.report(finish("1", 1)) == ["stale"]
    world.claim()
    assert world.report(finish("1", 1)) == ["stale"]
    assert world.report(finish("1", 2)) == ["ok"]


def test_a_job_that_kills_its_worker_alone_is_poison(world: World) -> None:
    """The first two crashes may have been a neighbour's; after `max_crashes` alone the job fails, and says why."""
    world.seed(jobs={"shop:1": {"a": "1"}}, waiting={"pick": ["1"]})
    words = []
    for crash in range(5):
        [job] = world.claim()
        assert job.rescues == crash
        world.now += LEASE
        words += [word for _id, word in world.run("rescue")]
    assert words == ["rescued"] * 4 + ["poison"]
    found = world.snapshot()
    assert set(found) == {"jobs"}
    assert found["jobs"]["shop:1"]["_status"] == "failed"
    assert '"message":"its worker died 3 times while it ran nothing but this job"' in found["jobs"]["shop:1"]["_error"]


@pytest.mark.parametrize(
    ("age", "answer"),
    [(0, []), (LEASE // 2 - 1, []), (LEASE // 2, [["1", "rescued"]]), (-1, [["1", "rescued"]])],
    ids=["just begun", "nearly half a lease old", "half a lease old", "the clock was set back"],
)
def test_where_the_server_has_just_begun_nothing_is_taken_back(world: World, age: int, answer: list[list[str]]) -> None:
    """It was away, and the leases of all workers ended meanwhile: those that live renew first."""
    world.seed(jobs={"shop:1": processing()}, processing={"pick": {"1": NOW - 9}})
    world.redis.hset(world.keys.history(), "since", NOW - age)
    assert world.run("rescue") == answer


def test_trims_dead_ids_from_the_heads_of_its_lists(world: World) -> None:
    """As an end does; what somebody else wrote at a lookup key hinders nothing."""
    world.seed(
        jobs={"shop:1": processing(_lookups="user:7\nteam:a\n#log:1")},
        processing={"pick": {"1": NOW}},
        lookups={"shop:user:7": ["dead", "1", "dead"]},
        log={"shop:1": ["dead"]},
    )
    world.redis.set(world.key("lookups", "shop:team:a"), "not ours")
    assert world.run("rescue") == [["1", "rescued"]]
    found = world.snapshot()
    assert found["lookups"] == {"shop:user:7": ["1", "dead"]}
    assert found["log"] == {"shop:1": ["dead"]}


def test_a_call_that_comes_too_late_takes_nothing_back(world: World) -> None:
    """It was held up on its way, and so may be those of the workers that renew."""
    world.seed(jobs={"shop:1": processing()}, processing={"pick": {"1": NOW - 9}})
    assert world.run("rescue", until_ms=NOW - 1) == []
    assert world.run("rescue", until_ms=NOW) == [["1", "rescued"]]


def test_a_flag_to_cancel_is_carried_out(world: World) -> None:
    """A job that was cancelled while its worker died is not run again."""
    world.seed(jobs={"shop:1": processing(_cancel="why")}, processing={"pick": {"1": NOW}})
    assert world.run("rescue") == [["1", "cancelled"]]
    after = processing(_cancel="why") | {"_status": "cancelled", "_ended": str(NOW), "_reason": "why"}
    assert world.snapshot() == {"jobs": {"shop:1": after}}


def test_counts_that_were_edited_hinder_nothing(world: World) -> None:
    """It is not known how often the job crashed: it is taken back, fails at its next claim, and the others go on."""
    job = {"_status": "processing", "_queue": "pick", "_attempt": "nonsense"}
    world.seed_damaged(jobs={"shop:1": job, "shop:2": processing()}, processing={"pick": {"1": NOW, "2": NOW}})
    assert world.run("rescue") == [["1", "rescued"], ["2", "rescued"]]
    told = line("rescue").replace("w1", "")
    assert world.job("shop:1") == job | {"_status": "waiting", "_history": told}
    assert [job.id for job in world.claim(2)] == ["2"]
    assert world.job("shop:1")["_status"] == "failed"


def test_drops_leases_of_what_is_not_processed_here(world: World) -> None:
    """Gone, ended, in another queue, of another type: the lease goes, and no job is touched."""
    jobs = {
        "shop:1": processing() | {"_status": "done"},
        "shop:2": processing("pack"),
        "shop:5": {"a": "a new job, waiting"},
    }
    world.seed(jobs=jobs, processing={"pick": {"1": 1, "2": 2, "3": 3, "4": 4, "5": 5}})
    world.redis.set(world.key("jobs", "shop:4"), "not ours")
    words = dict(world.run("rescue"))
    assert words == {"1": "misplaced", "2": "misplaced", "3": "expired", "4": "malformed", "5": "misplaced"}
    counted = {"meta": {"pick": {"expired": "1", "malformed": "1"}}}
    assert world.snapshot() == {"jobs": jobs | {"shop:4": "not ours"}, **counted}


@pytest.mark.parametrize(("other", "word"), [(None, "expired"), ("not ours", "deleted")], ids=["gone", "another type"])
def test_a_parent_hears_of_a_child_that_was_lost(world: World, other: str | None, word: str) -> None:
    """A child whose hash is gone, or holds something else, does not keep its parent waiting."""
    parent = {**processing("pack"), "_status": "children", "_policy": "continue", "_next": "ship"}
    world.seed(
        jobs={"shop:9": parent},
        children={"pack": {"9": NOW}},
        pending={"shop:9": {"1"}},
        parents={"pack:box": {"1": "shop:9"}},
        processing={"pack:box": {"1": NOW}},
    )
    if other:
        world.redis.set(world.key("jobs", "pack:box:1"), other)
    world.run("rescue", queue="pack:box")
    found = world.snapshot()
    assert found["waiting"] == {"ship": ["9"]}
    assert found["settled"]["shop:9:children:pack"] == {"1": f'{{"id":"1","status":"{word}"}}'}
    assert {"pending", "parents", "processing", "children"}.isdisjoint(found)


def test_takes_a_hundred_at_most(world: World) -> None:
    """A script is bounded; who calls it goes on until fewer come back."""
    ids = [f"{number:03}" for number in range(130)]
    world.seed(jobs={f"shop:{job_id}": processing() for job_id in ids}, processing={"pick": dict.fromkeys(ids, NOW)})
    assert [len(world.run("rescue")) for _ in range(3)] == [100, 30, 0]


@pytest.mark.parametrize("kind", ["waiting", "processing", "cancelling"])
def test_a_key_of_another_type_is_named(world: World, kind: str) -> None:
    """Nothing is written, and the error names the key."""
    world.seed(jobs={"shop:1": processing()})
    if kind != "processing":
        world.seed(processing={"pick": {"1": NOW}})
    key = world.key(kind, "shop" if kind == "cancelling" else "pick")
    world.redis.set(key, "not ours")
    before = world.snapshot()
    with pytest.raises(ResponseError, match=f"FLOWSCONFLICT {key} holds a string"):
        world.run("rescue")
    assert world.snapshot() == before
