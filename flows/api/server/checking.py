"""Operations on the server: how it is, what is wrong with all that it holds, and to repair that."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from datetime import timedelta
from typing import Final

from flows.api.admin import Admin
from flows.api.operation import operation
from flows.api.server.findings import findings_of_flow, findings_of_server
from flows.api.views.server import CheckView, RepairView, ServerView
from flows.api.views.time import Time
from flows.store.jobs.reconcile import Reconciliation
from flows.store.operators.server_info import read_server
from flows.version import __version__

#: As long as one call repairs.
_LONGEST: Final = timedelta(minutes=10)


@operation("server.show")
async def show(admin: Admin) -> ServerView:
    """Show the server: its version, memory, policy, and how far away it is."""
    found = await read_server(admin.connection)
    info = found.info
    return ServerView(
        version=found.version,
        mode=info.get("redis_mode", info.get("server_mode", "")),
        role=info.get("role", ""),
        uptime=found.number("uptime_in_seconds"),
        memory=found.number("used_memory"),
        memory_peak=found.number("used_memory_peak"),
        memory_max=found.number("maxmemory"),
        policy=info.get("maxmemory_policy", ""),
        persistent=found.persistent,
        saving=found.saving,
        saved=found.saved,
        save_failed=any(info.get(name) == "err" for name in ("rdb_last_bgsave_status", "aof_last_write_status")),
        clients=found.number("connected_clients"),
        clients_max=found.number("maxclients"),
        clients_blocked=found.number("blocked_clients"),
        replicas=found.number("connected_slaves"),
        evicted=found.number("evicted_keys"),
        fragmentation=found.fraction("mem_fragmentation_ratio"),
        commands=found.number("instantaneous_ops_per_sec"),
        latency=found.latency_ms,
        clock=found.clock_ms,
        flows=len(await admin.flows()),
        flows_version=__version__,
    )


@operation("server.check")
async def check(
    admin: Admin, *, flow: str | None = None, queue: str | None = None, max_oldest: Time | None = None
) -> CheckView:
    """Find what is wrong: with the server, with queues that nobody serves, with jobs that were left behind.

    Args:
        flow: Only in this flow.
        queue: Only in this queue.
        max_oldest: It is wrong where the next job of a queue has waited longer than this.

    Raises:
        NothingThere: there is no such flow or queue.
    """
    found = await findings_of_server(admin)
    names = [await admin.root_of(flow)] if flow is not None else list(await admin.flows())
    for some in await asyncio.gather(*(findings_of_flow(admin, name, queue, max_oldest) for name in names)):
        found += some
    return CheckView(healthy=all(one.level != "wrong" for one in found), findings=found)


@operation("server.repair", role="operator", frees=True)
async def repair(admin: Admin, *, flow: str | None = None, timeout: Time = timedelta(seconds=30)) -> RepairView:
    """Repair what no transition leaves behind: edited data, a half-restored backup, a clock that was set back.

    Workers do the same all the time; this is for where none runs. Where a pass is under way, that goes on.

    Args:
        flow: Only in this flow.
        timeout: For so long at most, 10 minutes.

    Raises:
        NothingThere: there is no such flow.
    """
    deadline = time.monotonic() + min(timeout, _LONGEST).total_seconds()
    names = [await admin.root_of(flow)] if flow is not None else list(await admin.flows())
    by_flow: dict[str, dict[str, int]] = {}
    finished = True
    for name in names:
        known = await admin.link.flow(name)
        if not known.queues:
            continue
        walk = Reconciliation(admin.connection, known.settings, known.queues, known.settings.layouts)
        repaired: Counter[str] = Counter()
        while True:
            step = await walk.step()
            repaired.update(one.word for one in step.repairs)
            if not step.goes_on:
                break
            if time.monotonic() + step.wait_ms / 1000 > deadline:
                finished = False
                break
            await asyncio.sleep(step.wait_ms / 1000 + 0.005)
        if repaired:
            by_flow[name] = dict(repaired)
    count = sum(sum(words.values()) for words in by_flow.values())
    word = "not finished" if not finished else "repaired" if count else "nothing to repair"
    return RepairView(word=word, count=count, by_flow=by_flow)
