"""Random calls of a flow that are cancelled at a random moment, and whose answers are checked when they come."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Final

from flows import FlowsError, WaitTimeout
from tests.faults.case import Case
from tests.faults.flow_under_test import Order, Orders

#: By so much the patience with the next call grows when one is cancelled, and shrinks when one is answered: so about
#: half of them are cancelled, however fast the machine is.
_LEARNING: Final = 1.02


class Calls:
    """Calls on one flow.

    Attributes:
        cancelled: How many were cancelled before they were answered.
        answered: How many were answered before.
        wrong: What was answered that cannot be the answer.
    """

    def __init__(self, case: Case, flow: Orders, ids: list[str]) -> None:
        self.cancelled = 0
        self.answered = 0
        self.wrong: list[str] = []
        self._case, self._flow, self._ids = case, flow, ids
        self._patience = 0.015
        self._created: dict[str, int] = {}
        self._kinds: list[Callable[[], Awaitable[None]]] = [
            self._get,
            self._get_many,
            self._find,
            self._create,
            self._log,
            self._wait,
            self._cancel,
        ]

    async def one(self) -> None:
        """Make one call, and cancel it if it takes too long."""
        chance = self._case.random
        task = asyncio.ensure_future(chance.choice(self._kinds)())
        await asyncio.sleep(chance.uniform(0, self._patience))
        if task.done():
            self.answered += 1
            self._patience /= _LEARNING
        else:
            self.cancelled += 1
            self._patience *= _LEARNING
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            try:
                await task
            except FlowsError as error:
                self.wrong.append(f"a typed error where nothing is wrong: {error!r}")
            except Exception as error:  # noqa: BLE001 - that is what is looked for
                self.wrong.append(repr(error))

    async def check(self) -> None:
        """Check that the flow still works, and that what it said was created is there, as it was scripted."""
        for job_id, number in self._created.items():
            record = await self._flow.get_job(job_id)
            self._hold(record is not None and record.params.number == number, f"job {job_id} is not number {number}")

    def _hold(self, holds: object, what: str) -> None:
        if not holds:
            self.wrong.append(what)

    async def _get(self) -> None:
        number = self._case.random.randrange(len(self._ids))
        record = await self._flow.get_job(self._ids[number])
        self._hold(record is not None and record.id == self._ids[number], f"get_job answered {record}")
        self._hold(record is not None and record.params.number == number, f"get_job of {number} answered {record}")

    async def _get_many(self) -> None:
        wanted = self._case.random.sample(self._ids, 5)
        found = [record and record.id for record in await self._flow.get_jobs(wanted)]
        self._hold(found == wanted, f"get_jobs of {wanted} answered {found}")

    async def _find(self) -> None:
        customer = self._case.random.randrange(5)
        records = await self._flow.get_jobs_by_key("customer", customer, limit=20)
        wrong = [record for record in records if record.params.customer != customer]
        self._hold(records and not wrong, f"get_jobs_by_key of {customer} answered {wrong}")

    async def _create(self) -> None:
        number = self._case.random.randrange(10_000)
        # Not for the customers that are looked for: their lists would grow without end.
        job_id = await self._flow.create_job(Order(number=number, customer=number % 5 + 5))
        self._case.acknowledged([job_id])
        self._created[job_id] = number

    async def _log(self) -> None:
        lines = await self._flow.get_log(self._case.random.choice(self._ids))
        self._hold(lines == [], f"get_log answered {lines}")

    async def _wait(self) -> None:
        with contextlib.suppress(WaitTimeout):
            record = await self._flow.wait_for(self._case.random.choice(self._ids), 0.005)
            self._hold(None, f"wait_for answered {record} of a job that waits")

    async def _cancel(self) -> None:
        if self._created:
            job_id = self._case.random.choice(list(self._created))
            word = await self._flow.cancel_job(job_id)
            self._hold(word in {"cancelled", "too late"}, f"cancel_job answered {word}")
