"""The flow of runs, of which a test starts some and calls one script: its workflows are `order`, `ship` and `pack`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from redis import Redis

from flows.model.creation.job_options import Due
from flows.model.outcome import EventWait, Suspend
from flows.model.runs.new_run import NewRun
from flows.model.runs.step_children import StepChildren
from flows.store.client.scripts import Argument
from flows.store.jobs.finished import arguments_of
from flows.store.runs.new_runs import run_arguments
from flows.store.runs.records import Owner, PackedWrite, pack_writes
from tests.world import World, attempt

#: The state of a step that waits, and how a result of one begins.
WAITS: Final = b'{"status":"waiting","kind":"%b"}'


def done(result: object, order: str = "[0,1,0]") -> bytes:
    """Return the record of a step that is done."""
    return b'{"status":"done","order":%b,"kind":"run","result":%b}' % (order.encode(), json.dumps(result).encode())


def waiting(kind: str, total: int | None = None) -> bytes:
    """Return the record of a step that waits."""
    more = b"" if total is None else b',"total":%d' % total
    return b'{"status":"waiting","kind":"%b"%b}' % (kind.encode(), more)


def run(run_id: str, workflow: str = "order", value: object = None, **more: Any) -> NewRun:
    """Return a run that is ready to be started."""
    given = {"queue": workflow, "lookups": (("workflow", workflow),), **more}
    return NewRun(run_id, workflow, input=json.dumps(value).encode(), **given)


class RunWorld(World):
    """The flow of runs below one namespace."""

    def __init__(self, redis: Redis, namespace: str, **settings: Any) -> None:
        """Use the usual settings, but for a time to live: runs have none."""
        super().__init__(redis, namespace, **{"flow": "run", "first_queue": "order", "ttl_ms": 0, **settings})

    def _usual(self, **named: Argument) -> dict[str, Argument]:
        own: dict[str, Argument] = {"cancelling": self.keys.cancelling("run"), "reconcile": self.keys.reconcile("run")}
        return {**super()._usual(**named), **own}

    def start(self, *runs: NewRun) -> list[list[str]]:
        """Start runs; the answers."""
        answers: list[list[str]] = self.run("start", *[part for one in runs for part in run_arguments(one)])
        return answers

    def begin(self, run_id: str = "1", workflow: str = "order", **more: Any) -> None:
        """Start a run and claim it, by the worker `w1`."""
        self.start(run(run_id, workflow, **more))
        [claimed] = self.claim(queue=workflow)
        assert claimed.id == run_id

    def put(  # noqa: PLR0913, PLR0917 - as many as a run may write
        self,
        run_id: str,
        records: Mapping[str, bytes],
        children: Sequence[StepChildren] = (),
        waits: Sequence[EventWait] = (),
        fields: Mapping[str, bytes] | None = None,
        fence: int = 1,
        worker_id: str = "w1",
    ) -> list[Any]:
        """Write what steps of a run have done; the answer of the last part."""
        writes = pack_writes(Owner(worker_id, run_id, fence), records, children, waits, fields or {})
        return [self.write(one) for one in writes][-1]

    def write(self, write: PackedWrite) -> list[Any]:
        """Send one write; its answer."""
        [answer] = self.run("record", *unpacked(write))
        found: list[Any] = answer
        return found

    def suspend(self, run_id: str = "1", fence: int = 1, queue: str = "order", **more: Any) -> list[str]:
        """End the attempt of a run that waits."""
        outcome = Suspend(**{"due_ms": None, "come": 0, "records": {}, **more})
        return self.report(attempt("suspend", run_id, fence, *arguments_of(outcome, child=False)), queue=queue)

    def send(self, event: str, key: str, data: object, event_id: str = "e") -> list[Any]:
        """Send an event; the answer of the first call."""
        named: dict[str, Argument] = {"event": f"{event}:{key}", "event_id": event_id}
        answer: list[Any] = self.run("send_event", json.dumps(data), ttl_ms=60_000, cursor_from="0", **named)
        return answer

    def step(self, run_id: str, name: str) -> Any:
        """Return the record of a step, read."""
        raw = self.redis.hget(self.key("jobs", f"run:{run_id}"), f"step:{name}")
        return None if raw is None else json.loads(str(raw))

    def field(self, run_id: str, name: str) -> Any:
        """Return a field of a run's hash."""
        return self.redis.hget(self.key("jobs", f"run:{run_id}"), name)

    def place(self, workflow: str = "order") -> dict[str, list[str]]:
        """Return which runs stand in each place of a workflow's queue."""
        found = self.snapshot()
        return {
            name: [*found[name][workflow]]
            for name in ("waiting", "delayed", "processing")
            if workflow in found.get(name, {})
        }


def unpacked(write: PackedWrite) -> list[Argument]:
    """Return the arguments that a write has packed."""
    found: list[Argument] = []
    data = write.packed
    while data:
        length, _, data = data[1:].partition(b"\r\n")
        found.append(data[: int(length)])
        data = data[int(length) + 2 :]
    assert len(found) == write.arguments
    return found


def later(ms: int) -> Due:
    """Return a start that is so much later."""
    return Due(ms)
