"""One server of moto's for all tests of a lane."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from flows.tree.aws import AwsCredentials
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
