"""Reads runs: their states, and their records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from flows.kernel.callers.make_record import make_record, state_of
from flows.model.runs.new_run import RUN_FLOW
from flows.model.runs.queue_names import workflow_of
from flows.model.runs.run_record import STATUS_FIELDS, RunRecord, RunStatus, run_status
from flows.model.runs.shape import JSON_VALUES
from flows.workflow.run_flow import NoParams

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flows.model.runs.shape import Shape
    from flows.model.state import JobState
    from flows.workflow.host import Host

OutT_co = TypeVar("OutT_co", covariant=True)


class RunReader(Generic[OutT_co]):
    """Reads runs of one output type."""

    def __init__(self, host: Host, output: Shape[OutT_co] | None, fields: Sequence[str] = ()) -> None:
        """Read runs; without an output type, each is of its workflow's, where the app defines that.

        With `fields`, records have only these of the hash: for lists, which show neither input nor steps.
        """
        self._host = host
        self._output = output
        self._fields = fields

    async def state(self, job_id: str) -> JobState | None:
        """Return the run's state as a job, by a small read; None where it is gone."""
        fetch = (await self._host.open()).fetch
        [found] = await fetch.hashes([(RUN_FLOW, job_id)], ("_status",))
        return None if found is None else state_of(found.get("_status"))

    async def status(self, job_id: str) -> RunStatus | None:
        """Return the run's status, by a small read; None where it is gone."""
        fetch = (await self._host.open()).fetch
        [found] = await fetch.hashes([(RUN_FLOW, job_id)], STATUS_FIELDS)
        return None if found is None else run_status(state_of(found.get("_status")), found)

    async def record(self, job_id: str) -> RunRecord[OutT_co] | None:
        """Return the record of a run; None where it is gone."""
        return (await self.records([job_id]))[0]

    async def records(self, ids: list[str]) -> list[RunRecord[OutT_co] | None]:
        """Return the records of runs, None for each that is gone."""
        session = await self._host.open()
        found = await session.fetch.hashes([(RUN_FLOW, one) for one in ids], self._fields)
        records: list[RunRecord[OutT_co] | None] = []
        for run_id, fields in zip(ids, found, strict=True):
            if fields is None:
                records.append(None)
                continue
            job = make_record(session.settings, RUN_FLOW, run_id, fields, NoParams)
            records.append(RunRecord(job, fields, self._output_of(workflow_of(job.queue))))
        return records

    def _output_of(self, workflow: str) -> Shape[Any]:
        if self._output is not None:
            return self._output
        known = self._host.definitions.get(workflow)
        return JSON_VALUES if known is None else known.output
