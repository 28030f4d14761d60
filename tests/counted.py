"""What a script costs the server, as the commands that it sends: a count that no other load on the machine changes."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from redis import Redis

from flows.store.client.scripts import Argument
from flows.testing import private_server
from tests.world import World


class CountedWorld(World):
    """A world on a server of its own that counts what each of its scripts sends."""

    def __init__(self, redis: Redis) -> None:
        """Begin to count."""
        super().__init__(redis, "")
        #: How many commands each call sent, by the script's name.
        self.sent: dict[str, list[int]] = {}

    def run(self, script: str, *rest: Argument, **named: Argument) -> Any:
        """Call a script and count its commands, its own call among them."""
        before = self.commands(self.redis)
        answer = super().run(script, *rest, **named)
        self.sent.setdefault(script, []).append(self.commands(self.redis) - before)
        return answer

    def most(self, script: str) -> int:
        """Return the largest count of a call of this script."""
        return max(self.sent[script])

    @staticmethod
    def commands(redis: Redis) -> int:
        """Return how many commands the server has run."""
        stats: dict[str, dict[str, int]] = redis.info("commandstats")
        return sum(entry["calls"] for name, entry in stats.items() if name != "cmdstat_info")


@contextmanager
def counted_world() -> Generator[CountedWorld]:
    """Run a server of its own."""
    with private_server() as url, Redis.from_url(url, decode_responses=True) as redis:
        yield CountedWorld(redis)
