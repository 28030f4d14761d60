"""Runs attempts at runs: loads what is recorded, plays the workflow's function, and says how the attempt ended."""

from __future__ import annotations

import asyncio
import inspect
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from flows.errors import HostUnable, MalformedJob, StoreError
from flows.kernel.current import reset_current, set_current
from flows.kernel.unable import is_hosts
from flows.model.job import JobError
from flows.model.outcome import Cancel, Fail, Finish, Outcome, Release, Retry, Snooze, Suspend
from flows.model.runs.failure import Failure
from flows.model.runs.loaded import Loaded
from flows.model.texts import summary_of
from flows.store.runs.records import Owner
from flows.telemetry.events import described
from flows.telemetry.failpoints import failpoint
from flows.workflow.running.news import News
from flows.workflow.running.redis_recorder import RedisRecorder
from flows.workflow.steps.play import Attempted, Body
from flows.workflow.steps.run_judge import RunJudge

if TYPE_CHECKING:
    from collections.abc import Callable

    from flows.kernel.attempt import Attempt
    from flows.kernel.handler import Handler
    from flows.kernel.session import Session
    from flows.model.runs.loaded import Failing
    from flows.store.jobs.claimed import ClaimedJob
    from flows.workflow.declared import Declared
    from flows.workflow.host import Host

#: What a claim reads of a run: its input, and whether it has something to undo, before it was ever begun.
_FIELDS: Final = ("input", "_failing")
#: So many records that no step waits for are written with the end of a run, and not before it.
_MOST_AT_END: Final = 100


def run_runner(host: Host, workflow: Declared, queue: str, handler: Handler | None = None) -> RunRunner:
    """Return what runs the attempts of a workflow's runs in one queue of the kernel."""
    return RunRunner(host, workflow, queue, handler)


