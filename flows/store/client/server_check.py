"""Checks a server before it is used: that it is a primary, its version, and whether it would drop keys."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

from flows.errors import StoreError, StoreUnavailable, UnsafeServer

if TYPE_CHECKING:
    from flows.store.client.connection import Connection

#: `EXPIRE … GT` and the flags of scripts came with Redis 7.0.
OLDEST: Final = (7, 0)

_logger = logging.getLogger("flows.store")


async def check_server(connection: Connection, *, allow_eviction: bool = False) -> None:
    """Check the server's role, version and eviction policy by INFO, since CONFIG may be forbidden.

    Raises:
        StoreUnavailable: it is a replica, which takes no writes, or those it takes would be lost.
        UnsafeServer: it is too old, or its eviction policy drops keys and `allow_eviction` is not set.
    """
    try:
        text: bytes = await connection.call("INFO")
    except StoreError as error:
        _logger.warning("the server's version and eviction policy could not be checked: %s", error)
        await _refuse_replica_by_role(connection)
        return
    info = dict(line.split(":", 1) for line in text.decode("utf-8", "replace").splitlines() if ":" in line)
    if info.get("role") == "slave":
        raise StoreUnavailable(_replica(f"{info.get('master_host', '?')}:{info.get('master_port', '?')}"))
    version = info.get("redis_version", "")
    if tuple(int(part) for part in version.split(".")[:2] if part.isdigit()) < OLDEST:
        raise UnsafeServer(f"the server is Redis {version}: flows needs {OLDEST[0]}.{OLDEST[1]} or newer, or Valkey")
    policy = info.get("maxmemory_policy", "noeviction")
    if policy != "noeviction":
        why = f"the server's maxmemory-policy is {policy!r}: when memory runs out it drops jobs; set it to noeviction"
        if info.get("maxmemory", "0") == "0":
            _logger.warning("%s (it has no maxmemory yet, so nothing is dropped now)", why)
        elif allow_eviction:
            _logger.warning("%s (allow_eviction=True: it is used all the same)", why)
        else:
            raise UnsafeServer(why + ", or allow it by FlowOptions(allow_eviction=True)")


async def _refuse_replica_by_role(connection: Connection) -> None:
    try:
        role: list[Any] = await connection.call("ROLE")
    except StoreError:
        return
    if role[0] == b"slave":
        raise StoreUnavailable(_replica(f"{role[1].decode('utf-8', 'replace')}:{role[2]}"))


def _replica(primary: str) -> str:
    """Return what is said of a replica, at once: at the start there is no switch to another primary to wait for."""
    return f"the server is a replica, and flows needs its primary, which is {primary}: give the URL of that"
