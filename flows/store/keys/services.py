"""Names every key of services, one method each."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ServiceKeys:
    """The keys below one namespace."""

    namespace: str = ""

    def tenants(self, service: str) -> str:
        """Hash: tenant → `<revision> <JSON>`; `#rev`, the newest revision; `#applied`, the one that its queue has."""
        return f"{self.namespace}flows:tenants:{service}"

    def tenants_changed(self, service: str) -> str:
        """Sharded channel: the revision of each change of a tenant."""
        return f"{self.namespace}flows:tenants_changed:{service}"

    def began(self, service: str) -> str:
        """String: since when a service runs that leaves out its backlog, in server milliseconds."""
        return f"{self.namespace}flows:began:{service}"
