"""An account without the right to publish or to listen: everything works, slower, and one line of a process says so."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from redis import Redis

from flows.store.client import hints
from flows.store.client.connection import Connection
from flows.store.client.hints import check_publishing
from tests.accounts import as_user
from tests.kernel.parts import LONG, Given, double, number_flow


@pytest.fixture
def silent_url(redis: Redis, redis_url: str, namespace: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Name the URL of an account that may do all but publish and listen, in a process that has not said so yet."""
    monkeypatch.setattr(hints, "_said", set())
    user = namespace.rstrip(":")
    redis.execute_command("ACL", "SETUSER", user, "on", ">pw", "~*", "+@all", "resetchannels")
    yield as_user(redis_url, user)
    redis.execute_command("ACL", "DELUSER", user)


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return the warnings."""
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


async def test_it_says_so_once_in_a_process(silent_url: str, namespace: str, caplog: pytest.LogCaptureFixture) -> None:
    """Jobs run and are waited for all the same; two flows that can neither publish nor listen say it once."""
    for number in range(2):
        async with number_flow(silent_url, f"{namespace}{number}:", double) as flow:
            assert (await flow.wait_for(await flow.create_job(Given(number=1)), LONG)).status == "done"
    [line] = said(caplog)
    assert line.startswith("this account may not ")
    assert "SPUBLISH" in line


async def test_an_account_that_may_publish_says_nothing(
    redis_url: str, namespace: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The usual account."""
    monkeypatch.setattr(hints, "_said", set())
    connection = Connection(redis_url, "test-hints")
    await check_publishing(connection, f"{namespace}flows:ended:x:")
    await connection.close()
    assert said(caplog) == []
