"""The process that waits for an outcome dies: whoever goes on has it, and records it once."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from flows.tree.aws.sqs_queues import Queues
from tests.tree.aws.supervisor import app
from tests.waiting import LONG, until

pytestmark = [pytest.mark.conformance, pytest.mark.usefixtures("quick")]
PROGRAM = Path(__file__).with_name("supervisor.py")
ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize("answers_before", [True, False])
async def test_a_supervisor_that_was_killed_forgets_nothing(  # noqa: PLR0913 - what it stands on
    redis_url: str, namespace: str, prefix: str, sqs: dict[str, Any], tmp_path: Path, *, answers_before: bool
) -> None:
    """Killed while the task is away; its outcome comes twice, before there is another one or after."""
    file, where = tmp_path / "id", (redis_url, namespace, prefix, sqs["endpoint"])
    queues = Queues(prefix, sqs["region"], sqs["endpoint"], sqs["credentials"])
    words = [sys.executable, str(PROGRAM), *where, str(file)]
    process = await asyncio.create_subprocess_exec(*words, env={**os.environ, "PYTHONPATH": str(ROOT)})
    try:
        async with asyncio.timeout(LONG):
            while not (orders := await queues.receive("orders")):
                pass
        await until(file.exists)
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
    order = json.loads(orders[0].body)
    await queues.delete("orders", orders[0].handle)
    trees, _site = app(*where)
    if answers_before:
        await _answer(queues, order)
    async with trees:
        instance = await trees.get(file.read_text("utf-8"))
        assert instance is not None
        if not answers_before:
            await _answer(queues, order)
        await until(lambda: _is_done(instance))
        assert await instance.result("#.last", int) == 8
        state = await instance.state()
        assert (state.status, state.tasks["#.far"].attempt) == ("done", 1)
        # Made, begun, running and queued, ok and ok, the end; and running once more, or not.
        assert state.revision in {7, 8}
        await until(lambda: _is_empty(queues))
    await queues.close()


async def _answer(queues: Queues, order: dict[str, Any]) -> None:
    place = {name: order[name] for name in ("v", "instance", "execution", "path", "attempt")}
    for _ in range(2):
        await queues.send("outcomes", json.dumps({**place, "result": 7}))


async def _is_done(instance: Any) -> bool:
    return (await instance.state()).status != "working"


async def _is_empty(queues: Queues) -> bool:
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    asked = {"QueueUrl": await queues._url("outcomes"), "AttributeNames": names}
    found = (await queues._client.call("get_queue_attributes", **asked))["Attributes"]
    return not any(int(count) for count in found.values())
