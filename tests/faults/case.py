"""What a row of the fault matrix is given, and how it gives back what it found; and the registry of the rows."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from redis.exceptions import RedisError

from tests.attempt_field import shown
from tests.faults import behaviours
from tests.faults.fleet import Fleet
from tests.faults.flow_under_test import Order, Orders, make_flow
from tests.faults.fork_server import ForkServer
from tests.faults.ledger import Entry, Ledger
from tests.faults.opening import opened
from tests.faults.server import Server
from tests.waiting import patient

#: Seconds that a worker owns a job without renewing. It renews four times in that, and others look for leases that are
#: over six times in that, a quarter more or less.
LEASE: Final = 1.0

RowFunction = Callable[["Case"], None]


class Skipped(Exception):
    """Raised by a row that cannot be had on this machine; the text says why."""


@dataclass(frozen=True)
class Row:
    """One row: a fault, injected by a function."""

    name: str
    title: str
    function: RowFunction
    long: bool = False
    profile: str = "everysec"
    settings: Mapping[str, str] = field(default_factory=dict)
    clock: bool = False
    limit: float = 60.0


#: All rows by their names; importing `tests.faults.rows` fills it.
ROWS: Final[dict[str, Row]] = {}


def row(  # noqa: PLR0913 - keyword-only, and each as in Row
    name: str,
    title: str,
    *,
    long: bool = False,
    profile: str = "everysec",
    settings: Mapping[str, str] | None = None,
    clock: bool = False,
    limit: float = 60.0,
) -> Callable[[RowFunction], RowFunction]:
    """Register a row.

    Args:
        name: As in the matrix.
        title: The fault in a few words.
        long: Only run by `make faults-long`.
        profile: Of its server.
        settings: More of its server's configuration.
        clock: Whether its server's clock shall be moved.
        limit: Seconds after which a case of it counts as hung.
    """

    def register(function: RowFunction) -> RowFunction:
        assert name not in ROWS, f"the row {name} is there twice"
        ROWS[name] = Row(name, title, function, long, profile, settings or {}, clock, limit)
        return function

    return register


class Case:
    """One row with one seed: a server that runs, a ledger, and what the row tells.

    After the row's function, what still waits is worked off by healthy workers, and the auditor looks at everything.

    Attributes:
        seed, random: The only source of chance.
        directory: A temporary directory of its own.
        fork_server: From which the processes of its fleets are forked.
        server: Started, as the row's profile says.
        ledger: The ledger of this process; the others' lie in the same directory.
        lease: In seconds; flows and fleets of the case use it.
        t_rec: Within so many seconds a job must be taken back from a worker that died.
        options: More options of the flow, for all its flows and fleets: set them first.
        figures: The row's own numbers, by name.
        failures: What did not hold.
        drains: Whether healthy workers work off what is left in the end.
        recovers_at: When a job of a killed process is back: when it begins again, when it was taken back;
            "none" where nobody was there to take it back, and it is not measured.
    """

    def __init__(self, row: Row, seed: int, directory: Path) -> None:
        self.fork_server = ForkServer(forked=True)  # before anything starts a thread
        self.row = row
        self.seed = seed
        self.random = random.Random(f"{row.name} {seed}")  # noqa: S311 - chance, not secrets
        self.directory = directory
        self.lease = LEASE
        self.options: dict[str, Any] = {}
        self.figures: dict[str, Any] = {}
        self.failures: list[str] = []
        self.drains = True
        self.recoveries: list[float] = []
        self.recovers_at: Literal["start", "rescue", "none"] = "start"
        self.allowed: dict[str, int | range] = {}
        self.ledger = Ledger(directory / "ledger")
        self.ledger.directory.mkdir(parents=True, exist_ok=True)
        self.server = Server(directory / "server", profile=row.profile, settings=dict(row.settings), clock=row.clock)
        self.fleets: list[Fleet] = []

    @property
    def t_rec(self) -> float:
        """A lease, the longest pause between two looks, and a second."""
        return self.lease + self.lease / 6 * 1.25 + 1.0

    def flow(self, url: str | None = None, **options: Any) -> Orders:
        """Return a flow of this process on the server, or on a proxy before it."""
        return make_flow(url or self.server.url, **{"lease": self.lease, **self.options, **options})

    def fleet(self, url: str | None = None, **spec: Any) -> Fleet:
        """Return a fleet of worker processes; it is killed in the end."""
        made = {"lease": self.lease, **spec, "options": {**self.options, **spec.get("options", {})}}
        fleet = Fleet(url or self.server.url, self.ledger.directory, self.fork_server, **made)
        self.fleets.append(fleet)
        return fleet

    def create(self, count: int, kind: str | Callable[[int], str] = "plain", *, url: str | None = None) -> list[str]:
        """Create jobs, write that each was acknowledged, and return their ids; `kind` may go by the number."""
        kind_of = kind if callable(kind) else lambda _number: kind
        orders = [Order(number=number, kind=kind_of(number), customer=number % 10) for number in range(count)]
        return asyncio.run(self._create(orders, url))

    def acknowledged(self, ids: Iterable[str]) -> None:
        """Write that the producer of these jobs was told that they are there."""
        self.ledger.write_many("ACK", ids)

    def statuses(self, ids: Sequence[str]) -> dict[str, str]:
        """Return the state of each job, "gone" where there is none."""
        found: dict[str, str] = {}
        with self.server.client() as client:
            for start in range(0, len(ids), 1000):
                some = ids[start : start + 1000]
                with client.pipeline(transaction=False) as pipeline:
                    for job_id in some:
                        pipeline.hget(f"job:orders:{job_id}", "_status")
                        pipeline.exists(f"job:orders:{job_id}")
                    answers: list[Any] = pipeline.execute()
                for at, job_id in enumerate(some):
                    status, there = answers[2 * at : 2 * at + 2]
                    found[job_id] = str(status or "waiting") if there else "gone"
        return found

    def count(self, ids: Sequence[str]) -> Counter[str]:
        """Count the jobs by their states."""
        return Counter(self.statuses(ids).values())

    def wait_done(
        self, ids: Sequence[str], timeout: float, each: Callable[[], object] | None = None, pause: float = 0.02
    ) -> list[str]:
        """Wait until all these jobs have ended, and return those that have not in time.

        A server that does not answer meanwhile is waited for.

        Args:
            ids: The jobs.
            timeout: In seconds, on an idle machine.
            each: Called between two looks: it may kill, respawn, count.
            pause: Seconds between two looks.
        """
        left, began = list(ids), time.monotonic()
        while left:
            try:
                states = self.statuses(left)
                left = [job_id for job_id in left if states[job_id] not in {"done", "failed", "cancelled", "gone"}]
            except (RedisError, OSError):
                pass
            if each is not None:
                each()
            if not left or time.monotonic() - began > patient(timeout):
                break
            time.sleep(pause)
        return left

    def wait_until(self, holds: Callable[[], object], timeout: float = 15.0, pause: float = 0.005) -> bool:
        """Wait until something holds; False where it does not in time, which is more where the machine is busy."""
        began = time.monotonic()
        while not (held := bool(holds())) and time.monotonic() - began < patient(timeout):
            time.sleep(pause)
        return held

    def entries(self, *kinds: str, job_id: str | None = None) -> list[Entry]:
        """Return what all processes have written so far: lines of these kinds, of this job."""
        return [
            entry
            for entry in Ledger.read(self.ledger.directory)
            if (not kinds or entry.kind in kinds) and job_id in {None, entry.job_id}
        ]

    def starts(self, *, pid: int | None = None, queue: str | None = None) -> list[Entry]:
        """Return the attempts that began, in this process and this queue."""
        return [
            entry
            for entry in self.entries("START")
            if pid in {None, entry.pid} and queue in {None, entry.fields["queue"]}
        ]

    def starts_of(self, job_id: str, queue: str) -> list[Entry]:
        """Return the attempts at a job in a queue that began."""
        return [entry for entry in self.entries("START", job_id=job_id) if entry.fields["queue"] == queue]

    def wait_starts(self, count: int, *, pid: int | None = None, queue: str | None = None, timeout: float = 15) -> bool:
        """Wait until so many attempts began; where they do not, that is a failure."""
        begun = self.wait_until(lambda: len(self.starts(pid=pid, queue=queue)) >= count, timeout, 0.01)
        return self.expect(begun, f"{count} attempts of process {pid} in queue {queue} begin within {timeout} s")

    def processing(self, queue: str = "pick") -> list[str]:
        """Return the ids that somebody has, or had when his lease was not yet over."""
        with self.server.client() as client:
            found: Any = client.zrange(f"queue:{queue}:processing", 0, -1)
        return list(found)

    def hashes(self, ids: Iterable[str]) -> list[dict[str, str]]:
        """Return the hashes of jobs as they stand."""
        with self.server.client() as client:
            found: list[Any] = [client.hgetall(f"job:orders:{job_id}") for job_id in ids]
        return [shown(fields) for fields in found]

    def open_gate(self, name: str) -> None:
        """Let the functions go on that wait at this gate, and those that come to it later."""
        behaviours.open_gate(self.ledger.directory, name)

    def expect(self, holds: object, sentence: str) -> bool:
        """Record a failure, and go on, where something does not hold; `sentence` says what should."""
        if not holds:
            self.failures.append(sentence)
        return bool(holds)

    def recovery(self, seconds: Iterable[float]) -> None:
        """Record how long jobs whose worker died were nobody's; the worst but 5 % of them must be within `t_rec`."""
        self.recoveries += seconds

    def resumed(self, since: float) -> float | None:
        """Record how long after `since`, on the monotonic clock, the next attempt ended well; None: none did yet."""
        first = next((entry.t for entry in self.entries("DONE") if entry.t > since), None)
        if first is not None:
            self.figures["resume"] = max(first - since, self.figures.get("resume", 0.0))
        return None if first is None else first - since

    def allow(self, **counts: int | range) -> None:
        """Expect another figure than 0: exactly this one, or one of a range. That is the damage that was injected."""
        self.allowed.update(counts)

    def skip(self, why: str) -> None:
        """Give up this row: it cannot be had here."""
        raise Skipped(why)

    def close(self) -> None:
        """Kill the workers and the server."""
        for fleet in self.fleets:
            fleet.close()
        self.fork_server.close()
        self.server.close()
        self.ledger.close()

    async def _create(self, orders: list[Order], url: str | None) -> list[str]:
        flow = self.flow(url)
        try:
            if url:
                await opened(flow)
            ids = await flow.create_jobs(orders)
        finally:
            await flow.stop_all()
        self.acknowledged(ids)
        return ids
