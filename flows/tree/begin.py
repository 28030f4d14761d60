"""Begins executions: what is to be executed is found out by the instance as it stands, and written with that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flows.model.runs.shape import encode_untyped
from flows.model.tree.errors import InstanceGone, TreeBusy
from flows.model.tree.freshness import Digests, Standing
from flows.tree.context import fields_of
from flows.tree.plans import plan_of
from flows.tree.storage.protocol import Execution

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from flows.model.runs.new_run import NewRun
    from flows.tree.asked import Asked
    from flows.tree.recipe import Recipe
    from flows.tree.storage.protocol import Storage


async def _at_once(_execution: str) -> bool:
    return True


async def begin(
    storage: Storage,
    instance_id: str,
    recipe: Recipe | None,
    execution: str,
    asked: Asked,
    *,
    over: Callable[[str], Awaitable[bool]] = _at_once,
    run: NewRun | None = None,
) -> bool:
    """Begin an execution, unless it has been begun already; return when that is durable, and whether its run stands.

    Args:
        storage: Where the instance is.
        instance_id: The instance.
        recipe: Makes its tree anew; None: its code is not here, and the tree stays as it is described.
        execution: The execution's id.
        asked: What is to be executed.
        over: Waits until the execution that has ended last is over for whoever is told of that; False: it is not soon.
        run: The run that is to work on it; None: there is none, or it runs already.

    Raises:
        UnknownPath: there is no such task.
        TaskNotReady: something that it depends on has not ended, or is stale.
        TreeBusy: another execution works on the instance.
        DeclarationError: the generator has made a tree that cannot work.
        InstanceGone: there is no such instance.
        ValidationError: the argument is not JSON.
        StoreError: the storage cannot be used.
    """
    argument = None if asked.argument is None else encode_untyped("the argument", asked.argument)
    while True:
        snapshot = await storage.load(instance_id)
        if snapshot is None:
            raise InstanceGone(instance_id)
        if snapshot.execution is not None and snapshot.execution.id == execution:
            return False
        last = snapshot.record
        if last.status == "working" or (last.run and not await over(last.run)):
            raise TreeBusy(instance_id, last.run)
        if recipe is None:
            plan, description = plan_of(snapshot.tree), snapshot.tree
        else:
            grown = await recipe.grow(snapshot.data, snapshot.tree)
            plan, description = grown.plan, grown.description
        standing = Standing(plan, snapshot.tasks, Digests(fields_of(snapshot.data)))
        targets = standing.targets(
            asked.path, missing=asked.missing, subtree=asked.subtree, downstream=asked.downstream
        )
        new = Execution(execution, asked.path, tuple(targets), argument, run)
        begun = await storage.begin(instance_id, new, description, snapshot.revision)
        match begun.word:
            case "begun" | "same":
                return begun.is_started
            case "busy":
                raise TreeBusy(instance_id, begun.execution)
            case "gone":
                raise InstanceGone(instance_id)
            case "moved":
                continue
