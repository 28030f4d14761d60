"""What is measured: the workloads, in the variants that each comes in."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["WORKLOADS", "Variant"]


@dataclass(frozen=True)
class Variant:
    """One way to run a workload, beside the peer's own setting."""

    name: str = ""
    tasks: int = 1
    """How many create at once."""
    bytes: int = 0
    """How long one of the four fields is, if not just long enough for a word."""
    share: float = 1.0
    """Which part of the workload's usual number of jobs."""
    delay: float | None = None
    """Seconds that a proxy before the server adds to each round trip; None means no proxy."""


#: A peer's `about` says which of them it takes part in.
WORKLOADS: dict[str, tuple[Variant, ...]] = {
    "create": (Variant(),),
    # Against the same flow, one at a time: that is what sharing round trips gives.
    "create-100": (Variant("one at a time", share=0.5), Variant("100 awaits at once", tasks=100)),
    "bulk": (Variant(),),
    "drain": (Variant(),),
    "drain-threads": (Variant(),),
    "latency": (Variant(),),
    "three-queues": (Variant(),),
    "fan-out": (Variant(),),
    # A durable workflow of three steps that do nothing.
    "runs": (Variant(),),
    # The proxy itself takes a part of the two cores: the one that adds nothing shows how much.
    "slow-server": (
        Variant("no proxy"),
        Variant("a proxy, nothing added", delay=0.0),
        Variant("a proxy, 1 ms added", delay=0.001),
    ),
    "payload": (
        Variant("100 B", bytes=100),
        Variant("1 KiB", bytes=1024),
        Variant("10 KiB", bytes=10 * 1024, share=0.3),
        Variant("100 KiB", bytes=100 * 1024, share=0.05),
    ),
}
