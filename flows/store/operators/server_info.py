"""Reads how the server is: version, memory, policy, persistence, role, and how far its clock is from ours."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Literal

from flows.errors import StoreError

if TYPE_CHECKING:
    from flows.store.client.connection import Connection

_MS: Final = 1000


@dataclass(frozen=True, slots=True)
class ServerInfo:
    """A server as it says it is; what its account may not ask is empty."""

    info: dict[str, str]
    """The lines of INFO."""
    latency_ms: float
    """How long a PING took."""
    clock_ms: float
    """How far its clock is ahead of this machine's, give or take the latency."""

    @property
    def version(self) -> str:
        """Its kind and version: `valkey 9.1.1`, `redis 8.0.2`."""
        if "valkey_version" in self.info:
            return f"valkey {self.info['valkey_version']}"
        return f"redis {self.info.get('redis_version', '?')}"

    @property
    def persistent(self) -> bool:
        """Whether it writes what it holds to disk: an append-only file, or snapshots that have been made."""
        return self.saving != "none"

    @property
    def saving(self) -> Literal["none", "file", "snapshots", "both"]:
        """How it writes what it holds to disk; `file` is the append-only one."""
        snapshots = self.number("rdb_saves") > 0
        if self.info.get("aof_enabled") == "1":
            return "both" if snapshots else "file"
        return "snapshots" if snapshots else "none"

    @property
    def saved(self) -> datetime | None:
        """When it has written its last snapshot, in UTC; None: it has written none since it began."""
        at = self.number("rdb_last_save_time")
        return datetime.fromtimestamp(at, UTC) if at and self.number("rdb_saves") else None

    def fraction(self, name: str) -> float | None:
        """Return a number of INFO with its decimals; None where it does not stand there."""
        try:
            return float(self.info[name])
        except (KeyError, ValueError):
            return None

    def number(self, name: str) -> int:
        """Return a number of INFO; 0 where it does not stand there."""
        text = self.info.get(name, "")
        return int(text) if text.isdigit() else 0


async def read_server(connection: Connection) -> ServerInfo:
    """Return how the server is.

    Raises:
        StoreError: it cannot be used.
    """
    began, at = time.perf_counter(), time.time()
    seconds, micro = await connection.call("TIME")
    took = time.perf_counter() - began
    ahead = int(seconds) + int(micro) / 1e6 - (at + took / 2)
    try:
        text: bytes = await connection.call("INFO")
    except StoreError:  # the account may not ask
        text = b""
    lines = (line.partition(":") for line in text.decode("utf-8", "replace").splitlines() if ":" in line)
    return ServerInfo({name: value for name, _, value in lines}, took * _MS, ahead * _MS)


async def read_repairs(connection: Connection, key: str) -> dict[str, int]:
    """Return what the reconciler of a flow has repaired so far, by word.

    Raises:
        StoreError: the server cannot be used.
    """
    flat: list[bytes] = await connection.call("HGETALL", key)
    pairs = zip(flat[::2], flat[1::2], strict=True)
    return {
        name.decode().removeprefix("repaired:"): int(count)
        for name, count in pairs
        if name.startswith(b"repaired:") and count.isdigit()
    }
