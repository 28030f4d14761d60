"""An idempotency key: one job as long as it is kept, its id for the same params, an error for others."""

from __future__ import annotations

from typing import Any

import pytest
from redis import Redis
from redis.exceptions import OutOfMemoryError, ResponseError

from flows.testing import private_server
from tests.store.creation.keyed import LOOKUPS, create, listed
from tests.world import HOUR, KEPT, NOW, TTL, World, advance, fail, finish


@pytest.mark.parametrize("delay_ms", [0, 700])
def test_a_job_with_a_key_is_a_job_as_any_other(world: World, delay_ms: int) -> None:
    """It waits, or is delayed, as without one; its key is one more lookup list, of one id, that lives as others."""
    assert create(world, "key", job_id="1", lookups=("user:7",), delay_ms=delay_ms) == ("created", "1")
    lookups = "user:7\n#key:k"
    never = {"_status": "delayed", "_queue": "pick", "_fence": "0", "_attempts": "0"} if delay_ms else {}
    place = {"delayed": {"pick": {"1": NOW + 700}}} if delay_ms else {"waiting": {"pick": ["1"]}}
    assert world.snapshot() == {
        "jobs": {"shop:1": {"a": "1", "_lookups": lookups, **never}},
        "lookups": {"shop:user:7": ["1"], "shop:#key:k": ["1"]},
        **place,
    }
    assert world.lives("jobs", "shop:1", TTL + delay_ms)
    assert world.lives("lookups", "shop:#key:k", LOOKUPS + delay_ms)


def test_the_second_call_gets_the_first_id(world: World) -> None:
    """And changes nothing; another key is another job."""
    create(world, "key", job_id="1")
    before = world.snapshot(unseen=frozenset({"call"}))
    assert create(world, "key") == ("existing", "1")
    assert create(world, "key", delay_ms=900) == ("existing", "1")
    assert world.snapshot(unseen=frozenset({"call"})) == before
    assert create(world, "key", job_id="2", key="l") == ("created", "2")


@pytest.mark.parametrize(
    "fields", [{"a": "2"}, {"a": "1", "b": "1"}, {"b": "1"}], ids=["a value", "a further one", "another"]
)
def test_other_params_are_a_conflict(world: World, fields: dict[str, str]) -> None:
    """The answer names the job, and nothing is written."""
    create(world, "key", job_id="1")
    before = world.snapshot(unseen=frozenset())
    assert create(world, "key", fields=fields) == ("different", "1")
    assert world.snapshot(unseen=frozenset()) == before


def test_what_is_not_of_the_params_is_not_compared(world: World) -> None:
    """A trace, a correlation id and lookups differ from call to call; what the job has got since is its own."""
    create(world, "key", job_id="1", fields={"a": "1", "_carried": '{"traceparent":"x"}'}, lookups=("user:7",))
    [job] = world.claim()
    world.report(advance("1", job.fence, found="9"))
    assert create(world, "key", fields={"a": "1", "_carried": "{}", "_correlation_id": '"r"'}) == ("existing", "1")


def test_params_without_fields_are_all_alike(world: World) -> None:
    """Their hash has one field of the kernel."""
    create(world, "key", job_id="1", fields={"_empty": "1"})
    assert create(world, "key", fields={"_empty": "1"}) == ("existing", "1")


def test_it_holds_as_long_as_the_job_is_kept(world: World) -> None:
    """While it runs, and as long as its retention lasts; with the job goes the key, and the list lives no longer."""
    create(world, "key", job_id="1")
    [job] = world.claim()
    assert create(world, "key") == ("existing", "1")
    world.report(finish("1", job.fence))
    assert create(world, "key") == ("existing", "1")
    assert world.lives("jobs", "shop:1", KEPT[0])
    assert world.lives("lookups", "shop:#key:k", KEPT[0])


@pytest.mark.parametrize("lost", ["expired", "deleted", "another type", "emptied list", "a blank"])
def test_a_key_whose_job_is_gone_is_free(world: World, lost: str) -> None:
    """However it went: nothing stays that has to be released."""
    create(world, "key", job_id="1")
    key, of_key = world.key("jobs", "shop:1"), world.key("lookups", "shop:#key:k")
    if lost == "deleted":
        world.run("delete", id="1")
        assert listed(world, "#key:k") == []
    elif lost == "emptied list":
        world.redis.delete(of_key)
    elif lost == "a blank":
        world.redis.lset(of_key, 0, "")
    else:
        world.redis.delete(key)
        if lost == "another type":
            world.redis.set(key, "theirs")
    assert create(world, "key", job_id="2", fields={"a": "2"}) == ("created", "2")
    assert listed(world, "#key:k") == ["2"]
    assert create(world, "key", fields={"a": "2"}) == ("existing", "2")


