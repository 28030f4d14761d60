"""What a service's callers do with its tenants: list, add, change, pause and remove them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from flows.errors import DeclarationError, StoreError, ValidationError
from flows.service.tenants import tenant as records
from flows.store.services.tenants import change_tenant, read_tenant, read_tenants

if TYPE_CHECKING:
    from flows.kernel.runtime import Runtime
    from flows.kernel.session import Session
    from flows.service.tenants.tenant import Tenant
    from flows.service.tenants.tenant_copy import TenantCopy

#: So often a change is tried again where others change the tenant too.
_TRIES: Final = 20


class Tenants:
    """The tenants of one service.

    Args:
        runtime: The service's.
        copy: What this process knows of them.
        refuse_unknown: Whether jobs of tenants that were not added are refused.
    """

    def __init__(self, runtime: Runtime, copy: TenantCopy, *, refuse_unknown: bool) -> None:
        self._refuse_unknown = refuse_unknown
        self._runtime = runtime
        self._service = runtime.options.name
        self._copy = copy

    async def listed(self) -> list[Tenant]:
        """Return all tenants, by their ids.

        Raises:
            StoreError: the server cannot be used.
        """
        session = await self._runtime.open()
        found = await read_tenants(session.connection, session.settings)
        named = [records.read(self._service, name, *record) for name, record in sorted(found.records.items())]
        return [one for one in named if one is not None]

    async def check(self, tenant_id: str) -> None:
        """Check that a job may be of a tenant.

        Raises:
            ValidationError: it has none, or there is none of this id, and the service wants one that is known.
            StoreError: the server cannot be used.
        """
        if not self._refuse_unknown or (self._copy.is_kept and self._copy.known(tenant_id) is not None):
            return
        if not tenant_id:
            raise ValidationError(f"a job of service {self._service!r} is of a tenant: give tenant=")
        session = await self._runtime.open()
        if await read_tenant(session.connection, session.settings, tenant_id) is None:
            raise ValidationError(f"service {self._service!r} has no tenant {tenant_id!r}: add_tenant adds one")

    async def add(self, tenant: Tenant) -> Tenant:
        """Add a tenant, and return it as it stands on the server.

        Raises:
            ValidationError: there is one of this id, or its token cannot be kept.
            StoreError: the server cannot be used.
        """
        session = await self._runtime.open()
        record = records.written(self._service, tenant)
        word, revision = await change_tenant(session.connection, session.settings, tenant.id, 0, record)
        if word != "changed":
            raise ValidationError(
                f"service {self._service!r} has a tenant {tenant.id!r} already: update_tenant changes it"
            )
        return await self._written(session, tenant.id, revision, record)

    async def update(self, tenant_id: str, changes: dict[str, Any]) -> Tenant:
        """Change some of what a tenant is, whatever others change meanwhile, and return it as it stands then.

        Raises:
            ValidationError: there is no such tenant, or a value cannot be used.
            StoreError: the server cannot be used.
        """
        session = await self._runtime.open()
        for _try in range(_TRIES):
            found = await read_tenant(session.connection, session.settings, tenant_id)
            now = None if found is None else records.read(self._service, tenant_id, *found)
            if found is None or now is None:
                raise ValidationError(f"service {self._service!r} has no tenant {tenant_id!r:.80}: add_tenant adds one")
            record = records.written(self._service, replace(now, **changes))
            if record == found[1].decode():
                return now
            word, revision = await change_tenant(session.connection, session.settings, tenant_id, found[0], record)
            if word == "changed":
                return await self._written(session, tenant_id, revision, record)
        raise StoreError(f"tenant {tenant_id!r} of service {self._service!r} is changed by others again and again")

    async def remove(self, tenant_id: str) -> bool:
        """Remove a tenant: its jobs that wait stay, and wait for one of this id; return whether there was one.

        Raises:
            StoreError: the server cannot be used.
        """
        session = await self._runtime.open()
        word, _revision = await change_tenant(session.connection, session.settings, tenant_id, 0, "")
        if word == "changed":
            await self._copy.hold(session, tenant_id)
            await self._copy.look(session)
        return word == "changed"

    async def _written(self, session: Session, tenant_id: str, revision: int, record: str) -> Tenant:
        """Return what was written, once the queue has it."""
        await self._copy.look(session)
        tenant = records.read(self._service, tenant_id, revision, record.encode())
        if tenant is None:
            raise DeclarationError(f"tenant {tenant_id!r}: it cannot be read as it was written")
        return tenant
