"""What the shop is asked to do: orders, read from a list, and what its processes have to know of each other."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Literal

from pydantic import BaseModel

from flows import FlowsError

#: The columns that are read, by these names; others may stand beside them.
COLUMNS = ("order_id", "email", "amount", "sku")
#: The list that is worked off where none is given, and what of it is out of stock.
SAMPLE, SAMPLE_OUT_OF_STOCK = Path(__file__).with_name("orders.csv"), "walnut-desk"


class BadTerms(FlowsError):
    """The orders cannot be read; the message says why, and what to change."""


class Order(BaseModel):
    """One line of the list, with which a run begins. Its amount is what the customer has written."""

    order_id: str
    email: str
    amount: str
    sku: str

    @property
    def cents(self) -> int | None:
        """What is to be paid, in cents; None: the amount is no positive number."""
        try:
            amount = Decimal(self.amount)
        except InvalidOperation:
            return None
        return int(amount * 100) if amount.is_finite() and amount > 0 else None


class Outcome(BaseModel):
    """What a run returns. One that was refunded returns nothing: it has failed, and what it did is undone."""

    status: Literal["shipped", "refused"]
    note: str


class Settings(BaseModel):
    """What a worker process is told, and the process that starts it has."""

    namespace: str
    """Before every key: a shop that was killed is no part of the next one."""
    redis_url: str | None
    payments: int
    """The port of the payment server."""
    directory: Path
    """Where the outbox is, and what is reserved."""
    out_of_stock: list[str]
    max_crashes: int
    """A run beside which its worker has died so often is taken for the reason; here somebody kills workers."""


def read_orders(file: Path) -> list[Order]:
    """Read a list: a CSV file whose first line names the columns, in any order.

    Raises:
        BadTerms: it cannot be read, lacks a column, holds no order, one twice, or a line that is not complete.
    """
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            orders = list(_orders(csv.reader(lines, strict=True)))
    except UnicodeDecodeError as error:
        raise BadTerms(f"{file}: this is no UTF-8 text: {error}") from error
    except (OSError, csv.Error) as error:
        raise BadTerms(f"{file}: {getattr(error, 'strerror', None) or error}") from error
    except BadTerms as error:
        raise BadTerms(f"{file}: {error}") from None
    if not orders:
        raise BadTerms(f"{file}: there is no order in it: give one line for each")
    return orders


def _orders(rows: Iterator[list[str]]) -> Iterator[Order]:
    names = [name.strip().lower() for name in next(rows, list[str]())]
    missing = [name for name in COLUMNS if names.count(name) != 1]
    if missing:
        raise BadTerms(f"its first line names no column, or two, {' and '.join(missing)}; it names {', '.join(names)}")
    at = {name: names.index(name) for name in COLUMNS}
    seen: dict[str, int] = {}
    for number, row in enumerate(rows, 2):
        if not any(value.strip() for value in row):
            continue
        if len(row) <= max(at.values()):
            raise BadTerms(f"row {number} has {len(row)} values where the first line names {len(names)}")
        order = Order(**{name: row[i].strip() for name, i in at.items()})
        for name in ("order_id", "email", "sku"):
            if not getattr(order, name):
                raise BadTerms(f"row {number} has no {name}")
        if (before := seen.setdefault(order.order_id, number)) != number:
            raise BadTerms(f"row {number}: {order.order_id} stands in row {before} already: take one of them out")
        yield order