class RunRunner:
    """Runs the attempts of one worker at the runs of a workflow.

    Args:
        host: The app.
        workflow: The workflow.
        queue: The worker's queue.
        handler: Has what the app's lifespan brings; None: it has no lifespan.
    """

    #: A run's own timeout counts from its first start, waits included: the replay watches it.
    timeout: float | None = None

    def __init__(self, host: Host, workflow: Declared, queue: str, handler: Handler | None = None) -> None:
        #: That of the worker loop, which sets it when it begins.
        self.worker_id = ""
        self._host = host
        self._workflow = workflow
        self._queue = queue
        self._handler = handler
        self._lease = host.runtime.options.lease.total_seconds()
        timeout = workflow.options.timeout
        self._timeout_ms = None if timeout is None else round(timeout.total_seconds() * 1000)
        on_failure = workflow.options.on_failure
        self._fails_in_loop = on_failure is not None and inspect.iscoroutinefunction(on_failure)
        self._keeps_slot = workflow.options.slots == "open" and workflow.options.max_concurrency is not None
        self._news: News | None = None

    @property
    def fields(self) -> list[str]:
        """The fields of the run's hash that a claim has to read."""
        return [*_FIELDS]

    def clock(self, watch: Callable[[Attempt], None]) -> Callable[[Attempt], None]:
        """Return what to call when an attempt is about to run."""
        return watch

    def timed_out(self, attempt: Attempt) -> Outcome:
        """Return the outcome of an attempt that is over its timeout; it has none."""
        return Fail(self._error(attempt.claimed, "Timeout", "it ran too long"))

    async def run(self, attempt: Attempt) -> Outcome | None:
        """Run one attempt and return its outcome; None where the lease is lost and nothing may be written.

        Raises:
            HostUnable: the function did not begin, and the run is not to blame.
        """
        claimed = attempt.claimed
        counted = max(1, claimed.attempt - claimed.rescues)
        try:
            session = await self._host.runtime.open()
            life = f"{claimed.visit}.{counted}"
            if claimed.fence > 1 or claimed.values[1] is not None or not session.runs.clock.fresh:
                loaded = await session.runs.loader.load(claimed.id, life)
            else:  # nothing is recorded yet
                loaded = Loaded(now_ms=session.runs.clock.now_ms(), life=life, max_payload=session.settings.max_payload)
        except asyncio.CancelledError:
            return attempt.stop_as
        except StoreError:
            return Release()  # what is recorded could not be read: that is not the run's fault
        except Exception as error:
            if is_hosts(error):
                raise HostUnable(f"a run cannot be read: {summary_of(error)}") from error
            return Fail(self._error(claimed, type(error).__name__, str(error)))
        fields: dict[str, bytes] = {}
        if loaded.deadline_ms is None and self._timeout_ms is not None:
            loaded.deadline_ms = loaded.now_ms + self._timeout_ms
            fields["_deadline"] = b"%d" % loaded.deadline_ms
        owner = Owner(self.worker_id, claimed.id, claimed.fence)
        recorder = RedisRecorder(session.runs, owner, loaded.come, self._lease, fields, self._host.check_known)
        try:
            one = self._attempted(attempt, loaded, recorder, counted)
        except MalformedJob as error:
            return Fail(self._error(claimed, type(error).__name__, str(error)))
        return await self._play(attempt, session, one, recorder)

    async def _play(
        self, attempt: Attempt, session: Session, one: Attempted, recorder: RedisRecorder
    ) -> Outcome | None:
        """Play an attempt, write what has to stand before its outcome, and return that."""
        claimed = attempt.claimed
        news = self._news_of(session)
        token = set_current(attempt.current)
        news.add(claimed.id, one, recorder)
        try:
            failpoint("before-user-code")
            played = await one.play()
            failpoint("after-user-code")
            outcome = played.outcome
            if played.changed is not None:
                emit = self._host.runtime.events.emit
                emit("run.plan_changed", queue=self._queue, job_id=claimed.id, diff=played.changed)
            if isinstance(outcome, Finish) and len(played.records) <= _MOST_AT_END:
                outcome.records = played.records
            elif outcome is not None and played.records:
                await recorder.put(played.records)
            elif isinstance(outcome, Suspend | Retry | Snooze):
                await recorder.flush()
        except asyncio.CancelledError:
            # What follows a failure goes on with the next attempt, also where the run was to be cancelled.
            failing = isinstance(attempt.stop_as, Cancel) and one.failing
            return Release() if failing else attempt.stop_as
        except StoreError as error:
            self._host.runtime.events.emit("store.unavailable", queue=self._queue, error=str(error))
            return None  # the lease runs out, and the run goes on with what is recorded
        except HostUnable:
            raise  # the run is given back, and its worker rests
        except Exception as error:  # noqa: BLE001 - a fault of ours: as if the worker had died with it
            self._host.runtime.events.emit("worker.crashed", queue=self._queue, **described(error))
            return None
        finally:
            news.remove(claimed.id, one)
            reset_current(token)
        return replace(outcome, keeps_slot=self._keeps_slot) if isinstance(outcome, Suspend) else outcome

    def _attempted(self, attempt: Attempt, loaded: Loaded, recorder: RedisRecorder, counted: int) -> Attempted:
        claimed, workflow = attempt.claimed, self._workflow
        options, function, raw = workflow.options, workflow.function, claimed.values[0] or b"null"
        assert function is not None  # noqa: S101 - only what is defined here has workers here
        resource = () if self._handler is None else (self._handler.resource,)
        more = resource if workflow.takes_resource else ()
        body = Body(
            workflow=workflow.name,
            call=lambda step: function(*workflow.arguments(raw), step, *more),
            output=workflow.output,
            encode_input=self._encode_input,
            judge=RunJudge(workflow.name, options.retries, counted),
            on_failure=None
            if options.on_failure is None
            else self._on_failure(claimed, raw, options.on_failure, resource),
            fails_on_change=options.on_change == "fail",
        )
        return Attempted(
            body,
            loaded,
            recorder,
            run_id=claimed.id,
            attempt=counted,
            job=attempt.current,
            call_in_thread=self._host.threads.call,
            overruns=partial(self._host.runtime.events.emit, "job.overruns", queue=self._queue, job_id=claimed.id),
        )

    def _encode_input(self, given: object) -> bytes:
        accepted = self._workflow.accept(given)
        return b"null" if self._workflow.input is None else self._workflow.input.encode(accepted)

    def _on_failure(
        self, claimed: ClaimedJob, raw: bytes, function: Callable[..., Any], resource: tuple[Any, ...]
    ) -> Callable[[Failing], Any]:
        """Return what is called when the run has failed for good; a coroutine function where the user's is one."""
        workflow = self._workflow
        more = resource if workflow.failure_takes_resource else ()

        def failure(failing: Failing) -> Failure[Any]:
            [value] = workflow.arguments(raw) or (None,)
            cancelled = failing.how == "cancelled"
            error = failing.error or self._error(claimed, "Cancelled" if cancelled else "Unknown", failing.reason)
            return Failure(claimed.id, workflow.name, value, error, cancelled)

        async def tell(failing: Failing) -> Any:
            return await function(failure(failing), *more)

        def tell_plainly(failing: Failing) -> Any:
            return function(failure(failing), *more)

        return tell if self._fails_in_loop else tell_plainly

    def _news_of(self, session: Session) -> News:
        if self._news is None or self._news.session is not session:
            self._news = News(session, self._queue, self._lease)
        return self._news

    def _error(self, claimed: ClaimedJob, kind: str, message: str) -> JobError:
        return JobError(type=kind, message=message, queue=self._queue, attempt=claimed.attempt)
