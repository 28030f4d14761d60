"""`Task` and `Tree`: what a generator returns."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, Generic, Literal, TypeVar, cast, overload

from flows.errors import DeclarationError
from flows.model.duration import as_timedelta, check_duration
from flows.model.names import FIELD, check_name
from flows.model.retries import Retries
from flows.model.tree.errors import did_you_mean
from flows.model.tree.node import Declared, Node, Order, Read, Written
from flows.model.tree.paths import NAME, ROOT, joined
from flows.model.tree.scopes import ARGUMENT, DATA
from flows.tree.annotations import TaskInput, bound_of, reads_of, result_of, schema_of, view_of
from flows.workflow.steps.function_call import is_async

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import timedelta

    from flows.model.declared.schemas import Schema

ViewT = TypeVar("ViewT", bound=TaskInput)
AskT = TypeVar("AskT", bound=TaskInput)
ResultT = TypeVar("ResultT")

_ORDERS: Final = ("parallel", "sequence")
_FAILURES: Final = ("fail", "continue")


class Task(Generic[ResultT]):
    """One task of a tree: a function of a view, what is below it, or both; below begins when its own work is ok.

    Args:
        name: 1 to 64 of the characters A-Z a-z 0-9 _ -, unique among its siblings.
        task: An `async def` or a plain function of one `TaskInput`; without one the task is a group.
        subtasks: What is below it.
        order: Whether these run side by side, as far as their inputs allow, or one after another.
        dest: Under which name the result stands in the context; by default the task's, where that is an identifier.
            Several: these fields of it. Of a group: the results of what is directly below, by their names; none by
            default.
        condition: False of its view: the task and all below it are skipped. One without annotation takes the view of
            the task.
        debug: Called with the result and the view when the task has ended, with `Trees(debug=True)`; errors are logged.
        on_complete: A line of the task's log when it has ended, or what makes one of the result.
        description: What to show beside the name.
        weight: How much it counts for progress.
        retries: How its function is tried again; by default it is not.
        timeout: How long one attempt may take, in seconds or as a timedelta.
        on_failure: Whether its failure ends the execution, or counts as skipped for what comes later.
        queue: Of which queue the workers run it; by default those of the execution do.
        backend: The name of the backend that runs it, as `Trees(backends=)` has it.

    Raises DeclarationError where one of them cannot be used.
    """

    @overload
    def __init__(
        self,
        name: str,
        task: Callable[[ViewT], Awaitable[ResultT]],
        *,
        subtasks: Sequence[Task[Any]] = (),
        order: Order = "parallel",
        dest: str | tuple[str, ...] | None = None,
        condition: Callable[[AskT], bool] | None = None,
        debug: Callable[[ResultT, ViewT], object] | None = None,
        on_complete: str | Callable[[ResultT], str] | None = None,
        description: str = "",
        weight: float = 1.0,
        retries: Retries | None = None,
        timeout: timedelta | float | None = None,
        on_failure: Literal["fail", "continue"] = "fail",
        queue: str | None = None,
        backend: str | None = None,
    ) -> None: ...
    @overload
    def __init__(
        self,
        name: str,
        task: Callable[[ViewT], ResultT],
        *,
        subtasks: Sequence[Task[Any]] = (),
        order: Order = "parallel",
        dest: str | tuple[str, ...] | None = None,
        condition: Callable[[AskT], bool] | None = None,
        debug: Callable[[ResultT, ViewT], object] | None = None,
        on_complete: str | Callable[[ResultT], str] | None = None,
        description: str = "",
        weight: float = 1.0,
        retries: Retries | None = None,
        timeout: timedelta | float | None = None,
        on_failure: Literal["fail", "continue"] = "fail",
        queue: str | None = None,
        backend: str | None = None,
    ) -> None: ...
    @overload
    def __init__(
        self: Task[None],
        name: str,
        *,
        subtasks: Sequence[Task[Any]],
        order: Order = "parallel",
        dest: str | None = None,
        condition: Callable[[AskT], bool] | None = None,
        description: str = "",
    ) -> None: ...
    def __init__(
        self,
        name: str,
        task: Callable[..., Any] | None = None,
        *,
        subtasks: Sequence[Task[Any]] = (),
        order: Order = "parallel",
        dest: str | tuple[str, ...] | None = None,
        condition: Callable[..., bool] | None = None,
        debug: Callable[..., object] | None = None,
        on_complete: str | Callable[..., str] | None = None,
        description: str = "",
        weight: float = 1.0,
        retries: Retries | None = None,
        timeout: timedelta | float | None = None,
        on_failure: Literal["fail", "continue"] = "fail",
        queue: str | None = None,
        backend: str | None = None,
    ) -> None:
        self._what = what = f"task {name!r}"
        self.name = name
        self.function = task
        self.subtasks = _tasks(what, subtasks)
        self.condition = condition
        self.debug = debug
        self.on_complete = on_complete
        self.retries = retries
        self.timeout: timedelta | None = as_timedelta(timeout)
        self._check(order, retries, on_failure)
        self.queue, self.backend = self._names(queue, backend)
        self._check_functions()
        self.view = None if task is None else self._view(task, "its function")
        self.asks = None if condition is None else self._asked(condition)
        self.shape = None if task is None else result_of(task, what)
        returns = None if self.shape is None else schema_of(self.shape)
        self.spreads = isinstance(dest, tuple)
        self.node: Node = Node(
            name,
            works=task is not None,
            reads=() if self.view is None else reads_of(self.view),
            asks=None if self.asks is None else reads_of(self.asks),
            writes=self._writes(dest, returns),
            spreads=self.spreads,
            returns=returns,
            tasks=tuple(one.node for one in self.subtasks),
            order=order,
            continues=on_failure == "continue",
            weight=weight,
            bound=bound_of(task),
            asks_bound=bound_of(condition),
            queue=self.queue,
            backend=self.backend,
            description=description,
        )

    def __repr__(self) -> str:
        return f"<Task {self.name}>"

    def _names(self, queue: str | None, backend: str | None) -> tuple[str, str]:
        """Return where the task runs."""
        if queue is not None and backend is not None:
            raise DeclarationError(f"{self._what}: give queue= or backend=: a backend has queues of its own")
        for role, name in (("queue", queue), ("backend", backend)):
            if name is not None:
                check_name(f"{self._what}: {role}", name)
        return queue or "", backend or ""

    def _check(self, order: object, retries: object, on_failure: object) -> None:
        what, name = self._what, self.name
        if not isinstance(name, str) or not NAME.fullmatch(name):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise DeclarationError(f"{what}: use 1 to 64 of the characters A-Z a-z 0-9 _ -")
        if self.function is None and not self.subtasks:
            raise DeclarationError(f"{what} has neither a function nor subtasks: give it one of them")
        if order not in _ORDERS:
            raise DeclarationError(f"{what}: order={order!r}: give 'parallel' or 'sequence'")
        if on_failure not in _FAILURES:
            raise DeclarationError(f"{what}: on_failure={on_failure!r}: give 'fail' or 'continue'")
        if retries is not None and not isinstance(retries, Retries):
            raise DeclarationError(f"{what}: retries={retries!r:.80}: give Retries(…)")
        if self.timeout is not None:
            check_duration("timeout", self.timeout)

    def _check_functions(self) -> None:
        others: dict[str, object] = {"condition": self.condition, "debug": self.debug}
        for role, value in {"its function": self.function, **others}.items():
            if inspect.iscoroutine(value):
                value.close()
                name = value.__name__
                raise DeclarationError(f"{self._what}: {role} is what {name}(…) returns: give {name} itself")
            if value is not None and not callable(value):
                raise DeclarationError(f"{self._what}: {role} is {value!r:.80}: give a function, not what it returns")
        for role, value in {**others, "on_complete": self.on_complete}.items():
            if callable(value) and is_async(value):
                raise DeclarationError(f"{self._what}: {role} is an async def, which is not awaited: make it a def")

    def _view(self, function: Callable[..., Any], role: str) -> type[TaskInput]:
        view = view_of(function, f"{self._what}: {role}")
        if view is None:
            raise DeclarationError(f"{self._what}: {role} does not say what it takes: annotate it with a TaskInput")
        return view

    def _asked(self, condition: Callable[..., Any]) -> type[TaskInput]:
        view = view_of(condition, f"{self._what}: its condition")
        return view or self.view or self._view(condition, "its condition")

    def _writes(self, dest: str | tuple[str, ...] | None, returns: Schema | None) -> tuple[Written, ...]:
        """Return under which names the result stands in the context."""
        if dest is None:
            is_own = self.function is not None and FIELD.fullmatch(self.name) and self.name not in {DATA, ARGUMENT}
            return (Written(self.name, returns),) if is_own else ()
        if self.function is None:
            if not isinstance(dest, str):
                raise DeclarationError(f"{self._what}: dest={dest!r}: a group's results stand under one name")
            return (Written(dest, _results(self.subtasks)),)
        if isinstance(dest, str):
            return (Written(dest, returns),)
        return tuple(Written(name, self._part(name, returns)) for name in dest)

    def _part(self, name: str, returns: Schema | None) -> Schema | None:
        """Return the schema of a field of the result."""
        if returns is None:
            return None
        definitions: dict[str, Any] = returns.get("$defs", {})
        model = definitions.get(str(returns["$ref"]).rpartition("/")[2], {}) if "$ref" in returns else returns
        fields: dict[str, Any] = model.get("properties", {})
        if name not in fields:
            raise DeclarationError(
                f"{self._what}: its result has no field {name!r} for dest={did_you_mean(name, fields)}"
            )
        return {**fields[name], "$defs": definitions}


class Tree:
    """A tree of tasks, the first of which run one after another.

    Args:
        *tasks: The first level.
    """

    def __init__(self, *tasks: Task[Any]) -> None:
        self.tasks = _tasks("a tree", tasks)

    def __repr__(self) -> str:
        return f"<Tree of {', '.join(one.name for one in self.tasks)}>"

    def declared(self, data: Sequence[Read]) -> Declared:
        """Return the tree as data, for an instance whose data has these fields."""
        return Declared(tuple(one.node for one in self.tasks), tuple(Written(one.name, one.schema) for one in data))

    def by_path(self) -> dict[str, Task[Any]]:
        """Return all tasks by their paths."""
        found: dict[str, Task[Any]] = {}
        left: list[tuple[str, Task[Any]]] = [(ROOT, one) for one in self.tasks]
        while left:
            above, task = left.pop()
            path = joined(above, task.name)
            found[path] = task
            left += [(path, one) for one in task.subtasks]
        return found


def _tasks(what: str, given: object) -> tuple[Task[Any], ...]:
    """Return tasks that were given as a sequence.

    Raises:
        DeclarationError: they are none.
    """
    if not isinstance(given, Sequence) or isinstance(given, (str, bytes)):
        raise DeclarationError(f"{what}: subtasks={given!r:.80}: give a list of Task")
    for one in cast("Sequence[object]", given):
        if not isinstance(one, Task):
            raise DeclarationError(f"{what}: {one!r:.80} is no Task: give Task(…)")
    return tuple(cast("Sequence[Task[Any]]", given))


def _results(tasks: Sequence[Task[Any]]) -> Schema | None:
    """Return the schema of the results of tasks by their names; None where one of them has none."""
    definitions: dict[str, Any] = {}
    values: list[Schema] = []
    for task in tasks:
        schema = task.node.returns if task.function is not None else _results(task.subtasks)
        if schema is None:
            return None
        definitions.update(schema.get("$defs", {}))
        values.append({name: part for name, part in schema.items() if name != "$defs"})
    unique = [one for nth, one in enumerate(values) if one not in values[:nth]]
    return {"type": "object", "additionalProperties": {"anyOf": unique}, "$defs": definitions}
