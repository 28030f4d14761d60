"""Nothing shows the credentials of Amazon's services: neither `repr`, nor errors, nor the logs of anything."""

from __future__ import annotations

import logging
import secrets
from collections.abc import AsyncIterator
from typing import Any

import pytest

from flows.errors import DeclarationError, StoreError
from flows.tree.annotations import TaskInput
from flows.tree.aws import AwsCredentials, DynamoStorage, SqsBackend, SqsWorker
from tests.canary import SECRET
from tests.tree.conformance.instances import ABC, DATA, row

KEY, TOKEN = f"{SECRET}Key", f"{SECRET}Token"
CANARY = AwsCredentials("AKIAVISIBLE", KEY, TOKEN)


class Nothing(TaskInput):
    """Reads nothing."""


def nothing(_: Nothing) -> None:
    """Do nothing."""


@pytest.fixture
async def made(moto_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Any, ...]]:
    """Make everything that takes credentials."""
    monkeypatch.setattr("flows.tree.aws.client._TRIES", 1)
    name = f"t{secrets.token_hex(6)}"
    given: dict[str, Any] = {"region": "eu-central-1", "endpoint": moto_url, "credentials": CANARY}
    storage, backend = DynamoStorage(name, **given), SqsBackend(name, **given)
    yield storage, backend, SqsWorker(name, {"*": nothing}, **given)
    await storage.close()
    await backend.close()


@pytest.mark.conformance
async def test_no_log_shows_them(made: tuple[Any, ...], caplog: pytest.LogCaptureFixture) -> None:
    """Also with all loggers at DEBUG, with calls that succeed, and with some that are refused."""
    storage, backend, worker = made
    with caplog.at_level(logging.DEBUG):
        with pytest.raises(StoreError) as refused:
            await storage.load(row().id)
        with pytest.raises(StoreError) as missing:
            async for _ in backend.outcomes():
                pass
        await storage.create_table()
        await backend.create_queues()
        await storage.create(row(), DATA, ABC)
        away = DynamoStorage("away", region="eu-central-1", endpoint="http://127.0.0.1:9", credentials=CANARY)
        with pytest.raises(StoreError) as unavailable:
            await away.load(row().id)
        await away.close()
    shown = [record.getMessage() for record in caplog.records]
    shown += [repr(one) for one in (*made, CANARY, storage.__dict__, backend.__dict__, worker.__dict__)]
    for caught in (refused, missing, unavailable):
        shown.append("".join(map(str, caught.getrepr(showlocals=False).reprtraceback.reprentries)))
        shown += [repr(caught.value), str(caught.value), repr(caught.value.__cause__)]
    assert caplog.records
    assert [text for text in shown if SECRET in text] == []


@pytest.mark.parametrize("endpoint", [f"http://me:{SECRET}@127.0.0.1:1", f"{SECRET}", f"ftp://{SECRET}", "http://[x"])
def test_an_endpoint_that_is_none_is_not_shown(endpoint: str) -> None:
    """It may have a password, or be one."""
    with pytest.raises(DeclarationError) as caught:
        DynamoStorage("away", endpoint=endpoint, credentials=CANARY)
    assert SECRET not in str(caught.value)
