"""`flows web` is killed in the middle of an action on many jobs: the one that is started next goes on with it."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Generator
from typing import Any

import httpx
import pytest
from redis import Redis

from flows.testing import private_server
from tests.api.shop import leave
from tests.api.test_amounts import seed
from tests.faults.ports import free_port
from tests.scale import SCALE, scaled
from tests.server.serving import OWN
from tests.waiting import blocking_until, patient

#: So often it is killed.
_KILLS = scaled(1, full=5)
_QUERY = {"verb": "retry", "query": "flow:shop state:failed error:ValueError|TimeoutError"}
#: Dies when it has acted on so many pages of 200 jobs, and told nobody of the last; 0: never.
_WEB = """
import os, signal, sys
from flows.__main__ import main
from flows.store.jobs.many import ManyJobs
act, left = ManyJobs.act, int(sys.argv[1])
async def act_and_die(many, found):
    global left
    words, left = await act(many, found), left - 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return words
ManyJobs.act = act_and_die
sys.exit(main(sys.argv[2:]))
"""
_FAILED, _WAITING = "flows:ended:shop-price:failed", "queue:shop-price:waiting"


class Web:
    """A `flows web` that is killed and started again, at one port; and who asks it.

    Args:
        url: Of Redis.
    """

    def __init__(self, url: str) -> None:
        port = free_port()
        self._words = ["web", "--redis-url", url, "--port", str(port)]
        origin = f"http://127.0.0.1:{port}"
        self.client = httpx.Client(base_url=origin, headers={**OWN, "origin": origin}, timeout=60)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, pages: int = 0) -> None:
        """Start it, to die after so many pages; it does not answer yet."""
        command = [sys.executable, "-c", _WEB, str(pages), *self._words]
        self._process = subprocess.Popen(command, stderr=subprocess.DEVNULL)

    def kill(self) -> None:
        """Kill it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def dies(self) -> bool:
        """Return whether it has killed itself."""
        return self._process is not None and self._process.poll() == -signal.SIGKILL

    def answers(self) -> bool:
        """Return whether it answers."""
        with contextlib.suppress(httpx.TransportError):
            return self.client.get("/readyz").status_code == 200
        return False

    def begin(self, undo: str) -> str:
        """Begin to retry all that have failed, and return the action's id."""
        seen = self.client.get("/api/v1/bulk/preview", params=_QUERY).json()["count"]
        answer = self.client.post("/api/v1/bulk/apply", json={**_QUERY, "seen": seen, "undo": undo})
        assert answer.status_code == 200, answer.text
        action: str = answer.json()["id"]
        return action

    def ended(self, action: str) -> dict[str, Any]:
        """Wait until an action has ended, and return what is shown of it."""
        blocking_until(self.answers)
        answer = self.client.get("/api/v1/bulk/wait", params={"id": action, "timeout": "10m"}, timeout=600)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found


def _pages(kill: int) -> int:
    """Return after how many pages it dies for the n-th time; 0: never."""
    return (2 + kill) * scaled(1, full=10) if kill <= _KILLS else 0


@contextlib.contextmanager
def flows_web(url: str) -> Generator[Web]:
    """Run `flows web` until it is killed in the end."""
    web = Web(url)
    try:
        web.start(_pages(1))
        blocking_until(web.answers)
        yield web
    finally:
        web.kill()
        web.client.close()


@pytest.mark.scale
def test_each_job_is_retried_once_however_often_the_server_is_killed() -> None:
    """Over HTTP alone: none is forgotten and none is retried twice; what was undone in its window has touched none."""
    many = scaled(1_000, full=100_000)
    with private_server() as url, Redis.from_url(url, decode_responses=True) as redis, flows_web(url) as web:
        asyncio.run(leave(url, ""))
        seed(redis, "failed", many)
        undone = web.begin("1h")
        assert web.client.post("/api/v1/bulk/cancel", json={"id": undone}).json()["word"] == "cancelled"
        assert web.ended(undone)["state"] == "cancelled"
        ids = set(redis.zrange(_FAILED, 0, -1))
        assert (len(ids), redis.llen(_WAITING)) == (many + 2, 1)
        began = time.monotonic()
        action = web.begin("0")
        for kill in range(1, _KILLS + 1):
            blocking_until(web.dies)
            assert 0 < redis.zcard(_FAILED) < len(ids)
            web.start(_pages(kill + 1))
        assert web.ended(action)["state"] == "done"
        took = time.monotonic() - began
        assert redis.zcard(_FAILED) == 0
        assert Counter(redis.lrange(_WAITING, 1, -1)) == Counter(ids)
        visits: Counter[str] = Counter()
        for some in (list(ids)[start : start + 5000] for start in range(0, len(ids), 5000)):
            with redis.pipeline(transaction=False) as pipeline:
                for job_id in some:
                    pipeline.hget(f"job:shop:{job_id}", "_attempt")
                visits.update(attempt.split(" ")[3] for attempt in pipeline.execute())
        assert visits == {"1": many + 2}
        print(f"{many} jobs, {_KILLS} kills: {took:.1f} s")  # noqa: T201 - for who measures
        assert SCALE == 1 or took < patient(20), took
