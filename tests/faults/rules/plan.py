"""What one random run is: the queues and their rules, the jobs, the workers and what befalls them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Limit:
    """One limiter of a queue; times are in milliseconds."""

    id: str
    reservoir: int
    interval: int
    grouped: bool = False
    smooth: bool = False

    @property
    def tokens(self) -> int:
        """How many tokens a window holds that is exact: of a smooth limiter one, in a part of the interval."""
        return 1 if self.smooth else self.reservoir

    @property
    def window(self) -> int:
        """How long that window is."""
        return self.interval // self.reservoir if self.smooth else self.interval


@dataclass(frozen=True)
class Planned:
    """One job: when it comes, how long it runs, and what the rules ask of it."""

    at: int = 0
    life: int = 10
    group: str = ""
    priority: int = 1
    cost: int = 1


@dataclass(frozen=True)
class QueuePlan:
    """One ruled queue, its jobs, and its workers."""

    name: str
    jobs: tuple[Planned, ...]
    priorities: int = 1
    shares: tuple[float, ...] = ()
    grouped: bool = False
    limits: tuple[Limit, ...] = ()
    slots: int = 0
    slots_per_group: int = 0
    shared: str = ""
    workers: int = 3
    room: int = 20
    group_shares: Mapping[str, float] = field(default_factory=dict)
    """What is set for single groups before the first job comes."""


@dataclass(frozen=True)
class Accidents:
    """What befalls workers, each as a probability by turn."""

    killed: float = 0.0
    lost: float = 0.0
    stalled: float = 0.0
    released: float = 0.0
    retried: float = 0.0
    delay: int = 0
    """How late a worker may be with each of its turns, in milliseconds."""

    def __bool__(self) -> bool:
        """Whether leases may run out."""
        return bool(self.killed or self.stalled)


@dataclass(frozen=True)
class Hold:
    """Nothing of a queue, or of a group of it, starts for so long."""

    at: int
    queue: str
    how_long: int
    group: str | None = None


@dataclass(frozen=True)
class Load:
    """One random run."""

    kind: str
    seed: int
    queues: tuple[QueuePlan, ...]
    accidents: Accidents = field(default_factory=Accidents)
    holds: tuple[Hold, ...] = ()
    lease: int = 30_000
    measured: bool = False
    """Whether it says how much of a limit is used: nothing befalls the workers, and limits alone decide."""
    shared: bool = False
    """Whether two flows share the queues."""

    @property
    def jobs(self) -> int:
        """How many jobs there are."""
        return sum(len(queue.jobs) for queue in self.queues)
