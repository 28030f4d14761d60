"""A hundred producers of the same keys whose replies are lost, and what must hold of the jobs then."""

from __future__ import annotations

import asyncio
import math
import random
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from typing import Any, Final

from redis import Redis

from tests.faults.flow_under_test import Orders
from tests.faults.keyed import KINDS, create, jobs_of
from tests.faults.opening import opened
from tests.faults.proxy import Proxy

PRODUCERS: Final = 100
#: So many producers share a connection.
_SHARED: Final = 10

#: By the kind and the text of a key: how often a call came to which word and id.
Answers = dict[tuple[str, str], Counter[tuple[str, str]]]


class LosingReplies:
    """A thread that lets a proxy hold back replies and then cuts all connections; use it in a `with` statement.

    Args:
        proxy: Before the server.
        chance: When it does.
        answered: For each connection how many of its calls were answered: between two cuts some are.
    """

    def __init__(self, proxy: Proxy, chance: random.Random, answered: list[float]) -> None:
        self._proxy, self._chance, self._answered = proxy, chance, answered
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._lose, name="losing replies")
        #: How many connections were cut.
        self.losses = 0

    def __enter__(self) -> LosingReplies:  # noqa: PYI034 - it has no subclass
        """Begin."""
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        """End."""
        self._stop.set()
        self._thread.join()

    def _lose(self) -> None:
        enough = [float(_SHARED)] * len(self._answered)
        while not self._stop.wait(self._chance.uniform(0.05, 0.15)):
            if any(now < least for now, least in zip(self._answered, enough, strict=True)):
                continue
            enough = [now + _SHARED for now in self._answered]
            self._proxy.blackhole("down")
            time.sleep(0.01)  # what is sent meanwhile is done, and nobody hears of it
            self.losses += self._proxy.cut_all()
            self._proxy.open()


async def produce(make: Callable[[], Orders], proxy: Proxy, keys: int, chance: random.Random) -> tuple[Answers, int]:
    """Let each producer create a job for each key of each kind, in an order of its own, while replies are lost.

    Returns:
        What the calls came to, and how many connections were cut.
    """
    answers: Answers = defaultdict(Counter)
    flows = [make() for _ in range(PRODUCERS // _SHARED)]
    names = [(kind, str(key)) for kind in KINDS for key in range(keys)]
    answered = [0.0] * len(flows)

    async def of_one(at: int, own: random.Random) -> None:
        for kind, key in own.sample(names, len(names)):
            answers[kind, key][await create(flows[at], kind, key, own.randrange(10))] += 1
            answered[at] += 1
        answered[at] = math.inf  # who comes to the end waits for nobody

    try:
        for flow in flows:
            await opened(flow)
        with LosingReplies(proxy, chance, answered) as losing:
            own = [random.Random(chance.random()) for _ in range(PRODUCERS)]  # noqa: S311 - chance, not secrets
            await asyncio.gather(*(of_one(n % len(flows), one) for n, one in enumerate(own)))
    finally:
        for flow in flows:
            await flow.stop_all()
    return answers, losing.losses


def wrongs(answers: Answers, client: Redis, keys: int) -> Iterator[str]:
    """Yield what does not hold: one job a key, every producer was told its id, and its last params alone find it."""
    jobs = jobs_of(client)
    for kind in KINDS:
        for key in map(str, range(keys)):
            told, of = answers[kind, key], jobs.get((kind, key), [])
            ids = {job_id for _word, job_id in told}
            if told.total() != PRODUCERS or len(ids) != 1 or ids != {job["id"] for job in of}:
                yield f"{kind} {key}: its calls came to {len(ids)} ids, and there are {len(of)} jobs"
            created = sum(count for (word, _id), count in told.items() if word == "created")
            if kind == "unique" and created != 1:
                yield f"unique {key}: {created} producers have created it"
    listed: Any = {
        name.rpartition(":")[2]: set(client.lrange(name, 0, -1)) for name in client.keys("job:orders:customer:*")
    }
    for job in (job for of in jobs.values() for job in of):
        found = [customer for customer, ids in listed.items() if job["id"] in ids]
        if found != [job["customer"]]:
            yield f"{job['id']} is found by {found}, and its customer is {job['customer']}"
