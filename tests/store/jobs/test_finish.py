"""finish: a job has come to its end."""

from __future__ import annotations

import pytest
from redis import Redis

from tests.counted import counted_world
from tests.waiting import LONG
from tests.world import HOUR, KEPT, NOW, TTL, World, finish, processing


def test_ends_the_job_with_what_the_function_returned(world: World) -> None:
    """The whole of a job's end: its fields, its state, its place; the rest is as it was."""
    world.seed(
        jobs={"shop:1": processing(a="1"), "shop:2": processing()},
        processing={"pick": {"1": NOW + 9, "2": NOW + 9}},
        waiting={"pick": ["3"]},
    )
    assert world.report(finish("1", b="2")) == ["ok"]
    assert world.snapshot() == {
        "jobs": {
            "shop:1": processing(a="1") | {"b": "2", "_status": "done", "_ended": str(NOW)},
            "shop:2": processing(),
        },
        "processing": {"pick": {"2": NOW + 9}},
        "waiting": {"pick": ["3"]},
    }


@pytest.mark.parametrize("ttl", [TTL, 0], ids=["a TTL", "no TTL"])
def test_a_finished_job_stays_for_its_retention(world: World, ttl: int) -> None:
    """From its end on the hash lives as long as finished jobs are kept, whether it had a TTL before or not."""
    world.seed(jobs={"shop:1": processing()})
    if not ttl:
        world.redis.persist(world.key("jobs", "shop:1"))
    world.report(finish("1"), ttl=ttl)
    assert world.lives("jobs", "shop:1", KEPT[0])


def test_lookup_lists_outlive_the_job(world: World) -> None:
    """A list that would end before the hash is kept longer; one in which others stand is never shortened."""
    world.seed(
        jobs={"shop:1": processing(_lookups="user:7\nteam:a:b"), "shop:2": {"a": "1"}},
        lookups={"shop:user:7": ["1", "2"], "shop:team:a:b": ["1", "2"]},
    )
    world.redis.pexpire(world.key("jobs", "shop:1"), 1000 * 60)
    world.redis.pexpire(world.key("lookups", "shop:user:7"), 1000 * 60)
    world.redis.pexpire(world.key("lookups", "shop:team:a:b"), 90 * HOUR)
    world.report(finish("1"))
    assert world.lives("lookups", "shop:user:7", KEPT[0])
    assert world.lives("lookups", "shop:team:a:b", 90 * HOUR)


@pytest.mark.parametrize(
    ("ids", "life"),
    [
        (["1"], KEPT[0]),
        (["1", "1"], KEPT[0]),
        (["dead", "1"], KEPT[0]),
        (["1", "2"], 90 * HOUR),
        (["2", "1"], 90 * HOUR),
        (["1", "1", "2"], 90 * HOUR),
        (["1", "1", "1", "2"], 90 * HOUR),
    ],
    ids=str,
)
def test_a_list_in_which_the_job_stands_alone_goes_with_it(world: World, ids: list[str], life: int) -> None:
    """Also where its creation was sent twice, or where all others are gone; a list that others need is kept."""
    jobs = {"shop:1": processing(_lookups="user:7"), "shop:2": {"a": "1"}}
    world.seed(jobs=jobs, lookups={"shop:user:7": ids})
    world.redis.pexpire(world.key("lookups", "shop:user:7"), 90 * HOUR)
    world.report(finish("1"))
    assert world.lives("lookups", "shop:user:7", life)


def test_a_list_in_which_the_job_stands_alone_costs_two_commands() -> None:
    """Its ids, and its time to live: nobody asks whether the job itself is there."""
    with counted_world() as world:
        counts = []
        # The first call sends the script itself too.
        for lookups in ({}, {}, {"_lookups": "user:7"}):
            world.redis.flushdb()
            world.seed(jobs={"shop:1": processing(**lookups)}, lookups={"shop:user:7": ["1"]})
            world.report(finish("1"))
            counts.append(world.sent["report"][-1])
        assert counts[2] - counts[1] == 2


def test_without_a_ttl_a_list_stays(world: World) -> None:
    """With `job_ttl=None`: creating the next job that stands in it would not give it the time that it needs."""
    world.seed(jobs={"shop:1": processing(_lookups="user:7")}, lookups={"shop:user:7": ["1"]})
    world.report(finish("1"), ttl=0)
    assert world.life("lookups", "shop:user:7") == -1


def test_what_is_the_jobs_own_goes_with_it(world: World) -> None:
    """Its log, and the hash of how its many children have settled; another attribute may look like their lines."""
    lookups = "#log:1\n#side:1:children:pack\n#key:7\n#key:8"
    world.seed(
        jobs={"shop:1": processing(_lookups=lookups), "shop:2": {"a": "1"}},
        log={"shop:1": ["a line", "another"]},
        settled={"shop:1:children:pack": {"c": "{}"}},
        lookups={"shop:#key:7": ["1", "2"], "shop:#key:8": ["1"]},
    )
    for kind, name in (("log", "shop:1"), ("settled", "shop:1:children:pack"), ("lookups", "shop:#key:7")):
        world.redis.pexpire(world.key(kind, name), 90 * HOUR)
    world.report(finish("1"))
    assert world.lives("log", "shop:1", KEPT[0])
    assert world.lives("settled", "shop:1:children:pack", KEPT[0])
    assert world.lives("lookups", "shop:#key:7", 90 * HOUR)
    assert world.lives("lookups", "shop:#key:8", KEPT[0])
    assert world.snapshot()["log"] == {"shop:1": ["a line", "another"]}


