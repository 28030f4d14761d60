"""`Takeover`: finds executions that were begun and that nobody works on, and sees to it that they end.

A run that fails without recording the end of its execution, as its `on_failure` has failed too, is seen at once by the
process that has ended it. What that one misses, as it died or somebody else has deleted the run, a look finds.
"""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from flows.errors import StoreError
from flows.kernel.callers.make_record import state_of
from flows.model.job import JobError
from flows.model.runs.new_run import RUN_FLOW
from flows.model.runs.queue_names import workflow_of
from flows.model.state import TERMINAL
from flows.model.tree.paths import ROOT
from flows.tree.backend.runs import EXECUTIONS, Given, start_run, under_way
from flows.tree.index.protocol import Find
from flows.tree.storage.protocol import NO_TASKS, Token

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flows.telemetry.events import Event
    from flows.tree.host import Host
    from flows.workflow.host import Host as RunsHost

#: An execution whose run is not there after so many milliseconds lost the process that began it.
PATIENCE_MS: Final = 10_000
#: A page is looked at every so many seconds.
_EVERY: Final = 10.0
_PAGE: Final = 100
#: The events of a run that has ended, and has not returned.
_ENDS: Final = ("job.failed", "job.cancelled", "job.poison", "job.expired")
#: Higher than that of any attempt: the run has ended, and takes no other.
_LAST_FENCE: Final = 1 << 52


class Takeover:
    """Looks at executions that are under way, page by page.

    Args:
        host: The app.
        runs: Its runs.
    """

    def __init__(self, host: Host, runs: RunsHost) -> None:
        self._host = host
        self._runs = runs
        self._cursor = ""

    async def keep(self) -> None:
        """Look again and again."""
        while True:
            await asyncio.sleep(random.uniform(0.75, 1.25) * _EVERY)  # noqa: S311 - jitter
            try:
                await self.tick()
            except StoreError as error:
                self._runs.runtime.events.emit_seldom(("takeover",), "store.unavailable", error=str(error))

    async def follow(self) -> None:
        """Look at each run that ends in this process and has not returned: it should have recorded that."""
        ended: asyncio.Queue[str] = asyncio.Queue()
        workflow = f"{EXECUTIONS}{self._host.app}"

        def note(event: Event) -> None:
            if workflow_of(str(event.fields["queue"])) == workflow:
                ended.put_nowait(str(event.fields["job_id"]))

        stop = self._runs.runtime.events.subscribe(note, *_ENDS)
        try:
            while True:
                executions = [await ended.get()]
                while not ended.empty():
                    executions.append(ended.get_nowait())
                with suppress(StoreError):  # the next look finds it
                    await self._end_lost(executions)
        finally:
            stop()

    async def tick(self) -> None:
        """Look at the next page: start runs that are not there, and end executions whose runs have ended.

        Raises:
            StoreError: the storage, the index or the server cannot be used.
        """
        query = Find(status="working", limit=_PAGE, cursor=self._cursor)
        rows, self._cursor = await self._host.index.find(self._host.app, query)
        old = self._host.storage.now_ms() - PATIENCE_MS
        begun: dict[str, str] = {}
        for row in rows:
            found = await self._host.storage.load(row.id, since=NO_TASKS) if row.updated <= old else None
            if found is not None and found.record.status == "working" and found.record.started <= old:
                begun[found.record.run] = row.id
        if not begun:
            return
        for (execution, instance_id), is_there in zip(
            begun.items(), await under_way(self._runs, list(begun)), strict=True
        ):
            if is_there is None:
                await start_run(self._runs, self._host.app, instance_id, execution)
            elif not is_there:
                await self._end(instance_id, execution)

    async def _end_lost(self, executions: Sequence[str]) -> None:
        """Record those as failed that stand as working, and whose runs have ended."""
        fetch = (await self._runs.open()).fetch
        found = await fetch.hashes([(RUN_FLOW, one) for one in executions], ("_status", "input"))
        for execution, run in zip(executions, found, strict=True):
            if run is None or state_of(run.get("_status")) not in TERMINAL:
                continue
            instance_id = Given.model_validate_json(run["input"]).instance
            snapshot = await self._host.storage.load(instance_id, since=NO_TASKS)
            if snapshot is not None and (snapshot.record.status, snapshot.record.run) == ("working", execution):
                await self._end(instance_id, execution)

    async def _end(self, instance_id: str, execution: str) -> None:
        error = JobError(type="LostRun", message="the run of the execution has ended without it", queue=ROOT)
        await self._host.give_up(instance_id, Token(execution, execution, _LAST_FENCE), error, cancelled=False)
