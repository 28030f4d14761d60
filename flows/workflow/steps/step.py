"""`Step`: what the function of a workflow calls, each thing by a name under which it is remembered."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, ParamSpec, TypeVar, overload

from flows.errors import ValidationError
from flows.model.arguments import check_whole
from flows.model.runs.step_record import check_step_name
from flows.workflow.steps.plain_step import run_plain_step
from flows.workflow.steps.step_calls import StepCalls
from flows.workflow.steps.step_children import StepRuns
from flows.workflow.steps.step_options import StepOptions, options_of
from flows.workflow.steps.waiting_steps import WaitingSteps, optional_ms

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from flows.model.runs.new_run import RunOptions
    from flows.model.runs.step_children import ChildRunResult
    from flows.workflow.definition import Workflow
    from flows.workflow.steps.step_host import StepHost

P = ParamSpec("P")
ReturnedT = TypeVar("ReturnedT")
InT = TypeVar("InT")
OutT = TypeVar("OutT")


class Step(WaitingSteps):
    """What a run has done so far, and how it goes on: each step is done once, and its result remembered.

    Every step has a name of its own within its run. Steps may run at once, in `asyncio.gather`, a `TaskGroup` or tasks;
    a race between them goes the same way whenever the function is called anew.

    All methods raise `DuplicateStep` for a name that the run's code has given before, `PlanChanged` where what is
    recorded under it is something else, and `ValidationError` for a name that cannot be one.
    """

    def __init__(self, host: StepHost) -> None:
        super().__init__(host)
        self._calls = StepCalls(host)

    @cached_property
    def _runs(self) -> StepRuns:
        return StepRuns(self._host)

    @property
    def run_id(self) -> str:
        """The run's id."""
        return self._host.run_id

    @property
    def attempt(self) -> int:
        """Which attempt at the run this is, from 1; waits and dead workers do not count."""
        return self._host.attempt

    @overload
    async def run(
        self, name: str, fn: Callable[P, Awaitable[ReturnedT]], /, *args: P.args, **kwargs: P.kwargs
    ) -> ReturnedT: ...
    @overload
    async def run(self, name: str, fn: Callable[P, ReturnedT], /, *args: P.args, **kwargs: P.kwargs) -> ReturnedT: ...
    @overload
    async def run(
        self, name: StepOptions[ReturnedT], fn: Callable[P, Awaitable[ReturnedT]], /, *args: P.args, **kwargs: P.kwargs
    ) -> ReturnedT: ...
    @overload
    async def run(
        self, name: StepOptions[ReturnedT], fn: Callable[P, ReturnedT], /, *args: P.args, **kwargs: P.kwargs
    ) -> ReturnedT: ...
    async def run(self, name: Any, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Call a function once and return what it returns, then and ever after.

        An `async def` runs in the loop, a `def` in a thread; inside of it `current_job().idempotency_key` is the same
        for every try. The function is called again only where its worker died before its result was recorded, or where
        `StepOptions(retries=…)` says so.

        Args:
            name: The step's name, or `StepOptions` with it.
            fn: The function; what it returns is annotated, or is plain JSON.
            *args: What it is called with.
            **kwargs: What it is called with.

        Raises:
            StepFailed: the function raised, and is not tried again in this life of the run; `.error` says what, and
                `.was(SomeError)` whether it was such a one. `StepTimeout`: it took longer than the step's timeout.
        """
        if type(name) is str and self._calls.begins_plainly(check_step_name(name), fn):
            return await run_plain_step(self._host, name, fn, args, kwargs)
        return await self._calls.run(options_of(name), fn, args, kwargs)

    @overload
    async def run_workflow(
        self,
        name: str,
        workflow: Workflow[None, OutT],
        *,
        timeout: timedelta | float | None = None,
        **options: Unpack[RunOptions],
    ) -> OutT: ...
    @overload
    async def run_workflow(
        self,
        name: str,
        workflow: Workflow[InT, OutT],
        input: InT,
        *,
        timeout: timedelta | float | None = None,
        **options: Unpack[RunOptions],
    ) -> OutT: ...
    @overload
    async def run_workflow(
        self,
        name: str,
        workflow: str,
        input: object = None,
        *,
        timeout: timedelta | float | None = None,
        **options: Unpack[RunOptions],
    ) -> Any: ...
    async def run_workflow(
        self,
        name: str,
        workflow: Any,
        input: object = None,
        *,
        timeout: timedelta | float | None = None,
        **options: Any,
    ) -> Any:
        """Start a run of another workflow, wait for its end without a worker, and return what it returned.

        Args:
            name: The step's name.
            workflow: The workflow, or its name, where other code has it.
            input: What it takes; nothing where it takes none.
            timeout: So long is waited; then the run goes on, unheard.
            **options: As of `Workflow.run`. With an `idempotency_key` that has a run, that one is waited for.

        Raises:
            ChildFailed: it failed, was cancelled or is gone; `.run_id`, `.status` and `.error` say more.
            StepTimeout: it has not ended in time.
            ValidationError: the input is not of the workflow's type, or an option cannot be used.
            IdempotencyConflict: the key is that of a run with other input.
        """
        return await self._runs.run(check_step_name(name), workflow, input, options, optional_ms("timeout", timeout))

    @overload
    async def emit_workflow(self, name: str, workflow: Workflow[None, Any], **options: Unpack[RunOptions]) -> str: ...
    @overload
    async def emit_workflow(
        self, name: str, workflow: Workflow[InT, Any], input: InT, **options: Unpack[RunOptions]
    ) -> str: ...
    @overload
    async def emit_workflow(
        self, name: str, workflow: str, input: object = None, **options: Unpack[RunOptions]
    ) -> str: ...
    async def emit_workflow(self, name: str, workflow: Any, input: object = None, **options: Any) -> str:
        """Start a run of another workflow as `run_workflow` does, and return its id without waiting for it."""
        return await self._runs.emit(check_step_name(name), workflow, input, options)

    @overload
    async def map(
        self,
        name: str,
        workflow: Workflow[InT, OutT],
        inputs: Sequence[InT],
        *,
        limit: int | None = None,
        timeout: timedelta | float | None = None,
        on_failure: Literal["raise"] = "raise",
    ) -> list[OutT]: ...
    @overload
    async def map(
        self,
        name: str,
        workflow: Workflow[InT, OutT],
        inputs: Sequence[InT],
        *,
        limit: int | None = None,
        timeout: timedelta | float | None = None,
        on_failure: Literal["return"],
    ) -> list[ChildRunResult[OutT]]: ...
    async def map(
        self,
        name: str,
        workflow: Any,
        inputs: Sequence[Any],
        *,
        limit: int | None = None,
        timeout: timedelta | float | None = None,
        on_failure: str = "raise",
    ) -> list[Any]:
        """Start a run for each input, wait for all of them without a worker, and return their results, in order.

        Args:
            name: The step's name.
            workflow: The workflow.
            inputs: Up to 10,000; as many, whenever the function is called anew.
            limit: So many of the runs are open at once; None: all.
            timeout: So long is waited; then the runs go on, unheard.
            on_failure: "raise" raises when all have ended; "return" gives how each one ended instead.

        Raises:
            ChildFailed: one of them did not end as done.
            StepTimeout: not all have ended in time.
            PlanChanged: there were more or fewer inputs when the step began.
            ValidationError: an input is not of the workflow's type, or there are too many.
        """
        if on_failure not in {"raise", "return"}:
            raise ValidationError(f'on_failure={on_failure!r:.80}: give "raise" or "return"')
        if limit is not None:
            check_whole("limit", limit, 1)
        inputs = list(inputs)
        return await self._runs.map(
            check_step_name(name),
            workflow,
            inputs,
            limit,
            optional_ms("timeout", timeout),
            returns_failures=on_failure == "return",
        )
