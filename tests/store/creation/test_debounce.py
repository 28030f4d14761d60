"""A debounce: calls with one key become one job, with the params of the last, which waits until no more come."""

from __future__ import annotations

from redis import Redis

from tests.attempt_field import stored
from tests.store.creation.keyed import LOOKUPS, create, listed
from tests.world import HOUR, NOW, TTL, World, advance, finish, retry, snooze

WAIT, LONGEST = "debounce 5000 0", "debounce 5000 8000"


def due(world: World) -> dict[str, int]:
    """Return what is delayed, by how much after the first call."""
    found = world.snapshot().get("delayed", {}).get("pick", {})
    return {job_id: at - NOW for job_id, at in found.items()}


def test_the_first_call_creates_a_delayed_job(world: World) -> None:
    """Whole, with its key among its lookups, and when it was first asked for."""
    assert create(world, WAIT, job_id="1", lookups=("user:7",)) == ("created", "1")
    never = {"_fence": "0", "_attempts": "0"}
    lookups = "user:7\n#debounce:k"
    job = {"_status": "delayed", "_queue": "pick", "_lookups": lookups, "_debounced": str(NOW), "a": "1", **never}
    assert world.snapshot(unseen=frozenset({"call"})) == {
        "jobs": {"shop:1": job},
        "delayed": {"pick": {"1": NOW + 5000}},
        "lookups": {"shop:user:7": ["1"], "shop:#debounce:k": ["1"]},
        "wake": {"pick": {"w": 0}},
    }
    assert world.lives("jobs", "shop:1", TTL + 5000)
    assert world.lives("lookups", "shop:#debounce:k", LOOKUPS + 5000)


def test_each_call_gives_the_job_its_params_and_puts_it_off(world: World) -> None:
    """The id stays; nothing of the older params does, nor in the lists of their values."""
    create(world, WAIT, job_id="1", lookups=("user:7", "tag:a"), fields={"a": "1", "b": "2", "_correlation_id": '"r"'})
    world.now += 1000
    lookups = ("user:8", "tag:a")
    assert create(world, WAIT, lookups=lookups, fields={"a": "9"}) == ("debounced", "1")
    assert world.job("shop:1") == {
        "_status": "delayed",
        "_queue": "pick",
        "_fence": "0",
        "_attempts": "0",
        "_lookups": "user:8\ntag:a\n#debounce:k",
        "_debounced": str(NOW),
        "a": "9",
    }
    assert due(world) == {"1": 6000}
    assert {line: listed(world, line) for line in ("user:7", "user:8", "tag:a", "#debounce:k")} == {
        "user:7": [],
        "user:8": ["1"],
        "tag:a": ["1"],
        "#debounce:k": ["1"],
    }
    assert world.lives("lookups", "shop:user:8", LOOKUPS + 5000)


def test_it_says_since_when_it_will_have_waited(world: World) -> None:
    """The time when it is due stands in the attempt's field, and moves with each call."""
    create(world, WAIT, job_id="1")
    world.now += 1000
    create(world, WAIT)
    assert world.redis.hget(world.key("jobs", "shop:1"), "_attempt") == f"0 - 0 0 0 {NOW + 6000} -"


def test_no_call_puts_it_off_for_longer_than_the_longest(world: World) -> None:
    """Counted from the first call, whatever the last one asks for."""
    dues = []
    for second in range(12):
        world.now = NOW + 1000 * second
        create(world, LONGEST, job_id="1" if not second else "")
        dues.append(due(world)["1"])
    assert dues == [5000, 6000, 7000, *[8000] * 9]
    assert create(world, WAIT) == ("debounced", "1")
    assert due(world) == {"1": 16_000}


def test_it_starts_when_no_more_calls_come(world: World) -> None:
    """Once, with the last params; the next call begins a new job."""
    create(world, WAIT, job_id="1")
    world.now += 4999
    create(world, WAIT, fields={"a": "2"})
    assert world.claim() == []
    world.now += 5000
    [job] = world.claim(fields=("a",))
    assert (job.id, job.attempt, job.values) == ("1", 1, ("2",))
    assert create(world, WAIT, job_id="2") == ("created", "2")
    assert listed(world, "#debounce:k") == ["2"]
    assert int(world.job("shop:2")["_debounced"]) == world.now


