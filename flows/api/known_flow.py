"""What is known of a flow whose code is not here: what its releases have declared, and the settings of its scripts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Final

from flows.errors import NothingThere, ValidationError
from flows.model.limits.rules import Rules
from flows.model.runs.new_run import BY_TAG, BY_WORKFLOW, RUN_FLOW
from flows.store.fleet.apps import DeclaredWorkflow, read_workflows
from flows.store.fleet.declarations import read_declarations
from flows.store.jobs.flow_settings import FlowSettings
from flows.store.operators.directory import read_layouts, read_settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flows.model.declared.declared_flow import DeclaredFlow, DeclaredQueue
    from flows.store.client.connection import Connection
    from flows.store.keys.jobs import JobKeys

_DAY_MS: Final = 86_400_000


@dataclass(frozen=True)
class KnownFlow:
    """One flow."""

    name: str
    declared: tuple[DeclaredFlow, ...]
    """What its releases declare, the one that was seen last first; none of a flow that left no declaration."""
    had: tuple[str, ...]
    """The full names of all queues that it ever had."""
    settings: FlowSettings
    found_by: tuple[str, ...] = ()
    """Of the flow of runs: by what these are found, of all its workflows."""

    def check_times(self) -> None:
        """Refuse to act on jobs where nobody can say how long they are kept.

        Raises:
            ValidationError: there is no declaration.
        """
        if not self.declared and self.name != RUN_FLOW:
            raise ValidationError(
                f"flow {self.name!r} has left no declaration: start a process of it once, or act from its own code"
            )

    @cached_property
    def by_queue(self) -> dict[str, DeclaredQueue]:
        """The queues that the newest release declares, and then those of the ones before, by full name."""
        return {queue.name: queue for one in reversed(self.declared) for queue in one.walk()}

    @cached_property
    def queues(self) -> tuple[str, ...]:
        """The full names of its queues: in the order of declaration, then those that it had before."""
        newest = [queue.name for queue in self.declared[0].walk()] if self.declared else []
        return tuple(dict.fromkeys([*newest, *self.had]))

    @property
    def lookups(self) -> tuple[str, ...]:
        """The attributes by which its jobs are found."""
        return self.declared[0].lookup_attributes if self.declared else self.found_by

    def check_queue(self, queue: str) -> str:
        """Return the full name of a queue of the flow.

        Raises:
            NothingThere: it has none of this name.
        """
        if queue not in self.queues:
            raise NothingThere(f"flow {self.name!r} has no queue {queue!r:.80}: it has {', '.join(self.queues)}")
        return queue


async def read_flow(connection: Connection, keys: JobKeys, name: str, had: Sequence[str]) -> KnownFlow:
    """Return what the server knows of a flow.

    Args:
        connection: To the server.
        keys: Those of the namespace.
        name: The flow's.
        had: The queues that it ever had.

    Raises:
        StoreError: the server cannot be used.
    """
    settings = _undeclared(name, keys, had)
    if name == RUN_FLOW:
        return await _read_runs(connection, settings, had)
    declared = await read_declarations(connection, settings, name)
    if declared and declared[0].queues:
        settings = FlowSettings.of_declared(declared[0], keys)
    settings = settings.with_layouts(await read_layouts(connection, keys, had))
    shared, outbox = await read_settings(connection, keys, name)
    return KnownFlow(name, tuple(declared), tuple(had), replace(settings, shared=shared, outbox=outbox))


async def _read_runs(connection: Connection, settings: FlowSettings, had: Sequence[str]) -> KnownFlow:
    """Return what is known of the flow of runs: by the workflows that apps define, instead of by one declaration."""
    workflows = await read_workflows(connection, settings)
    rules: dict[str, Rules] = {}
    found_by = dict.fromkeys([BY_WORKFLOW, BY_TAG])
    kept = [(0, 0, 0)]
    for one in workflows:
        found_by.update(dict.fromkeys(map(str, one.declared.get("lookups", ()))))
        kept += [times for times in [kept_of(one)] if times is not None]
        if isinstance(line := one.declared.get("rules"), str):
            rules.setdefault(one.name, Rules.parse(line)[1])
    some = {queue: of for queue, of in rules.items() if not of.plain}
    done, failed, cancelled = (max(times) for times in zip(*kept, strict=True))
    if done:  # apps keep runs for different times: none is dropped too early
        settings = replace(settings, kept_ms=(done, failed, cancelled))
    settings = replace(settings, rules=some).with_layouts(await read_layouts(connection, settings.keys, had))
    return KnownFlow(RUN_FLOW, (), tuple(had), settings, tuple(found_by))


def kept_of(workflow: DeclaredWorkflow) -> tuple[int, int, int] | None:
    """Return for how many milliseconds runs of a workflow are kept: done, failed, cancelled; None: it does not say."""
    match workflow.declared.get("kept"):
        case [int(done), int(failed), int(cancelled)] if min(done, failed, cancelled) > 0:
            return done, failed, cancelled
        case _:
            return None


def _undeclared(name: str, keys: JobKeys, had: Sequence[str]) -> FlowSettings:
    """Return settings by which a flow can be looked at, and its runs acted on: these are kept for a week."""
    week = 7 * _DAY_MS
    return FlowSettings(
        flow=name,
        first_queue="flows.runs" if name == RUN_FLOW else next(iter(had), name),
        keys=keys,
        ttl_ms=0,
        kept_ms=(week, week, week),
        lease_ms=30_000,
        max_crashes=3,
        max_payload=1 << 20,
    )
