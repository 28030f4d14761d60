"""What an attempt has of its tenant: the client, which updates are kept, and what must not be told."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from pydantic_core import to_json

from flows.errors import DeclarationError, HostUnable, MissingExtra
from flows.model.outcome import Cancel, Fail, Outcome, Retry, Snooze
from flows.service.levels import kept_levels

if TYPE_CHECKING:
    from flows.kernel.resources import Resource
    from flows.model.job import JobError
    from flows.service.levels import Level
    from flows.service.tenants.clients import Clients
    from flows.service.tenants.tenant import Tenant
    from flows.service.tenants.tenant_copy import TenantCopy

#: A tenant that is not there, or cannot be reached, is tried again after so many milliseconds.
_AGAIN_MS: Final = 5_000
#: A shorter token stands in too many texts to be taken out of them.
_LEAST: Final = 6
_HIDDEN: Final = "***"


@dataclass(frozen=True, slots=True)
class Entered:
    """What one attempt has of its tenant."""

    client: Any
    kept: frozenset[Level]
    """Which levels of updates are kept."""
    token: str = ""
    """What no text of the attempt may have; empty: nothing."""
    resource: Resource | None = None

    def scrubbed(self, text: str) -> str:
        """Return a text without the tenant's token."""
        return text.replace(self.token, _HIDDEN) if self.token and self.token in text else text

    def scrubbed_line(self, line: str) -> str:
        """Return a line of JSON without the tenant's token."""
        if not self.token:
            return line
        written = to_json(self.token).decode()[1:-1]
        return line.replace(written, _HIDDEN) if written in line else line

    def scrubbed_outcome(self, outcome: Outcome | None) -> Outcome | None:
        """Return an outcome whose texts do not have the tenant's token."""
        if not self.token:
            return outcome
        if isinstance(outcome, Fail | Retry):
            return replace(outcome, error=self._error(outcome.error))
        if isinstance(outcome, Cancel | Snooze):
            return replace(outcome, reason=self.scrubbed(outcome.reason))
        return outcome

    def _error(self, error: JobError) -> JobError:
        texts = {"message": self.scrubbed(error.message), "traceback": self.scrubbed(error.traceback)}
        return error.model_copy(update=texts)


class Tenancy:
    """The tenants of a service, as the attempts of this process have them.

    Args:
        kept: Which levels of updates are kept.
        copy: What this process knows of the tenants; None: the service has none.
        clients: Their clients; None: the service connects to nothing.
        known_only: Whether only jobs of tenants that were added are run.
    """

    def __init__(
        self, kept: frozenset[Level], copy: TenantCopy | None, clients: Clients | None, *, known_only: bool
    ) -> None:
        self._copy = copy
        self._clients = clients
        self._known_only = known_only
        self._none = Entered(None, kept)
        #: What all attempts have, where there are no tenants; None where there are.
        self.all = self._none if copy is None else None
        #: How many workers have it open.
        self._workers = 0

    async def enter(self, tenant_id: str) -> Entered | Outcome | str:
        """Return what an attempt has of its tenant, until `leave`; an outcome, where the job is to come back.

        A text says why the job can never run.
        """
        tenant = None if self._copy is None else self._copy.known(tenant_id)
        if tenant is not None:
            return await self._connected(tenant)
        if self._copy is None or not self._known_only:
            return self._none
        if not tenant_id:
            return "it says of no tenant: create it with tenant="
        return Snooze(_AGAIN_MS, reason=f"there is no tenant {tenant_id!r:.80}", hold="group")

    async def _connected(self, tenant: Tenant) -> Entered | Outcome:
        entered = self._of(tenant)
        if self._clients is None:
            return entered
        try:
            resource = await self._clients.take(tenant)
        except HostUnable as error:
            return Snooze(_AGAIN_MS, reason=entered.scrubbed(str(error))[:200], hold="group")
        return replace(entered, client=resource.value, resource=resource)

    def leave(self, entered: Entered) -> None:
        """Give back what an attempt had."""
        if entered.resource is not None and self._clients is not None:
            self._clients.leave(entered.resource)

    async def start(self) -> None:
        """Know the tenants, before the first claim of a worker."""
        self._workers += 1
        if self._copy is not None:
            await self._copy.start()

    async def stop(self, *, hurried: bool) -> None:
        """Close all clients, and know of no tenants any more, with the last worker."""
        self._workers -= 1
        if self._workers > 0:
            return
        self._workers = 0
        if self._clients is not None:
            await self._clients.close(hurried=hurried)
        if self._copy is not None:
            await self._copy.stop()

    def _of(self, tenant: Tenant) -> Entered:
        try:
            token = tenant.token.reveal() if tenant.token else ""
        except (DeclarationError, MissingExtra):  # the client says so, if it needs it
            token = ""
        kept = self._none.kept if tenant.log_levels is None else kept_levels(tenant.log_levels)
        return Entered(None, kept, token if len(token) >= _LEAST else "")
