"""What the steps of an order do outside: reserve, charge, refund, pick, mail. Each may be repeated without harm.

A worker may be killed after a step has done its work and before that is recorded: then the step runs once more. So a
charge carries its idempotency key, a reservation is a file that is there or not, and the outbox takes a key once.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from pydantic import BaseModel

from flows import current_job
from killed_worker import Busy
from order_payments import ask
from order_terms import Order, Settings


class OutOfStock(Exception):
    """The shelf is empty."""


class Receipt(BaseModel):
    """What the payment server says of a charge."""

    id: str
    cents: int


class Day(BaseModel):
    """What the report says."""

    charges: int
    refunds: int
    mails: int


class Shop:
    """The functions of the steps; those that are no coroutines run in threads."""

    def __init__(self, settings: Settings, busy: Busy | None = None) -> None:
        self._settings = settings
        self._busy = busy

    @contextmanager
    def _step(self) -> Generator[None]:
        if self._busy is None:
            yield
        else:
            with self._busy.step():
                yield

    async def validate(self, order: Order) -> str | None:
        """Return why the order is refused; None: it is not."""
        with self._step():
            return f"the amount {order.amount!r} is no positive number" if order.cents is None else None

    def reserve(self, order: Order) -> str:
        """Put the goods aside, and return where."""
        with self._step():
            shelf = self._settings.directory / "reserved"
            shelf.mkdir(exist_ok=True)
            place = shelf / order.order_id.encode().hex()
            place.write_text(order.sku)
            return str(place)

    def release(self, place: str) -> None:
        """Undo of `reserve`."""
        with self._step():
            Path(place).unlink(missing_ok=True)

    def charge(self, order: Order) -> Receipt:
        """Charge the customer, once for the step's key."""
        with self._step():
            message = {"key": current_job().idempotency_key, "order": order.order_id, "cents": order.cents}
            told = ask(self._settings.payments, "/charges", message)
            return Receipt(id=told["id"], cents=told["cents"])

    def refund(self, order: Order, receipt: Receipt) -> None:
        """Undo of `charge`, once for its key too."""
        with self._step():
            message = {"key": current_job().idempotency_key, "order": order.order_id, "cents": receipt.cents}
            ask(self._settings.payments, "/refunds", message)

    async def pick(self, sku: str) -> str:
        """Take the goods off the shelf, and return which parcel they are in."""
        with self._step():
            if sku in self._settings.out_of_stock:
                raise OutOfStock(sku)
            return f"parcel of {sku}"

    def mail(self, email: str, text: str) -> None:
        """Put a mail into the outbox, once for the step's key."""
        with self._step():
            line = json.dumps({"key": current_job().idempotency_key, "to": email, "text": text}) + "\n"
            with self.outbox.open("a+", encoding="utf-8") as file:
                fcntl.flock(file, fcntl.LOCK_EX)  # who is killed lets go of it
                file.seek(0)
                if line not in file.readlines():
                    os.write(file.fileno(), line.encode())  # all of it, or nothing

    def count(self) -> Day:
        """Count what the day has brought."""
        with self._step():
            books = ask(self._settings.payments, "/report")
            return Day(charges=books["charges"], refunds=books["refunds"], mails=self.mails())

    @property
    def outbox(self) -> Path:
        """One mail a line."""
        return self._settings.directory / "outbox.jsonl"

    def mails(self) -> int:
        """Return how many mails there are."""
        return len(self.outbox.read_text("utf-8").splitlines()) if self.outbox.exists() else 0
