"""What stands in for the functions of steps, and for the runs that they start, in a run without a server."""

# pyright: reportPrivateUsage=false
# (the kit sees what users do not)

from __future__ import annotations

import inspect
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from pydantic_core import from_json

from flows.errors import ValidationError
from flows.workflow.declared import Declared
from flows.workflow.steps.step import Step
from flows.workflow.steps.step_calls import StepCalls, shape_of
from flows.workflow.steps.step_children import StepRuns
from flows.workflow.steps.step_options import StepOptions
from flows.workflow.steps.step_waits import StepWaits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from flows.model.runs.new_run import NewRun
    from flows.model.runs.shape import Shape
    from flows.model.runs.step_record import StepKind
    from flows.workflow.steps.step_host import StepHost


@dataclass(slots=True)
class Asked:
    """What a run and those that it has started asked for, by names."""

    stood_in: set[str] = field(default_factory=set[str])
    """Steps whose stand-ins were called."""
    called: set[str] = field(default_factory=set[str])
    """Steps whose own functions were called."""
    events: set[str] = field(default_factory=set[str])
    """Events that were waited for."""

    def doubts(self, steps: Iterable[str], events: Iterable[str]) -> list[str]:
        """Return what seems to be misspelt of what was given: the real function was called, nothing came."""
        found: list[str] = []
        for name in steps:
            near = () if name in self.stood_in else get_close_matches(name, self.called)
            if near:
                found.append(f"steps= has {name!r}, which was not asked for; step {near[0]!r} was called as it is")
        given = set(events)
        missed = ", ".join(map(repr, sorted(self.events - given)))
        if missed:
            unasked = sorted(given - self.events)
            found += [
                f"events= has {name!r}, for which nothing waited; it waited for event {missed}" for name in unasked
            ]
        return found


class StandIns:
    """What stands in, by the names of steps.

    Args:
        steps: A value that is returned, an exception that is raised, or a function that is called.
        asked: Where it is written down what was asked for.
        resource: What stands in for what the app's lifespan brings.
    """

    def __init__(self, steps: dict[str, Any], asked: Asked | None = None, resource: object = None) -> None:
        self.steps = steps
        self.asked = asked or Asked()
        self.resource = resource
        self.run_id = ""
        self._workflows: dict[str, Declared] = {}

    def know(self, workflow: Declared | str) -> None:
        """Know a workflow that the code has started."""
        if isinstance(workflow, Declared):
            self._workflows[workflow.name] = workflow

    def workflow(self, name: str, step: str) -> Declared:
        """Return a workflow that a step has started.

        Raises:
            ValidationError: its function is not known here.
        """
        found = self._workflows.get(name)
        if found is None or found.function is None:
            raise ValidationError(
                f"step {step!r} starts workflow {name!r}, whose function is not known here: give steps={{{step!r}: …}}"
            )
        return found

    async def call(self, step: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Do what stands in for a step."""
        stand_in: object = self.steps[step]
        self.asked.stood_in.add(step)
        if isinstance(stand_in, BaseException):
            raise stand_in
        if not inspect.isroutine(stand_in):
            return stand_in
        returned: Any = stand_in(*args, **kwargs)
        return await returned if inspect.isawaitable(returned) else returned

    async def child(self, step: str, run: NewRun) -> Any:
        """Do what stands in for a run that a step has started."""
        known = self._workflows.get(run.workflow)
        args = (from_json(run.input),) if known is None else known.arguments(run.input)
        return await self.call(step, args, {})


class StandInStep(Step):
    """A step whose functions may have stand-ins."""

    def __init__(self, host: StepHost, stand_ins: StandIns) -> None:
        super().__init__(host)
        stand_ins.run_id = host.run_id
        self._calls = _Calls(host, stand_ins)
        self._runs = _Runs(host, stand_ins)
        self._waits = _Waits(host, stand_ins)


class _Calls(StepCalls):
    def __init__(self, host: StepHost, stand_ins: StandIns) -> None:
        super().__init__(host)
        self._stand_ins = stand_ins

    def begins_plainly(self, name: str, function: Callable[..., Any]) -> bool:
        """Take note of such a question; a stand-in is called otherwise."""
        begins = name not in self._stand_ins.steps and super().begins_plainly(name, function)
        if begins:
            self._stand_ins.asked.called.add(name)
        return begins

    async def run(
        self,
        options: StepOptions[Any],
        function: Callable[..., Any],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
        kind: StepKind = "run",
    ) -> Any:
        """Call what stands in for a step's function; what it returns is of the function's type."""
        name = options.name
        if name not in self._stand_ins.steps:
            self._stand_ins.asked.called.add(name)
            return await super().run(options, function, args, kwargs, kind)

        async def stand_in(*args: Any, **kwargs: Any) -> Any:
            return await self._stand_ins.call(name, args, kwargs)

        options = StepOptions(
            name,
            timeout=options.timeout,
            retries=options.retries,
            undo=options.undo,
            returns=shape_of(options, function).declared,
        )
        return await super().run(options, stand_in, args, kwargs, kind)


class _Waits(StepWaits):
    def __init__(self, host: StepHost, stand_ins: StandIns) -> None:
        super().__init__(host)
        self._stand_ins = stand_ins

    async def event(  # noqa: PLR0917 - what was asked for
        self, name: str, event: str, key: str, shape: Shape[Any], since_ms: int, timeout_ms: int | None
    ) -> Any:
        """Wait for an event."""
        self._stand_ins.asked.events.add(event)
        return await super().event(name, event, key, shape, since_ms, timeout_ms)


class _Runs(StepRuns):
    def __init__(self, host: StepHost, stand_ins: StandIns) -> None:
        super().__init__(host)
        self._stand_ins = stand_ins

    async def run(
        self, name: str, workflow: Declared | str, given: object, options: Mapping[str, Any], timeout_ms: int | None
    ) -> Any:
        """Know the workflow, and start its run."""
        self._stand_ins.know(workflow)
        return await super().run(name, workflow, given, options, timeout_ms)

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
        """Know the workflow, and start its runs."""
        self._stand_ins.know(workflow)
        return await super().map(name, workflow, inputs, limit, timeout_ms, returns_failures=returns_failures)

    async def emit(self, name: str, workflow: Declared | str, given: object, options: Mapping[str, Any]) -> str:
        """Know the workflow, and start its run."""
        self._stand_ins.know(workflow)
        return await super().emit(name, workflow, given, options)
