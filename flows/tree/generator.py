"""`Generator`: what makes instances of data; `@trees.generator(…)` makes one of a function."""

from __future__ import annotations

import inspect
import types
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Generic, TypeVar, get_type_hints

from pydantic import BaseModel, RootModel

from flows.errors import DeclarationError, IdempotencyConflict
from flows.model.annotations.functions import names_of
from flows.model.annotations.signatures import signature_of
from flows.model.arguments import check_flag, check_text
from flows.model.ids import new_job_id
from flows.model.names import check_instance_id
from flows.model.tree.errors import TreeBusy
from flows.tree.instance import Instance
from flows.tree.labels import check_caption, check_labels
from flows.tree.storage.protocol import NO_TASKS, InstanceRow

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flows.tree.host import Host
    from flows.tree.recipe import Recipe

DataT = TypeVar("DataT", bound=BaseModel)


class Generator(Generic[DataT]):
    """Makes instances: a function of data that returns a tree, the same for the same data.

    Attributes:
        name: Its name.
    """

    def __init__(self, host: Host, recipe: Recipe) -> None:
        self._host = host
        self._recipe = recipe
        self.name = recipe.name

    def __repr__(self) -> str:
        return f"<Generator {self.name}>"

    async def create(
        self,
        data: DataT,
        *,
        realm: str = "",
        name: str = "",
        labels: Mapping[str, str] | None = None,
        ephemeral: bool = False,
        execute: bool = False,
        idempotency_key: str | None = None,
    ) -> Instance[DataT]:
        """Make an instance of some data, and return it when it stands.

        Args:
            data: What the generator takes; its fields begin the context.
            realm: Whose it is.
            name: What to call it.
            labels: Texts by which it is found.
            ephemeral: Whether it goes soon after an execution has ended.
            execute: Whether all of it is executed at once; what is being executed already goes on.
            idempotency_key: While there is an instance of the app that was created with this key, that is returned.

        Raises:
            IdempotencyConflict: the instance with the key was made by another generator, or of other data.
            ValidationError: the data is not of the generator's type, or a text cannot be used.
            DeclarationError: the generator has made a tree that cannot work; nothing was written.
        """
        encoded = self._recipe.encode(data)
        grown = await self._recipe.grow(encoded)
        row = InstanceRow(
            new_job_id(),
            self._host.app,
            self.name,
            realm=check_caption("realm", realm),
            name=check_caption("name", name),
            labels=check_labels(labels or {}),
            ephemeral=check_flag("ephemeral", ephemeral),
        )
        key = "" if idempotency_key is None else check_text("idempotency_key", idempotency_key)
        found = await self._host.storage.create(row, encoded, grown.description, key)
        is_idle = True
        if found != row.id:  # somebody has created it with the same key
            there = await self._host.load(found)
            if (there.row.generator, there.data) != (self.name, encoded):
                raise IdempotencyConflict(found, key, "instance")
            is_idle = there.record.status == "idle"
        await self._host.note()
        instance = Instance[DataT](self._host, self._recipe, found)
        if check_flag("execute", execute) and is_idle:
            with suppress(TreeBusy):  # who has created it with the same key was quicker
                await instance.execute_all()
        return instance

    async def get(self, instance_id: str) -> Instance[DataT] | None:
        """Return an instance of this generator; None: there is none.

        Raises:
            ValidationError: this is no id.
        """
        found = await self._host.storage.load(check_instance_id(instance_id), since=NO_TASKS)
        if found is None or (found.row.app, found.row.generator) != (self._host.app, self.name):
            return None
        return Instance(self._host, self._recipe, found.row.id)


def model_of(name: str, function: Callable[..., Any]) -> type[BaseModel]:
    """Return the type of a generator's data."""
    if not callable(function):
        raise DeclarationError(f"generator {name!r}: {function!r:.80} is no function: put the decorator above a def")
    taken = [one for one in signature_of(function).parameters.values() if one.default is inspect.Parameter.empty]
    if len(taken) != 1:
        raise DeclarationError(f"generator {name!r}: its function takes {len(taken)} arguments: let it take its data")
    if taken[0].annotation is inspect.Parameter.empty:
        raise DeclarationError(
            f"generator {name!r}: {taken[0].name!r} has no annotation: annotate it with the pydantic model of its data"
        )
    try:
        holder = types.SimpleNamespace(__annotations__={"it": taken[0].annotation})
        model = get_type_hints(holder, names_of(function), {})["it"]
    except Exception as error:
        raise DeclarationError(
            f"generator {name!r} has a type that is not there at run time ({error}): import it outside of "
            "`if TYPE_CHECKING:`"
        ) from error
    if not isinstance(model, type) or not issubclass(model, BaseModel) or issubclass(model, RootModel):
        raise DeclarationError(f"generator {name!r}: let its function take a pydantic model that has fields")
    return model
