"""The operations of processes that are cut at every command: their heartbeats, and whoever looks at them."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any, Final

from flows import Process, StoreUnavailable
from flows.model.declared.description import Description
from flows.store.fleet.apps import read_workflows, sync
from flows.store.fleet.heartbeats import HeartbeatOfQueue, Heartbeats, HeartbeatText
from flows.store.fleet.statistics import read_series
from flows.store.jobs.leases import LeaseRenewal
from tests.faults.cut import Operation, Stage
from tests.faults.flow_under_test import Order

#: What a process says that has workers of one queue, all of them busy.
_SAYS: Final = (
    '{"host":"web","pid":7,"flows":"","python":"","digest":"ab","up":1,"rss":null,"lag":0,'
    '"queues":{"pick":{"workers":1,"slots":2,"busy":2,"asked":null}},"running":[]}'
)


def heartbeat(number: int = 1, *, serves: bool = True) -> HeartbeatText:
    """Return a heartbeat that tells of one job that began, and of two functions that ended."""
    return HeartbeatText(number, _SAYS, 3_600_000, [HeartbeatOfQueue("pick", serves, "0:1", "0:2")])


async def heartbeats(stage: Stage) -> Heartbeats:
    """Return those of a process, of which the server knows the declaration."""
    runtime = stage.flow._runtime
    return Heartbeats(runtime.settings, "web.7.abcdef", await runtime._descriptor.description())


async def told(stage: Stage) -> tuple[Any, ...]:
    """Return what was told by now: which processes live, how busy they are, what began and what ended."""
    session = await stage.direct._runtime.open()
    series = await read_series(session.connection, session.settings, "pick")
    return (
        shown(await stage.direct.processes()),
        sum(sample.waited.count for sample in series),
        sum(sample.ran.count for sample in series),
    )


def shown(processes: list[Process]) -> list[tuple[Any, ...]]:
    """Return what processes say, without times."""
    return [(process.name, process.alive, process.queues) for process in processes]


async def _announce(stage: Stage) -> Any:
    await (await heartbeats(stage)).announce(stage.flow._runtime.session.connection, heartbeat())
    return await told(stage)


async def _leave(stage: Stage) -> Any:
    await (await heartbeats(stage)).leave(stage.flow._runtime.session.connection, heartbeat(2))
    return await told(stage)


async def _beat(stage: Stage) -> Any:
    """From the thread, one that is lost is followed by the next one; what it has counted may be lost with it."""
    beats = await heartbeats(stage)
    renewal = LeaseRenewal(stage.proxy.url, stage.flow._runtime.settings)
    try:
        with suppress(StoreUnavailable):
            await asyncio.to_thread(beats.send, renewal, heartbeat(1))
        await asyncio.to_thread(beats.send, renewal, heartbeat(2))
    finally:
        renewal.close()
    fleet, began, ended = await told(stage)
    return fleet, 1 <= began <= 2, 2 <= ended <= 4


async def _announced(stage: Stage) -> None:
    """Prepare a process that was heard of."""
    await stage.direct.start_all()
    await (await heartbeats(stage)).announce(stage.direct._runtime.session.connection, heartbeat())


async def _explained(stage: Stage) -> Any:
    """What is said of a job whose queue has no free slot; the time of the call is not."""
    explanation = await stage.flow.explain(stage.kept[0])
    return explanation.reason, explanation.facts["worker_slots"], explanation.facts["busy"]


async def _waiting(stage: Stage) -> list[str]:
    """Prepare the same, and a job that waits."""
    await _announced(stage)
    return await stage.direct.create_jobs([Order(number=1, customer=7)])


async def _processes(stage: Stage) -> Any:
    return shown(await stage.flow.processes())


async def _states(stage: Stage) -> Any:
    states = await stage.flow.states()
    return [(state.queue, state.waiting, state.workers) for state in states.values()]


async def _sync(stage: Stage) -> Any:
    """What an app defines is known once, however often it is said."""
    session = await stage.flow._runtime.open()
    text = '{"workflows":[{"name":"ship","queue":"default","version":""}]}'
    await sync(session.connection, session.settings, "billing", Description("billing:ab", text), written=True)
    direct = await stage.direct._runtime.open()
    known = await read_workflows(direct.connection, direct.settings)
    return [(one.app, one.name, one.live) for one in known]


def of_processes() -> list[Operation]:
    """Return what processes send of themselves, and what is read of them."""
    return [
        Operation("heartbeat before the first claim", _announce),
        Operation("the last heartbeat", _leave, _announced),
        Operation("heartbeat of the thread", _beat),
        Operation("heartbeat, scripts unknown", _announce, unknown=True),
        Operation("what an app defines", _sync),
        Operation("what an app defines, scripts unknown", _sync, unknown=True),
        Operation("processes", _processes, _announced),
        Operation("states", _states, _waiting),
        Operation("explain, all slots busy", _explained, _waiting),
    ]
