"""`Trees`: an app of task trees; `@trees.generator(…)` makes a `Generator` of a function of data."""

from __future__ import annotations

import inspect
import types
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar, get_type_hints

from pydantic import BaseModel, RootModel

from flows.errors import DeclarationError, IdempotencyConflict, ValidationError
from flows.model.annotations.functions import names_of
from flows.model.annotations.signatures import signature_of
from flows.model.arguments import check_flag, check_text
from flows.model.duration import as_timedelta, check_duration
from flows.model.ids import new_job_id
from flows.model.live.watch_token import LASTS
from flows.model.names import check_job_id, check_name
from flows.model.tree.errors import TreeBusy
from flows.tree.backend.sync import SyncBackend
from flows.tree.host import Host, Recipe
from flows.tree.index.memory import MemoryIndex
from flows.tree.index.protocol import Find
from flows.tree.instance import Instance
from flows.tree.labels import check_labels
from flows.tree.storage.memory import MemoryStorage
from flows.tree.storage.protocol import NO_TASKS, InstanceRow
from flows.tree.walk import Surroundings
from flows.tree.watching import instance_token

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from types import TracebackType

    from flows.model.live.watch_token import WatchRight
    from flows.tree.declare import Tree
    from flows.tree.index.protocol import Index, InstancePage
    from flows.tree.storage.protocol import Storage

DataT = TypeVar("DataT", bound=BaseModel)

#: So many instances are destroyed or indexed at once.
_PAGE = 1000


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
            realm=check_text("realm", realm),
            name=check_text("name", name),
            labels=check_labels(labels or {}),
            ephemeral=check_flag("ephemeral", ephemeral),
        )
        key = "" if idempotency_key is None else check_text("idempotency_key", idempotency_key)
        found = await self._host.storage.create(row, encoded, grown.description, key)
        there = await self._host.load(found)
        if (there.row.generator, there.data) != (self.name, encoded):
            raise IdempotencyConflict(found, key, "instance")
        await self._host.note(found)
        instance = Instance[DataT](self._host, self._recipe, found)
        if check_flag("execute", execute) and there.record.status == "idle":
            with suppress(TreeBusy):  # who has created it with the same key was quicker
                await instance.execute_all()
        return instance

    async def get(self, instance_id: str) -> Instance[DataT] | None:
        """Return an instance of this generator; None: there is none.

        Raises:
            ValidationError: this is no id.
        """
        found = await self._host.storage.load(check_job_id(instance_id), since=NO_TASKS)
        if found is None or (found.row.app, found.row.generator) != (self._host.app, self.name):
            return None
        return Instance(self._host, self._recipe, found.row.id)