def test_sent_twice_it_creates_once(world: World) -> None:
    """Also where the job has run meanwhile; the answer is the same."""
    assert create(world, "key", job_id="1") == ("created", "1")
    [job] = world.claim()
    before = world.snapshot()
    assert create(world, "key", job_id="1") == ("created", "1")
    assert world.snapshot() == before
    world.report(finish("1", job.fence))
    assert create(world, "key", job_id="1") == ("created", "1")
    assert world.claim() == []


def test_a_lookup_of_another_type_keeps_the_job_out(world: World) -> None:
    """Before anything is written: the list of the key too."""
    world.redis.set(world.key("lookups", "shop:#key:k"), "theirs")
    assert create(world, "key", job_id="1")[0] == "conflict"
    assert create(world, "key", job_id="1", key="l", lookups=("user:7",))[0] == "created"
    world.redis.set(world.key("lookups", "shop:user:8"), "theirs")
    assert create(world, "key", job_id="2", key="m", lookups=("user:8",))[0] == "conflict"
    assert "shop:2" not in world.snapshot()["jobs"]
    assert "user:8" not in str(world.snapshot()["lookups"])


@pytest.mark.parametrize("place", ["waiting", "delayed"])
@pytest.mark.parametrize("condition", ["key", "unique ended", "debounce 9 0"])
def test_a_place_of_another_type_stops_it(world: World, place: str, condition: str) -> None:
    """Before anything is written."""
    world.redis.set(world.key(place, "pick"), "theirs")
    with pytest.raises(ResponseError, match="holds a string"):
        create(world, condition, job_id="1")
    assert "jobs" not in world.snapshot()


def test_without_a_job_ttl_the_key_goes_with_its_job(redis: Redis, namespace: str) -> None:
    """On its way both stay without an end; once it has ended, the list has the retention of the job."""
    world = World(redis, namespace, ttl_ms=0)
    create(world, "key", job_id="1", lookups=("user:7",))
    assert world.life("lookups", "shop:#key:k") == world.life("jobs", "shop:1") == -1
    [job] = world.claim()
    world.report(finish("1", job.fence))
    assert world.lives("lookups", "shop:#key:k", KEPT[0])
    assert world.life("lookups", "shop:user:7") == -1  # the next job of that user would wait without an end again


def test_without_a_job_ttl_a_retried_job_keeps_its_key(redis: Redis, namespace: str) -> None:
    """It is on its way again, and so is the key without an end."""
    world = World(redis, namespace, ttl_ms=0)
    create(world, "key", job_id="1")
    [job] = world.claim()
    world.report(fail("1", job.fence))
    assert world.lives("lookups", "shop:#key:k", KEPT[1])
    world.run("retry_job", id="1")
    assert world.life("lookups", "shop:#key:k") == world.life("jobs", "shop:1") == -1


def test_each_transition_refreshes_the_key(world: World) -> None:
    """So the list never expires before the job."""
    of_key = world.key("lookups", "shop:#key:k")
    create(world, "key", job_id="1")
    [job] = world.claim()
    for step in (lambda: world.report(advance("1", job.fence)), lambda: world.claim(queue="pack")):
        world.redis.pexpire(of_key, HOUR // 2)
        world.redis.pexpire(world.key("jobs", "shop:1"), HOUR // 2)
        world.now += HOUR
        step()
        assert world.life("lookups", "shop:#key:k") >= world.life("jobs", "shop:1") > HOUR


def test_the_reconciler_drops_the_list_of_a_job_that_is_gone(world: World) -> None:
    """As any lookup list that is noted."""
    create(world, "key", job_id="1")
    world.redis.delete(world.key("jobs", "shop:1"))
    world.redis.zadd(world.key("prune", "shop"), {"#key:k": world.now})
    world.reconcile()
    assert listed(world, "#key:k") == []
    assert world.redis.zcard(world.key("prune", "shop")) == 0


def test_a_full_server_takes_no_job_with_a_key() -> None:
    """The script is refused before it starts, and the key is free afterwards."""
    with private_server() as url, Redis.from_url(url, decode_responses=True) as redis:
        world = World(redis, "t:")
        redis.config_set("maxmemory", 1)
        for condition in ("key", "unique ended", "debounce 9 0"):
            with pytest.raises(OutOfMemoryError):
                create(world, condition, job_id="1")
        redis.config_set("maxmemory", 0)
        assert world.snapshot(unseen=frozenset()) == {}
        assert create(world, "key", job_id="2") == ("created", "2")


def test_two_kinds_of_keys_do_not_meet(world: World) -> None:
    """The same text is another key for each kind."""
    found: list[Any] = [create(world, kind, job_id=kind[0]) for kind in ("key", "unique ended", "debounce 9 0")]
    assert [word for word, _id in found] == ["created"] * 3
