"""One server of moto's for all tests of a lane."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from typing import Any

import pytest

from flows.tree.aws import AwsCredentials, SqsBackend
from tests.tree.aws.moto_server import moto_server

#: Whoever asks moto is let in.
CREDENTIALS = AwsCredentials("AKIATEST", "secret", "token")


@pytest.fixture(scope="session")
def moto_url() -> Iterator[str]:
    """Name moto's server."""
    with moto_server() as url:
        yield url


@pytest.fixture(scope="session")
def dynamo(moto_url: str) -> dict[str, object]:
    """Return how DynamoDB is reached: moto's, or that of FLOWS_TEST_DYNAMO_URL."""
    url = os.environ.get("FLOWS_TEST_DYNAMO_URL") or moto_url
    return {"region": "eu-central-1", "endpoint": url, "credentials": CREDENTIALS}


@pytest.fixture(scope="session")
def sqs(moto_url: str) -> dict[str, object]:
    """Return how SQS is reached: moto's, or that of FLOWS_TEST_SQS_URL."""
    url = os.environ.get("FLOWS_TEST_SQS_URL") or moto_url
    return {"region": "eu-central-1", "endpoint": url, "credentials": CREDENTIALS}


@pytest.fixture
async def prefix(sqs: dict[str, Any]) -> str:
    """Make queues of their own, and return what their names begin with."""
    name = f"t{secrets.token_hex(6)}"
    backend = SqsBackend(name, **sqs)
    await backend.create_queues()
    await backend.close()
    return name


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let messages come again after two seconds, and who receives wait for one."""
    for name, value in (("sqs_queues.VISIBILITY", 2), ("sqs_queues._WAIT", 1), ("sqs_worker._PROLONGED", 0.5)):
        monkeypatch.setattr(f"flows.tree.aws.{name}", value)
    monkeypatch.setattr("flows.tree.aws.sqs_worker.VISIBILITY", 2)
