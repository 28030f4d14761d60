"""What is sent of runs, to be cut at every command: starts, records, suspensions, ends of children, events, cancels."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, Final

import redis

from flows.model.ids import new_job_id
from flows.model.outcome import ContinueAsNew, EventWait, Finish, Outcome, Suspend
from flows.model.runs.new_run import NewRun
from flows.model.runs.schedule_definition import ScheduleDefinition
from flows.model.runs.step_children import StepChildren
from flows.model.schedules.every import Every
from flows.store.jobs.claimed import ClaimedJob
from flows.store.jobs.turns import Turns
from flows.store.keys.runs import RunKeys
from flows.store.runs.fork import Fork, start_fork
from flows.store.runs.records import Owner
from flows.store.schedules.firing import Firing
from flows.store.schedules.recorded import RecordedSchedules
from flows.workflow.app_options import AppOptions
from flows.workflow.host import Host
from flows.workflow.running.redis_recorder import RedisRecorder
from tests.faults.cut import Operation, Stage
from tests.faults.ledger import Ledger
from tests.faults.proxy import Proxy
from tests.faults.server import Server

WORKER: Final = "the-worker"
_SENT: Final = (
    *("greet", "register", "declare", "introduce"),
    *("start", "record", "send_event", "turn", "cancel", "cascade", "fork"),
    *("set_schedules", "see_schedules", "due_schedules", "fire"),
)
_WAITING: Final = b'{"status":"waiting","kind":"%s","total":%d}'
#: Three parts of a fork; a slot that is over.
_RECORDS: Final = 2_001
_SLOT_MS: Final = 1_700_000_000_000
_DONE: Final = b'{"status":"done","order":[0,1,0],"kind":"run","result":1}'


class Side:
    """The flow of runs on one side of the proxy, as the cutter uses a flow."""

    def __init__(self, url: str, namespace: str) -> None:
        self.host = Host(AppOptions("cut", redis_url=url, namespace=namespace))
        self._runtime = self.host.runtime

    async def start_all(self) -> None:
        """Connect."""
        await self.host.open()

    async def stop_all(self, _grace: float | None = None) -> None:
        """Disconnect."""
        await self._runtime.close()


class RunStage(Stage):
    """One run of an operation on runs."""

    def __init__(self, server: Server, client: redis.Redis, directory: Path, namespace: str) -> None:
        self.namespace = namespace
        self.proxy = Proxy(server.port)
        self.direct: Any = Side(server.url, namespace)
        self.flow: Any = Side(self.proxy.url, namespace)
        self.client = client
        self.ledger = Ledger(directory / namespace.rstrip(":"))
        self.kept: Any = None
        self._number = 0

    @staticmethod
    def scripts() -> list[tuple[str, ...]]:
        """Return those that are sent here."""
        return [(name, "runs") for name in _SENT]

    async def session(self, side: Any) -> Any:
        """Return the session of one side."""
        return await side.host.open()

    async def turns(self, side: Any, queue: str) -> Turns:
        """Return the turns of the one worker; they count on where the last ones stopped."""
        calls: Turns = (await self.session(side)).turns(queue, WORKER, ["input"])
        self._number += 100
        calls._number = self._number
        return calls


def new(workflow: str = "order", **more: Any) -> NewRun:
    """Return a run that is ready to be started."""
    return NewRun(new_job_id(), workflow, workflow, b"1", lookups=(("workflow", workflow),), **more)


async def claim(stage: Any, *runs: NewRun) -> list[ClaimedJob]:
    """Prepare runs of one workflow that the worker has."""
    session = await stage.session(stage.direct)
    await session.runs.start(runs)
    calls = await stage.turns(stage.direct, runs[0].queue)
    claimed: list[ClaimedJob] = (await calls.turn([], len(runs), busy=False)).claimed
    return claimed


async def put(stage: Any, side: Any, claimed: ClaimedJob, *given: Any) -> Any:
    """Write records of a run, and what steps start."""
    session = await stage.session(side)
    recorder = RedisRecorder(session.runs, Owner(WORKER, claimed.id, claimed.fence), 0, 30.0)
    return await recorder.put(*given)


async def end(stage: Any, side: Any, claimed: ClaimedJob, outcome: Outcome, queue: str = "order") -> Any:
    """End the attempt of a run by a turn that claims nothing."""
    calls = await stage.turns(side, queue)
    return (await calls.turn([calls.finished(claimed, outcome)], 0, busy=False)).words


def waits_for(total: int, kind: bytes = b"map") -> bytes:
    """Return the record of a step that waits for runs."""
    return _WAITING % (kind, total)


async def _begun(stage: Any) -> ClaimedJob:
    return (await claim(stage, new()))[0]


async def _parent(stage: Any, children: int = 1) -> list[ClaimedJob]:
    """Prepare a run that waits for others, which the worker has."""
    [claimed] = await claim(stage, new())
    steps = [StepChildren("m", [new("ship") for _ in range(children)])]
    await put(stage, stage.direct, claimed, {"m": waits_for(children)}, steps)
    await end(stage, stage.direct, claimed, Suspend(None, 0, {}))
    calls = await stage.turns(stage.direct, "ship")
    return [claimed, *(await calls.turn([], children, busy=False)).claimed]


async def _waiters(stage: Any) -> None:
    """Prepare 3 runs that wait for an event."""
    for claimed in await claim(stage, *[new() for _ in range(3)]):
        waits = [EventWait("e", "paid", "7")]
        await end(stage, stage.direct, claimed, Suspend(None, 0, {"e": waits_for(0, b"event")}, waits))


async def _start(stage: Any) -> Any:
    return await (await stage.session(stage.flow)).runs.start(stage.kept)


async def _record(stage: Any) -> Any:
    kept, children = stage.kept
    steps = {"a": _DONE, "m": waits_for(120)}
    await put(stage, stage.flow, kept, steps, [StepChildren("m", children, limit=7)], [EventWait("e", "paid", "7")])


async def _with_children(stage: Any) -> Any:
    return await _begun(stage), [new("ship") for _ in range(120)]


async def _suspend(stage: Any) -> Any:
    records = {"e": waits_for(0, b"event"), "f": waits_for(0, b"event")}
    waits = [EventWait("e", "paid", "7"), EventWait("f", "paid", "8")]
    return await end(stage, stage.flow, stage.kept, Suspend(None, 0, records, waits))


async def _begun_with_event(stage: Any) -> Any:
    session = await stage.session(stage.direct)
    await session.runs.send_event("paid", "8", b"1", "x", 60_000)
    return await _begun(stage)


async def _settle(stage: Any) -> Any:
    return await end(stage, stage.flow, stage.kept[1], Finish({"output": b"[]"}), "ship")


async def _send(stage: Any) -> Any:
    return await (await stage.session(stage.flow)).runs.send_event("paid", "7", b"1", "x", 60_000)


async def _cancel(stage: Any) -> Any:
    return await (await stage.session(stage.flow)).control.cancel("run", stage.kept[0].id, "why")


async def _continue(stage: Any) -> Any:
    return await end(stage, stage.flow, stage.kept, ContinueAsNew(b"2"))


async def _fork(stage: Any) -> Any:
    session = await stage.session(stage.flow)
    return await start_fork(session.connection, session.settings, stage.kept)


async def _source(stage: Any) -> Fork:
    """Prepare a run with children's results beside it, and a fork of it that takes three parts."""
    claimed = await _begun(stage)
    side = RunKeys(stage.namespace).children(claimed.id, "m")
    await asyncio.to_thread(stage.client.hset, side, mapping={"total": 1, "0": "{}"})
    records = {f"step:s{n}": b"{}" for n in range(_RECORDS)}
    return Fork(claimed.id, new_job_id(), "order", {"input": b"1"}, "workflow:order", records, ("m",))


