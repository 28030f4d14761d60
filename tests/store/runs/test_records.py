"""The writes of many runs: all that a tick brings in one script, and what comes while two are under way in the next."""

# redis-py leaves **kwargs and some results untyped
# pyright: reportUnknownMemberType=false, reportPrivateUsage=false

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest
import redis

from flows.kernel.session import Session
from flows.store.client.packed_script import PackedCall
from flows.store.runs.records import OneRecord, Owner, PackedWrite, Recorded
from tests.workflow.running.run_app import RunApp

#: A server that is paused answers no later, whatever happens to the test.
PAUSE_MS = 20_000


@pytest.fixture
async def session(redis_url: str, namespace: str) -> AsyncGenerator[Session]:
    """The session of an app without workers, which has sent the script once."""
    app = RunApp(redis_url, namespace)
    opened = await app.host.open()
    await opened.runs.records.write(of("first"))
    yield opened
    await app.host.runtime.close()


def of(run_id: str) -> PackedWrite:
    """Return a write of an attempt at a run that is not there."""
    return OneRecord(Owner("w1", run_id, 1)).pack("a", b"{}")


async def words(answers: list[asyncio.Future[Recorded]]) -> set[bytes]:
    """Return what became of writes."""
    return {word for word, _come, _about in await asyncio.gather(*answers)}


async def test_writes_wait_for_a_script_while_two_are_under_way(
    session: Session, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fifty writes, one a tick, are three scripts where none is answered meanwhile; each has its answer."""
    sent: list[PackedCall] = []
    send = session.connection.send_at_once

    def counted(call: PackedCall) -> asyncio.Future[Any] | None:
        sent.append(call)
        return send(call)

    monkeypatch.setattr(session.connection, "send_at_once", counted)
    with redis.Redis.from_url(redis_url) as admin:
        admin.client_pause(PAUSE_MS, all=False)
        answers: list[asyncio.Future[Recorded]] = []
        for number in range(50):
            answers.append(session.runs.records.write(of(str(number))))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        admin.client_unpause()
        assert await words(answers) == {b"gone"}
    assert len(sent) == 3


async def test_a_tick_that_brings_many_sends_the_first_at_once(session: Session) -> None:
    """They are under way before the tick is over; all have their answers."""
    records = session.runs.records
    answers = [records.write(of(str(number))) for number in range(150)]
    assert records._sent == 2
    assert len(records._gathered) == 150 - 2 * 64
    assert await words(answers) == {b"gone"}


async def test_a_write_whose_answer_is_lost_is_sent_again(session: Session, redis_url: str) -> None:
    """The connection is cut while scripts are under way, and one waits: all of them are answered by the next one."""
    with redis.Redis.from_url(redis_url) as admin:
        admin.client_pause(PAUSE_MS, all=False)
        answers = [session.runs.records.write(of(str(number))) for number in range(150)]
        await asyncio.sleep(0)
        wire = session.connection._wire
        assert wire is not None
        wire.close()
        admin.client_unpause()
        assert await words(answers) == {b"gone"}
    assert session.runs.records._sent == 0


async def test_a_server_that_does_not_know_the_script_is_told_it(session: Session, redis_url: str) -> None:
    """As after a restart."""
    with redis.Redis.from_url(redis_url) as admin:
        admin.script_flush()
    assert await words([session.runs.records.write(of("1"))]) == {b"gone"}
