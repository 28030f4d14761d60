"""What can be watched: each topic is the answer of an operation, read again and again with the watcher's own rights.

`flows` · `overview` · `board/<flow>?since=<window>` · `queue/<queue>` · `queues` · `groups/<queue>` ·
`jobs?q=<query>` · `counts?q=<query>` · `job/<flow>/<id>` · `log/<flow>/<id>` · `children/<flow>/<id>` ·
`bulk/<flow>/<id>` · `workers` · `releases/<flow>` · `server` · `check` · `runs?…` · `run/<id>` · `workflows` ·
`schedules` · `trees?…` · `tree/<id>` · `audit`; what stands behind a `?` are params of the operation.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from starlette.datastructures import QueryParams

from flows.api import find_operation
from flows.errors import Forbidden, NothingThere
from flows.model.runs.new_run import RUN_FLOW
from flows.pipeline.bulk.action import bulk_name
from flows.server.operation_routes import params_of

if TYPE_CHECKING:
    from flows.api import Admin, Caller, Operation
    from flows.store.client.signals import Signals


@dataclass(frozen=True)
class _Read:
    """What a topic reads: operations with their params; and what hastens it: changes of one job of a flow."""

    operations: Mapping[str, tuple[str, QueryParams]]
    flow: str | None = None
    job_id: str = ""
    every: Mapping[str, float] = field(default_factory=dict[str, float])
    """Of operations that are not read each time, after how many seconds: what they tell changes slowly."""


def _one(operation: str, params: QueryParams) -> _Read:
    return _Read({"": (operation, params)})


def _job(parts: list[str], _query: QueryParams) -> _Read:
    flow, job_id = parts
    of = QueryParams({"flow": flow, "id": job_id})
    return _Read({"job": ("jobs.show", of), "explanation": ("jobs.explain", of)}, flow, job_id)


def _run(parts: list[str], _query: QueryParams) -> _Read:
    of = QueryParams({"id": parts[0]})
    return _Read({"run": ("runs.show", of), "explanation": ("runs.explain", of)}, RUN_FLOW, parts[0])


def _log(parts: list[str], _query: QueryParams) -> _Read:
    flow, job_id = parts
    return _Read({"": ("jobs.log", QueryParams({"flow": flow, "id": job_id}))}, flow, job_id)


def _board(parts: list[str], query: QueryParams) -> _Read:
    of = QueryParams({"flow": parts[0]})
    reads = {
        "": ("queues.show", of),
        "lanes": ("queues.lanes", of),
        "check": ("server.check", of),
        "history": ("stats.flow", QueryParams([*query.multi_items(), ("flow", parts[0])])),
    }
    # A history grows with the heartbeats of processes, each 7.5 s by default.
    return _Read(reads, every={"check": 3.0, "history": 7.5})


def _groups(parts: list[str], _query: QueryParams) -> _Read:
    return _Read({"": ("queues.groups", QueryParams({"queue": parts[0], "limit": "100"}))}, every={"": 2.0})


def _children(parts: list[str], query: QueryParams) -> _Read:
    flow, job_id = parts
    return _one("jobs.children", QueryParams([*query.multi_items(), ("flow", flow), ("id", job_id)]))


def _bulk(parts: list[str], _query: QueryParams) -> _Read:
    flow, action_id = parts
    return _Read({"": ("bulk.show", QueryParams({"id": action_id}))}, bulk_name(flow), action_id)


#: By its first word: how many parts follow, and what it reads. Only what is of one job is hastened by hints: while
#: somebody listens for them, each script of the flow tells of all that it moves, which a drain pays for.
_TOPICS: Final[dict[str, tuple[int, Callable[[list[str], QueryParams], _Read]]]] = {
    "flows": (0, lambda _parts, query: _one("flows.list", query)),
    "overview": (0, lambda _parts, _query: _Read({"": ("flows.overview", QueryParams())}, every={"": 2.0})),
    "board": (1, _board),
    "queue": (1, lambda parts, _query: _one("queues.show", QueryParams({"queue": parts[0]}))),
    "queues": (0, lambda _parts, query: _one("queues.show", query)),
    "groups": (1, _groups),
    "jobs": (0, lambda _parts, query: _one("jobs.find", _renamed(query))),
    "counts": (0, lambda _parts, query: _Read({"": ("jobs.count", _renamed(query))}, every={"": 3.0})),
    "job": (2, _job),
    "log": (2, _log),
    "children": (2, _children),
    "bulk": (2, _bulk),
    # Processes are heard of each few seconds, and there may be a thousand of them.
    "workers": (0, lambda _parts, query: _Read({"": ("workers.list", query)}, every={"": 2.0})),
    "releases": (1, lambda parts, query: _Read({"": ("workers.releases", _of_flow(parts[0], query))}, every={"": 3.0})),
    "server": (0, lambda _parts, _query: _Read({"": ("server.show", QueryParams())}, every={"": 2.0})),
    "check": (0, lambda _parts, query: _Read({"": ("server.check", query)}, every={"": 5.0})),
    "runs": (0, lambda _parts, query: _one("runs.list", query)),
    "run": (1, _run),
    "workflows": (0, lambda _parts, query: _one("runs.workflows", query)),
    "schedules": (0, lambda _parts, query: _one("schedules.list", query)),
    "trees": (0, lambda _parts, query: _one("trees.list", query)),
    "tree": (1, lambda parts, _query: _one("trees.show", QueryParams({"id": parts[0]}))),
    "audit": (0, lambda _parts, query: _one("audit.list", query)),
}


def check_may_watch(topic: str, caller: Caller) -> None:
    """Check that the role of a caller is enough for what a topic reads.

    Raises:
        Forbidden: It is not.
        NothingThere: There is no such topic.
    """
    for name, _params in _parse(topic).operations.values():
        operation = find_operation(name)
        if not caller.may(operation.role):
            raise Forbidden(operation.name, operation.role, f"{caller.name} is {caller.role}")


class TopicSource:
    """Where the room of one topic reads.

    Args:
        topic: Its name.
        admin: Acts as the watcher.
        signals: Brings the hints.

    Raises:
        NothingThere: There is no such topic.
    """

    def __init__(self, topic: str, admin: Admin, signals: Signals) -> None:
        read = _parse(topic)
        self._reads: dict[str, tuple[Operation[Any], Mapping[str, Any]]] = {
            name: (find_operation(operation), params_of(find_operation(operation), params))
            for name, (operation, params) in read.operations.items()
        }
        self._admin = admin
        self._signals = signals
        self._flow = read.flow
        self._channels: tuple[str, ...] = ()
        self._job_id = read.job_id
        self._every = read.every
        self._kept: dict[str, tuple[float, Any]] = {}
        self._listener: Callable[[str | None], None] | None = None

    async def read(self) -> Mapping[str, Any]:
        """Return the answer of the operation, or of each by its name."""
        state: dict[str, Any] = {}
        for name in self._reads:
            plain = await self._answer(name)
            if name == "":
                state = {"items": plain} if isinstance(plain, list) else plain
            else:
                state[name] = plain
        return state

    async def _answer(self, name: str) -> Any:  # noqa: ANN401 - JSON
        until, plain = self._kept.get(name, (0.0, None))
        if time.monotonic() >= until:
            operation, params = self._reads[name]
            plain = operation.plain(await operation.call(self._admin, params))
            self._kept[name] = time.monotonic() + self._every.get(name, 0.0), plain
        return plain

    async def listen(self, on_hint: Callable[[], None]) -> None:
        """Call `on_hint` when a job that it is about has moved, or something may have been missed."""

        def hear(message: str | None) -> None:
            if message is None or self._job_id in message:
                on_hint()

        self._listener = hear
        if self._flow is not None:  # a child names its queue, and its flow tells of it
            flow = await self._admin.root_of(self._flow) if ":" in self._flow else self._flow
            self._channels = self._admin.keys.heard(flow), self._admin.keys.changed(flow)
        for channel in self._channels:  # first the one by which scripts know that somebody listens
            await self._signals.subscribe(channel, hear)

    async def close(self) -> None:
        """Stop calling."""
        listener, self._listener = self._listener, None
        if listener is not None:
            for channel in reversed(self._channels):
                self._signals.unsubscribe(channel, listener)


def _parse(topic: str) -> _Read:
    path, _, query = topic.partition("?")
    kind, *parts = path.split("/")
    most, read = _TOPICS.get(kind, (-1, None))
    if read is None or len(parts) != most or not all(parts):
        raise NothingThere(f"there is no topic {topic!r:.100}: there are {', '.join(_TOPICS)}")
    return read(parts, QueryParams(query))


def _of_flow(flow: str, query: QueryParams) -> QueryParams:
    return QueryParams([*query.multi_items(), ("flow", flow)])


def _renamed(query: QueryParams) -> QueryParams:
    """Return the params of `jobs.find` and `jobs.count`, whose query is called `q` in URLs."""
    return QueryParams([({"q": "query"}.get(name, name), value) for name, value in query.multi_items()])
