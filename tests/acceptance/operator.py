"""A program that acts on many jobs: `python -m tests.acceptance.operator <url> <namespace> <lease> <verb>`.

It retries or deletes all jobs that have failed, waits until that is done, and prints how many it has acted on; or with
the verb `serve` it only has workers, which do what others have asked for, until it is killed.
"""

from __future__ import annotations

import asyncio
import sys

from tests.acceptance.numbers import Work, number_flow
from tests.waiting import patient


async def never(_job: Work) -> None:
    """Wait for ever: nothing that is retried runs."""
    await asyncio.Event().wait()


async def main(url: str, namespace: str, lease: str, verb: str) -> None:
    """Do what was asked."""
    flow = number_flow(url, namespace, float(lease))
    if verb == "serve":
        flow.create_workers(Work, never)
        async with flow:
            await asyncio.Event().wait()
    failed = flow.jobs.status("failed")
    bulk = await (failed.retry() if verb == "retry" else failed.delete())
    print(bulk.id, flush=True)  # noqa: T201
    result = await bulk.wait(patient(300))
    print(result.status, result.done, flush=True)  # noqa: T201
    await flow.stop_all()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
