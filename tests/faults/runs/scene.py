"""What the rows about runs share: their processes, their runs, and what the ledger says of steps."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, TypeVar

from flows import RunFailed
from flows.workflow.handle import Handle
from tests.faults.case import Case
from tests.faults.fleet import Fleet
from tests.faults.ledger import Entry
from tests.faults.runs.app_under_test import NAMESPACE, Under, make_app
from tests.faults.runs.at_rest import wrongs

FoundT = TypeVar("FoundT")


class Scene:
    """One case with runs in place of jobs."""

    def __init__(self, case: Case) -> None:
        self.case = case
        case.drains = False
        case.recovers_at = "none"  # the rows about jobs measure that
        case.options = {"namespace": "no-orders:"}  # the audit of the flow under test finds nothing to say

    def fleet(self, url: str | None = None, **app: Any) -> Fleet:
        """Return a fleet whose processes work on runs; `app` is what `make_app` takes."""
        fleet = Fleet(
            url or self.case.server.url,
            self.case.ledger.directory,
            self.case.fork_server,
            lease=self.case.lease,
            concurrency=app.pop("concurrency", 20),
            app={"lease": self.case.lease, **app},
        )
        self.case.fleets.append(fleet)
        return fleet

    def do(self, what: Callable[[Under], Awaitable[FoundT]], url: str | None = None, **app: Any) -> FoundT:
        """Await something with an app that has no workers."""

        async def done() -> FoundT:
            under = make_app(url or self.case.server.url, self.case.ledger, **{"lease": self.case.lease, **app})
            try:
                return await what(under)
            finally:
                await under.app.stop()

        return asyncio.run(done())

    def ended(self, ids: Iterable[str], namespace: str = NAMESPACE) -> Counter[str]:
        """Count runs by their states."""
        with self.case.server.client() as client, client.pipeline(transaction=False) as pipeline:
            for run_id in ids:
                pipeline.hget(f"{namespace}job:run:{run_id}", "_status")
            return Counter(str(status or "waiting") for status in pipeline.execute())

    def wait_ended(
        self, ids: list[str], seconds: float, namespace: str = NAMESPACE, each: Callable[[], object] | None = None
    ) -> bool:
        """Wait until all these runs have ended; `each` is called between two looks."""

        def over() -> bool:
            if each is not None:
                each()
            try:
                states = self.ended(ids, namespace)
            except (OSError, ConnectionError):
                return False
            return sum(states[state] for state in ("done", "failed", "cancelled")) == len(ids)

        return self.case.wait_until(over, seconds, 0.02)

    def steps(self, run_id: str = "", *, step: str = "", at: str = "begin") -> list[Entry]:
        """Return the lines that steps have written."""
        return [
            entry
            for entry in self.case.entries("NOTE")
            if entry.fields.get("what") == "step"
            and entry.fields["at"] == at
            and run_id in {"", entry.job_id}
            and step in {"", entry.fields["step"]}
        ]

    def at_rest(self, namespace: str = NAMESPACE) -> None:
        """Expect that nothing is left where all runs have ended."""

        def found() -> list[str]:
            with self.case.server.client() as client:
                return list(wrongs(client, namespace))

        self.case.wait_until(lambda: not found(), 5, 0.1)
        left = found()
        self.case.expect(not left, f"nothing is left of runs that have ended: {left[:3]} and {len(left)} in all")


async def how_it_ended(handle: Handle[Any]) -> Any:
    """Return what a run returned, or the type of its error."""
    try:
        return await handle.result(30)
    except RunFailed as failed:
        return failed.error.type
