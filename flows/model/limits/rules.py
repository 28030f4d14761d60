"""What the options of one queue mean for how its jobs are given to workers, and the line by which scripts know it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final, Self

from flows.model.limits.bounds import MOST_PRIORITIES
from flows.model.limits.limiter import Limiter

#: The layout of a queue whose jobs wait in one list.
PLAIN_LAYOUT: Final = "1 -"
#: Stands in a line for what is not there.
_NONE: Final = "-"


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of one queue, known to be consistent; a queue that has none has no `Rules`."""

    priorities: int = 1
    """Jobs of 1 go first; a job of a lower one (a higher number) than there are is one of the last."""
    shares: tuple[float, ...] = ()
    """The share of each priority; without them a priority waits until those before it are empty."""
    group: str | None = None
    """The field whose values are the groups."""
    slots: int = 0
    """How many jobs may run at a time; 0: any number."""
    slots_per_group: int = 0
    shared_slots: str | None = None
    """The id of slots that other queues take from too; `slots` is their number then."""
    diff: int = 0
    """What is added to a job's priority when it leaves for the next queue."""
    limiters: tuple[Limiter, ...] = ()

    def line(self, queue: str) -> str:
        """Return the rules as a line of the flow's settings.

        `<queue> <priorities> <shares> <group field> <slots> <slots per group> <shared slots id> <diff>`, then for each
        limiter `<id>=<reservoir>/<interval ms>/<q or g>/<smooth>`; `-` and 0 stand for none.
        """
        shares = ",".join(f"{share:.15g}" for share in self.shares) or _NONE
        limiters = [
            f"{name}={of.reservoir}/{of.interval_ms}/{'g' if of.group_key else 'q'}/{int(of.smooth)}"
            for name, of in self.named_limiters(queue)
        ]
        words = (self.priorities, shares, self.group or _NONE, self.slots, self.slots_per_group)
        return " ".join(map(str, (queue, *words, self.shared_slots or _NONE, self.diff, *limiters)))

    @classmethod
    def parse(cls, line: str) -> tuple[str, Self]:
        """Return the queue and the rules of a line that `line` has written."""
        queue, priorities, shares, group, slots, per_group, shared, diff, *limiters = line.split(" ")
        field = None if group == _NONE else group
        return queue, cls(
            int(priorities),
            () if shares == _NONE else tuple(map(float, shares.split(","))),
            field,
            int(slots),
            int(per_group),
            None if shared == _NONE else shared,
            int(diff),
            tuple(_limiter(text, field) for text in limiters),
        )

    def named_limiters(self, queue: str) -> list[tuple[str, Limiter]]:
        """Return each limiter with its id: the n-th of a queue's own is `<queue>:<n>`."""
        own = iter(range(1, len(self.limiters) + 1))
        return [(of.id or f"{queue}:{next(own)}", of) for of in self.limiters]

    @property
    def layout(self) -> str:
        """In which lists its jobs wait: `<priorities> <group field>`, or `-` for no groups."""
        return f"{self.priorities} {self.group or _NONE}"

    def grown(self, priorities: int, group: str | None) -> Rules:
        """Return rules by which lists of at least so many priorities, and of groups, are looked into too.

        Where priorities have shares, each that is added has the share of the last one.
        """
        more = max(0, priorities - self.priorities)
        return replace(
            self,
            priorities=self.priorities + more,
            shares=self.shares + self.shares[-1:] * more,
            group=self.group or group,
        )

    def clamped(self, priority: int) -> int:
        """Return the priority by which a job is placed in the queue."""
        return min(max(priority, 1), self.priorities)

    @property
    def plain(self) -> bool:
        """Whether none of them decides where a job waits or which is next: the queue is served by the plain scripts."""
        return self == Rules(diff=self.diff)

    @property
    def most_cost(self) -> tuple[int, str] | None:
        """The most that a job may cost here, and what says so; None where nothing does."""
        found = [(of.reservoir, f"the {of.reservoir:,} tokens of a limiter") for of in self.limiters]
        found += [(most, f"{most:,} slots") for most in (self.slots, self.slots_per_group) if most]
        return min(found, default=None)


def next_priority(priority: int, rules: Rules | None, to: Rules | None) -> int:
    """Return the priority of a job that leaves a queue with these rules for one with those.

    It stays as it is where the queue has no difference, and keeps to the priorities of the next queue where that has
    some; a queue without any leaves it to those behind.
    """
    if rules is None or not rules.diff:
        return priority
    most = to.priorities if to is not None and to.priorities > 1 else MOST_PRIORITIES
    return min(max(priority + rules.diff, 1), most)


def _limiter(text: str, group: str | None) -> Limiter:
    name, _, values = text.rpartition("=")
    reservoir, interval, grouped, smooth = values.split("/")
    limiter = Limiter(
        int(reservoir),
        timedelta(milliseconds=int(interval)),
        group_key=group if grouped == "g" else None,
        smooth=smooth == "1",
    )
    return limiter if ":" in name else replace(limiter, id=name)
