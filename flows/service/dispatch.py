"""Runs the attempts of a service's worker: each job's type says which function is called, and how its end is judged."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pydantic_core import from_json

from flows.errors import HostUnable, StoreUnavailable, ValidationError
from flows.kernel.attempt_runner import runs_now
from flows.kernel.current import reset_current, set_current
from flows.kernel.judge import Judge
from flows.kernel.unable import is_hosts
from flows.model.outcome import Advance, Fail, Finish, Outcome, Release
from flows.model.texts import summary_of
from flows.model.values.lookup import lookup_texts
from flows.model.verdict import Verdict
from flows.service.context import Context
from flows.service.service_params import LINKS
from flows.service.tenants.tenancy import Entered
from flows.telemetry.failpoints import failpoint

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextvars import Token

    from flows.kernel.attempt import Attempt
    from flows.kernel.attempt_runner import Watch
    from flows.kernel.current import CurrentJob
    from flows.model.plan import QueuePlan
    from flows.service.handled import Handled
    from flows.service.service_handler import ServiceHandler
    from flows.service.tenants.tenancy import Tenancy
    from flows.service.unknown_types import UnknownTypes

#: What a claim reads of a job, in the order of `claimed.values`.
_FIELDS: Final = ("type", "tenant", "payload")


class ServiceRunner:
    """Runs the attempts of one worker; each has the timeout of its type.

    Args:
        types: The types that this process knows, by their names as JSON; it may change at any time.
        plan: Of the worker's queue.
        handler: Calls functions.
        unknown: Says what becomes of jobs of other types.
        tenancy: The tenants of the jobs.
    """

    timeout: float | None = None

    def __init__(
        self,
        types: dict[bytes, Handled],
        plan: QueuePlan,
        handler: ServiceHandler,
        unknown: UnknownTypes,
        tenancy: Tenancy,
    ) -> None:
        #: That of the worker loop, which sets it when it begins.
        self.worker_id = ""
        self._types = types
        self._judge = Judge(plan)
        self._handler = handler
        self._queue = plan.queue
        self._unknown = unknown
        self._tenancy = tenancy
        #: How an attempt is judged, also where its type is taken away while it runs, and what it has linked its job to.
        self._running: dict[Attempt, tuple[Handled, list[str]]] = {}

    @property
    def fields(self) -> list[str]:
        """The fields of the job's hash that a claim has to read."""
        return [*_FIELDS]

    def clock(self, watch: Watch) -> Callable[[Attempt], None]:
        """Return what to call when an attempt is about to run: it starts the timeout of its type."""

        def start(attempt: Attempt) -> None:
            handled = self._types.get(attempt.claimed.values[0] or b"")
            if handled is not None and handled.queue == self._queue:
                watch(attempt, handled.seconds)

        return start

    def timed_out(self, attempt: Attempt) -> Outcome:
        """Return the outcome of an attempt that is over its type's timeout."""
        handled, links = self._running.get(attempt, (None, ()))
        return _linked((self._judge if handled is None else handled.judge).timed_out(attempt.claimed), links)

    async def run(self, attempt: Attempt) -> Outcome | None:
        """Run one attempt and return its outcome; None where the lease is lost and nothing may be written.

        Raises:
            HostUnable: the function did not begin, and its job is not to blame.
        """
        kind, tenant, payload = attempt.claimed.values
        handled = self._types.get(kind or b"")
        if handled is None or handled.queue != self._queue:
            return await self._unhandled(attempt, kind) if handled is None else Advance(handled.queue, {})
        links: list[str] = []
        self._running[attempt] = handled, links
        try:
            value = handled.kind.shapes.payload.decode(payload or b"null")
            whose = _text(tenant)
            entered = self._tenancy.all or await self._tenancy.enter(whose)
            if isinstance(entered, str):
                return Fail(handled.judge.error(attempt.claimed, "UnknownTenant", entered))
            if not isinstance(entered, Entered):
                return entered
            try:
                context = Context(attempt.current, handled.kind.name, whose, entered.client, entered, links)
                outcome = await self._run(attempt, handled, value, context)
            finally:
                if entered.resource is not None:
                    self._tenancy.leave(entered)
            outcome = _linked(outcome, links) if links else outcome
            return entered.scrubbed_outcome(outcome) if entered.token else outcome
        except ValidationError as error:
            if is_hosts(error.__cause__ or error):
                raise HostUnable(f"a job cannot be read: {summary_of(error)}") from error
            return handled.judge.malformed(attempt.claimed, str(error))
        except asyncio.CancelledError:
            return attempt.stop_as
        finally:
            del self._running[attempt]

    async def _run(self, attempt: Attempt, handled: Handled, value: Any, context: Context[Any]) -> Outcome | None:
        kind = handled.kind
        token: Token[CurrentJob | None] | None = set_current(attempt.current)
        try:
            failpoint("before-user-code")
            if handled.is_plain:  # as most are
                result = await kind.function(value, context)
            else:
                result = await self._handler.call_type(kind, value, context)
            failpoint("after-user-code")
            if isinstance(result, Verdict):
                return handled.judge.returned(attempt.claimed, result)
            return Finish({"result": handled.encoded(result)})
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # whatever a function raises, its job ends by it
            if isinstance(error, GeneratorExit) and not runs_now(attempt):
                token = None  # the lane is being dropped, in a context in which nothing of this one can be undone
                raise
            return _raised(attempt, handled.judge, error)
        finally:
            if token is not None:
                reset_current(token)

    async def _unhandled(self, attempt: Attempt, kind: bytes | None) -> Outcome | None:
        claimed = attempt.claimed
        try:
            return await self._unknown.outcome(claimed, _text(kind), self._judge)
        except asyncio.CancelledError:
            return attempt.stop_as
        except StoreUnavailable:
            return Release()


def _raised(attempt: Attempt, judge: Judge, error: BaseException) -> Outcome | None:
    if isinstance(error, HostUnable) and not attempt.current.cancelled:
        raise error
    # What a function raises because it was asked to stop says nothing of its job, unless it is a verdict.
    asked = attempt.current.cancelled and not isinstance(error, Verdict)
    return attempt.stop_as if asked else judge.raised(attempt.claimed, error)


OutcomeT = TypeVar("OutcomeT", bound="Outcome | None")


def _linked(outcome: OutcomeT, links: Sequence[str]) -> OutcomeT:
    """Return an outcome that links its job to these, where it ends it."""
    if not links or not isinstance(outcome, Finish | Fail):
        return outcome
    return replace(outcome, lookups=[f"{LINKS}:{text}" for text in lookup_texts(links)])


def _text(raw: bytes | None) -> str:
    """Return the text that a field holds; empty where it holds none, as one that was edited by hand."""
    if not raw or raw == b'""':
        return ""
    try:
        found: object = from_json(raw)
    except ValueError:
        return ""
    return found if isinstance(found, str) else ""
