"""`Admin`: what operations work on, and for whom; it needs none of the users' code."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any, Final, Self

from pydantic import BaseModel

from flows.api.bulk_work import BulkWorks
from flows.api.caller import Caller
from flows.api.link import Link
from flows.errors import Forbidden, JobGone, NothingThere
from flows.model.names import check_job_id, is_own
from flows.pipeline.bulk.action import bulk_name
from flows.store.keys.operators import OperatorKeys
from flows.store.operators.directory import flow_of_job

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

    from flows.api.known_flow import KnownFlow
    from flows.pipeline.flow import Flow
    from flows.store.client.connection import Connection
    from flows.store.keys.jobs import JobKeys

_VIEWER: Final = Caller(name="python")


class Admin:
    """One server and namespace, as one caller may look at it and act on it.

    `async with Admin(caller=Caller(name="ana", role="operator")) as admin: await jobs.find(admin, "state:failed")`

    Args:
        redis_url: Which server; None: as `FlowOptions` chooses it, by the environment or the embedded one.
        namespace: What stands before every key.
        caller: Who asks; by default a viewer of the name `python`.
        via: By what it asks, as the audit shows it: `python`, `cli`, `http`, `live` or `mcp`.
        request: An id of the request, as the audit shows it; by default each operation gets a new one.
        code: Flows whose code is here: their params are checked by their own models. No flow is opened.

    Raises DeclarationError where the URL or the namespace cannot be used.
    """

    def __init__(
        self,
        redis_url: str | None = None,
        namespace: str = "",
        caller: Caller = _VIEWER,
        *,
        via: str = "python",
        request: str = "",
        code: Iterable[Flow[Any, Any, Any]] = (),
    ) -> None:
        self.caller = caller
        self.via = via
        self.request = request
        self.link = Link(redis_url, namespace)
        self.bulk = BulkWorks(self.link)
        self.link.params = {flow.name: flow._declaration.params for flow in code}  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]

    async def __aenter__(self) -> Self:
        """Connect.

        Raises:
            StoreError: the server cannot be used.
        """
        await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Disconnect."""
        await self.close()

    async def open(self) -> None:
        """Connect and check the server; opening twice changes nothing.

        Raises:
            StoreError: the server cannot be used.
        """
        await self.link.open()

    async def close(self) -> None:
        """Disconnect, for all that act over this connection; closing twice changes nothing."""
        await self.bulk.close()
        await self.link.close()

    async def serve_bulk(self, every: float | None = None) -> None:
        """Do bulk actions in this process from now on: those that are begun over this connection, and what others left.

        While there are none, nothing is asked; see `bulk.apply`. Call it as often as you like: what others have left is
        looked for again after 15 seconds at least.

        Args:
            every: Look again after so many seconds for what others have left; None: only when this is called.

        Raises:
            StoreError: the server cannot be used.
        """
        await self.bulk.serve(every)

    def acting_as(self, caller: Caller, *, via: str | None = None, request: str = "") -> Admin:
        """Return an Admin over the same connection for another caller: one request of a server."""
        other = object.__new__(type(self))
        other.caller, other.link, other.bulk = caller, self.link, self.bulk
        other.via, other.request = via or self.via, request
        return other

    @property
    def connection(self) -> Connection:
        """The connection; it is open."""
        return self.link.connection

    @property
    def keys(self) -> JobKeys:
        """The keys of jobs in the namespace."""
        return self.link.keys

    @property
    def operator_keys(self) -> OperatorKeys:
        """The keys of operators in the namespace."""
        return OperatorKeys(self.link.keys.namespace)

    def params_of(self, flow: str) -> type[BaseModel] | None:
        """Return what the jobs of a flow are created with, where its code is here."""
        return self.link.params.get(flow)

    def new_request(self) -> str:
        """Return the id of the request, or a new one."""
        return self.request or secrets.token_hex(6)

    async def flows(self, *, wanted: str = "") -> dict[str, tuple[str, ...]]:
        """Return the flows that the caller may look at, each with the queues that it ever had.

        Args:
            wanted: A flow or queue for which they are read once more where it is not among them.

        Raises:
            StoreError: the server cannot be used.
        """
        found = await self.link.flows(wanted=wanted)
        return {name: queues for name, queues in found.items() if self.sees(name)}

    def sees(self, flow: str) -> bool:
        """Return whether the caller may look at a flow: a flow's bulk actions are seen by who sees the flow.

        Who sees the runs of one app alone does not see the flow `run`, but asks for runs by their own operations.
        """
        only = self.caller.flows
        if only is None or flow in only:
            return True
        return flow in {bulk_name(one) for one in only}

    async def flow(self, name: str) -> KnownFlow:
        """Return what is known of a flow, named by itself or by one of its child queues, whose jobs bear that name.

        Raises:
            NothingThere: there is no such flow.
            Forbidden: the caller may not look at it.
            StoreError: the server cannot be used.
        """
        root = await self.root_of(name)
        return await self.link.flow(root)

    async def root_of(self, name: str) -> str:
        """Return the flow that is named, by itself or by one of its child queues.

        Raises:
            NothingThere: there is no such flow.
            Forbidden: the caller may not look at it.
            StoreError: the server cannot be used.
        """
        flows = await self.link.flows(wanted=name)
        root = name if name in flows else next((one for one, queues in flows.items() if name in queues), name)
        if not self.sees(root):
            raise Forbidden(f"flow {name!r:.80}", self.caller.role, f"it is none of the flows of {self.caller.name!r}")
        if root not in flows or (root != name and ":" not in name):
            known = ", ".join(one for one in await self.flows() if not is_own(one)) or "none yet"
            raise NothingThere(f"there is no flow {name!r:.80}: there is {known}")
        return root

    async def flow_of_queue(self, queue: str) -> str:
        """Return the flow of a queue, by its full name; of one that several flows share, the first of them.

        Raises:
            NothingThere: there is no such queue among the flows of the caller.
            StoreError: the server cannot be used.
        """
        flows = await self.flows(wanted=queue)
        found = next((flow for flow, queues in flows.items() if queue in queues), None)
        if found is None:
            raise NothingThere(f"there is no queue {queue!r:.80} among the flows of {self.caller.name!r}")
        return found

    async def flow_of_job(self, job_id: str) -> str:
        """Return the flow of a job, or of a run; of a child, that is its queue.

        Raises:
            ValidationError: `job_id` is no UUID.
            JobGone: there is none of this id among the flows of the caller.
            StoreError: the server cannot be used.
        """
        job_id = check_job_id(job_id)
        for _again in range(2):
            flows = await self.flows()
            names = [*flows, *(queue for queues in flows.values() for queue in queues if ":" in queue)]
            found = await flow_of_job(self.connection, self.keys, job_id, names)
            if found is not None:
                return found
            self.link.forget()  # it may be of a flow that has just come
        raise JobGone(job_id)

    async def scope(self, params: BaseModel) -> BaseModel:
        """Return params with the flow that they are about, where they can name one, and check that it may be seen.

        Params name a flow by `flow`, or leave it out: then the `queue` or the `id` tells it.

        Raises:
            Forbidden: the caller may not look at it.
            NothingThere: there is no such flow or queue.
            JobGone: there is no such job.
            StoreError: the server cannot be used.
        """
        named = {name: getattr(params, name) for name in type(params).model_fields}
        if "flow" not in named:
            return params
        flow: str | None = named["flow"] or getattr(named.get("query"), "flow", None)
        if flow and not named["flow"]:
            params = params.model_copy(update={"flow": flow})
        if flow:
            await self.root_of(flow)
            return params
        if named.get("queue"):
            flow = await self.flow_of_queue(named["queue"])
        elif named.get("id"):
            flow = await self.flow_of_job(named["id"])
        return params if flow is None else params.model_copy(update={"flow": flow})
