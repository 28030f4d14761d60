"""turn: ends attempts and claims the next jobs, in one script; a turn that is sent again is the same turn."""

from __future__ import annotations

import pytest
from redis import Redis
from redis.exceptions import OutOfMemoryError, ResponseError

from flows.testing import private_server
from tests.world import (
    LEASE,
    NOW,
    World,
    advance,
    await_children,
    fail,
    finish,
    processing,
    release,
    retry,
    snooze,
)

DELAYED = {"_status": "delayed", "_queue": "pick", "_fence": "1", "_worker": "w1", "_attempts": "1"}


def test_ends_and_claims_in_one_call(world: World) -> None:
    """The whole of a turn: an attempt that has ended, a due job that is promoted, and the next job."""
    world.seed(
        jobs={"shop:1": processing(), "shop:2": {"a": "2"}, "shop:3": DELAYED, "shop:4": {"a": "4"}},
        processing={"pick": {"1": NOW + 9}},
        delayed={"pick": {"3": NOW}},
        waiting={"pick": ["2"]},
    )
    answer = world.turn(finish("1"), want=5, fields=("a",))
    assert (answer.words, answer.ids, answer.left) == (["ok"], ["2", "3"], 0)
    found = world.snapshot()
    assert found["processing"] == {"pick": {"2": NOW + LEASE, "3": NOW + LEASE}}
    assert {"waiting", "delayed"}.isdisjoint(found)


def test_sent_again_it_answers_the_same_and_does_nothing(world: World) -> None:
    """An answer may be lost: the same number gives the same jobs and fences, and ends nothing twice."""
    world.seed(
        jobs={"shop:1": processing(), **{f"shop:{n}": {"a": n, "_correlation_id": "c"} for n in "2345"}},
        processing={"pick": {"1": NOW + 9}},
        waiting={"pick": ["2", "3", "4", "5"]},
    )
    first = world.turn(finish("1"), want=2, fields=("a",), number=7)
    assert (first.ids, first.left) == (["2", "3"], 2)
    before = world.snapshot(unseen=frozenset())
    world.now += 10
    assert world.turn(finish("1"), want=2, fields=("a",), number=7) == first
    assert world.snapshot(unseen=frozenset()) == before


def test_a_turn_that_brought_nothing_is_not_kept(world: World) -> None:
    """An idle worker asks all the time: sent again, the turn brings what has come meanwhile."""
    assert world.turn(want=1, number=7).ids == []
    world.seed(jobs={"shop:1": {"a": "1"}}, waiting={"pick": ["1"]})
    assert world.turn(want=1, number=7).ids == ["1"]


@pytest.mark.parametrize(("holder", "due"), [("w1", 3_000), ("w2", 0)])
def test_sent_again_it_tells_of_its_own_alarm(world: World, holder: str, due: int) -> None:
    """Who has set the queue's alarm has to hear when it is over; who has not is told nothing of it."""
    world.seed(
        jobs={"shop:1": processing(), "shop:2": {"_status": "delayed", "_queue": "pick"}},
        processing={"pick": {"1": NOW + 9}},
        delayed={"pick": {"2": NOW + 5_000}},
    )
    assert world.turn(finish("1"), want=1, number=7).due == 5_000
    world.redis.set(world.keys.timer("pick"), f"{NOW + 5_000} {holder}")
    world.now += 2_000
    assert world.turn(finish("1"), want=1, number=7).due == due
    world.now += 4_000
    assert world.turn(finish("1"), want=1, number=7).due == (1 if due else 0)  # it is over: look at once


def test_sent_again_it_gives_out_only_what_is_still_its_own(world: World) -> None:
    """A lease may have ended in the meantime, and another worker have the job."""
    world.seed(jobs={f"shop:{n}": {"a": n} for n in "12"}, waiting={"pick": ["1", "2"]})
    world.turn(want=2, number=7)
    world.report(release("1"))
    assert [job.id for job in world.claim(worker_id="w2")] == ["1"]
    assert world.turn(want=2, number=7).ids == ["2"]


def test_the_next_number_is_another_turn(world: World) -> None:
    """Each number is done once, whatever it brought."""
    world.seed(jobs={f"shop:{n}": {"a": n} for n in "12"}, waiting={"pick": ["1", "2"]})
    assert [world.turn(want=1, number=number).ids for number in (1, 2, 2)] == [["1"], ["2"], ["2"]]


def test_each_worker_has_numbers_of_its_own(world: World) -> None:
    """Two workers never get each other's answers."""
    world.seed(jobs={f"shop:{n}": {"a": n} for n in "12"}, waiting={"pick": ["1", "2"]})
    assert [world.turn(want=1, number=1, worker_id=worker).ids for worker in ("w1", "w2")] == [["1"], ["2"]]


def test_an_older_turn_that_comes_late_claims_nothing(world: World) -> None:
    """It was sent twice and the first copy was slow: nobody waits for the answer, so no job may go with it."""
    world.seed(jobs={f"shop:{n}": {"a": n} for n in "12"}, waiting={"pick": ["1", "2"]})
    world.turn(want=1, number=10)
    before = world.snapshot()
    assert world.turn(finish("1"), want=1, number=9).ids == []
    assert world.snapshot() == before


