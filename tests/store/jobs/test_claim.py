"""claim: a waiting job is given to a worker."""

from __future__ import annotations

import pytest

from tests.world import LEASE, NOW, TTL, World, processing

WAITING = {"_status": "waiting", "_queue": "pick", "_fence": "4", "_worker": "w1", "_attempts": "1", "_visit": "2"}


def test_gives_out_a_new_job(world: World) -> None:
    """A hash without a state waits in the first queue: the whole of what its first claim writes."""
    world.seed(jobs={"shop:1": {"a": "1"}}, waiting={"pick": ["1", "2"]})
    answer = world.turn(want=1, fields=("a", "none"))
    [job] = answer.claimed
    assert (job.id, job.fence, job.attempt, job.visit, job.correlation_id) == ("1", 1, 1, 0, None)
    assert (job.rescues, job.values, answer.left, answer.due) == (0, ("1", None), 1, 0)
    mine = {"_status": "processing", "_queue": "pick", "_fence": "1", "_attempts": "1", "_worker": "w1"}
    assert world.snapshot() == {
        "jobs": {"shop:1": {"a": "1", **mine}},
        "waiting": {"pick": ["2"]},
        "processing": {"pick": {"1": NOW + LEASE}},
    }


def test_raises_the_fence_and_the_attempt(world: World) -> None:
    """Every claim makes its worker's earlier attempt a stranger."""
    world.seed(jobs={"shop:1": WAITING | {"_correlation_id": "abc"}}, waiting={"pick": ["1"]})
    [job] = world.claim(worker_id="w7")
    assert (job.fence, job.attempt, job.visit, job.correlation_id) == (5, 2, 2, "abc")
    found = world.job("shop:1")
    assert (found["_fence"], found["_attempts"], found["_worker"]) == ("5", "2", "w7")


def test_claims_the_oldest_first_and_as_many_as_wanted(world: World) -> None:
    """Order is that of waiting; the rest stays."""
    ids = [str(number) for number in range(9)]
    world.seed(jobs={f"shop:{job_id}": {"a": "1"} for job_id in ids}, waiting={"pick": ids})
    assert [job.id for job in world.claim(want=4)] == ids[:4]
    assert world.snapshot()["waiting"] == {"pick": ids[4:]}
    assert [job.id for job in world.claim(want=400)] == ids[4:]


@pytest.mark.parametrize(
    "misplaced",
    [
        {"_status": "processing", "_queue": "pick", "_worker": "w2", "_fence": "1", "_attempts": "1"},
        processing() | {"_status": "done"},
        {"_status": "failed", "_queue": "pick"},
        {"_status": "delayed", "_queue": "pick"},
        processing() | {"_status": "children"},
        {"_status": "waiting", "_queue": "pack"},
        {"_status": "waiting"},
    ],
    ids=["processing", "done", "failed", "delayed", "children", "another queue", "no queue"],
)
def test_drops_an_id_whose_job_does_not_wait_here(world: World, misplaced: dict[str, str]) -> None:
    """An id may stand in a list more than once or too long: it is dropped and counted, its job untouched."""
    world.seed(jobs={"shop:1": misplaced, "shop:2": {"a": "1"}}, waiting={"pick": ["1", "2"]})
    assert [job.id for job in world.claim()] == ["2"]
    found = world.snapshot()
    assert (found["jobs"]["shop:1"], found["meta"]) == (misplaced, {"pick": {"misplaced": "1"}})
    assert "waiting" not in found


def test_a_repeated_id_is_claimed_once(world: World) -> None:
    """A creation that was sent twice leaves two ids and one job."""
    world.seed(jobs={"shop:1": {"a": "1"}}, waiting={"pick": ["1", "1", "1"]})
    assert world.turn(want=3).ids == ["1"]
    assert world.snapshot()["meta"] == {"pick": {"misplaced": "2"}}


