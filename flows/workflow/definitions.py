"""What an app of workflows declares: workflows, events, and references to workflows of other code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, overload

from typing_extensions import TypeVar

from flows.model.runs.shape import Shape
from flows.model.runs.workflow_options import WorkflowOptions
from flows.workflow.annotations import Shapes
from flows.workflow.define import Define, DefineWithFailure
from flows.workflow.definition import Workflow
from flows.workflow.event import DEFAULT_TTL, WorkflowEvent

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import timedelta

    from typing_extensions import Unpack

    from flows.model.runs.failure import Failure
    from flows.model.runs.workflow_options import DefineOptions
    from flows.workflow.host import Host

InT = TypeVar("InT")
OutT = TypeVar("OutT")
EventT = TypeVar("EventT")
#: What the lifespan of the app brings.
ResourceT_co = TypeVar("ResourceT_co", covariant=True, default=object)


class Definitions(Generic[ResourceT_co]):
    """The methods of `Workflows` that declare something."""

    _host: Host

    @overload
    def define(self, name: str, **options: Unpack[DefineOptions]) -> Define[ResourceT_co]: ...
    @overload
    def define(
        self,
        name: str,
        *,
        on_failure: Callable[[Failure[InT]], Awaitable[object] | object],
        **options: Unpack[DefineOptions],
    ) -> DefineWithFailure[InT, ResourceT_co]: ...
    @overload
    def define(
        self,
        name: str,
        *,
        on_failure: Callable[[Failure[InT], ResourceT_co], Awaitable[object] | object],
        **options: Unpack[DefineOptions],
    ) -> DefineWithFailure[InT, ResourceT_co]: ...
    def define(self, name: str, **options: Any) -> Any:
        """Return a decorator that makes a workflow of an async function of `(input, step)`, or of `(step)`.

        What it takes and returns is read from its annotations: pydantic models, dataclasses, typed dicts, scalars, and
        lists and dicts of these. Where the app has a lifespan, the function may take what that brings as well, behind
        the step, and `on_failure` behind the failure.

        Args:
            name: The workflow's name, and its queue's.
            **options: See `WorkflowOptions`: `queue`, `max_concurrency`, `slots`, `retries`, `timeout`, `lookup`,
                `cron`, `on_failure`, `version`, `on_change`, `retention`, `priorities`, `group_by`, `limits`,
                `max_concurrency_per_group`.

        Raises:
            DeclarationError: an option cannot be used.
        """
        kind = Define[Any] if options.get("on_failure") is None else DefineWithFailure[Any, Any]
        return kind(self._host, name, options)

    def event(self, name: str, kind: type[EventT], *, ttl: timedelta | float = DEFAULT_TTL) -> WorkflowEvent[EventT]:
        """Return an event that runs wait for and anybody sends; the same name and type in all apps.

        Args:
            name: Its name.
            kind: The type of what is sent.
            ttl: How long it is kept for those who wait for it later.

        Raises:
            DeclarationError: the name or the time cannot be used, or values of the type never come back from JSON.
        """
        return WorkflowEvent(self._host, name, kind, ttl)

    @overload
    def reference(self, name: str, *, output: type[OutT]) -> Workflow[None, OutT]: ...
    @overload
    def reference(self, name: str, *, input: type[InT], output: type[OutT]) -> Workflow[InT, OutT]: ...
    def reference(self, name: str, *, output: Any, input: Any = None) -> Workflow[Any, Any]:
        """Return a workflow of another code base, with the types that its runs take and return.

        Args:
            name: Its name.
            input: What it takes; left out where it takes nothing.
            output: What it returns.

        Raises:
            DeclarationError: the name cannot be used, or values of a type never come back from JSON.
        """
        where = f"workflow {name!r}"
        taken = None if input is None else Shape[Any](input, f"the input of {where}")
        shapes = Shapes(taken, Shape(type(None) if output is None else output, f"the output of {where}"))
        return Workflow[Any, Any](self._host, WorkflowOptions(name), shapes, None)
