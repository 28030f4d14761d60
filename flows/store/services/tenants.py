"""Reads and changes the tenants of a service: one hash, whose records have revisions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

from flows.store.keys.services import ServiceKeys

if TYPE_CHECKING:
    from flows.store.client.connection import Connection
    from flows.store.client.scripts import Argument
    from flows.store.jobs.answers import ChangeTenantAnswer
    from flows.store.jobs.flow_settings import FlowSettings

#: Fields that are no tenants.
_REVISION: Final = b"#rev"
_APPLIED: Final = b"#applied"


@dataclass(frozen=True, slots=True)
class RecordedTenants:
    """All tenants of a service, as they stood at one moment."""

    revision: int
    """That of the newest change."""
    applied: int
    """Up to this revision the service's queue has the shares and slots of its tenants."""
    records: dict[str, tuple[int, bytes]]
    """By id, the revision and the JSON of each; what was edited into nonsense is left out."""


async def read_revisions(connection: Connection, settings: FlowSettings) -> tuple[int, int]:
    """Return the revision of the newest change, and up to which the service's queue has them; 0: there never was one.

    Raises:
        StoreError: the server cannot be used.
    """
    key = _keys(settings).tenants(settings.flow)
    newest, applied = await connection.call("HMGET", key, _REVISION, _APPLIED)
    return _number(newest), _number(applied)


async def read_tenants(connection: Connection, settings: FlowSettings) -> RecordedTenants:
    """Return all tenants of a service.

    Raises:
        StoreError: the server cannot be used.
    """
    flat: list[bytes] = await connection.call("HGETALL", _keys(settings).tenants(settings.flow))
    found = dict(zip(flat[::2], flat[1::2], strict=True))
    revision, applied = _number(found.pop(_REVISION, None)), _number(found.pop(_APPLIED, None))
    parts = {name.decode("utf-8", "replace"): text.partition(b" ") for name, text in found.items()}
    records = {name: (_number(own), record) for name, (own, _space, record) in parts.items() if _number(own)}
    return RecordedTenants(revision, applied, records)


async def read_tenant(connection: Connection, settings: FlowSettings, tenant_id: str) -> tuple[int, bytes] | None:
    """Return the revision and the JSON of one tenant; None: there is none.

    Raises:
        StoreError: the server cannot be used.
    """
    text: bytes | None = await connection.call("HGET", _keys(settings).tenants(settings.flow), tenant_id)
    own, _space, record = (text or b"").partition(b" ")
    return (_number(own), record) if _number(own) else None


async def change_tenant(
    connection: Connection, settings: FlowSettings, tenant_id: str, seen: int, record: str
) -> tuple[ChangeTenantAnswer, int]:
    """Add a tenant, change it, or remove it, and return what came of that, with the revision that it has now.

    Args:
        connection: To the server.
        settings: Those of the service's flow.
        tenant_id: Which one.
        seen: The revision that it has to have; 0: it is to be new.
        record: Its JSON; empty: it is to go, whatever its revision.

    Raises:
        KeyConflict: the list's key holds something else.
        StoreFull: the server is out of memory.
        StoreError: the server cannot be used.
    """
    named: dict[str, Argument] = {
        **settings.named(),
        "service": settings.flow,
        "tenant_id": tenant_id,
        "seen": seen,
        "record": record,
    }
    word, revision = await connection.run(settings.script("change_tenant"), named)
    return cast("ChangeTenantAnswer", word.decode()), revision


async def mark_applied(connection: Connection, settings: FlowSettings, revision: int) -> None:
    """Note up to which revision the service's queue has the shares and slots of its tenants; an older one does no harm.

    Raises:
        StoreError: the server cannot be used.
    """
    await connection.call("HSET", _keys(settings).tenants(settings.flow), _APPLIED, revision)


def _keys(settings: FlowSettings) -> ServiceKeys:
    return ServiceKeys(settings.keys.namespace)


def _number(text: bytes | None) -> int:
    """Return a positive number; 0 where there is none."""
    return int(text) if text is not None and text.isdigit() else 0