def test_a_new_job_waits_where_it_was_created(world: World) -> None:
    """A flow whose first queue is another by now does not drop the jobs that wait in the former one."""
    world.seed(jobs={"shop:1": {"a": "1"}}, waiting={"pack": ["1"], "pick": ["1"]})
    assert [job.id for job in world.claim(queue="pack")] == ["1"]
    assert world.claim() == []


def test_a_new_child_waits_in_its_own_queue(world: World) -> None:
    """The first queue of a child is the child queue itself, and its job bears that queue's name."""
    world.seed(jobs={"pack:box:1": {"n": "1", "_parent": "shop:9"}}, waiting={"pack:box": ["1"]})
    assert [job.id for job in world.claim(queue="pack:box")] == ["1"]
    assert world.job("pack:box:1")["_queue"] == "pack:box"


@pytest.mark.parametrize("field", ["_status", "_fence", "_attempts", "_visit", "_rescues"])
@pytest.mark.parametrize("value", ["x", "", "1.5", "inf", "nan", "1e300"])
def test_a_malformed_job_fails_alone(world: World, field: str, value: str) -> None:
    """A state that is none, or a count that is no whole number, ends that job with an error; the next is claimed."""
    world.seed_damaged(jobs={"shop:1": WAITING | {field: value}, "shop:2": {"a": "1"}}, waiting={"pick": ["1", "2"]})
    assert [job.id for job in world.claim()] == ["2"]
    found = world.snapshot()
    job = found["jobs"]["shop:1"]
    assert (job["_status"], '"type":"MalformedJob"' in job["_error"]) == ("failed", True)
    assert (found["meta"], list(found["processing"]["pick"])) == ({"pick": {"malformed": "1"}}, ["2"])


@pytest.mark.parametrize(("digits", "claimed"), [(15, [10**15]), (16, [])])
def test_a_fence_that_cannot_be_counted_on_fails_the_job(world: World, digits: int, claimed: list[int]) -> None:
    """Somebody has edited it: a script counts exactly up to a number of so many digits."""
    world.seed(jobs={"shop:1": WAITING | {"_fence": "9" * digits}}, waiting={"pick": ["1"]})
    assert [job.fence for job in world.claim()] == claimed
    job = world.job("shop:1")
    assert (job["_status"], job["_fence"]) == (("processing", str(10**15)) if claimed else ("failed", "9" * digits))


def test_a_key_of_another_type_is_dropped_and_left_alone(world: World) -> None:
    """Where something else stands at the job's key, the id is dropped and counted and the key is not ours."""
    world.seed(jobs={"shop:2": {"a": "1"}}, waiting={"pick": ["1", "2"]})
    world.redis.set(world.key("jobs", "shop:1"), "not ours")
    assert [job.id for job in world.claim()] == ["2"]
    assert world.redis.get(world.key("jobs", "shop:1")) == "not ours"
    assert world.snapshot()["meta"] == {"pick": {"malformed": "1"}}


def test_stops_at_a_mebibyte(world: World) -> None:
    """The reply is bounded: a turn that has that much takes no more jobs."""
    ids = [str(number) for number in range(6)]
    world.seed(jobs={f"shop:{job_id}": {"a": "x" * 400_000} for job_id in ids}, waiting={"pick": ids})
    assert world.turn(want=6, fields=("a",)).ids == ids[:3]
    assert world.turn(want=6, fields=()).ids == ids[3:]


def test_stops_at_a_thousand_lookup_lists(world: World) -> None:
    """Each of them gets its time anew, so a turn is bounded by them too."""
    lookups = "\n".join(f"user:{number}" for number in range(500))
    world.seed(jobs={f"shop:{n}": {"_lookups": lookups} for n in "123"}, waiting={"pick": ["1", "2", "3"]})
    assert [world.turn(want=3).ids for _ in range(2)] == [["1", "2"], ["3"]]


