"""The settings of a flow that every script gets as arguments: its namespace, and how long jobs and leases last."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from flows.model.limits.bounds import MOST_PRIORITIES
from flows.model.limits.rules import PLAIN_LAYOUT, Rules
from flows.model.runs.new_run import RUN_FLOW
from flows.model.runs.run_rules import RunRules
from flows.store.client.scripts import load
from flows.store.keys.jobs import JobKeys

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flows.model.declared.declared_flow import DeclaredFlow
    from flows.model.flow_options import FlowOptions
    from flows.model.job import Job
    from flows.model.queue_options import QueueOptions
    from flows.store.client.scripts import Argument, Script

#: A job that was rescued so often in its queue is isolated: its worker runs nothing beside it. Not after the first
#: rescue: a worker that is killed may have held hundreds of jobs, and they would run one at a time.
ISOLATED_FROM: Final = 2
#: Stands in the place of the outbox where scripts are to read what other processes of the flow have said.
UNSAID: Final = "?"


@dataclass(frozen=True, slots=True)
class FlowSettings:
    """The settings of one flow, as scripts take them; times are in milliseconds, and a `ttl_ms` of 0 means none."""

    flow: str
    first_queue: str
    keys: JobKeys
    ttl_ms: int
    kept_ms: tuple[int, int, int]
    lease_ms: int
    max_crashes: int
    max_payload: int
    ahead_ms: int = 0
    """How far ahead of the server's clock the scripts are to be; only tests travel in time."""
    rules: Mapping[str, Rules] = field(default_factory=dict[str, "Rules"])
    """Those of each queue whose jobs are placed or picked by some, by its full name."""
    shared: Mapping[str, str] = field(default_factory=dict[str, str])
    """Of each queue that other flows share, by its name, a line: where jobs of this flow go next."""
    outbox: str = ""
    """What the end of a job leaves behind, as lines; `?`, where other processes of the flow say it."""

    @classmethod
    def of(cls, options: FlowOptions[Job, str]) -> FlowSettings:
        """Return the settings of a flow."""
        kept = options.retained
        return cls(
            flow=options.name,
            first_queue=options.queues[0].name,
            keys=JobKeys(options.namespace),
            ttl_ms=0 if options.job_ttl is None else milliseconds(options.job_ttl),
            kept_ms=(milliseconds(kept.done), milliseconds(kept.failed), milliseconds(kept.cancelled)),
            lease_ms=milliseconds(options.lease),
            max_crashes=options.max_crashes,
            max_payload=options.max_payload,
            rules=_rules(
                options.name,
                {name: one.rules for name, one in options.walk() if one.rules is not None and not one.rules.plain},
            ),
            shared={queue.name: _line_of_shared(queue, options) for queue in options.queues if queue.shared},
            outbox=UNSAID if options.outbox is None else options.outbox.lines,
        )

    @classmethod
    def of_declared(cls, declared: DeclaredFlow, keys: JobKeys, ahead_ms: int = 0) -> FlowSettings:
        """Return the settings of a flow that was declared on the server, for who does not have its code.

        Where it shares queues, and in which lists its jobs stand, the declaration does not say.
        """
        times = declared.times
        rules = {queue.name: queue.rules for queue in declared.walk() if queue.rules is not None}
        return cls(
            flow=declared.flow,
            first_queue=declared.queues[0].name,
            keys=keys,
            ttl_ms=0 if times.ttl is None else milliseconds(times.ttl),
            kept_ms=(milliseconds(times.done), milliseconds(times.failed), milliseconds(times.cancelled)),
            lease_ms=milliseconds(times.lease),
            max_crashes=declared.max_crashes,
            max_payload=declared.max_payload,
            ahead_ms=ahead_ms,
            rules={name: one for name, one in rules.items() if not one.plain},
        )

    @property
    def packed(self) -> str:
        """What scripts must know of the flow, as one argument: `include/settings.lua` reads it.

        A queue with rules has a line of its own, and so has a shared one; what is left behind has some of its own.
        """
        numbers = (self.ttl_ms, *self.kept_ms, self.lease_ms, self.max_crashes, ISOLATED_FROM)
        lines = [rules.line(queue) for queue, rules in self.rules.items()]
        return "\n".join([" ".join(map(str, numbers)), *lines, *self.shared.values(), *filter(None, (self.outbox,))])

    @property
    def logs_endings(self) -> bool:
        """Whether jobs that end are logged, as far as that is known here."""
        return self.outbox.startswith("@ ") and not self.outbox.startswith("@ 0 ")

    @property
    def prioritised(self) -> bool:
        """Whether jobs are claimed with their priorities: where a queue has some, or jobs of other flows come."""
        return bool(self.shared) or any(rules.priorities > 1 for rules in self.rules.values())

    @property
    def layouts(self) -> str:
        """In which lists the jobs of queues may stand: a line `<queue> <layout>` for each that has several."""
        laid_out = {queue: rules.layout for queue, rules in self.rules.items() if rules.layout != PLAIN_LAYOUT}
        return "\n".join(f"{queue} {layout}" for queue, layout in laid_out.items())

    def with_layouts(self, layouts: str) -> FlowSettings:
        """Return settings that know these layouts too: earlier releases may have put jobs into more lists."""
        rules = dict(self.rules)
        for line in filter(None, layouts.split("\n")):
            queue, priorities, group = line.split(" ")
            known = self.rules.get(queue, Rules()).grown(int(priorities), None if group == "-" else group)
            if not known.plain:
                rules[queue] = known
        return replace(self, rules=_rules(self.flow, rules))

    def overlays(self, queue: str | None = None) -> tuple[str, ...]:
        """Return the overlays of a script of the flow, the first one first; of a turn, give its queue.

        A flow without rules has none: its scripts are the plain ones.
        """
        first = ("runs",) if self.flow == RUN_FLOW else ("shared",) if self.shared else ()
        if self.outbox and not first:
            first = ("outbox",)
        if not self.rules:
            return first
        return (*first, "ruled", "rules") if queue is not None and queue in self.rules else (*first, "rules")

    def script(self, name: str, queue: str = "") -> Script:
        """Return a script as this flow needs it, or as a turn of this queue does.

        Raises:
            ScriptError: there is no such script.
            StoreUnavailable: its files cannot be read just now.
        """
        return load(name, *self.overlays(queue if name == "turn" else None))

    def named(self, flow: str | None = None) -> dict[str, Argument]:
        """Return the arguments by name; for the jobs of a child queue, give their flow name as `flow`."""
        return {
            "ns": self.keys.namespace,
            "never_a": self.keys.never("a"),
            "never_b": self.keys.never("b"),
            "now": -self.ahead_ms,
            "root": self.flow,
            "flow": flow or self.flow,
            "first": self.first(flow or self.flow),
            "settings": self.packed,
        }

    def member(self, queue: str, job_id: str) -> str:
        """Return how a job of the flow stands in a queue: by its id, or in a shared one by `<flow>:<id>`."""
        return f"{self.flow}:{job_id}" if queue in self.shared else job_id

    def new_call(self) -> str:
        """Return a new key for a call that has no number: sent twice, the call is answered twice and done once."""
        return self.keys.call(os.urandom(8).hex())

    def flow_of(self, queue: str) -> str:
        """Return the flow name of a queue's jobs; for a child queue, that is the queue's own name."""
        return queue if ":" in queue else self.flow

    def first(self, flow: str) -> str:
        """Return the queue in which the jobs of `flow` start."""
        return self.first_queue if flow == self.flow else flow


def _rules(flow: str, rules: Mapping[str, Rules]) -> Mapping[str, Rules]:
    return RunRules(rules) if flow == RUN_FLOW else rules


def _line_of_shared(queue: QueueOptions[Job], options: FlowOptions[Job, str]) -> str:
    """Return the line by which scripts know a shared queue: where jobs go next, and what becomes of their priority."""
    rules = next((other.rules for other in options.queues if other.name == queue.next_queue), None)
    most = rules.priorities if rules is not None and rules.priorities > 1 else MOST_PRIORITIES
    return f"= {queue.name} {queue.next_queue or '-'} {queue.next_queue_priority_diff} {most}"


def milliseconds(time: timedelta) -> int:
    """Return a time in whole milliseconds, at least one."""
    return max(1, int(time / timedelta(milliseconds=1)))
