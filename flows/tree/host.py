"""What an app of trees holds: its generators, where instances stand, and how an execution is worked on."""

from __future__ import annotations

import asyncio
import inspect
from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pydantic import BaseModel
from pydantic_core import from_json, to_json

from flows.errors import DeclarationError, LostLease, StoreError
from flows.model.runs.shape import Shape
from flows.model.tree.errors import InstanceGone, UnknownGenerator
from flows.model.tree.node import Read, read_declared
from flows.model.tree.paths import ROOT
from flows.model.tree.plan import TreePlan
from flows.model.tree.schemas import written_schema
from flows.model.values.sets import sorted_sets
from flows.tree.declare import Tree
from flows.tree.outbox import Outbox
from flows.tree.storage.protocol import NO_TASKS
from flows.tree.walk import Surroundings, Walk
from flows.workflow.steps.failures import error_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from datetime import timedelta

    from flows.model.tree.task_record import InstanceRecord
    from flows.tree.backend.protocol import Executor
    from flows.tree.declare import Task
    from flows.tree.index.protocol import Index
    from flows.tree.storage.protocol import Execution, Snapshot, Token


class Grown(NamedTuple):
    """A tree that a generator has made, checked.

    Attributes:
        plan: What its tasks depend on.
        tasks: Its tasks with their functions, by path.
        description: The tree as JSON.
    """

    plan: TreePlan
    tasks: Mapping[str, Task[Any]]
    description: bytes


class Recipe:
    """A generator as the app holds it: a function of data, and the type of that.

    Raises DeclarationError where the type is no pydantic model.
    """

    def __init__(self, name: str, function: Callable[[Any], Tree | Awaitable[Tree]], model: type[BaseModel]) -> None:
        self.name = name
        self.model = model
        self.shape: Shape[Any] = Shape(model, f"the data of generator {name!r}")
        self._function = function
        self._fields = [
            Read(field, schema=written_schema(info.rebuild_annotation())) for field, info in model.model_fields.items()
        ]

    def encode(self, data: object) -> bytes:
        """Return data as JSON, in which equal data are equal texts.

        Raises:
            ValidationError: it is not of the generator's type, or would come back as something else.
        """
        value = self.shape.accept(data)
        written: dict[str, Any] = from_json(self.shape.encode(value))
        return to_json(sorted_sets(value, written))

    async def grow(self, data: bytes, known: bytes = b"") -> Grown:
        """Return the tree for some data.

        Args:
            data: The data, as JSON.
            known: The description of a tree that was checked: one that is the same is not checked again.

        Raises:
            DeclarationError: it cannot work.
        """
        made = self._function(self.shape.decode(data))
        tree = await made if inspect.isawaitable(made) else made
        if not isinstance(tree, Tree):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise DeclarationError(
                f"generator {self.name!r} has returned a {type(tree).__name__}: let it return Tree(…)"
            )
        declared = tree.declared(self._fields)
        description = declared.write()
        plan = plan_of(known) if description == known else TreePlan(declared)
        return Grown(plan, tree.by_path(), description)


class Host:
    """One app.

    Args:
        app: Its name.
        surroundings: What its executions work with.
        executor: What runs them.
        index: What finds its instances.
        ephemeral_ttl: How long an ephemeral instance stays after an execution.
        retention: How long the others do; None: until they are destroyed.
    """

    def __init__(
        self,
        app: str,
        surroundings: Surroundings,
        executor: Executor,
        index: Index,
        *,
        ephemeral_ttl: timedelta,
        retention: timedelta | None,
    ) -> None:
        self.app: Final = app
        self.surroundings = surroundings
        self.storage = surroundings.storage
        self.executor = executor
        self.index = index
        self.outbox = Outbox(app, surroundings.storage, index)
        self.recipes: dict[str, Recipe] = {}
        self._ephemeral_ttl = ephemeral_ttl
        self._retention = retention
        executor.bind(self.execute)

    def recipe(self, name: str) -> Recipe:
        """Return a generator.

        Raises:
            UnknownGenerator: there is none of this name.
        """
        found = self.recipes.get(name)
        if found is None:
            raise UnknownGenerator(name, self.recipes)
        return found

    async def load(self, instance_id: str) -> Snapshot:
        """Return an instance as it stands.

        Raises:
            InstanceGone: there is none.
        """
        found = await self.storage.load(instance_id)
        if found is None:
            raise InstanceGone(instance_id)
        return found

    async def glance(self, instance_id: str) -> tuple[InstanceRecord, int]:
        """Return what the last execution of an instance has come to, and its revision, without its tasks.

        Raises:
            InstanceGone: there is none.
        """
        found = await self.storage.load(instance_id, since=NO_TASKS)
        if found is None:
            raise InstanceGone(instance_id)
        return found.record, found.revision

    async def note(self, _instance_id: str) -> None:
        """Let the index know how instances stand that have changed."""
        await self.outbox.note()

    async def destroy(self, instance_id: str) -> bool:
        """Cancel what works on an instance, and delete it; False: it was gone already."""
        found = await self.storage.load(instance_id, since=NO_TASKS)
        if found is not None and found.record.status == "working":
            await self.executor.cancel(instance_id, found.record.run, "destroyed")
        is_deleted = await self.storage.delete(instance_id)
        await self.note(instance_id)
        return is_deleted

    async def execute(self, instance_id: str, token: Token, cancelled: Callable[[], str | None]) -> None:
        """Work on an execution until it has ended: see `Execute`."""
        snapshot = await self.storage.load(instance_id)
        if snapshot is None or snapshot.execution is None or snapshot.execution.id != token.execution:
            return
        if snapshot.record.status != "working":
            return  # an earlier attempt has ended it
        walk = self._walk(snapshot, snapshot.execution, token)
        try:
            grown = await self.recipe(snapshot.row.generator).grow(snapshot.data, snapshot.tree)
            walk = self._walk(snapshot, snapshot.execution, token, grown)
            await walk.run()
        except asyncio.CancelledError:
            reason = cancelled()
            if reason is None:
                raise
            with suppress(LostLease):  # its end was being written
                await walk.cancel(reason)
        except LostLease:
            return  # whoever has the instance now goes on
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001 - of the generator, or what nobody has foreseen: no limbo
            await walk.fail(error_of(error, ROOT, 1))
        await self.note(instance_id)

    def _walk(self, snapshot: Snapshot, execution: Execution, token: Token, grown: Grown | None = None) -> Walk:
        """Return the walk of an execution; without a tree that has been grown, it can only be ended."""
        ttl = self._ephemeral_ttl if snapshot.row.ephemeral else self._retention
        return Walk(
            self.surroundings,
            snapshot,
            execution,
            token,
            plan=plan_of(snapshot.tree) if grown is None else grown.plan,
            tasks={} if grown is None else grown.tasks,
            ttl=None if ttl is None else ttl.total_seconds(),
        )


@lru_cache(maxsize=64)
def plan_of(description: bytes) -> TreePlan:
    """Return the plan of a tree by its description; those that were asked for last are kept."""
    return TreePlan(read_declared(description))