async def _schedule(stage: Any) -> Any:
    """Declare a schedule, say so, and fire a slot of it: a call that is sent again finds it fired."""
    session = await stage.session(stage.flow)
    recorded, firing = (kind(session.connection, session.settings) for kind in (RecordedSchedules, Firing))
    words = await recorded.write("cut", [stage.kept])
    seen = await recorded.see("cut", [stage.kept.id], "seen")
    await session.connection.call("ZADD", recorded.keys.schedules(), _SLOT_MS, stage.kept.id)
    await firing.fire(stage.kept, stage.kept.fields()["digest"], _SLOT_MS, [_SLOT_MS], _SLOT_MS + 60_000)
    return words, seen.missing


async def _definition(_stage: Any) -> ScheduleDefinition:
    await asyncio.sleep(0)
    return ScheduleDefinition("daily", Every(60), NewRun("", "order", "order", b"1"), 0)


def of_runs() -> list[Operation]:
    """Return what is sent of runs."""

    async def keyed(_stage: Any) -> list[NewRun]:
        await asyncio.sleep(0)
        return [new(), new(key="k", key_ttl_ms=60_000), new(key="k", key_ttl_ms=60_000)]

    return [
        Operation("start runs", _start, keyed),
        Operation("start runs, scripts unknown", _start, keyed, unknown=True),
        Operation("record steps and 120 children", _record, _with_children),
        Operation("suspend", _suspend, _begun_with_event),
        Operation("settle a step by the end of its child", _settle, _parent),
        Operation("send an event", _send, _waiters),
        Operation("cancel a run that waits for others", _cancel, lambda stage: _parent(stage, 3)),
        Operation("continue as new", _continue, _begun),
        Operation("fork a run in parts", _fork, _source),
        Operation("declare a schedule and fire a slot", _schedule, _definition),
    ]
