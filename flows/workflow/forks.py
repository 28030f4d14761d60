"""Starts runs like others: from their beginning, or from one of their steps on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flows.errors import JobGone, KeyConflict, ValidationError
from flows.model.ids import new_job_id
from flows.model.runs.forked import forked
from flows.model.runs.new_run import BY_TAG, BY_WORKFLOW, RUN_FLOW
from flows.model.runs.queue_names import workflow_of
from flows.model.runs.run_record import FORKED_FIELD
from flows.store.runs.fork import Fork, start_fork
from flows.workflow.new_runs import new_run

if TYPE_CHECKING:
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
    [found] = await session.fetch.hashes([(RUN_FLOW, source)])
    if found is None:
        raise JobGone(source, what="run")
    queue, taken = found.get("_queue", b"").decode("utf-8", "replace"), forked(found, step)
    if taken is None:
        raise ValidationError(
            f"run {source} has no step {step!r} yet: `await handle.steps()` has all, and restart() begins anew"
        )
    lines = found.get("_lookups", b"").decode("utf-8", "replace").splitlines()
    fields = {**taken.fields, "input": found.get("input", b"null"), FORKED_FIELD: f"{source} {step}".encode()}
    if given is not None:
        name = workflow_of(queue)
        run = new_run(host.definitions.get(name) or name, given, {}, "fork", max_payload=host.max_payload)
        run = host.completed(run, given)
        fields |= {**dict(run.fields), "input": run.input}
        tags = [line for line in lines if line.startswith(f"{BY_TAG}:")]
        others = [f"{attribute}:{text}" for attribute, text in run.lookups if attribute != BY_WORKFLOW]
        lines = [f"{BY_WORKFLOW}:{name}", *tags, *others]
    lookups = "\n".join(line for line in lines if not line.startswith("#"))  # those are the other run's alone
    fork = Fork(source, new_job_id(), queue, fields, lookups, taken.records, taken.parents)
    if not queue or not await start_fork(session.connection, session.settings, fork):
        raise KeyConflict(f"run {source} cannot be forked: its hash names no queue, or one of its keys is not ours")
    return fork.id
