"""Greets a server on each new connection: so that fences rise also across a failover, or a restored backup."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flows.store.client.wire import pack_command

if TYPE_CHECKING:
    from flows.store.jobs.flow_settings import FlowSettings


def greeting(settings: FlowSettings) -> bytes:
    """Return what is sent first on a connection, in full: a server that has taken over may not know the script."""
    script = settings.script("greet")
    named = {**settings.named(), "history": settings.keys.history()}
    return pack_command(script.in_full(script.command(named)))
