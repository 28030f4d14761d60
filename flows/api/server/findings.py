"""What `server.check` finds: of the server, and of each flow."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, Literal

from flows.api.views.server import Finding
from flows.errors import StoreError
from flows.model.names import OWN, is_own
from flows.store.fleet.processes import read_processes
from flows.store.operators.server_info import read_repairs, read_server
from flows.store.views.observe import observe

if TYPE_CHECKING:
    from flows.api.admin import Admin
    from flows.api.known_flow import KnownFlow
    from flows.model.explain.queue_state import QueueState
    from flows.model.fleet.process import Process

_Level = Literal["fine", "warning", "wrong"]
#: A clock that is further away makes times look wrong, though nothing depends on it.
_CLOCK_MS: Final = 1000
#: Of its memory, so much may be used.
_FULL: Final = 0.9
#: A process whose loop has let all wait for longer is blocked.
_LAG: Final = timedelta(seconds=5)
#: A worker that is idle asks for work every five seconds.
_ASKED: Final = timedelta(seconds=60)


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
    wanted = [one for one in known.queues if queue in {None, one}]
    if not wanted:
        return []
    states = await observe(admin.connection, known.settings, wanted)
    processes = await read_processes(admin.connection, known.settings, name)
    found = [one for state in states.values() for one in _of_queue(known, state, processes, max_oldest)]
    found += _of_processes(name, processes)
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


def _of_queue(
    known: KnownFlow, state: QueueState, processes: list[Process], max_oldest: timedelta | None
) -> list[Finding]:
    name, of = state.queue, known.name
    there = state.waiting + state.delayed
    found: list[Finding] = []

    def say(level: _Level, what: str, sentence: str) -> None:
        found.append(_finding(level, what, sentence, flow=of, queue=name))

    for field in state.unreadable:
        say("wrong", "conflict", f"{field} of queue {name!r} cannot be read: its key holds something that is not ours")
    if name not in known.by_queue and there + state.processing + state.children and not is_own(of):
        say("wrong", "orphans", f"queue {name!r} is declared no more, and {there + state.processing:,} jobs are left")
    elif not state.workers and not of.startswith(OWN) and (state.waiting or state.processing or _is_due(state)):
        jobs = f"{state.waiting:,} waiting, {state.processing:,} running and {state.delayed:,} delayed jobs"
        say("wrong", "unserved", f"no live process serves {name!r}, which has {jobs}")
    elif state.waiting and not state.paused and not _works(name, state.at, processes):
        say(
            "wrong",
            "stuck",
            f"{state.waiting:,} jobs wait in {name!r}, and none of its workers is busy or asks for work",
        )
    if state.paused:
        note = f" ({state.note})" if state.note else ""
        say("warning", "paused", f"queue {name!r} is paused{note}, and {state.waiting:,} jobs wait")
    if max_oldest is not None and state.oldest_age is not None and state.oldest_age > max_oldest:
        waits = state.oldest_age.total_seconds()
        say(
            "wrong",
            "oldest",
            f"the next job of {name!r} has waited {waits:,.0f} s, over {max_oldest.total_seconds():,.0f}",
        )
    return found


def _is_due(state: QueueState) -> bool:
    return state.next_due is not None and state.next_due <= state.at


def _works(queue: str, at: datetime, processes: list[Process]) -> bool:
    """Return whether a live process has a busy worker of a queue, or one that has asked for work lately."""
    served = [one for process in processes if process.alive for one in process.queues if one.queue == queue]
    return any(one.busy or (one.asked is not None and at - one.asked < _ASKED) for one in served)


def _of_processes(flow: str, processes: list[Process]) -> list[Finding]:
    found: list[Finding] = []
    for one in processes:
        if not one.alive:
            ago = (datetime.now(UTC) - one.heard).total_seconds()
            sentence = f"process {one.name} of flow {flow!r} was heard of last {ago:,.0f} s ago: it was killed"
            found.append(_finding("warning", "dead", sentence, flow=flow))
        elif one.lag is not None and one.lag > _LAG:
            sentence = f"the event loop of {one.name} was blocked for {one.lag.total_seconds():,.1f} s"
            found.append(_finding("warning", "blocked", sentence, flow=flow))
    return found


def _finding(level: _Level, what: str, sentence: str, *, flow: str | None = None, queue: str | None = None) -> Finding:
    return Finding(level=level, what=what, sentence=sentence, flow=flow, queue=queue)
