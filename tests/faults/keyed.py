"""Jobs with keys, for the rows about them: the three kinds, what a call came to, and producers that can be killed."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, Self

from redis import Redis

from flows import Debounce, DuplicateJob, FlowsError, Unique
from tests.faults.flow_under_test import Order, Orders, make_flow

ROOT: Final = Path(__file__).resolve().parents[2]
#: The three kinds of keys.
KINDS: Final = ("key", "unique", "debounce")
#: How long calls of one key become one job: longer than a row takes.
CALM: Final = 60.0


def options_of(kind: str, key: str, wait: float = CALM) -> dict[str, Any]:
    """Return the options of `create_job` for a key."""
    if kind == "key":
        return {"idempotency_key": key}
    return {"unique": Unique(key)} if kind == "unique" else {"debounce": Debounce(key, wait)}


async def create(  # noqa: PLR0913 - keyword-only, each with its usual value
    flow: Orders, kind: str, key: str, customer: int = 7, *, wait: float = CALM, does: str = "plain"
) -> tuple[str, str]:
    """Create a job with a key: `created` or `duplicate`, and the id of the job that has it now."""
    order = Order(number=1, kind=does, customer=customer if kind == "debounce" else 7)
    try:
        return "created", await flow.create_job(order, **options_of(kind, key, wait))
    except DuplicateJob as error:
        return "duplicate", error.job_id


def jobs_of(client: Redis) -> dict[tuple[str, str], list[dict[str, str]]]:
    """Return the hashes of all jobs by the kind and the text of their keys, with their ids as `id`."""
    found: dict[tuple[str, str], list[dict[str, str]]] = {}
    for name in client.scan_iter("job:orders:*", count=1000, _type="hash"):
        job: Any = client.hgetall(name)
        line = str(job.get("_lookups", "")).rpartition("\n")[2]
        if line.startswith("#"):
            kind, _, key = line[1:].partition(":")
            found.setdefault((kind, key), []).append({**job, "id": str(name).rpartition(":")[2]})
    return found


def is_open(job: Mapping[str, str]) -> bool:
    """Whether a job has not ended."""
    return job.get("_status", "waiting") in {"waiting", "delayed", "processing", "children"}


class KeyedProducers:
    """Processes that create jobs with keys without a pause, to be killed; use it in a `with` statement."""

    def __init__(self, url: str, keys: int) -> None:
        arguments = [sys.executable, "-m", "tests.faults.keyed", url, str(keys)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        self._forking = subprocess.Popen(
            arguments, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, *_error: object) -> None:
        """Kill what is left of them."""
        assert self._forking.stdin is not None
        self._forking.stdin.close()
        self._forking.wait()

    def spawn(self) -> int:
        """Start one, and return its process id."""
        assert self._forking.stdin is not None
        assert self._forking.stdout is not None
        self._forking.stdin.write("spawn\n")
        self._forking.stdin.flush()
        return int(self._forking.stdout.readline())


def main(url: str, keys: int) -> None:
    """Fork a producer for each line of the input; when that ends, kill them."""
    children: list[int] = []
    for _line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            os.setsid()
            asyncio.run(produce(url, keys))
        children.append(pid)
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()
    for pid in children:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


async def produce(url: str, keys: int) -> None:
    """Create jobs on twenty lanes, until this process is killed."""
    flow = make_flow(url)
    await asyncio.gather(*(_lane(flow, keys) for _ in range(20)))


async def _lane(flow: Orders, keys: int) -> None:
    chance = random.Random(os.urandom(8))  # noqa: S311 - chance, not secrets
    for kind, key in _endless(chance, keys):
        with contextlib.suppress(FlowsError):
            await create(flow, kind, key, chance.randrange(10))


def _endless(chance: random.Random, keys: int) -> Iterator[tuple[str, str]]:
    while True:
        yield chance.choice(KINDS), f"k{chance.randrange(keys)}"


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
