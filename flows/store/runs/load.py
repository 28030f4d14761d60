"""Reads what is recorded of a run: when an attempt begins, and when something has come meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from flows.model.runs.loaded import Arrived, Loaded, read_failing
from flows.model.runs.step_record import PARENTS, is_waiting, read_record
from flows.store.keys.runs import RunKeys

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flows.store.client.connection import Connection
    from flows.store.client.scripts import Command
    from flows.store.client.server_clock import ServerClock
    from flows.store.jobs.flow_settings import FlowSettings

_STEP: Final = b"step:"


class RunLoader:
    """Reads what is recorded of runs.

    Args:
        connection: To the server.
        settings: Those of the flow of runs.
        clock: Is told of the server's time.
    """

    def __init__(self, connection: Connection, settings: FlowSettings, clock: ServerClock) -> None:
        self._connection = connection
        self._settings = settings
        self._keys = RunKeys(settings.keys.namespace)
        self._clock = clock

    async def load(self, run_id: str, life: str) -> Loaded:
        """Return what is recorded of a run, by one round trip, and another one where it waits for other runs.

        Args:
            run_id: The run's.
            life: Which life this is.

        Raises:
            MalformedJob: `_failing` or a record was edited into nonsense.
            StoreError: it cannot be read.
        """
        flat, clock = await self._connection.together([("HGETALL", self._key(run_id)), ("TIME",)])
        fields: dict[bytes, bytes] = dict(zip(flat[::2], flat[1::2], strict=True))
        records = _records(fields)
        failing, deadline = fields.get(b"_failing"), fields.get(b"_deadline")
        return Loaded(
            records=records,
            come=int(fields.get(b"_come", b"0")),
            now_ms=self._clock.saw(int(clock[0]), int(clock[1])),
            life=life,
            failing=None if failing is None else read_failing(failing),
            deadline_ms=None if deadline is None else int(deadline),
            incomplete=await self._incomplete(run_id, records),
            max_payload=self._settings.max_payload,
        )

    async def arrived(self, run_id: str) -> Arrived:
        """Return what has come for a run, all of it.

        Raises:
            StoreError: it cannot be read.
        """
        flat: list[bytes] = await self._connection.call("HGETALL", self._key(run_id))
        fields = dict(zip(flat[::2], flat[1::2], strict=True))
        records = {name: raw for name, raw in _records(fields).items() if not is_waiting(raw)}
        return Arrived(int(fields.get(b"_come", b"0")), records)

    async def come(self, run_ids: Sequence[str]) -> list[int]:
        """Return how many things have come for each of some runs.

        Raises:
            StoreError: that cannot be read.
        """
        commands: list[Command] = [("HGET", self._key(run_id), "_come") for run_id in run_ids]
        return [int(found or 0) for found in await self._connection.together(commands)]

    async def children(self, run_id: str, step: str, start: int, count: int) -> list[bytes]:
        """Return how `count` children of a step from the index `start` on have ended; one that is lost as `deleted`.

        Raises:
            StoreError: that cannot be read.
        """
        found = await self.children_now(run_id, step, start, count)
        return [one if one.startswith(b"{") else b'{"id":"","status":"deleted"}' for one in found]

    async def ended(self, run_id: str, steps: Sequence[str]) -> dict[str, int]:
        """Return how many of the children have ended for which some steps of a run wait.

        Raises:
            StoreError: that cannot be read.
        """
        commands: list[Command] = [("HMGET", self._keys.children(run_id, step), "total", "left") for step in steps]
        counts = await self._connection.together(commands)
        return {
            step: int(total) - int(left)
            for step, (total, left) in zip(steps, counts, strict=True)
            if total is not None and left is not None
        }

    async def children_now(self, run_id: str, step: str, start: int, count: int) -> list[bytes]:
        """Return how children of a step stand: the id of one that has not ended, how it ended as JSON, or nothing.

        Raises:
            StoreError: that cannot be read.
        """
        key = self._keys.children(run_id, step)
        found: list[Any] = await self._connection.call("HMGET", key, *range(start, start + count))
        return [one or b"" for one in found]

    async def _incomplete(self, run_id: str, records: Mapping[str, bytes]) -> frozenset[str]:
        """Return the steps of which children are still to be written."""
        totals: dict[str, int] = {}
        for name, raw in records.items():
            if is_waiting(raw) and (b'"kind":"map"' in raw[:64] or b'"kind":"workflow"' in raw[:64]):
                record = read_record(name, raw)
                if record.kind in PARENTS:
                    totals[name] = int(record.more.get("total", 1))
        if not totals:
            return frozenset()
        commands: list[Command] = [("HGET", self._keys.children(run_id, name), "built") for name in totals]
        built = await self._connection.together(commands)
        return frozenset(name for name, n in zip(totals, built, strict=True) if int(n or 0) < totals[name])

    def _key(self, run_id: str) -> str:
        return self._settings.keys.job(self._settings.flow, run_id)


def _records(fields: Mapping[bytes, bytes]) -> dict[str, bytes]:
    return {
        name.removeprefix(_STEP).decode("utf-8", "replace"): raw
        for name, raw in fields.items()
        if name.startswith(_STEP)
    }
