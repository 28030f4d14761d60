"""`Workflow[In, Out]`: a workflow, of this process's code or known by its name, as callers start runs of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from flows.errors import ValidationError
from flows.model.arguments import check_many
from flows.model.runs.new_run import RunOptions
from flows.workflow.declared import Declared
from flows.workflow.handle import Handle
from flows.workflow.new_runs import maker, new_run

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from typing_extensions import Unpack

    from flows.model.runs.workflow_options import WorkflowOptions
    from flows.workflow.annotations import Shapes
    from flows.workflow.host import Host

InT_contra = TypeVar("InT_contra", contravariant=True)
OutT = TypeVar("OutT")
OutT_co = TypeVar("OutT_co", covariant=True)


class Workflow(Declared, Generic[InT_contra, OutT_co]):
    """A workflow: `@workflows.define(…)` makes it of a function, `workflows.reference(…)` of a name.

    Attributes:
        name: Its name, the same in all apps of the namespace.
        input: The type that runs take; None: they take no input.
        output: The type that they return.
        options: What it was declared with; of a reference, the defaults.
        function: Its function; None of a reference.
    """

    def __init__(
        self, host: Host, options: WorkflowOptions, shapes: Shapes, function: Callable[..., Awaitable[Any]] | None
    ) -> None:
        super().__init__(options, shapes, function)
        self._shapes = shapes
        self._host = host

    def __repr__(self) -> str:
        return f"<Workflow {self.name}>"

    @overload
    async def run(self: Workflow[None, OutT], **options: Unpack[RunOptions]) -> Handle[OutT]: ...
    @overload
    async def run(self, input: InT_contra, **options: Unpack[RunOptions]) -> Handle[OutT_co]: ...
    async def run(self, input: object = None, **options: Any) -> Handle[Any]:
        """Start a run and return its handle; its workers may be elsewhere, or still to come.

        Args:
            input: What the function takes; nothing where it takes the step alone.
            **options: `idempotency_key`, `idempotency_ttl`, `run_at`, `delay`, `priority`, `queue`, `tags`,
                `correlation_id`: see `RunOptions`.

        Returns:
            The run's handle; with an idempotency key that has a run, that run's.

        Raises:
            ValidationError: the input is not of the workflow's type, or an option cannot be used.
            IdempotencyConflict: the key has a run with other input.
            StoreError: the server cannot be used.
        """
        run = new_run(self, input, options, max_payload=self._host.max_payload)
        [run_id] = await self._host.start([run])
        return Handle(self._host, run_id, self.name, self.output)

    @overload
    async def emit(self: Workflow[None, Any], **options: Unpack[RunOptions]) -> str: ...
    @overload
    async def emit(self, input: InT_contra, **options: Unpack[RunOptions]) -> str: ...
    async def emit(self, input: object = None, **options: Any) -> str:
        """Start a run as `run` does, and return its id."""
        run = new_run(self, input, options, "emit", max_payload=self._host.max_payload)
        return (await self._host.start([run]))[0]

    async def run_many(self, inputs: Iterable[InT_contra], **options: Unpack[RunOptions]) -> list[Handle[OutT_co]]:
        """Start a run for each of many inputs, 100 by one script, and return their handles in order.

        Raises:
            ValidationError: an input is not of the workflow's type, or an option cannot be used, such as a key, which
                is of one run; nothing has been started.
            StoreError: the server cannot be used; those of earlier scripts are started.
        """
        if options.get("idempotency_key") is not None:
            raise ValidationError("run_many takes no idempotency_key=: a key is of one run; call run for each")
        make = maker(self, options, "run_many", self._host.max_payload)
        runs = [make(one, None) for one in check_many("inputs", inputs, "inputs")]
        return [Handle(self._host, run_id, self.name, self.output) for run_id in await self._host.start(runs)]

    def on(self, host: Host) -> Workflow[InT_contra, OutT_co]:
        """Return the same workflow, whose runs are started on another connection."""
        return Workflow(host, self.options, self._shapes, self.function)
