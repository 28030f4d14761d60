"""A server is looked at before it is used."""

from __future__ import annotations

import logging
from typing import cast

import pytest

from flows.errors import StoreUnavailable, UnsafeServer
from flows.store.client.connection import Connection
from flows.store.client.server_check import check_server
from flows.testing import private_server
from tests.kernel.parts import LONG, Given, double, number_flow


class Says:
    """A connection to a server that says this of itself."""

    def __init__(self, **info: str) -> None:
        self._info = {"redis_version": "7.2.4", "maxmemory": "0", "maxmemory_policy": "noeviction"} | info

    async def call(self, *_command: str) -> bytes:
        """Answer INFO."""
        if self._info.get("refused"):
            raise StoreUnavailable(self._info["refused"])
        return b"# Server\r\n" + "".join(f"{name}:{value}\r\n" for name, value in self._info.items()).encode()


async def check(*, allow_eviction: bool = False, **info: str) -> None:
    """Check a server that says this of itself."""
    await check_server(cast("Connection", Says(**info)), allow_eviction=allow_eviction)


async def test_the_server_of_the_tests_is_safe(redis_url: str, caplog: pytest.LogCaptureFixture) -> None:
    """No error and no warning."""
    connection = Connection(redis_url, "test-check")
    await check_server(connection)
    await connection.close()
    assert caplog.records == []


@pytest.mark.parametrize("version", ["7.0.0", "7.0.15", "8.0.1", "10.2", "255.255.255"])
async def test_new_enough(version: str) -> None:
    """7.0 and everything after it."""
    await check(redis_version=version)


@pytest.mark.parametrize("version", ["6.2.14", "6.9", "5.0.7", "2.8"])
async def test_too_old(version: str) -> None:
    """The error names both versions."""
    with pytest.raises(UnsafeServer, match=rf"Redis {version}: flows needs 7\.0"):
        await check(redis_version=version)


async def test_a_server_that_evicts_is_refused() -> None:
    """It would drop jobs when memory runs out; the error says how to mend it, and how to use it all the same."""
    with pytest.raises(
        UnsafeServer, match=r"'allkeys-lru'.*set it to noeviction, or allow it by FlowOptions\(allow_eviction=True\)"
    ):
        await check(maxmemory="1000", maxmemory_policy="allkeys-lru")


@pytest.mark.parametrize("policy", ["allkeys-lru", "volatile-ttl"])
async def test_a_server_that_evicts_may_be_allowed(policy: str, caplog: pytest.LogCaptureFixture) -> None:
    """Whoever asks for it is warned and served; one that does not evict gives no cause to warn."""
    await check(allow_eviction=True, maxmemory="1000", maxmemory_policy=policy)
    [record] = caplog.records
    assert record.levelno == logging.WARNING
    assert f"{policy!r}" in record.getMessage()
    assert "allow_eviction=True: it is used all the same" in record.getMessage()
    await check(allow_eviction=True, maxmemory="1000")
    assert len(caplog.records) == 1


async def test_what_is_allowed_is_eviction_alone() -> None:
    """A server that is too old is refused all the same."""
    with pytest.raises(UnsafeServer, match="flows needs"):
        await check(allow_eviction=True, redis_version="6.2.14", maxmemory="1000", maxmemory_policy="allkeys-lru")


async def test_a_flow_on_a_server_that_evicts() -> None:
    """The option reaches the check: without it the flow does not start, with it jobs are done."""
    with private_server(settings={"maxmemory": "24mb", "maxmemory-policy": "allkeys-lru"}) as url:
        with pytest.raises(UnsafeServer):
            await number_flow(url, "", double).start_all()
        async with number_flow(url, "", double, allow_eviction=True) as flow:
            assert (await flow.wait_for(await flow.create_job(Given(number=1)), LONG)).status == "done"


async def test_a_server_that_would_evict_but_has_no_limit_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    """Nothing is dropped now."""
    await check(maxmemory_policy="allkeys-lru")
    [record] = caplog.records
    assert (record.levelno, "no maxmemory yet" in record.getMessage()) == (logging.WARNING, True)


async def test_a_server_that_does_not_tell_is_used(caplog: pytest.LogCaptureFixture) -> None:
    """INFO may be forbidden: that is a warning, not an error."""
    await check(refused="NOPERM")
    assert "could not be checked: NOPERM" in caplog.text
