"""Opening a connection: what a URL cannot change, what a server may refuse, and that no password comes out again."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress

import pytest
from redis import Redis

from flows import FlowsError, StoreUnavailable
from flows.server_url import parse_server_url
from flows.store.client.connection import Connection
from flows.store.client.opener import Opener, blocking_client
from flows.store.client.signals import Signals
from flows.store.jobs.leases import LeaseRenewal
from flows.telemetry.events import Events
from flows.testing import private_server
from flows.url_options import OURS
from tests.canary import MALFORMED, PARTS, SECRET
from tests.faults.ports import free_port
from tests.kernel.parts import number_flow
from tests.waiting import until
from tests.world import World

EVENTS = Events(logging.getLogger("flows"))


@pytest.fixture
def narrow(redis: Redis, redis_url: str, namespace: str) -> Iterator[str]:
    """Name the URL of an account that may do all but give its connection a name."""
    user = namespace.rstrip(":")
    redis.execute_command("ACL", "SETUSER", user, "on", ">pw", "~*", "&*", "+@all", "-client", "-hello", "-info")
    yield f"{redis_url.replace('unix://', f'unix://{user}:pw@')}"
    redis.execute_command("ACL", "DELUSER", user)


async def test_a_server_that_refuses_names_is_used_without(narrow: str, world: World) -> None:
    """`CLIENT SETNAME` is a convenience: proxies and hosts that refuse it serve all three kinds of connections."""
    connection, signals, heard = Connection(narrow, "test-opener"), Signals(narrow, EVENTS), asyncio.Event()
    assert await connection.call("PING") == b"PONG"
    await signals.subscribe(f"{world.namespace}a", lambda _told: heard.set())
    async with asyncio.timeout(20):
        await heard.wait()
    renewal = LeaseRenewal(narrow, world.settings)
    assert renewal.renew("pick", "w1", [("1", 1)]) == ["gone"]
    renewal.close()
    await signals.close()
    await connection.close()


async def test_a_server_that_asks_for_a_password() -> None:
    """It says so at once, and not by what becomes of a later command: Redis 7.0 lets a connection be opened."""
    with private_server(port=free_port()) as url, Redis.from_url(url) as admin:
        admin.config_set("requirepass", "secret")
        with pytest.raises(StoreUnavailable, match=r"refuses the credentials: .*Authentication required"):
            await number_flow(url, "").start_all()
        admin.config_set("requirepass", "")


async def test_the_server_lists_connections_by_name(redis: Redis, redis_url: str, namespace: str) -> None:
    """Where it can, for whoever looks at `CLIENT LIST`."""
    names = [f"{namespace}{number}" for number in range(2)]
    wire = await Opener(redis_url, names[0]).open()
    with blocking_client(parse_server_url(redis_url), names[1], timeout=5, retries=0) as client:
        client.ping()
        assert set(names) <= {listed["name"] for listed in redis.client_list()}
    wire.close()
    await until(lambda: names[0] not in {listed["name"] for listed in redis.client_list()})


async def test_a_url_cannot_change_how_flows_talks(
    redis_url: str, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """All options of redis-py that flows sets itself are there with odd values; one line says that they do nothing."""
    odd = "&".join(f"{name}=true" for name in sorted(OURS))
    url = f"{redis_url}{'&' if '?' in redis_url else '?'}{odd}"
    connection, renewal = Connection(url, "test-opener"), LeaseRenewal(url, world.settings)
    assert await connection.call("PING") == b"PONG"
    assert renewal.renew("pick", "w1", [("1", 1)]) == ["gone"]
    renewal.close()
    await connection.close()
    said = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert len(said) == 1
    assert "decode_responses" in said[0]


@asynccontextmanager
async def repeating() -> AsyncIterator[str]:
    """Serve strangers that know no AUTH, and repeat in their errors what they were sent, as Redis does."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(65536):
                words = data.split(b"\r\n")[2::2]
                writer.write(b"-ERR unknown command, with args beginning with: '%b'\r\n" % b"' '".join(words))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


def all_said(error: BaseException) -> str:
    """Return all that an error and those below it say, with the arguments of each."""
    seen: list[BaseException] = []
    below: list[BaseException | None] = [error]
    while below:
        if (one := below.pop()) is not None and one not in seen:
            seen.append(one)
            below += [one.__cause__, one.__context__]
    return "".join(f"{one!r}{one}{one.args}" for one in seen)


async def test_no_password_comes_back_from_a_server(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """Neither in the error, nor in what it stands on, nor in a log line, however the server words its refusal."""
    caplog.set_level(logging.DEBUG)
    async with repeating() as host:
        url = f"redis://me:{SECRET}%23{PARTS[1]}@{host}"
        renewal, signals = LeaseRenewal(url, world.settings), Signals(url, EVENTS)
        await signals.subscribe("a", lambda _told: None)
        said = []
        with pytest.raises(FlowsError) as caught:
            await Connection(url, "test-opener").open()
        said.append(all_said(caught.value))
        with pytest.raises(FlowsError) as caught:
            await asyncio.to_thread(renewal.renew, "pick", "w1", [("1", 1)])
        said.append(all_said(caught.value))
        await signals.close()
    said += [record.getMessage() for record in caplog.records if record.name != "asyncio"]
    assert not [part for part in PARTS if part in "".join(said)]


async def test_no_part_of_a_password_is_shown_when_connecting() -> None:
    """URLs that are malformed, or that are not and lead nowhere: no error shows what was in the password's place."""
    for url in MALFORMED:
        try:
            connection = Connection(url, "test-opener")
            said = f"{connection!r}"
        except FlowsError as error:
            said = all_said(error)
        assert not [part for part in PARTS if part in said], url


async def test_tls_options_that_cannot_be_used_are_said() -> None:
    """A file that is not there is no server that does not answer."""
    connection = Connection("rediss://127.0.0.1:1?ssl_ca_certs=/no/such/file", "test-opener")
    with pytest.raises(FlowsError, match=r"the TLS options for rediss://127\.0\.0\.1:1/0 cannot be used"):
        await connection.open()