def test_what_wants_nothing_claims_nothing(world: World) -> None:
    """A worker whose hands are full only reports."""
    world.seed(jobs={"shop:1": processing(), "shop:2": {"a": "1"}}, waiting={"pick": ["2"]})
    answer = world.turn(finish("1"))
    assert (answer.words, answer.claimed, answer.left, answer.due) == (["ok"], [], 0, 0)
    assert world.snapshot()["waiting"] == {"pick": ["2"]}


def test_work_that_is_left_wakes_another_worker(world: World) -> None:
    """A claim passes the wake-up on while jobs wait, and only then."""
    world.seed(jobs={f"shop:{n}": {"a": n} for n in "12"}, waiting={"pick": ["1", "2"]})
    world.claim()
    assert world.snapshot(unseen=frozenset())["wake"] == {"pick": {"w": 0}}
    world.redis.delete(world.key("wake", "pick"))
    world.claim()
    assert "wake" not in world.snapshot(unseen=frozenset())


def test_one_worker_of_the_queue_wakes_for_the_next_due_job(world: World) -> None:
    """The first idle worker sets its alarm and learns the time; the others sleep on, and the timer goes by itself."""
    world.seed(jobs={"shop:1": DELAYED}, delayed={"pick": {"1": NOW + 700}})
    assert [world.turn(want=1, worker_id=worker).due for worker in ("w1", "w2", "w1")] == [700, 0, 700]
    assert world.redis.get(world.keys.timer("pick")) == f"{NOW + 700} w1"
    assert 15_000 < world.redis.pttl(world.keys.timer("pick")) <= 15_700
    world.redis.delete(world.keys.timer("pick"))
    assert world.turn(want=1, worker_id="w2").due == 700


@pytest.mark.parametrize(
    ("alarm", "due"),
    [
        (701, 700),  # later than the job
        (700, 0),
        (1, 0),
        (0, 700),  # it is over
        (-1, 700),
    ],
)
def test_an_alarm_that_helps_no_more_is_taken_over(world: World, alarm: int, due: int) -> None:
    """Another worker's alarm counts until it is over, and only where it comes in time."""
    world.seed(jobs={"shop:1": DELAYED}, delayed={"pick": {"1": NOW + 700}})
    world.redis.set(world.keys.timer("pick"), f"{NOW + alarm} w9")
    assert world.turn(want=1, worker_id="w1").due == due
    holder = world.redis.get(world.keys.timer("pick"))
    assert holder == (f"{NOW + 700} w1" if due else f"{NOW + alarm} w9")


@pytest.mark.parametrize(("holder", "passed_on"), [("w1", True), ("w2", False)])
def test_a_worker_that_got_enough_passes_its_alarm_on(world: World, holder: str, passed_on: bool) -> None:  # noqa: FBT001
    """It has no room, so it will not hear it: a wake-up goes to another, who sets its own."""
    world.seed(
        jobs={"shop:1": DELAYED, "shop:2": {"a": "1"}},
        delayed={"pick": {"1": NOW + 700}},
        waiting={"pick": ["2"]},
    )
    world.redis.set(world.keys.timer("pick"), f"{NOW + 700} {holder}")
    assert world.turn(want=1, worker_id="w1").due == 0
    assert world.redis.exists(world.keys.timer("pick")) == (not passed_on)
    assert ("wake" in world.snapshot(unseen=frozenset())) == passed_on


@pytest.mark.parametrize(("due", "woken"), [(5999, True), (6000, False), (None, False)])
def test_nobody_wakes_for_an_alarm_that_can_wait(world: World, due: int | None, woken: bool) -> None:  # noqa: FBT001
    """Where nothing is due before the next poll, the worker that polls sets it; for a due job one worker wakes."""
    far = {} if due is None else {"2": NOW + due}
    jobs = {"shop:1": DELAYED, **({} if due is None else {"shop:2": DELAYED})}
    world.seed(jobs=jobs, delayed={"pick": {"1": NOW, **far}})
    world.redis.set(world.keys.timer("pick"), f"{NOW} w1")
    assert world.turn(want=1, worker_id="w1").ids == ["1"]
    assert not world.redis.exists(world.keys.timer("pick"))
    assert ("wake" in world.snapshot(unseen=frozenset())) == woken


def test_an_attempt_that_goes_back_can_be_claimed_by_the_same_turn(world: World) -> None:
    """Ends come before claims: what is released, or due at once, is there for the claim."""
    world.seed(jobs={"shop:1": processing(), "shop:2": processing(), "shop:3": processing()})
    answer = world.turn(release("1"), retry("2", delay_ms=0), snooze("3", delay_ms=1), want=9)
    assert (answer.ids, [job.fence for job in answer.claimed]) == (["1", "2"], [2, 2])


