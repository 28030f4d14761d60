"""The steps that start other runs: one that is waited for, one that is not, and many at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pydantic_core import from_json, to_json

from flows.errors import ValidationError
from flows.model.ids import new_child_id
from flows.model.runs.errors import ChildFailed, PlanChanged
from flows.model.runs.step_children import MOST_CHILDREN, ChildRunResult, StepChildren
from flows.model.runs.step_record import StepRecord
from flows.workflow.new_runs import child_output, maker
from flows.workflow.steps.failures import failed_step, job_error

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flows.model.runs.shape import Shape
    from flows.model.runs.step_record import StepKind
    from flows.workflow.declared import Declared
    from flows.workflow.steps.step_host import StepHost

#: So many results of children are read at once where they are too many for the record.
_PAGE: Final = 500


class StepRuns:
    """The steps of one attempt that start other runs."""

    def __init__(self, host: StepHost) -> None:
        self._host = host
        self._replay = host.replay

    async def run(
        self, name: str, workflow: Declared | str, given: object, options: Mapping[str, Any], timeout_ms: int | None
    ) -> Any:
        """Start a run, wait for its end and return what it returned.

        Raises:
            ChildFailed: it did not end as done.
            StepTimeout: it has not ended in time, and goes on.
            ValidationError: the input is not of the workflow's type, or an option cannot be used.
            IdempotencyConflict: the key is that of a run with other input.
        """
        [ended] = await self._settled(name, "workflow", workflow, [given], options, None, timeout_ms)
        if ended.status != "done":
            raise _child_failed(name, ended)
        return ended.result

    async def map(
        self,
        name: str,
        workflow: Declared | str,
        inputs: Sequence[object],
        limit: int | None,
        timeout_ms: int | None,
        *,
        returns_failures: bool,
    ) -> list[Any]:
        """Start a run for each input, wait for all of them, and return what they returned, in order.

        Raises:
            ChildFailed: one did not end as done: the first one that is told, once all have ended.
            StepTimeout: not all have ended in time; they go on.
            PlanChanged: there were more or fewer inputs when it began.
            ValidationError: an input is not of the workflow's type, or there are too many.
        """
        if len(inputs) > MOST_CHILDREN:
            raise ValidationError(
                f"step {name!r}: {len(inputs):,} inputs: give {MOST_CHILDREN:,} at most, and others to further steps"
            )
        ended = await self._settled(name, "map", workflow, inputs, {}, limit, timeout_ms)
        if returns_failures:
            return ended
        for one in ended:
            if one.status != "done":
                raise _child_failed(name, one)
        return [one.result for one in ended]

    async def emit(self, name: str, workflow: Declared | str, given: object, options: Mapping[str, Any]) -> str:
        """Start a run and return its id, without waiting for it.

        Raises:
            ValidationError: the input is not of the workflow's type, or an option cannot be used.
            IdempotencyConflict: the key is that of a run with other input.
        """
        replay = self._replay
        record = replay.ask(name, "emit")
        if record is not None and record.status == "done":
            await replay.give(record.place)
            return _run_id(record)
        record = await replay.begin(name, "emit", record)
        make = maker(workflow, options, "emit_workflow", replay.loaded.max_payload)
        run = make(given, new_child_id(self._host.run_id))
        children = StepChildren(name, (run,), waited=False)
        if run.key is None:
            record = StepRecord("done", "emit", at=replay.now_ms(), result=to_json(run.id))
            await replay.write(name, record, children)
            return run.id
        # Which run has the key, only the script knows that writes this: it settles the step.
        record = record or StepRecord("waiting", "emit", at=replay.now_ms())
        await replay.write(name, record, children, alone=True)
        settled = await replay.wait(name, record)
        return run.id if settled is None else _run_id(settled)

    async def _settled(  # noqa: PLR0917 - what was asked for
        self,
        name: str,
        kind: StepKind,
        workflow: Declared | str,
        inputs: Sequence[object],
        options: Mapping[str, Any],
        limit: int | None,
        timeout_ms: int | None,
    ) -> list[ChildRunResult[Any]]:
        """Return how the runs of a step ended, once all have."""
        replay = self._replay
        record = replay.ask(name, kind)
        if record is not None and record.status == "failed":
            await replay.give(record.place)
            raise failed_step(name, record)
        if record is not None and (total := record.more.get("total", len(inputs))) != len(inputs):
            raise PlanChanged(f"step {name!r} has started {total} runs, and has {len(inputs)} inputs now")
        if record is not None and record.status == "done":
            await replay.give(record.place)
        else:
            record = await replay.begin(name, kind, record)
            if record is None or name in replay.loaded.incomplete:
                record = await self._start(name, kind, workflow, inputs, options, limit, timeout_ms, record)
            if record.status != "done":
                record = await self._wait(name, record)
        return await self._results(name, record, child_output(workflow))

    async def _start(  # noqa: PLR0917 - what was asked for
        self,
        name: str,
        kind: StepKind,
        workflow: Declared | str,
        inputs: Sequence[object],
        options: Mapping[str, Any],
        limit: int | None,
        timeout_ms: int | None,
        record: StepRecord | None,
    ) -> StepRecord:
        """Write the runs of a step, and return its record; each is started once, however often this is called."""
        replay = self._replay
        make = maker(workflow, options, "run_workflow" if kind == "workflow" else kind, replay.loaded.max_payload)
        parent = self._host.run_id
        runs = tuple(make(given, new_child_id(parent)) for given in inputs)
        now = replay.now_ms()
        if not runs:
            record = StepRecord("done", kind, at=now, more={"total": 0}, children=b"[]")
            await replay.write(name, record)
            return record
        if record is None:
            called = workflow if isinstance(workflow, str) else workflow.name
            until = None if timeout_ms is None else now + timeout_ms
            record = StepRecord("waiting", kind, at=now, until=until, more={"workflow": called, "total": len(runs)})
        await replay.write(name, record, StepChildren(name, runs, limit), alone=bool(options.get("idempotency_key")))
        return record

    async def _wait(self, name: str, record: StepRecord) -> StepRecord:
        replay = self._replay
        settled = await replay.wait(name, record)
        if settled is not None:
            return settled
        host, waited = self._host, (record.until or 0) - record.at
        error = job_error("Timeout", f"it waited longer than {waited / 1000:g} s", "", host.workflow, host.attempt)
        failed = StepRecord(
            "failed",
            record.kind,
            replay.late(name),
            at=record.at,
            life=replay.life,
            more={"timeout": True},
            error=error,
        )
        failed.classes = _TIMEOUT
        replay.note(name, failed)
        raise failed_step(name, failed)

    async def _results(self, name: str, record: StepRecord, output: Shape[Any]) -> list[ChildRunResult[Any]]:
        """Return how the runs ended, as a record says, or as is read in pages where they are too many for it."""
        if record.children is not None:
            return [_ended(one, output) for one in from_json(record.children)]
        found: list[ChildRunResult[Any]] = []
        total = int(record.more.get("total", 0))
        while len(found) < total:
            page = await self._replay.recorder.children(name, len(found), min(_PAGE, total - len(found)))
            found.extend(_ended(from_json(one), output) for one in page)
            if not page:
                raise PlanChanged(f"what the runs of step {name!r} have returned is gone")
        return found


def _ended(found: Any, output: Shape[Any]) -> ChildRunResult[Any]:
    if found.get("status") == "done":
        found = {**found, "result": output.decode(to_json(found.get("result")))}
    return ChildRunResult[Any].model_validate(found)


def _child_failed(name: str, ended: ChildRunResult[Any]) -> ChildFailed:
    return ChildFailed(name, ended.id, ended.status, ended.failure)


def _run_id(record: StepRecord) -> str:
    return str(from_json(record.result or b'""'))


_TIMEOUT: Final = ("builtins.TimeoutError", "builtins.OSError", "builtins.Exception", "builtins.BaseException")
