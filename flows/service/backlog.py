"""Leaves out what has come while no process of a service ran: `ServiceOptions(skip_backlog=True)`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from flows.model.ids import created_at
from flows.model.outcome import Cancel
from flows.store.jobs.leases import server_ms
from flows.store.services.backlog import begin_at, read_begin

if TYPE_CHECKING:
    from collections.abc import Callable

    from flows.kernel.attempt import Attempt
    from flows.kernel.attempt_runner import Runner, Watch
    from flows.kernel.runtime import Runtime
    from flows.kernel.session import Session
    from flows.model.outcome import Outcome

_REASON: Final = "backlog skipped"
_LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)
#: Processes that start within so long of each other start together.
_TOGETHER: Final = timedelta(seconds=2)


class Backlog:
    """When the service began to run, as its processes have it: the first one that starts says so.

    Args:
        runtime: The service's.
    """

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        #: When this process was started last, in server milliseconds, and for which start the rest is known.
        self._started = self._known = 0
        self._began = _LONG_AGO

    async def note(self) -> None:
        """Note that this process starts: what is created from now on is no backlog.

        Raises:
            StoreError: the server cannot be used.
        """
        session = await self._runtime.open()
        self._started = await server_ms(session.connection, session.settings)

    async def start(self) -> None:
        """Know when the service began, before the first claim: with this process, where no other one runs.

        Raises:
            StoreError: the server cannot be used.
        """
        if self._known == self._started:
            return
        started, session = self._started, self._runtime.session
        if await self._is_first(session, started):
            await begin_at(session.connection, session.settings, started)
        self._began = datetime.fromtimestamp(await read_begin(session.connection, session.settings) / 1000, UTC)
        self._known = started

    def has(self, job_id: str) -> bool:
        """Return whether a job was created before the service began."""
        return created_at(job_id) < self._began

    async def _is_first(self, session: Session, started_ms: int) -> bool:
        own = session.heartbeat.process
        at_once = datetime.fromtimestamp(started_ms / 1000, UTC) - _TOGETHER
        others = [one for one in await self._runtime.processes() if one.alive and one.queues and one.name != own]
        # Of several that start together, which have asked for nothing yet, one says so.
        return not any(
            one.name < own or any(queue.asked for queue in one.queues) or (one.started or at_once) < at_once
            for one in others
        )


class BacklogRunner:
    """Runs the attempts of another runner, but for jobs of the backlog that nobody has tried or retried.

    Args:
        runner: The other one.
        backlog: When the service began.
    """

    def __init__(self, runner: Runner, backlog: Backlog) -> None:
        self._runner = runner
        self._backlog = backlog
        self.timeout = runner.timeout
        self.worker_id = ""

    @property
    def fields(self) -> list[str]:
        """The fields of the job's hash that a claim has to read."""
        return self._runner.fields

    def clock(self, watch: Watch) -> Callable[[Attempt], None]:
        """Return what to call when an attempt is about to run."""
        return self._runner.clock(watch)

    def timed_out(self, attempt: Attempt) -> Outcome:
        """Return the outcome of an attempt that is over its timeout."""
        return self._runner.timed_out(attempt)

    async def run(self, attempt: Attempt) -> Outcome | None:
        """Run one attempt, or end its job as cancelled.

        Raises:
            HostUnable: the function did not begin, and its job is not to blame.
        """
        claimed = attempt.claimed
        if claimed.visit == 0 and claimed.attempt == 1 and self._backlog.has(claimed.id):
            return Cancel(_REASON)
        return await self._runner.run(attempt)
