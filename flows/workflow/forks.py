"""Starts runs like others: from their beginning, or from one of their steps on."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from flows.errors import JobGone, KeyConflict, ValidationError
from flows.model.ids import new_job_id
from flows.model.runs.new_run import BY_TAG, BY_WORKFLOW, RUN_FLOW
from flows.model.runs.queue_names import workflow_of
from flows.store.runs.fork import Fork, start_fork
from flows.workflow.new_runs import new_run

if TYPE_CHECKING:
    from flows.kernel.session import Session
    from flows.workflow.host import Host


async def fork_run(host: Host, source: str, step: str, given: object = None) -> str:
    """Start a run with the input of another one, or with this, and what that has done before a step; return its id.

    Raises:
        JobGone: the other run's retention is over, or it was deleted.
        ValidationError: nothing is recorded of the step, or the input is not of the workflow's type.
        KeyConflict: something else stands in the place of a key.
        StoreError: the server cannot be used.
    """
    session = await host.open()
    fork = Fork(source, new_job_id(), step)
    if given is not None:
        fork = await _changed(host, session, fork, given)
    word = await start_fork(session.connection, session.settings, fork)
    if word == "gone":
        raise JobGone(source)
    if word == "unknown":
        raise ValidationError(
            f"run {source} has no step {step!r} yet: `await handle.steps()` has all, and restart() begins anew"
        )
    if word == "conflict":
        raise KeyConflict(f"run {source} cannot be forked: its hash names no queue, or one of its keys is not ours")
    return fork.id


async def _changed(host: Host, session: Session, fork: Fork, given: object) -> Fork:
    """Return a fork with another input, with the lists by which that is found and the group that it belongs to."""
    [found] = await session.fetch.hashes([(RUN_FLOW, fork.source)], ("_queue", "_lookups"))
    if found is None:
        raise JobGone(fork.source)
    name = workflow_of(found.get("_queue", b"").decode())
    run = new_run(host.definitions.get(name) or name, given, {}, "fork", max_payload=host.max_payload)
    lines = found.get("_lookups", b"").decode().split("\n")
    tags = [(BY_TAG, line.partition(":")[2]) for line in lines if line.startswith(f"{BY_TAG}:")]
    others = [pair for pair in run.lookups if pair[0] != BY_WORKFLOW]
    return replace(fork, given=run.input, lookups=[(BY_WORKFLOW, name), *tags, *others], fields=run.fields)
