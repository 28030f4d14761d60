"""What `server.check` finds: of the server, and of each flow."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, Literal

from flows.api.queues.board import queues_of
from flows.api.server.queue_findings import QueueFindings
from flows.api.views.server import Finding
from flows.errors import StoreError
from flows.model.explain.words import instant
from flows.model.names import is_own
from flows.store.fleet.processes import read_processes
from flows.store.jobs.leases import server_ms
from flows.store.operators.server_info import read_repairs, read_server

if TYPE_CHECKING:
    from datetime import datetime

    from flows.api.admin import Admin
    from flows.model.fleet.process import Process

#: A clock that is further away makes times look wrong, though nothing depends on it.
_CLOCK_MS: Final = 1000
#: Of its memory, so much may be used.
_FULL: Final = 0.9
#: A process whose loop has let all wait for longer is blocked.
_LAG: Final = timedelta(seconds=5)


async def findings_of_server(admin: Admin) -> list[Finding]:
    """Return what is to be said of the server.

    Raises:
        StoreError: it cannot be used.
    """
    found = await read_server(admin.connection)
    policy, most, used = found.info.get("maxmemory_policy", ""), found.number("maxmemory"), found.number("used_memory")
    drops = policy not in {"", "noeviction"}
    share = used / most if most else 0.0
    return [
        _finding("fine", "version", f"the server is {found.version}"),
        _finding(
            "wrong" if drops and most else "warning" if drops else "fine",
            "policy",
            f"when memory runs out it drops keys by {policy!r}: set maxmemory-policy to noeviction"
            if drops
            else "when memory runs out it refuses writes, and drops nothing",
        ),
        _finding(
            "fine" if found.persistent else "warning",
            "persistence",
            "it writes what it holds to disk"
            if found.persistent
            else "it writes nothing to disk: with it, all jobs are lost; set appendonly to yes",
        ),
        _finding(
            "warning" if share > _FULL else "fine",
            "memory",
            f"it uses {used / 1e6:,.0f} MB" + (f", {share:.0%} of its maxmemory" if most else ""),
        ),
        _finding(
            "warning" if abs(found.clock_ms) > _CLOCK_MS + found.latency_ms else "fine",
            "clock",
            f"its clock is {found.clock_ms:+,.0f} ms away from this machine's",
        ),
    ]


async def findings_of_flow(admin: Admin, name: str, queue: str | None, max_oldest: timedelta | None) -> list[Finding]:
    """Return what is to be said of a flow: of its queues, processes and declarations.

    Raises:
        StoreError: the server cannot be used.
    """
    known = await admin.link.flow(name)
    if queue is not None and queue not in known.queues:
        return []
    queues = await queues_of(admin, name, queue)
    if not queues:
        return []
    processes = await read_processes(admin.connection, known.settings, name)
    at = instant(await server_ms(admin.connection, known.settings))
    say = QueueFindings(known, at, processes, max_oldest)
    found = [finding for one in queues for finding in say.of(one)]
    found += _of_processes(name, processes, at)
    if not known.declared and not is_own(name):
        found.append(_finding("warning", "declared", f"flow {name!r} has left no declaration", flow=name))
    try:
        repairs = await read_repairs(admin.connection, admin.keys.reconcile(name))
    except StoreError:
        repairs = {}
    if repairs:
        told = ", ".join(f"{count:,} {word}" for word, count in repairs.items())
        found.append(_finding("warning", "repairs", f"the reconciler of flow {name!r} has repaired: {told}", flow=name))
    if queue is None and not any(one.level != "fine" for one in found):
        found.append(_finding("fine", "flow", f"flow {name!r}: nothing is wrong", flow=name))
    return found


def _of_processes(flow: str, processes: list[Process], at: datetime) -> list[Finding]:
    found: list[Finding] = []
    for one in processes:
        if not one.alive:
            ago = (at - one.heard).total_seconds()
            sentence = f"process {one.name} of flow {flow!r} was heard of last {ago:,.0f} s ago: it was killed"
            facts = {"process": one.name, "heard": one.heard, "running": len(one.running)}
            found.append(_finding("warning", "dead", sentence, flow=flow, facts=facts))
        elif one.lag is not None and one.lag > _LAG:
            lag = one.lag.total_seconds()
            sentence = f"the event loop of {one.name} was blocked for {lag:,.1f} s"
            facts = {"process": one.name, "lag": lag, "queues": [served.queue for served in one.queues]}
            found.append(_finding("warning", "blocked", sentence, flow=flow, facts=facts))
    return found


def _finding(
    level: Literal["fine", "warning", "wrong"],
    what: str,
    sentence: str,
    *,
    flow: str | None = None,
    facts: dict[str, Any] | None = None,
) -> Finding:
    return Finding(level=level, what=what, sentence=sentence, flow=flow, facts=facts or {})