class Trees:
    """An app of task trees. Use it in `async with`: at the end, what runs here is cancelled.

    Args:
        app: Its name.
        backend: Where executions and their tasks run.
        storage: Where instances stand.
        index: What finds them.
        debug: Whether the `debug` functions of tasks are called.
        ephemeral_ttl: How long an ephemeral instance stays after an execution has ended, so that who looks again sees
            how.
        retention: How long the others stay; None: until they are destroyed.
        live_key: Signs the tokens of `watch_token`; None: `FLOWS_LIVE_KEY`.

    Raises DeclarationError where the name or a time cannot be used.
    """

    def __init__(
        self,
        app: str,
        *,
        backend: SyncBackend | None = None,
        storage: Storage | None = None,
        index: Index | None = None,
        debug: bool = False,
        ephemeral_ttl: timedelta | float = timedelta(minutes=1),
        retention: timedelta | float | None = None,
        live_key: str | None = None,
    ) -> None:
        self.app = check_name("app", app)
        self._live_key = live_key
        ttl, kept = as_timedelta(ephemeral_ttl), None if retention is None else as_timedelta(retention)
        check_duration("ephemeral_ttl", ttl)
        if kept is not None:
            check_duration("retention", kept)
        executor = backend or SyncBackend()
        surroundings = Surroundings(storage or MemoryStorage(), executor, debug)
        self._host = Host(app, surroundings, executor, index or MemoryIndex(), ephemeral_ttl=ttl, retention=kept)

    def __repr__(self) -> str:
        return f"<Trees {self.app}>"

    async def __aenter__(self) -> Self:
        """Return the app."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Cancel what runs here."""
        await self.close()

    async def close(self) -> None:
        """Cancel what runs here."""
        await self._host.executor.close()

    def generator(self, name: str) -> Callable[[Callable[[DataT], Tree | Awaitable[Tree]]], Generator[DataT]]:
        """Return the decorator that makes a generator of a function of a pydantic model.

        Raises:
            DeclarationError: the name is none, or taken; or the function does not say that it takes a model.
        """
        check_name("generator", name)
        if name in self._host.recipes:
            raise DeclarationError(f"app {self.app!r} has a generator {name!r} already: choose another name")

        def make(function: Callable[[DataT], Tree | Awaitable[Tree]], /) -> Generator[DataT]:
            recipe = Recipe(name, function, _model_of(name, function))
            self._host.recipes[name] = recipe
            return Generator(self._host, recipe)

        return make

    async def get(self, instance_id: str) -> Instance[Any] | None:
        """Return an instance of any generator of the app; None: there is none.

        Raises:
            UnknownGenerator: the app has its generator no more.
            ValidationError: this is no id.
        """
        found = await self._host.storage.load(check_job_id(instance_id), since=NO_TASKS)
        if found is None or found.row.app != self.app:
            return None
        return Instance(self._host, self._host.recipe(found.row.generator), found.row.id)

    async def find(self, query: Find) -> InstancePage:
        """Return a page of instances of the app, newest first, as they stand by now."""
        await self._host.outbox.note()
        return await self._host.index.find(self.app, query)

    async def destroy_realm(self, realm: str) -> int:
        """Destroy all instances of a realm; return how many there were.

        Raises:
            ValidationError: this is no name of a realm: without one, all would go.
        """
        if not check_text("realm", realm):
            raise ValidationError("destroy_realm(''): give the name of a realm: these instances have none")
        count = 0
        while rows := (await self.find(Find(realm=realm, limit=_PAGE))).rows:
            for row in rows:
                count += await self._host.destroy(row.id)
        return count

    def watch_token(
        self,
        *,
        instances: Sequence[str] = (),
        realm: str | None = None,
        subject: str = "",
        may: Sequence[WatchRight] = ("watch",),
        ttl: timedelta | float = LASTS,
    ) -> str:
        """Return a token with which a browser watches instances over the server's `/live`.

        Args:
            instances: The ids of some.
            realm: All of this realm, also those that are still to come.
            subject: Who watches, as your site calls them.
            may: What else the browser may do: `execute`, read `results`, read `logs` and messages of errors.
            ttl: How long it lasts, 15 minutes at most.

        Raises:
            ValidationError: neither instances nor a realm are named, or one cannot be.
            DeclarationError: there is no key, it is too short, the time is too long, or there is no such right.
            MissingExtra: PyJWT is not installed.
        """
        return instance_token(self._live_key, instances, realm, subject, may, ttl)

    async def reindex(self) -> int:
        """Make the index again of what the storage has; return how many instances that are."""
        count = 0
        async for row in self._host.storage.scan():
            await self._host.index.put([row])
            count += 1
        return count


def _model_of(name: str, function: Callable[..., Any]) -> type[BaseModel]:
    """Return the type of a generator's data."""
    if not callable(function):
        raise DeclarationError(f"generator {name!r}: {function!r:.80} is no function: put the decorator above a def")
    taken = [one for one in signature_of(function).parameters.values() if one.default is inspect.Parameter.empty]
    if len(taken) != 1:
        raise DeclarationError(f"generator {name!r}: its function takes {len(taken)} arguments: let it take its data")
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
