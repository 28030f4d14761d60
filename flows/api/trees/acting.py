"""Operations that act on task trees: execute them, cancel that, name and destroy them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from flows.api.admin import Admin
from flows.api.operation import operation
from flows.api.reading.tree_host import WORKFLOW, FoundTree, find_tree
from flows.api.views.trees import TreeStarted
from flows.api.views.view import Acted
from flows.errors import StateError, ValidationError
from flows.model.tree.errors import InstanceGone
from flows.model.tree.paths import ROOT


@operation("trees.execute", role="operator")
async def execute(
    admin: Admin,
    id: str,
    path: str = ROOT,
    argument: Any = None,
    *,
    missing: Literal["error", "run"] = "error",
    subtree: bool = False,
    downstream: bool = False,
    ref: Annotated[str, Field(min_length=1, max_length=200)] | None = None,
    app: str = "",
) -> TreeStarted:
    """Execute a task of an instance, a group with all that is below it, or all of it.

    Args:
        id: Of the instance.
        path: The task: `#.images.small`; `#` for all.
        argument: What its view has as its `argument`: plain JSON.
        missing: Whether what it depends on and is not ready is an `error`, or is `run` too.
        subtree: Execute all below it as well.
        downstream: Execute all as well that uses its result.
        ref: What is asked for twice with the same text begins once.
        app: Its app; it is looked for where this is left out.

    Raises:
        InstanceGone: there is none of this id.
        UnknownPath: it has no such task.
        TaskNotReady: something that the task depends on has not ended, or is stale.
        TreeBusy: an execution is under way.
    """
    found = await find_tree(admin, id, app)
    begun = await found.instance.execute(
        path, argument, missing=missing, subtree=subtree, downstream=downstream, ref=ref
    )
    return TreeStarted(word="begun", id=found.row.id, execution=begun.id)


@operation("trees.cancel", role="operator", frees=True)
async def cancel(
    admin: Admin, id: str, *, reason: Annotated[str, Field(max_length=1000)] = "cancelled", app: str = ""
) -> Acted:
    """Cancel the execution of an instance.

    Args:
        id: Of the instance.
        reason: Why; its record has it.
        app: Its app; it is looked for where this is left out.

    Raises:
        InstanceGone: there is none of this id.
        StateError: no execution is under way.
    """
    found = await find_tree(admin, id, app)
    if not await found.instance.cancel(reason):
        raise StateError(found.row.id, found.row.status, "cancelled: no execution is under way", what="instance")
    return _acted("cancelled", found)


@operation("trees.update", role="operator")
async def update(
    admin: Admin,
    id: str,
    *,
    data: Any = None,
    name: str | None = None,
    labels: Mapping[str, str] | None = None,
    app: str = "",
) -> Acted:
    """Give an instance another name, other labels, or other data, where the code of its app is in this process.

    Args:
        id: Of the instance.
        data: All of it, plain JSON; what read what has changed is stale then.
        name: What to call it.
        labels: Texts by which it is found, a JSON object; those that it had are gone.
        app: Its app; it is looked for where this is left out.

    Raises:
        InstanceGone: there is none of this id.
        ValidationError: nothing is given, something cannot be used, or the code that checks data is not here.
        DeclarationError: of this data the generator makes a tree that cannot work.
        TreeBusy: an execution is under way, and the data is to be another one.
    """
    if data is None and name is None and labels is None:
        raise ValidationError("trees.update: give data, a name, or labels")
    found = await find_tree(admin, id, app)
    if data is not None and found.row.generator not in found.host.recipes:
        raise ValidationError(
            f"the code of generator {found.row.generator!r} is not in this process, so that data cannot be checked: "
            "change it by the app's code, or serve with create_app(trees=[…])"
        )
    await found.instance.update(data, name=name, labels=labels)
    return _acted("updated", found)


@operation("trees.destroy", role="operator", frees=True)
async def destroy(admin: Admin, id: str, *, app: str = "") -> Acted:
    """Cancel what is under way of an instance, and delete it with all that it has.

    Args:
        id: Of the instance.
        app: Its app; it is looked for where this is left out.

    Raises:
        InstanceGone: there is none of this id.
    """
    found = await find_tree(admin, id, app)
    if not await found.instance.destroy():
        raise InstanceGone(found.row.id)
    return _acted("destroyed", found)


def _acted(word: str, found: FoundTree) -> Acted:
    return Acted(word=word, flow=f"{WORKFLOW}{found.row.app}", id=found.row.id)
