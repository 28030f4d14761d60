"""What a service's `connect` brings for its tenants: one client for each tenant and revision, in each process."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

from flows.kernel.resources import Resource, name_of

if TYPE_CHECKING:
    from flows.kernel.runtime import Runtime
    from flows.service.tenants.tenant import Tenant

#: A function of a tenant that returns an async context manager; what that brings is the client.
Connect: TypeAlias = "Callable[[Tenant], AbstractAsyncContextManager[Any]]"


class Clients:
    """The clients of one service in this process: opened when the first job of a tenant comes, closed at the end.

    A tenant that has changed gets a new one; the old one is closed after the last attempt that has it.

    Args:
        connect: Opens them.
        runtime: The service's.
    """

    def __init__(self, connect: Connect, runtime: Runtime) -> None:
        self._connect = connect
        self._runtime = runtime
        #: By tenant, its newest revision here, and the client of that.
        self._open: dict[str, tuple[int, Resource]] = {}

    async def take(self, tenant: Tenant) -> Resource:
        """Return the client of a tenant, opened, for one attempt: `leave` gives it back.

        Raises:
            HostUnable: it cannot be opened.
        """
        found = self._open.get(tenant.id)
        if found is None or found[0] < tenant.revision:
            self.drop(tenant.id)
            name = f"{name_of(self._connect)} of tenant {tenant.id!r}"
            found = self._open[tenant.id] = tenant.revision, Resource(partial(self._connect, tenant), name)
            try:
                # Held here too, so that it stays open from one attempt to the next.
                await found[1].take(self._runtime.events)
            except BaseException:
                if self._open.get(tenant.id) is found:
                    del self._open[tenant.id]
                raise
        resource = found[1]
        await resource.take(self._runtime.events)
        return resource

    def leave(self, resource: Resource) -> None:
        """Give a client back; whoever is the last to have it lets it be closed, and nobody waits for that."""
        self._runtime.session.background(resource.release(hurried=False))

    def drop(self, tenant_id: str) -> None:
        """Have no client of a tenant any more: it has changed, or is gone."""
        found = self._open.pop(tenant_id, None)
        if found is not None:
            self.leave(found[1])

    def drop_all(self, tenant_ids: set[str]) -> None:
        """Have no client of these tenants any more."""
        for tenant_id in tenant_ids:
            self.drop(tenant_id)

    @staticmethod
    def nothing(tenant_ids: set[str]) -> None:
        """Do nothing where there are no clients."""

    async def close(self, *, hurried: bool) -> None:
        """Close all that are open, and wait for that; not for long where it is hurried."""
        while self._open:
            _id, (_revision, resource) = self._open.popitem()
            await resource.release(hurried=hurried)
