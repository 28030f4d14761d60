"""ruled/limits: the limiters of a queue and of its groups, alone and together, with values that change meanwhile."""

from __future__ import annotations

import json

import pytest
from redis import Redis

from flows import Limiter
from flows.model.limits.rules import Rules
from tests.store.ruled.ruled_world import GROUP, Ruled, fullest
from tests.world import NOW

EACH = Limiter(2, 1.0, group_key=GROUP)


def parked(world: Ruled) -> dict[str, float]:
    """Return which groups wait for a time, from now on."""
    found: dict[str, float] = world.snapshot().get("parked", {}).get("pick", {})
    return {name: until - world.now for name, until in found.items()}


def test_each_group_has_its_own_window(redis: Redis, namespace: str) -> None:
    """A group that has used its tokens is parked until the next one comes back; the others go on."""
    world = Ruled(redis, namespace, EACH, group=GROUP)
    world.wait("x1", "x2", "x3", group="x")
    world.wait("y1", group="y")
    turn = world.take()
    assert (turn.ids, turn.left, turn.due) == (["x1", "y1", "x2"], 0, 951)
    assert parked(world) == {'1/"x"': 951}
    assert world.window('pick:1/"x"') == [NOW + 1, 2]
    world.now += 950
    assert world.take().ids == []
    world.now += 1
    assert [(job.id, job.at - NOW) for job in world.take().jobs] == [("x3", 1_001)]
    assert parked(world) == {}


def test_jobs_of_no_group_have_no_limit(redis: Redis, namespace: str) -> None:
    """The field has no value: they are no group."""
    world = Ruled(redis, namespace, EACH, group=GROUP, slots_per_group=1)
    world.wait("1", "2", "3", "4")
    world.wait("5", cost=2)
    assert world.take().ids == ["1", "2", "3", "4", "5"]
    assert {"slots", "load", "windows"}.isdisjoint(world.snapshot(unseen=frozenset()))


def test_a_group_that_is_read_again_has_not_got_its_tokens_back(redis: Redis, namespace: str) -> None:
    """The ring is read on when other groups turn out to be empty, and what was taken is not written yet."""
    world = Ruled(redis, namespace, Limiter(1, 1.0, group_key=GROUP), group=GROUP)
    world.wait("1", "2", group="a")
    world.redis.zadd(world.key("ring", "pick/1"), {f'"{group}"': 0 for group in "bcd"})
    assert world.take(4).ids == ["1"]


def test_a_job_of_two_limiters_takes_both_tokens_at_the_later_time(redis: Redis, namespace: str) -> None:
    """Else a group would start later than its window says, and the window could be over."""
    world = Ruled(redis, namespace, Limiter(3, 1.0), Limiter(1, 0.5, group_key=GROUP), group=GROUP)
    world.wait("x1", "x2", "x3", group="x")
    world.wait("y1", "y2", "y3", group="y")
    starts: dict[str, list[int]] = {"x": [], "y": []}
    while world.now < NOW + 4_000:
        turn = world.take()
        for job in turn.jobs:
            starts[job.id[0]].append(job.at)
        if not turn.due:
            break
        world.now += turn.due
    assert [len(each) for each in starts.values()] == [3, 3]
    assert fullest(starts["x"] + starts["y"], 1_000) == 3
    assert [fullest(each, 500) for each in starts.values()] == [1, 1]
    assert world.window("pick:1")[-2] == max(world.window(f'pick:2/"{group}"')[-2] for group in "xy")


@pytest.mark.parametrize("groups", [(None, None), (GROUP, GROUP), (GROUP, None)], ids=["queue", "group", "both"])
@pytest.mark.parametrize("order", [1, -1])
def test_of_two_limiters_the_stricter_one_counts(
    redis: Redis, namespace: str, groups: tuple[str | None, str | None], order: int
) -> None:
    """Whichever stands first, of the queue or of each group."""
    limiters = [Limiter(1, 1.0, group_key=groups[0]), Limiter(5, 1.0, group_key=groups[1])][::order]
    world = Ruled(redis, namespace, *limiters, group=groups[0])
    world.wait("1", "2", group="x")
    turn = world.take()
    assert (turn.ids, turn.due) == (["1"], 951)


def test_a_limited_queue_parks_nobody(redis: Redis, namespace: str) -> None:
    """Its turn says when it goes on; no list is looked at meanwhile, and nobody is woken."""
    world = Ruled(redis, namespace, Limiter(1, 1.0), group=GROUP)
    world.wait("x1", "x2", group="x")
    world.redis.delete(world.keys.wake("pick"))
    turn = world.take()
    assert (turn.ids, turn.left, turn.due, parked(world)) == (["x1"], 0, 951, {})
    assert not world.redis.exists(world.keys.wake("pick"))
    assert world.take(worker_id="w2").due == 0  # the alarm is w1's


def test_the_alarm_is_for_whatever_comes_first(redis: Redis, namespace: str) -> None:
    """A delayed job, a parked group; where the whole queue waits, only the queue's own time."""
    world = Ruled(redis, namespace, EACH, group=GROUP)
    job = {"_status": "delayed", "_queue": "pick", "_fence": "1", "_worker": "w1", "_attempts": "1"}
    world.seed(jobs={"shop:9": job}, delayed={"pick": {"9": NOW + 400}})
    world.wait("x1", "x2", "x3", group="x")
    assert world.take().due == 400
    world.now += 400
    assert (world.take().ids, world.take().due) == (["9"], 551)
    limited = Ruled(redis, f"{namespace}limited:", Limiter(1, 1.0))
    limited.seed(jobs={"shop:9": job}, delayed={"pick": {"9": NOW + 400}})
    limited.wait("1", "2")
    assert limited.take().due == 951


