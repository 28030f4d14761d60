"""A worker that begins an order and never ends it: for a test that kills it."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

import flows.tree.aws.sqs_queues
import flows.tree.aws.sqs_worker
from flows.tree.annotations import TaskInput
from flows.tree.aws import AwsCredentials, SqsWorker

_QUICK = 2


class Number(TaskInput):
    """Reads a number."""

    number: int


def begin(_: Number) -> int:
    """Say that it has begun, and wait for ever."""
    Path(sys.argv[3]).touch()
    time.sleep(3600)
    return 0


flows.tree.aws.sqs_queues.VISIBILITY = flows.tree.aws.sqs_worker.VISIBILITY = _QUICK  # type: ignore[misc]
flows.tree.aws.sqs_worker._PROLONGED = _QUICK // 2  # type: ignore[misc]
worker = SqsWorker(
    sys.argv[1], {"*": begin}, region="eu-central-1", endpoint=sys.argv[2], credentials=AwsCredentials("a", "b")
)
asyncio.run(worker.run())
