"""What is known of a workflow without a server: its options, its types and its function."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from flows.errors import ValidationError
from flows.workflow.annotations import takes_resource

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from flows.model.limits.rules import Rules
    from flows.model.runs.shape import Shape
    from flows.model.runs.workflow_options import WorkflowOptions
    from flows.workflow.annotations import Shapes


class Declared:
    """A workflow as it was declared."""

    def __init__(
        self, options: WorkflowOptions, shapes: Shapes, function: Callable[..., Awaitable[Any]] | None
    ) -> None:
        self.name = options.name
        self.options = options
        self.input: Shape[Any] | None = shapes.input
        self.output: Shape[Any] = shapes.output
        self.function = function
        #: Whether its function, and `on_failure`, take what the app's lifespan brings.
        self.takes_resource = shapes.takes_resource
        self.failure_takes_resource = takes_resource(options.on_failure)

    @cached_property
    def rules(self) -> Rules | None:
        """What its priorities, groups, limits and slots mean together."""
        return self.options.rules

    def accept(self, given: object) -> Any:
        """Return an input as the function gets it.

        Raises:
            ValidationError: it is not of the workflow's type, or the workflow takes none and one is given.
        """
        if self.input is not None:
            return self.input.accept(given)
        if given is not None:
            raise ValidationError(f"workflow {self.name!r} takes no input: call it without one")
        return None

    def arguments(self, raw: bytes) -> tuple[Any, ...]:
        """Return what its function gets before the step, of an input as it stands in the run's hash.

        Raises:
            ValidationError: what stands there is not of the workflow's type.
        """
        return () if self.input is None else (self.input.decode(raw),)