def test_a_held_group_comes_back_after_its_time(redis: Redis, namespace: str) -> None:
    """The time of a hold is no whole millisecond; the alarm is."""
    world = Ruled(redis, namespace, group=GROUP)
    world.redis.zadd(world.key("parked", "pick"), {'1/"x"': NOW + 300.5})
    world.wait("x1", group="x")
    assert (world.take().ids, world.take().due) == ([], 301)
    world.now += 301
    assert world.take().ids == ["x1"]


def test_limiters_of_one_id_are_one(redis: Redis, namespace: str) -> None:
    """Two queues that name it share its tokens."""
    api = Limiter(3, 1.0, id="api")
    world = Ruled(redis, namespace, api, others={"ship": Rules(limiters=(api,))})
    world.wait("1", "2")
    world.wait("3", "4", queue="ship")
    assert world.take().ids == ["1", "2"]
    turn = world.take(queue="ship")
    assert (turn.ids, turn.due) == (["3"], 951)


@pytest.mark.parametrize(("live", "count"), [("5/1000", 5), ("1/1000", 1), ("x", 2), ("0/1000", 1)])
def test_what_was_set_counts_from_the_next_claim_on(redis: Redis, namespace: str, live: str, count: int) -> None:
    """Nonsense does not; and a limit lets one start at least."""
    world = Ruled(redis, namespace, Limiter(2, 1.0))
    world.wait(*"123456")
    world.redis.hset(world.key("limit", "pick:1"), "live", live)
    assert len(world.take().ids) == count


def test_an_interval_that_was_set_to_nothing_is_one_of_a_millisecond(redis: Redis, namespace: str) -> None:
    """The least that the server's clock tells."""
    world = Ruled(redis, namespace, Limiter(2, 1.0))
    world.wait(*"123")
    world.redis.hset(world.key("limit", "pick:1"), "live", "1/0")
    assert [job.at - NOW for job in world.take().jobs] == [0, 2, 3]


def test_a_limit_that_was_lowered_lets_nobody_start_until_it_fits(redis: Redis, namespace: str) -> None:
    """What has started is not stopped, and counts."""
    world = Ruled(redis, namespace, Limiter(4, 1.0))
    world.wait(*"12345")
    assert len(world.take(3).ids) == 3
    world.redis.hset(world.key("limit", "pick:1"), "live", "2/2000")
    assert world.take().due == 1_951
    world.now += 1_951
    assert [job.at - NOW for job in world.take().jobs] == [2_001, 2_001]


def test_what_was_set_for_a_group_wins_over_what_was_set_for_all(redis: Redis, namespace: str) -> None:
    """The field `live:` says that there is such a thing."""
    world = Ruled(redis, namespace, EACH, group=GROUP)
    for group in "xyz":
        world.wait(*(f"{group}{number}" for number in range(5)), group=group)
    world.redis.hset(world.key("limit", "pick:1"), mapping={"live": "1/1000", 'live:"y"': "4/1000"})
    assert len(world.take().ids) == 3
    world.redis.hset(world.key("limit", "pick:1"), "live:", 1)
    world.redis.zadd(world.key("parked", "pick"), {'1/"x"': 0, '1/"y"': 0})
    assert world.take().ids == ["y1", "y2", "y3"]


def test_a_limit_of_another_type_counts_as_declared(redis: Redis, namespace: str) -> None:
    """What was set there cannot be read."""
    world = Ruled(redis, namespace, EACH, Limiter(3, 1.0), group=GROUP)
    for name in ("pick:1", "pick:2"):
        world.redis.set(world.key("limit", name), "x")
    world.wait(*"1234", group="x")
    assert world.take().ids == ["1", "2"]


def test_a_job_of_a_higher_cost_waits_at_the_head(redis: Redis, namespace: str) -> None:
    """Nothing overtakes it: the queue waits until there are enough tokens; one over all of them waits for all."""
    world = Ruled(redis, namespace, Limiter(10, 1.0))
    world.wait("1", cost=7)
    world.wait("2", cost=7)
    world.wait("3")
    world.wait("4", cost=99)
    first = world.take()
    assert (first.ids, first.left, first.due) == (["1"], 0, 951)
    assert world.snapshot()["waiting"] == {"pick": ["2", "3", "4"]}
    world.now += 951
    assert [(job.id, job.at - NOW) for job in world.take().jobs] == [("2", 1_001), ("3", 1_001)]
    world.now = NOW + 1_951
    assert [(job.id, job.at - NOW) for job in world.take().jobs] == [("4", 2_001)]
    assert json.dumps(world.window("pick:1")) == json.dumps([NOW + 1_001, 8, NOW + 2_001, 10])


def test_a_job_of_a_higher_cost_holds_up_its_group_alone(redis: Redis, namespace: str) -> None:
    """It goes back to the head of its list, and the group is parked until it can start."""
    world = Ruled(redis, namespace, Limiter(5, 1.0, group_key=GROUP), group=GROUP)
    world.wait("x1", cost=3, group="x")
    world.wait("x2", cost=3, group="x")
    world.wait("x3", group="x")
    world.wait("y1", "y2", group="y")
    turn = world.take()
    assert (turn.ids, turn.left, turn.due) == (["x1", "y1", "y2"], 0, 951)
    assert world.snapshot()["group"] == {'pick/1/"x"': ["x2", "x3"]}
    assert (parked(world), world.snapshot()["fair"]["pick"]["n1"]) == ({'1/"x"': 951}, "2")
    world.now += 951
    assert world.take().ids == ["x2", "x3"]
