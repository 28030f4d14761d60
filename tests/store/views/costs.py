"""What a call of a script takes of the server's time, however busy the machine is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from tests.world import World

#: What is asked of each view: so many microseconds of the server's time at most, in queues of a million.
MOST: Final = 2000


def cost(world: World, call: Callable[[], object]) -> tuple[float, dict[str, int]]:
    """Return how many microseconds a script takes at least in a few calls, and how often it sends which commands."""
    call()  # so that the server knows it
    least, sent = float("inf"), dict[str, int]()
    for _ in range(7):
        world.redis.config_resetstat()
        call()
        stats: Any = world.redis.info("commandstats")
        least = min(least, stats["cmdstat_evalsha"]["usec"])
        sent = {name.removeprefix("cmdstat_"): row["calls"] for name, row in stats.items() if "config" not in name}
    return least, sent
