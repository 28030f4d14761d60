"""Operations that measure: whose the server's memory is, and which scripts were slow."""

from __future__ import annotations

from flows.api.admin import Admin
from flows.api.operation import operation
from flows.api.views.server import MemoryView, SlowCommandView, SlowView
from flows.store.operators.server_load import OTHERS, measure_memory, read_slow


@operation("server.memory")
async def memory(admin: Admin) -> MemoryView:
    """Tell which share of the memory flows has, by a sample of 300 keys: it costs the same however many there are."""
    flows = await admin.flows()
    queues = list(dict.fromkeys(queue for some in flows.values() for queue in some))
    found = await measure_memory(admin.connection, admin.keys, queues)
    total = sum(found.bytes_by_kind.values())
    ours = total - found.bytes_by_kind.get(OTHERS, 0)
    return MemoryView(
        keys=found.keys,
        looked=found.looked,
        share=ours / total if total else None,
        bytes=found.bytes_by_kind,
        counts=found.keys_by_kind,
    )


@operation("server.slow")
async def slow(admin: Admin) -> SlowView:
    """List what the server has found slow lately: scripts of flows by name, of other commands the first word alone."""
    found = await read_slow(admin.connection)
    return SlowView(
        told=found is not None,
        commands=[
            SlowCommandView(
                name=one.name,
                script=one.script,
                count=one.count,
                worst=one.worst.total_seconds() * 1000,
                last=one.last,
            )
            for one in found or ()
        ],
    )