def test_what_is_due_and_has_not_started_is_still_put_off(world: World) -> None:
    """Without a worker it is delayed however late it is."""
    create(world, WAIT, job_id="1")
    world.now += HOUR
    assert create(world, WAIT) == ("debounced", "1")
    assert due(world) == {"1": HOUR + 5000}
    assert create(world, LONGEST) == ("debounced", "1")
    assert due(world) == {"1": 8000}
    assert [job.id for job in world.claim()] == ["1"]


def test_a_job_that_another_thing_delays_is_left_alone(world: World) -> None:
    """A retry or a snooze: it has begun, with its own params."""
    for number, again in enumerate((retry, snooze)):
        first, second = f"first-{number}", f"second-{number}"
        create(world, WAIT, job_id=first)
        world.now += 5000
        [job] = world.claim()
        world.report(again(first, job.fence, delay_ms=HOUR))
        before = world.job(f"shop:{first}")
        assert create(world, WAIT, job_id=second, fields={"a": "2"}) == ("created", second)
        assert world.job(f"shop:{first}") == before
        world.run("delete", id=second)


def test_a_job_in_another_state_or_queue_is_left_alone(world: World) -> None:
    """It waits, runs, has gone on or ended, was moved, or is no job any more."""
    create(world, WAIT, job_id="1")
    world.now += 5000
    assert world.turn(want=0) is not None
    world.seed(waiting={"pick": ["0"]}, jobs={"shop:0": {"a": "1"}})
    world.redis.zrem(world.key("delayed", "pick"), "1")
    world.edit("shop:1", _status="waiting")
    assert create(world, WAIT, job_id="2") == ("created", "2")
    world.run("move", id="2", target="ship")
    assert create(world, WAIT, job_id="3") == ("created", "3")
    world.edit("shop:3", _queue="ship")
    assert create(world, WAIT, job_id="4") == ("created", "4")
    world.redis.hset(world.key("jobs", "shop:4"), "_debounced", "nonsense")
    assert create(world, WAIT, job_id="5") == ("created", "5")
    world.redis.hdel(world.key("jobs", "shop:5"), "_attempt")
    assert create(world, WAIT, job_id="6") == ("created", "6")
    world.redis.delete(world.key("jobs", "shop:6"))
    assert create(world, WAIT, job_id="7") == ("created", "7")


def test_a_cancelled_job_is_over(world: World) -> None:
    """The next call begins a new one."""
    create(world, WAIT, job_id="1")
    assert world.run("cancel", id="1", reason="why")[0] == "cancelled"
    assert create(world, WAIT, job_id="2") == ("created", "2")
    assert due(world) == {"2": 5000}


def test_sent_twice_it_changes_nothing(world: World) -> None:
    """Not even once the job has run: the second time it only answers the same."""
    call = world.keys.call("c")
    create(world, WAIT, job_id="1")
    world.now += 10
    assert create(world, WAIT, fields={"a": "2"}, call=call) == ("debounced", "1")
    world.now += 10
    create(world, WAIT, fields={"a": "3"})
    before = world.snapshot()
    world.now += 10
    assert create(world, WAIT, fields={"a": "2"}, call=call) == ("debounced", "1")
    assert world.snapshot() == before
    world.now += 5000
    [job] = world.claim()
    world.report(advance("1", job.fence))
    before = world.snapshot()
    assert create(world, WAIT, fields={"a": "2"}, call=call) == ("debounced", "1")
    assert world.snapshot() == before


def test_the_first_call_sent_twice_creates_once(world: World) -> None:
    """As any other: its id is there, or its answer."""
    call = world.keys.call("c")
    assert create(world, WAIT, job_id="1", call=call) == ("created", "1")
    world.now += 5000
    [job] = world.claim()
    world.report(finish("1", job.fence))
    before = world.snapshot()
    for again in (call, world.keys.call("d")):
        assert create(world, WAIT, job_id="1", call=again) == ("created", "1")
        assert world.snapshot() == before


