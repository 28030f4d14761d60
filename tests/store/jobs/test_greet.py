"""greet: fences rise also where a server takes over that does not know the last claims."""

from __future__ import annotations

import re
from urllib.parse import urlparse

import pytest
from redis import Redis
from redis.exceptions import ResponseError

from flows.store.client.connection import Connection
from flows.store.jobs.greeting import greeting
from flows.store.jobs.turns import Turns
from flows.testing import private_server
from tests.counted import counted_world
from tests.faults.ports import free_port
from tests.waiting import until
from tests.world import NOW, World, processing, release

REPLID = re.compile("[0-9a-f]{40}")


def history(world: World) -> dict[str, str]:
    """Return what is known of the server's history."""
    found: dict[str, str] = world.redis.hgetall(world.keys.history())
    return found


def test_the_first_history_begins_at_one(world: World) -> None:
    """It is noted, and fences stay small while it lasts."""
    assert [world.run("greet"), world.run("greet")] == ["first", "known"]
    noted = history(world)
    assert set(noted) == {"replid"}
    assert REPLID.fullmatch(noted["replid"])
    world.seed(jobs={"shop:1": {"a": "1"}}, waiting={"pick": ["1"]})
    assert [job.fence for job in world.claim()] == [1]


@pytest.mark.parametrize(
    ("epoch", "least"), [({}, NOW), ({"epoch": "7"}, 1_000_007), ({"epoch": str(9 * NOW)}, 10 * NOW)]
)
def test_in_another_history_fences_begin_anew(world: World, epoch: dict[str, str], least: int) -> None:
    """From the server's time, and far behind the last beginning: whatever was given before, these are larger."""
    world.redis.hset(world.keys.history(), mapping={"replid": "0" * 40, **epoch})
    assert [world.run("greet"), world.run("greet")] == ["another", "known"]
    noted = history(world)
    assert (int(noted["epoch"]), int(noted["since"])) == (least, NOW)
    jobs = {"shop:1": {"a": "1"}, "shop:2": processing(_status="waiting"), "shop:3": processing(_fence=f"{10**14}")}
    jobs["shop:3"] |= {"_status": "waiting"}
    world.seed(jobs=jobs, waiting={"pick": ["1", "2", "3"]})
    assert [job.fence for job in world.claim(3)] == [least, least, 10**14 + 1]
    assert [world.job(f"shop:{n}")["_fence"] for n in "123"] == [str(least), str(least), str(10**14 + 1)]
    world.report(release("1", least))
    assert [job.fence for job in world.claim()] == [least + 1]


def test_where_the_server_does_not_say_all_stays_as_it_is(redis: Redis, redis_url: str, world: World) -> None:
    """An account may be refused INFO."""
    user = world.namespace.rstrip(":")
    redis.execute_command("ACL", "SETUSER", user, "on", ">pw", "~*", "+@all", "-info")
    with Redis.from_url(redis_url, decode_responses=True, username=user, password="pw") as client:  # noqa: S106
        assert World(client, world.namespace).run("greet") == "unknown"
    redis.execute_command("ACL", "DELUSER", user)
    assert world.snapshot(unseen=frozenset()) == {}


def test_a_key_of_another_type_is_named_and_hinders_no_claim(world: World) -> None:
    """Nothing is written to it."""
    world.redis.set(world.keys.history(), "not ours")
    with pytest.raises(ResponseError, match=f"FLOWSCONFLICT {world.keys.history()} holds a string"):
        world.run("greet")
    world.seed(jobs={"shop:1": {"a": "1"}}, waiting={"pick": ["1"]})
    assert [job.fence for job in world.claim()] == [1]
    world.now += 10**6
    assert world.run("rescue") == [["1", "rescued"]]


async def test_a_claim_that_a_failover_lost_is_given_again_with_another_fence() -> None:
    """The same worker gets the same job from the replica that took over, and not the same token."""
    with (
        private_server(port=free_port(), settings={"repl-diskless-sync-delay": "0"}) as primary,
        private_server(port=free_port()) as replica,
        Redis.from_url(primary, decode_responses=True) as first,
        Redis.from_url(replica, decode_responses=True) as second,
    ):
        world = World(first, "")
        connections = [Connection(url, "test-greet") for url in (primary, replica)]
        for connection in connections:
            connection.greet_with(greeting(world.settings))
        before, after = (Turns(connection, world.settings, "pick", "w1", []) for connection in connections)
        world.seed(jobs={"shop:1": {"a": "1"}}, waiting={"pick": ["1"]})
        await before.turn([], 0, busy=False)
        second.replicaof("127.0.0.1", str(urlparse(primary).port))
        await until(lambda: second.exists("job:shop:1", "flows:history") == 2)
        second.replicaof("NO", "ONE")
        [lost] = (await before.turn([], 1, busy=False)).claimed
        [again] = (await after.turn([], 1, busy=False)).claimed
        assert (lost.id, again.id, lost.fence) == ("1", "1", 1)
        assert again.fence > 10**12
        for connection in connections:
            await connection.close()


async def test_each_connection_greets_first() -> None:
    """Again when it was lost; and again where the server was not ready for it."""
    with private_server() as url, Redis.from_url(url, decode_responses=True) as redis:
        connection = Connection(url, "test-greet")

        def greetings() -> int:
            return int(redis.info("commandstats").get("cmdstat_eval", {}).get("calls", 0))

        try:
            await connection.call("PING")
            connection.greet_with(greeting(World(redis, "").settings))
            for times in (1, 2):
                await connection.call("PING")
                await connection.call("PING")
                assert greetings() == times
                redis.client_kill_filter(skipme=True)
            redis.delete("flows:history")
            redis.config_set("min-replicas-to-write", "1")
            await connection.call("PING")
            redis.config_set("min-replicas-to-write", "0")
            await connection.call("PING")
            assert redis.hkeys("flows:history") == ["replid"]
        finally:
            await connection.close()


def test_a_turn_asks_once_for_the_least_fence() -> None:
    """However many jobs it claims; and not at all where it claims none."""
    with counted_world() as world:

        def asked() -> int:
            return int(world.redis.info("commandstats").get("cmdstat_hget", {}).get("calls", 0))

        before = asked()
        world.claim()
        assert asked() == before + 1  # whether the queue is paused
        world.seed(jobs={f"shop:{n}": {"a": "1"} for n in range(5)}, waiting={"pick": [str(n) for n in range(5)]})
        assert len(world.claim(5)) == 5
        assert asked() == before + 3
