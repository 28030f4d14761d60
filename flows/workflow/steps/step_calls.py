"""Calls the functions of steps, and gives back ever after what is recorded of them."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from flows.errors import ValidationError
from flows.model.runs.errors import PlanChanged
from flows.model.runs.shape import Shape
from flows.model.runs.step_record import OWN_KINDS
from flows.workflow.annotations import returned_shape
from flows.workflow.steps.failures import failed_step
from flows.workflow.steps.function_call import is_async
from flows.workflow.steps.plain_step import begins_plainly
from flows.workflow.steps.step_host import Undo
from flows.workflow.steps.step_try import StepTries

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from flows.model.runs.step_record import StepKind, StepRecord
    from flows.workflow.steps.step_host import StepHost
    from flows.workflow.steps.step_options import StepOptions


class StepCalls:
    """Calls the functions of the steps of one attempt."""

    def __init__(self, host: StepHost) -> None:
        self._host = host
        self._replay = host.replay

    def begins_plainly(self, name: str, function: Callable[..., Any]) -> bool:
        """Take note of a question for a step that `run_plain_step` can call; return False where `run` has to."""
        return is_async(function) and begins_plainly(self._host, name)

    async def run(
        self,
        options: StepOptions[Any],
        function: Callable[..., Any],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
        kind: StepKind = "run",
    ) -> Any:
        """Return what the function of a step returns, or has returned once.

        Raises:
            StepFailed: it has failed, and is not tried again in this life of the run.
            DuplicateStep: the run's code has asked for a step of this name.
            PlanChanged: what is recorded does not fit.
            DeclarationError: what the function returns is annotated as something that no JSON can give back.
        """
        name, replay = options.name, self._replay
        if not callable(function):
            raise ValidationError(
                f"step {name!r}: {function!r:.80} cannot be called: give a function, and its arguments after it"
            )
        record = replay.ask(name, kind)
        if record is not None and record.status in {"done", "failed"}:
            return await self._recorded(options, function, record)
        record = await replay.begin(name, kind, record)
        shape = None if kind in OWN_KINDS else shape_of(options, function)
        tries = StepTries(self._host, options, shape, function, args, kwargs or {}, kind)
        if record is not None and (record.until or 0) > replay.now_ms():
            await replay.wait(name, record)
        return await tries.run(record)

    async def _recorded(self, options: StepOptions[Any], function: Callable[..., Any], record: StepRecord) -> Any:
        def result() -> Any:
            return None if record.kind in OWN_KINDS else _decoded(options, function, record)

        if options.undo is not None and record.status == "done":
            self._host.undos[options.name] = Undo(options, record, result)
        await self._replay.give(record.place)
        if record.status == "failed":
            raise failed_step(options.name, record)
        return result()


def shape_of(options: StepOptions[Any], function: Callable[..., Any]) -> Shape[Any]:
    """Return the type of what a step returns: as its options say, else as its function's annotation does.

    Raises:
        DeclarationError: no JSON can give that back.
    """
    if options.returns is None:
        return returned_shape(function)
    try:
        return _declared(options.returns)
    except TypeError:  # a type that has no hash
        return Shape(options.returns, "the step's result")


@lru_cache(maxsize=1024)
def _declared(returns: Any) -> Shape[Any]:
    return Shape(returns, "the step's result")


def _decoded(options: StepOptions[Any], function: Callable[..., Any], record: StepRecord) -> Any:
    try:
        return shape_of(options, function).decode(record.result or b"null")
    except ValidationError as error:
        raise PlanChanged(
            f"what is recorded of step {options.name!r} is not what its function returns now ({error})"
        ) from error
