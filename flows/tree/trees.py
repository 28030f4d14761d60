"""`Trees`: an app of task trees; `@trees.generator(…)` makes a `Generator` of a function of data."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel

from flows.errors import DeclarationError, ValidationError
from flows.model.arguments import check_text
from flows.model.duration import as_timedelta, check_duration
from flows.model.live.watch_token import LASTS
from flows.model.names import check_instance_id, check_name
from flows.tree.backend.kernel import KernelBackend
from flows.tree.backend.local import MOST_BYTES
from flows.tree.backend.runs import TreeRuns, check_app
from flows.tree.generator import Generator, model_of
from flows.tree.hooks import Hooks
from flows.tree.host import Host
from flows.tree.index.protocol import Find
from flows.tree.index.redis import RedisIndex
from flows.tree.instance import Instance
from flows.tree.lifecycle import Lifecycle
from flows.tree.recipe import Recipe
from flows.tree.storage.bound import Bound
from flows.tree.storage.protocol import NO_TASKS
from flows.tree.storage.redis import RedisStorage
from flows.tree.takeover import Takeover
from flows.tree.watching import instance_token
from flows.workflow.app_options import DEFAULT_RETENTION

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from flows.loggers import AnyLogger
    from flows.model.live.watch_token import WatchRight
    from flows.telemetry.events import Events
    from flows.tree.backend.protocol import Backend, Executor
    from flows.tree.declare import Tree
    from flows.tree.hooks import OnError, OnInstance
    from flows.tree.index.protocol import Index, InstancePage
    from flows.tree.storage.protocol import Storage
    from flows.workflow.schedules.schedules import Schedules

DataT = TypeVar("DataT", bound=BaseModel)

#: So many instances are destroyed or indexed at once.
_PAGE = 1000
#: What an outcome has beside its result, in bytes.
_AROUND_RESULT = 1 << 16


class Trees(Lifecycle):
    """An app of task trees. Use it in `async with`: that connects, and starts the workers that were created.

    Args:
        app: Its name, of up to 54 characters.
        redis_url: The server; else `FLOWS_REDIS_URL`, `REDIS_URL`, and then the embedded one.
        namespace: Put before every key.
        backend: Where executions run: a `KernelBackend`, in workers of whatever process, by default; or a
            `SyncBackend`, in the process that begins them.
        storage: Where instances stand: a `RedisStorage` on the same server by default.
        index: What finds them: a `RedisIndex` on the same server by default.
        backends: Where single tasks run, by the names that `Task(backend=)` has.
        debug: Whether the `debug` functions of tasks are called.
        ephemeral_ttl: How long an ephemeral instance stays after an execution has ended, so that who looks again sees
            how.
        retention: How long the others stay; None: until they are destroyed.
        live_key: Signs the tokens of `watch_token`; None: `FLOWS_LIVE_KEY`.
        on_complete: Called with the instance when an execution is done, at least once, in the worker. What it raises is
            a line in the log of `#`, as with the others.
        on_error: Called with the instance and a `TreeFailed` when one has failed.
        on_destroy: Called with an instance before it is deleted, by who destroys it.
        lease: How long a worker owns an execution without renewing, which it does four times in that.
        max_crashes: An execution fails when it has killed its worker so often.
        logger: Where it logs: a logger of `logging` or of structlog; the logger `flows` by default.

    Raises DeclarationError where one of them cannot be used.
    """

    def __init__(
        self,
        app: str,
        *,
        redis_url: str | None = None,
        namespace: str = "",
        backend: Executor | None = None,
        storage: Storage | None = None,
        index: Index | None = None,
        backends: Mapping[str, Backend] | None = None,
        debug: bool = False,
        ephemeral_ttl: timedelta | float = timedelta(minutes=1),
        retention: timedelta | float | None = None,
        live_key: str | None = None,
        on_complete: OnInstance | None = None,
        on_error: OnError | None = None,
        on_destroy: OnInstance | None = None,
        lease: timedelta | float = timedelta(seconds=30),
        max_crashes: int = 3,
        logger: AnyLogger | None = None,
    ) -> None:
        self.app = check_app(app)
        self._live_key = live_key
        ttl, kept = as_timedelta(ephemeral_ttl), None if retention is None else as_timedelta(retention)
        check_duration("ephemeral_ttl", ttl)
        if kept is not None:
            check_duration("retention", kept)
        self._backends = {check_name("backend", name): one for name, one in (backends or {}).items()}
        runs = TreeRuns(
            app,
            redis_url=redis_url,
            namespace=namespace,
            logger=logger,
            lease=lease,
            max_crashes=max_crashes,
            max_payload=MOST_BYTES + _AROUND_RESULT,
            retention=DEFAULT_RETENTION,
        )
        executor = KernelBackend() if backend is None else backend
        kept_in, found_by = storage or RedisStorage(), index or RedisIndex()
        for one in (kept_in, found_by, *self._backends.values()):
            if isinstance(one, Bound):
                one.bind(app, runs.runtime)
        host = Host(app, kept_in, found_by, executor, debug=debug, ephemeral_ttl=ttl, retention=kept)
        super().__init__(host, runs)
        hooks = Hooks(host, on_complete, on_error, on_destroy)
        if on_complete is not None or on_error is not None or on_destroy is not None:
            host.told = hooks
        executor.bind(host, runs, self._backends)
        takeover = Takeover(host, runs.host)
        runs.beside |= {"takeover": takeover.keep, "lost runs": takeover.follow}

    def __repr__(self) -> str:
        return f"<Trees {self.app}>"

    @property
    def events(self) -> Events:
        """What is told of executions and workers in this process: subscribe to it, or wait for one."""
        return self._runs.events

    @property
    def schedules(self) -> Schedules:
        """The schedules of `execute(cron=)`, and all others of the namespace: listed, paused, deleted."""
        return self._runs.schedules

    def generator(self, name: str) -> Callable[[Callable[[DataT], Tree | Awaitable[Tree]]], Generator[DataT]]:
        """Return the decorator that makes a generator of a function of a pydantic model.

        Raises:
            DeclarationError: the name is none, or taken; or the function does not say that it takes a model.
        """
        check_name("generator", name)
        if name in self._host.recipes:
            raise DeclarationError(f"app {self.app!r} has a generator {name!r} already: choose another name")

        def make(function: Callable[[DataT], Tree | Awaitable[Tree]], /) -> Generator[DataT]:
            recipe = Recipe(name, function, model_of(name, function), self._backends)
            self._host.recipes[name] = recipe
            return Generator(self._host, recipe)

        return make

    async def get(self, instance_id: str) -> Instance[Any] | None:
        """Return an instance of any generator of the app; None: there is none.

        Raises:
            UnknownGenerator: the app has its generator no more.
            ValidationError: this is no id.
        """
        found = await self._host.storage.load(check_instance_id(instance_id), since=NO_TASKS)
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
        """Make the index again of what the storage has of the app; return how many instances that are.

        It holds the ids of all of them meanwhile: 100 bytes each.

        Raises:
            StoreError: the storage or the index cannot be used.
        """
        return await self._host.outbox.tell_all()
