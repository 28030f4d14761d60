"""What callers do with the tenants of a service: the methods of `Service` that are about them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from typing_extensions import TypedDict

from flows.errors import ValidationError

if TYPE_CHECKING:
    from collections.abc import Collection

    from typing_extensions import Unpack

    from flows.service.levels import Level
    from flows.service.secret import Secret
    from flows.service.service_host import ServiceHost
    from flows.service.tenants.tenant import Tenant
    from flows.service.tenants.tenant_list import Tenants


class TenantChanges(TypedDict, total=False):
    """What of a tenant can be changed: see `Tenant`."""

    domain: str
    token: Secret | str
    max_concurrency: int | None
    weight: float
    paused: bool
    log_levels: Collection[Level] | None


_CHANGES: Final = frozenset(TenantChanges.__annotations__)


class ServiceTenants:
    """The methods of a service that are about its tenants.

    Each change is there in all processes of the service within a moment, and within 5 s where no message arrives.
    """

    _host: ServiceHost

    async def tenants(self) -> list[Tenant]:
        """Return all tenants of the service, by their ids.

        Raises:
            ValidationError: the service has none.
            StoreError: the server cannot be used.
        """
        return await self._of().listed()

    async def add_tenant(self, tenant: Tenant) -> Tenant:
        """Add a tenant, whose jobs start at once; return it with its revision.

        Raises:
            ValidationError: there is one of this id, its token is a text that nothing seals, or the service has none.
            DeclarationError: `FLOWS_SECRET_KEY` holds no key.
            MissingExtra: the token is to be sealed, and the extra `secrets` is not installed.
            StoreError: the server cannot be used.
        """
        return await self._of().add(tenant)

    async def update_tenant(self, tenant_id: str, **changes: Unpack[TenantChanges]) -> Tenant:
        """Change some of what a tenant is, and return it as it is then.

        Attempts that run keep the client that they have; later ones get a new one.

        Raises:
            ValidationError: there is no such tenant, no such field, or a value cannot be used.
            DeclarationError: `FLOWS_SECRET_KEY` holds no key.
            MissingExtra: the token is to be sealed, and the extra `secrets` is not installed.
            StoreError: the server cannot be used.
        """
        if unknown := changes.keys() - _CHANGES:
            raise ValidationError(
                f"update_tenant({min(unknown)}=…): what can be changed is {', '.join(sorted(_CHANGES))}"
            )
        return await self._of().update(tenant_id, dict(changes))

    async def pause_tenant(self, tenant_id: str) -> Tenant:
        """Let no job of a tenant start any more; those that run go on.

        Raises:
            ValidationError: there is no such tenant.
            StoreError: the server cannot be used.
        """
        return await self._of().update(tenant_id, {"paused": True})

    async def resume_tenant(self, tenant_id: str) -> Tenant:
        """Let the jobs of a tenant start again.

        Raises:
            ValidationError: there is no such tenant.
            StoreError: the server cannot be used.
        """
        return await self._of().update(tenant_id, {"paused": False})

    async def remove_tenant(self, tenant_id: str) -> bool:
        """Remove a tenant, and return whether there was one.

        Its jobs that run go on. Those that wait stay, and start when a tenant of this id is added.

        Raises:
            ValidationError: the service has no tenants.
            StoreError: the server cannot be used.
        """
        return await self._of().remove(tenant_id)

    def _of(self) -> Tenants:
        tenants = self._host.tenants
        if tenants is None:
            raise ValidationError(f'service {self._host.name!r} has no tenants: ServiceOptions(tenants="known")')
        return tenants
