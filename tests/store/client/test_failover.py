"""A server that is no primary: told at once at the start; left behind for the new primary when it became one since."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from redis import Redis

from flows.errors import StoreUnavailable, UnsafeServer
from flows.store.client import connection as connection_module
from flows.store.client.connection import Connection
from flows.store.client.scripts import load
from flows.store.jobs.leases import LeaseRenewal
from flows.testing import private_server
from tests.faults.ports import free_port
from tests.faults.proxy import Proxy
from tests.kernel.parts import double, number_flow, within
from tests.waiting import until
from tests.world import World


class Pair:
    """Two primaries, and an address that leads to the first."""

    def __init__(self, first: Redis, second: Redis, address: Proxy) -> None:
        self.first = first
        self.second = second
        self.address = address

    def switch(self) -> None:
        """Make the first a replica of the second, to which the address leads now; no connection is closed by that."""
        port = self.second.connection_pool.connection_kwargs["port"]
        self.first.replicaof("127.0.0.1", port)
        self.address.target_port = port


@pytest.fixture
def pair() -> Iterator[Pair]:
    """Run two servers."""
    ports = free_port(), free_port()
    quick = {"shutdown-timeout": "0"}  # nobody waits for the replica in the end
    with (
        private_server(port=ports[0], settings=quick) as one,
        private_server(port=ports[1], settings=quick) as two,
        Proxy(ports[0]) as address,
        Redis.from_url(one, decode_responses=True) as first,
        Redis.from_url(two, decode_responses=True) as second,
    ):
        yield Pair(first, second, address)


@pytest_asyncio.fixture
async def connection(pair: Pair) -> AsyncIterator[Connection]:
    """Open a connection by the address."""
    connection = Connection(pair.address.url, "test-failover")
    await connection.open()
    yield connection
    await connection.close()


async def test_writes_go_to_the_new_primary(pair: Pair, connection: Connection) -> None:
    """Commands, transactions and scripts that the old one refuses are sent again, and all who wait with them."""
    await connection.call("SET", "before", 1)
    pair.switch()
    calls = [connection.call("SET", f"after{number}", 1) for number in range(20)]
    transaction = b"*1\r\n$5\r\nMULTI\r\n*3\r\n$3\r\nSET\r\n$1\r\nm\r\n$1\r\n1\r\n*1\r\n$4\r\nEXEC\r\n"
    answers = await asyncio.gather(*calls, connection.packed(transaction, 3))
    assert answers[-1][-1] == [b"OK"]
    assert len(pair.second.keys()) == 21


async def test_who_waits_for_a_wake_up_waits_at_the_new_primary(pair: Pair, connection: Connection) -> None:
    """The old one ends a blocked command by `UNBLOCKED`."""
    waiting = asyncio.create_task(connection.call("BZPOPMIN", "wake", 30, timeout=40))
    await until(lambda: pair.first.info("clients")["blocked_clients"] == 1)
    pair.switch()
    await until(lambda: pair.second.info("clients")["blocked_clients"] == 1)
    pair.second.zadd("wake", {"w": 0})
    assert await waiting == [b"wake", b"w", b"0"]


def test_leases_are_renewed_at_the_new_primary(pair: Pair) -> None:
    """From the second renewal on."""
    renewal = LeaseRenewal(pair.address.url, World(pair.second, "").settings)
    assert renewal.renew("pick", "w1", [("1", 1)]) == ["gone"]
    pair.switch()
    with pytest.raises(StoreUnavailable, match="read only replica"):
        renewal.renew("pick", "w1", [("1", 1)])
    assert renewal.renew("pick", "w1", [("1", 1)]) == ["gone"]
    renewal.close()


async def test_a_replica_is_told_as_what_it_is_at_once(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the address of its primary; also to an account without INFO, and where writes to it are allowed."""
    pair.switch()
    monkeypatch.setattr(connection_module, "DEADLINE", math.inf)  # at once, or never
    port = pair.address.target_port
    pair.first.config_set("replica-read-only", "no")
    pair.first.execute_command("ACL", "SETUSER", "narrow", "on", ">pw", "~*", "&*", "+@all", "-info")
    first = pair.first.connection_pool.connection_kwargs["port"]
    for login in ("", "narrow:pw@"):
        flow = number_flow(f"redis://{login}127.0.0.1:{first}", "", double)
        with pytest.raises(StoreUnavailable, match=f"is a replica.*primary, which is 127.0.0.1:{port}"):
            await within(flow.start_all())
    monkeypatch.setattr(connection_module, "DEADLINE", 0)
    pair.first.config_set("replica-read-only", "yes")
    connection = Connection(f"redis://127.0.0.1:{first}", "test-failover")
    with pytest.raises(StoreUnavailable, match="the server is a replica, which takes no writes"):
        await connection.call("SET", "a", 1)
    await connection.close()


async def test_a_server_in_cluster_mode_names_the_remedy() -> None:
    """A flow whose keys are in several slots needs a namespace in braces; with one it works."""
    port = free_port()
    with private_server(port=port, settings={"cluster-enabled": "yes", "databases": "1"}) as url:
        with Redis.from_url(url, decode_responses=True) as redis:
            redis.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
            await until(lambda: "cluster_state:ok" in str(redis.execute_command("CLUSTER", "INFO")))
        with pytest.raises(UnsafeServer, match=r'cluster mode.*namespace="\{shop\}:"'):
            await number_flow(url, "", double).start_all()
        connection = Connection(url, "test-failover")
        named = World(None, "").settings.named() | {"waiting": "b", "id": "1"}  # type: ignore[arg-type]
        with pytest.raises(UnsafeServer, match="cluster mode"):
            await connection.run(load("withdraw"), named)
        await connection.close()
