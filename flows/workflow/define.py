"""`@workflows.define(…)`: makes a workflow of an async function, whose annotations say what it takes and returns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, overload

from typing_extensions import TypeVar

from flows.errors import DeclarationError
from flows.model.runs.workflow_options import WorkflowOptions
from flows.workflow.annotations import workflow_shapes
from flows.workflow.definition import Workflow
from flows.workflow.input_fields import check_fields

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from flows.workflow.host import Host
    from flows.workflow.steps.step import Step

InT = TypeVar("InT")
OutT = TypeVar("OutT")
ResourceT_co = TypeVar("ResourceT_co", covariant=True, default=object)


class Define(Generic[ResourceT_co]):
    """The decorator that `define` returns; it makes a `Workflow` of a function of `(input, step)` or `(step)`.

    Behind the step, the function may take what the app's lifespan brings.
    """

    def __init__(self, host: Host, name: str, options: Mapping[str, Any]) -> None:
        self._host = host
        self._options = WorkflowOptions(name, **options)

    @overload
    def __call__(self, function: Callable[[Step], Awaitable[OutT]], /) -> Workflow[None, OutT]: ...
    @overload
    # No function of (input, step) is one of (step, resource): mypy cannot know that.
    def __call__(  # type: ignore[overload-overlap]
        self, function: Callable[[Step, ResourceT_co], Awaitable[OutT]], /
    ) -> Workflow[None, OutT]: ...
    @overload
    def __call__(self, function: Callable[[InT, Step], Awaitable[OutT]], /) -> Workflow[InT, OutT]: ...
    @overload
    def __call__(self, function: Callable[[InT, Step, ResourceT_co], Awaitable[OutT]], /) -> Workflow[InT, OutT]: ...
    def __call__(self, function: Callable[..., Awaitable[Any]], /) -> Workflow[Any, Any]:
        """Make the workflow.

        Raises:
            DeclarationError: the function is no `async def` of `(input, step)` or `(step)`, it takes a resource and the
                app has no lifespan, a type of it cannot be
                resolved or never comes back from JSON, or the app has a workflow of this name.
        """
        return made(self._host, self._options, function)


class DefineWithFailure(Generic[InT, ResourceT_co]):
    """The same where `on_failure` says which input there is."""

    def __init__(self, host: Host, name: str, options: Mapping[str, Any]) -> None:
        self._host = host
        self._options = WorkflowOptions(name, **options)

    @overload
    def __call__(
        self: DefineWithFailure[None, Any], function: Callable[[Step], Awaitable[OutT]], /
    ) -> Workflow[None, OutT]: ...
    @overload
    def __call__(
        self: DefineWithFailure[None, ResourceT_co], function: Callable[[Step, ResourceT_co], Awaitable[OutT]], /
    ) -> Workflow[None, OutT]: ...
    @overload
    def __call__(self, function: Callable[[InT, Step], Awaitable[OutT]], /) -> Workflow[InT, OutT]: ...
    @overload
    def __call__(self, function: Callable[[InT, Step, ResourceT_co], Awaitable[OutT]], /) -> Workflow[InT, OutT]: ...
    def __call__(self, function: Callable[..., Awaitable[Any]], /) -> Workflow[Any, Any]:
        """Make the workflow.

        Raises:
            DeclarationError: as `Define` says.
        """
        return made(self._host, self._options, function)


def made(host: Host, options: WorkflowOptions, function: Callable[..., Awaitable[Any]]) -> Workflow[Any, Any]:
    """Make a workflow of a function, and add it to its app.

    Raises:
        DeclarationError: it cannot be one.
    """
    shapes = workflow_shapes(options.name, function)
    check_fields(options, shapes.input)
    workflow = Workflow[Any, Any](host, options, shapes, function)
    if host.options.lifespan is None and (workflow.takes_resource or workflow.failure_takes_resource):
        what = "its function" if workflow.takes_resource else "on_failure"
        raise DeclarationError(
            f"workflow {options.name!r}: {what} takes a resource, and the app brings none: give Workflows(lifespan=…)"
        )
    workflow.__doc__ = function.__doc__
    host.add(workflow)
    return workflow