def test_only_a_new_earliest_due_time_wakes_a_worker(world: World) -> None:
    """A job that is put off needs no new alarm: the worker that wakes for the old one sets it anew."""
    create(world, "debounce 900 0", job_id="1", key="other")
    create(world, WAIT, job_id="2")
    world.redis.delete(world.key("wake", "pick"))
    world.now += 10
    create(world, WAIT)
    assert "wake" not in world.snapshot(unseen=frozenset())
    create(world, "debounce 5 0")
    assert world.snapshot(unseen=frozenset())["wake"] == {"pick": {"w": 0}}


def test_lists_of_old_lookups_are_searched_from_their_end(world: World) -> None:
    """The job came there lately, also to a list of many; in one that was lost, or is none, there is nothing to find."""
    long = world.key("lookups", "shop:user:7")
    world.redis.rpush(long, *(f"old-{n}" for n in range(60_000)))
    create(world, WAIT, job_id="1", lookups=("user:7", "user:8", "user:9"))
    world.redis.rpush(long, "young")
    world.redis.delete(world.key("lookups", "shop:user:8"))
    create(world, WAIT, lookups=("user:6",))
    assert world.redis.lrange(long, -2, -1) == ["old-59999", "young"]
    assert listed(world, "user:9") == listed(world, "user:8") == []
    assert listed(world, "user:6") == ["1"]
    world.redis.delete(world.key("lookups", "shop:user:6"))
    world.redis.set(world.key("lookups", "shop:user:6"), "theirs")
    assert create(world, WAIT, lookups=("user:7",)) == ("debounced", "1")
    assert listed(world, "user:7")[-1] == "1"


def test_a_list_in_which_it_stays_keeps_its_order(world: World) -> None:
    """Lists are in the order of ids, and the id is the one of the first call."""
    create(world, WAIT, job_id="1", lookups=("user:7",))
    create(world, "key", job_id="2", lookups=("user:7",))
    create(world, WAIT, lookups=("user:7",))
    assert listed(world, "user:7") == ["1", "2"]


def test_lookups_that_were_edited_away_hinder_nothing(world: World) -> None:
    """The job is written whole again, and what cannot be known of its old lists stays there."""
    create(world, WAIT, job_id="1", lookups=("user:7",))
    world.redis.hdel(world.key("jobs", "shop:1"), "_lookups")
    assert create(world, WAIT, lookups=("user:8",)) == ("debounced", "1")
    assert world.job("shop:1")["_lookups"] == "user:8\n#debounce:k"
    assert listed(world, "user:8") == ["1"]


def test_lists_of_many_old_lookups_take_bounded_time(world: World) -> None:
    """Where an id is too far from the end, it stays until its job has gone, as dead ids do."""
    names = [f"tag:{n}" for n in range(50)]
    create(world, WAIT, job_id="1", lookups=tuple(names))
    far = world.key("lookups", "shop:tag:0")
    world.redis.rpush(far, *(f"young-{n}" for n in range(1000)))
    create(world, WAIT, lookups=("tag:x",))
    assert world.redis.lindex(far, 0) == "1"
    assert [listed(world, name) for name in names[1:]] == [[]] * 49


def test_a_full_turn_of_debounces_leaves_one_job(redis: Redis, namespace: str) -> None:
    """Also in a flow whose jobs are kept until they end."""
    world = World(redis, namespace, ttl_ms=0)
    ids = set()
    for second in range(20):
        world.now = NOW + 1000 * second
        ids.add(create(world, WAIT, lookups=(f"user:{second}",), fields={"a": str(second)})[1])
    [job_id] = ids
    assert due(world) == {job_id: 24_000}
    assert stored(world.job(f"shop:{job_id}"))["a"] == "19"
    assert [*world.snapshot()["lookups"]] == ["shop:#debounce:k", "shop:user:19"]
    assert world.life("jobs", f"shop:{job_id}") == world.life("lookups", "shop:#debounce:k") == -1