def test_looks_at_four_hundred_ids_at_most(world: World) -> None:
    """A long row of dead ids is cleared by several turns, each of them short."""
    world.seed(jobs={"shop:x": {"a": "1"}}, waiting={"pick": [str(number) for number in range(450)] + ["x"]})
    first = world.turn(want=200)
    assert (first.ids, first.left) == ([], 51)
    assert world.turn(want=200).ids == ["x"]


def test_a_job_that_was_rescued_twice_is_handed_out_alone(world: World) -> None:
    """It may have killed its workers: nothing runs beside it, and it does not run beside others."""
    suspect = WAITING | {"_rescues": "2"}
    world.seed(jobs={"shop:1": {"a": "1"}, "shop:2": suspect, "shop:3": {"a": "1"}}, waiting={"pick": ["1", "2", "3"]})
    assert world.turn(want=3).ids == ["1"]
    assert world.turn(want=3, busy=1).ids == []
    assert world.snapshot()["waiting"] == {"pick": ["2", "3"]}
    [job] = world.claim(want=3)
    assert (job.id, job.rescues) == ("2", 2)
    assert world.turn(want=3, busy=1).ids == ["3"]


def test_dead_ids_before_a_suspect_are_dropped_all_the_same(world: World) -> None:
    """Stopping at a suspect loses nothing of what was looked at before."""
    world.seed(jobs={"shop:2": WAITING | {"_rescues": "2"}}, waiting={"pick": ["1", "2"]})
    assert world.turn(want=3, busy=1).ids == []
    assert world.snapshot()["waiting"] == {"pick": ["2"]}


def test_a_job_that_was_rescued_once_runs_beside_others(world: World) -> None:
    """A worker that is killed may have held hundreds of jobs, most of them innocent: they are not run one at a time."""
    jobs = {f"shop:{number}": WAITING | {"_rescues": "1"} for number in (1, 2, 3)}
    world.seed(jobs=jobs, waiting={"pick": ["1", "2", "3"]})
    assert world.turn(want=2).ids == ["1", "2"]
    assert world.turn(want=2, busy=1).ids == ["3"]


@pytest.mark.parametrize("fields", [{"a": "1"}, WAITING], ids=["new", "not new"])
def test_gives_the_job_its_time_anew(world: World, fields: dict[str, str]) -> None:
    """The TTL runs from the claim, and the lookup lists live as long as the hash."""
    world.seed(
        jobs={"shop:1": {"_lookups": "user:7", **fields}},
        waiting={"pick": ["1"]},
        lookups={"shop:user:7": ["1"]},
    )
    for kind, name in (("jobs", "shop:1"), ("lookups", "shop:user:7")):
        world.redis.pexpire(world.key(kind, name), TTL // 2)
    world.claim()
    assert world.lives("jobs", "shop:1", TTL)
    assert world.lives("lookups", "shop:user:7", TTL)


@pytest.mark.parametrize("fields", [{"a": "1"}, WAITING], ids=["new", "not new"])
def test_what_is_claimed_lives_two_leases_at_least(world: World, fields: dict[str, str]) -> None:
    """However short the flow's TTL is: the first renewal has time to come."""
    world.seed(
        jobs={"shop:1": {"_lookups": "user:7", **fields}}, waiting={"pick": ["1"]}, lookups={"shop:user:7": ["1"]}
    )
    for kind, name in (("jobs", "shop:1"), ("lookups", "shop:user:7")):
        world.redis.pexpire(world.key(kind, name), 2000)
    world.claim(ttl=2000)
    assert world.lives("jobs", "shop:1", 2 * LEASE)
    assert world.lives("lookups", "shop:user:7", 2 * LEASE)


def test_what_has_no_ttl_gets_none(world: World) -> None:
    """A child has none while its parent waits, nor has a job of a flow with `job_ttl=None`."""
    world.seed(jobs={"shop:1": {"a": "1"}}, waiting={"pick": ["1"]})
    world.redis.persist(world.key("jobs", "shop:1"))
    world.claim()
    assert world.life("jobs", "shop:1") == -1