def test_trims_dead_ids_from_the_heads_of_its_lists(world: World) -> None:
    """Up to ten ids whose hash is gone leave each list that the job stands in, up to the first that lives."""
    dead = [f"d{number}" for number in range(12)]
    world.seed(
        jobs={"shop:1": processing(_lookups="user:7\nteam:a")},
        lookups={"shop:user:7": [*dead, "1"], "shop:team:a": ["d1", "1", "d2"]},
    )
    world.report(finish("1"))
    assert world.snapshot()["lookups"] == {"shop:user:7": ["d10", "d11", "1"], "shop:team:a": ["1", "d2"]}


def test_trims_two_hundred_ids_at_most(world: World) -> None:
    """However many lists the jobs of a call stand in: what is dead in the others is for the next who comes by."""
    dead = [f"d{number}" for number in range(10)]
    names = [f"user:{number}" for number in range(25)]
    first, second = "\n".join(names[:15]), "\n".join(names[15:])
    world.seed(
        jobs={"shop:1": processing(_lookups=first), "shop:2": processing(_lookups=second)},
        lookups={f"shop:{name}": dead for name in names},
    )
    world.report(finish("1"), finish("2"))
    assert world.snapshot()["lookups"] == {f"shop:{name}": dead for name in names[20:]}


def test_a_lookup_list_of_another_type_hinders_nothing(world: World) -> None:
    """What somebody else wrote at a lookup key neither stops the job's end nor is touched."""
    world.seed(jobs={"shop:1": processing(_lookups="user:7")})
    world.redis.set(world.key("lookups", "shop:user:7"), "not ours", px=HOUR // 2)
    assert world.report(finish("1")) == ["ok"]
    assert world.job("shop:1")["_status"] == "done"
    assert world.redis.get(world.key("lookups", "shop:user:7")) == "not ours"
    assert 0 < world.life("lookups", "shop:user:7") <= HOUR // 2


@pytest.mark.parametrize("flow", ["shop", "pack:box", None])
def test_an_end_is_told_to_those_who_wait(world: World, flow: str | None) -> None:
    """Only where somebody listens to the channel of the job's own flow: nothing is told that nobody hears."""
    world.seed(jobs={"shop:1": processing(), "shop:2": processing()})
    with world.redis.pubsub(ignore_subscribe_messages=True) as listener:
        last = world.keys.ended("shop", "all")
        channels = [world.keys.ended("shop", "1"), world.keys.ended("shop", "2"), last]
        if flow is not None:
            channels.append(world.keys.heard(flow))
        for channel in channels:
            listener.ssubscribe(channel)
            listener.get_message(timeout=LONG)
        assert world.report(finish("1"), finish("2")) == ["ok", "ok"]
        world.redis.spublish(last, "all")
        heard = []
        while (message := listener.get_message(timeout=LONG))["data"] != "all":  # type: ignore[index]
            heard.append((message["channel"].partition("flows:ended:")[2], message["data"]))
    assert heard == ([("shop:1", "done"), ("shop:2", "done")] if flow == "shop" else [])


def test_an_account_that_may_not_ask_who_listens_tells_all(redis_url: str, world: World) -> None:
    """Without the right to `PUBSUB` an end is told whether somebody waits or not."""
    name = f"narrow-{world.namespace.strip(':')}"
    world.redis.execute_command("ACL", "SETUSER", name, "on", "nopass", "~*", "&*", "+@all", "-pubsub")
    world.seed(jobs={"shop:1": processing()})
    with Redis.from_url(redis_url, username=name, decode_responses=True) as narrow:
        narrow_world = World(narrow, world.namespace)
        with world.redis.pubsub(ignore_subscribe_messages=True) as listener:
            listener.ssubscribe(world.keys.ended("shop", "1"))
            listener.get_message(timeout=LONG)
            assert narrow_world.report(finish("1")) == ["ok"]
            message = listener.get_message(timeout=LONG)
    world.redis.execute_command("ACL", "DELUSER", name)
    assert message is not None
    assert message["data"] == "done"


def test_a_job_gets_lookups_with_its_end(world: World) -> None:
    """Behind those that it has, each once; its other fields are those that its function returned."""
    world.seed(
        jobs={"shop:1": processing(_lookups="links:a"), "shop:2": processing()},
        lookups={"shop:links:a": ["1"]},
        processing={"pick": {"1": NOW + 9, "2": NOW + 9}},
    )
    ends = [finish("1", b="2", **{"+lookups": "links:a\nlinks:b:c"}), finish("2", **{"+lookups": "links:b:c"})]
    assert world.report(*ends) == ["ok", "ok"]
    found = world.snapshot()
    assert found["lookups"] == {"shop:links:a": ["1"], "shop:links:b:c": ["1", "2"]}
    assert [found["jobs"][f"shop:{one}"].get("_lookups") for one in "12"] == ["links:a\nlinks:b:c", "links:b:c"]
    assert found["jobs"]["shop:1"]["b"] == "2"
    assert world.lives("lookups", "shop:links:a", KEPT[0])


def test_a_lookup_that_is_no_list_takes_nobody(world: World) -> None:
    """The job ends all the same."""
    world.seed(jobs={"shop:1": processing()}, processing={"pick": {"1": NOW + 9}})
    world.redis.set(world.key("lookups", "shop:links:a"), "mine")
    assert world.report(finish("1", **{"+lookups": "links:a\nlinks:b"})) == ["ok"]
    assert world.job("shop:1")["_lookups"] == "links:b"


def test_a_stranger_gets_no_lookups(world: World) -> None:
    """Who has lost the job files nothing."""
    world.seed(jobs={"shop:1": processing(_fence="2")}, processing={"pick": {"1": NOW + 9}})
    assert world.report(finish("1", 1, **{"+lookups": "links:a"})) == ["stale"]
    assert "lookups" not in world.snapshot()
