"""Leases: renewed in batches by a synchronous client, taken back by whoever looks."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from flows.errors import StoreUnavailable
from flows.store.client.connection import Connection
from flows.store.jobs.leases import LeaseRenewal, Rescue
from flows.store.jobs.turns import Turns
from flows.testing import private_server
from tests.world import World, processing


@pytest.fixture
def renewal(redis_url: str, world: World) -> Iterator[LeaseRenewal]:
    """Open the client of the renewals."""
    renewal = LeaseRenewal(redis_url, world.settings)
    yield renewal
    renewal.close()


@pytest_asyncio.fixture
async def connection(redis_url: str) -> AsyncIterator[Connection]:
    """Open the connection of the rescues."""
    connection = Connection(redis_url, "test-leases")
    yield connection
    await connection.close()


def test_a_word_for_each_lease_however_many(renewal: LeaseRenewal, world: World) -> None:
    """More than one call takes are renewed by several, and the words are in order."""
    held = [(str(number), 1) for number in range(1201)]
    world.seed(
        jobs={f"shop:{job_id}": processing() for job_id, _fence in held if int(job_id) % 400},
        processing={"pick": {job_id: 1 for job_id, _fence in held}},
    )
    words = renewal.renew("pick", "w1", held)
    assert [number for number, word in enumerate(words) if word == "gone"] == [0, 400, 800, 1200]
    assert words.count("kept") == 1197
    seconds, _micro = world.redis.time()
    assert world.snapshot()["processing"]["pick"]["1"] == pytest.approx(seconds * 1000 + 30_000, abs=10_000)


async def test_what_a_turn_has_claimed(renewal: LeaseRenewal, connection: Connection, world: World) -> None:
    """The leases of a turn's claims are kept without their ids, and its answer too; those of other turns are not."""
    world.seed(jobs={"shop:1": {"n": b"1"}, "shop:2": {"n": b"2"}}, waiting={"pick": ["1", "2"]})
    turns = Turns(connection, world.settings, "pick", "w1", ["n"])
    assert len((await turns.turn([], 2, busy=False)).jobs) == 2
    processing_key, call = world.settings.keys.processing("pick"), world.settings.keys.call("w1")
    for number, kept in ((2, False), (1, True)):
        world.redis.zadd(processing_key, {"1": 1, "2": 1})
        world.redis.pexpire(call, 100)
        renewal.renew_claims("pick", "w1", number)
        leases = {lease for _id, lease in world.redis.zrange(processing_key, 0, -1, withscores=True)}
        assert (leases == {1}) is not kept
        assert (world.redis.pttl(call) > 100) is kept
    renewal.renew_claims("pick", "w2", 1)  # which has taken no turn


def test_nothing_held_asks_nothing(renewal: LeaseRenewal) -> None:
    """No call without a lease."""
    assert renewal.renew("pick", "w1", []) == []


def test_a_server_that_forgot_the_script_gets_the_text(renewal: LeaseRenewal, world: World) -> None:
    """A lease must not be lost to a SCRIPT FLUSH."""
    world.seed(jobs={"shop:1": processing()}, processing={"pick": {"1": 1}})
    world.redis.script_flush()
    assert renewal.renew("pick", "w1", [("1", 1)]) == ["kept"]


def test_a_lost_connection_is_opened_again(renewal: LeaseRenewal, world: World) -> None:
    """One broken connection costs no lease."""
    world.seed(jobs={"shop:1": processing()}, processing={"pick": {"1": 1}})
    renewal.renew("pick", "w1", [("1", 1)])
    for client in world.redis.client_list():
        if client["name"] == "flows-renewal":
            world.redis.client_kill_filter(_id=client["id"])
    assert renewal.renew("pick", "w1", [("1", 1)]) == ["kept"]


def test_no_server_is_an_error() -> None:
    """The renewer is told, and tries again at its next round."""
    with private_server() as url:
        pass
    renewal = LeaseRenewal(url, World(None, "").settings)  # type: ignore[arg-type]
    with pytest.raises(StoreUnavailable, match="could not be renewed"):
        renewal.renew("pick", "w1", [("1", 1)])
    renewal.close()


async def test_rescue_goes_on_until_none_is_left(connection: Connection, world: World) -> None:
    """However many leases are over; their words come back with the ids."""
    ids = [str(number) for number in range(250)]
    world.seed(jobs={f"shop:{job_id}": processing() for job_id in ids}, processing={"pick": dict.fromkeys(ids, 1)})
    assert sorted(await Rescue(connection, world.settings, "pick").rescue(1 << 53)) == sorted(
        (job_id, "rescued") for job_id in ids
    )
    assert await Rescue(connection, world.settings, "pick").rescue(1 << 53) == []


async def test_a_child_queue_is_rescued_under_its_own_name(connection: Connection, world: World) -> None:
    """Its jobs bear the queue's full name."""
    world.seed(jobs={"pack:box:1": processing("pack:box")}, processing={"pack:box": {"1": 1}})
    assert await Rescue(connection, world.settings, "pack:box").rescue(1 << 53) == [("1", "rescued")]