@pytest.mark.parametrize("want", [200, 60])
def test_two_hundred_of_each(world: World, want: int) -> None:
    """The largest turn fits into Lua's limits."""
    ids = [f"a{number}" for number in range(200)]
    new = [f"b{number}" for number in range(200)]
    jobs = {f"shop:{job_id}": processing() for job_id in ids}
    world.seed(jobs=jobs | {f"shop:{job_id}": {"a": "1"} for job_id in new}, waiting={"pick": new})
    answer = world.turn(*(advance(job_id) for job_id in ids), want=want)
    assert (answer.words, answer.ids, answer.left) == (["ok"] * 200, new[:want], 200 - want)


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("waiting", "pick"),
        ("processing", "pick"),
        ("delayed", "pick"),
        ("children", "pick"),
        ("cancelling", "shop"),
        ("meta", "pick"),
        ("timer", "pick"),
        ("call", "w1"),
    ],
)
def test_a_key_of_another_type_is_named(world: World, kind: str, name: str) -> None:
    """Everything that a turn writes to is looked at before it writes: no job is claimed by half."""
    world.seed(jobs={"shop:1": processing(), "shop:3": DELAYED}, delayed={"pick": {"3": NOW + 5}})
    if (kind, name) == ("delayed", "pick"):
        world.redis.delete(world.key(kind, name))
    world.seed(waiting={"pick": ["gone", "1"]})
    if (kind, name) == ("waiting", "pick"):
        world.redis.delete(world.key(kind, name))
    world.redis.sadd(world.key(kind, name), "not ours")
    before = world.snapshot(unseen=frozenset())
    with pytest.raises(ResponseError, match=f"FLOWSCONFLICT {world.key(kind, name)} holds a set"):
        world.turn(advance("1"), want=3)
    assert world.snapshot(unseen=frozenset()) == before


def test_a_full_server_takes_ends_but_gives_out_nothing() -> None:
    """A turn is refused as a whole; settle, renew, rescue, cancel and delete work, and free memory."""
    with private_server() as url, Redis.from_url(url, decode_responses=True) as redis:
        world = World(redis, "")
        names = {str(number): processing() for number in range(1, 9)} | {"9": processing("pack")}
        world.seed(
            jobs={f"shop:{job_id}": job for job_id, job in names.items()},
            processing={"pick": dict.fromkeys("12345678", NOW + 9), "pack": {"9": NOW}},
            waiting={"pick": ["0"]},
        )
        redis.config_set("maxmemory", "1")
        before = world.snapshot()
        with pytest.raises(OutOfMemoryError):
            world.turn(finish("1"), want=1)
        with pytest.raises(OutOfMemoryError):
            world.run("build", 0, queue="pack", id="9", fence=1, offset=0)
        assert world.snapshot() == before
        ended = [finish("1"), advance("2"), fail("3"), retry("4"), release("5")]
        ended.append(await_children("6", children=(("box", "c"),)))
        assert world.report(*ended) == ["ok"] * 6
        assert world.run("renew", "7", 1) == ["kept"]
        assert world.run("rescue", queue="pack") == [["9", "rescued"]]
        assert world.run("cancel", id="5", reason="why") == ["cancelled", 0]
        assert world.run("cascade", parent="") == ["", 0, 0, []]
        assert world.run("delete", id="1") == ["deleted", []]
        assert world.run("withdraw", id="0") == "withdrawn"


def test_a_claim_stops_when_it_has_refreshed_many_lookup_lists(world: World) -> None:
    """A script is bounded: each claim gives the job's lists their time anew, up to 256 of them."""
    lookups = "\n".join(f"user:{number}" for number in range(256))
    world.seed(jobs={f"shop:{number}": {"_lookups": lookups} for number in range(6)}, waiting={"pick": list("012345")})
    assert world.turn(want=6).ids == list("0123")


def test_more_due_jobs_than_one_turn_lets_out(world: World) -> None:
    """It comes back for them at once: 0 milliseconds would say that there are none."""
    ids = [f"{number:03}" for number in range(150)]
    world.seed(jobs={f"shop:{job_id}": DELAYED for job_id in ids}, delayed={"pick": dict.fromkeys(ids, NOW - 9)})
    answer = world.turn(want=150)
    assert (len(answer.claimed), answer.due) == (100, 1)


def test_ends_alone_are_remembered_too(world: World) -> None:
    """Sent again, a turn that claimed nothing says once more that its attempts were recorded."""
    world.seed(jobs={"shop:1": processing()}, processing={"pick": {"1": NOW}})
    first, again = (world.turn(finish("1"), number=7) for _ in range(2))
    assert first.words == again.words == ["ok"]


@pytest.mark.parametrize(("lease", "seconds"), [(1000, 60), (40_000, 80)])
def test_an_answer_is_remembered_for_a_minute_or_two_leases(world: World, lease: int, seconds: int) -> None:
    """Whichever is longer: a client goes on sending for as long as that."""
    world.seed(jobs={"shop:1": processing()}, processing={"pick": {"1": NOW}})
    world.turn(finish("1"), lease=lease)
    assert seconds * 1000 - 30_000 < world.life("call", "w1") <= seconds * 1000
