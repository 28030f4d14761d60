"""A flow of its own for the tests that act on many jobs: nobody works on it, so nothing moves by itself."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, Field
from redis import Redis

from flows import Flow, FlowOptions, Job, QueueOptions
from flows.server import create_app
from tests.browser.live_server import LiveServer, aside, live_server


class Item(BaseModel):
    """What is counted."""

    batch: str
    number: int = 0


class Take(Job):
    """An item that is to be counted."""

    batch: str


class Address(BaseModel):
    """Where somebody lives."""

    city: str
    country: Literal["DE", "AT"] = "DE"


class Customer(BaseModel):
    """Who pays."""

    name: str = Field(min_length=1)
    email: str = Field(json_schema_extra={"format": "email"})
    address: Address


class Line(BaseModel):
    """What is paid for."""

    sku: str
    quantity: int = Field(ge=1)
    price: Decimal


class Invoice(BaseModel):
    """An invoice as it is asked for."""

    invoice_no: str = Field(pattern=r"^\d{4}-\d+$")
    customer: Customer
    lines: list[Line] = Field(min_length=1)
    currency: Literal["EUR", "CHF"] = "EUR"
    tags: list[str] = []
    notes: str | None = None


class Draft(Job):
    """An invoice that is drafted."""

    invoice_no: str


Stock = Flow[Take, Item, Literal["batch"]]
Invoices = Flow[Draft, Invoice, Literal["invoice_no"]]


@dataclass(frozen=True)
class Store:
    """Where the items are.

    Args:
        url: Of Redis.
        namespace: Where its keys are.
        server: Shows it.
    """

    url: str
    namespace: str
    server: LiveServer

    def put(self, batch: str, count: int) -> list[str]:
        """Create jobs of a batch, and return their ids."""
        return aside(_put(self.url, self.namespace, batch, count))


@contextmanager
def store(url: str, sweeper: Redis) -> Iterator[Store]:
    """Declare the flows in a namespace of their own, and serve them to everyone on this machine."""
    namespace = f"t{secrets.token_hex(6)}:"
    aside(_declare(url, namespace))
    with live_server(create_app(url, namespace)) as server:
        yield Store(url, namespace, server)
    sweeper.unlink(*sweeper.scan_iter(f"{namespace}*", count=1000))


def _stock(url: str, namespace: str) -> Stock:
    queues = [QueueOptions("stock-take", job=Take, next_queue="stock-check"), QueueOptions("stock-check", job=Take)]
    return Stock(FlowOptions("stock", queues, lookup_attributes=["batch"], redis_url=url, namespace=namespace))


def _invoices(url: str, namespace: str) -> Invoices:
    queues = [QueueOptions("invoice-draft", job=Draft, priorities=3)]
    return Invoices(
        FlowOptions("invoices", queues, lookup_attributes=["invoice_no"], redis_url=url, namespace=namespace)
    )


async def _declare(url: str, namespace: str) -> None:
    async with _stock(url, namespace), _invoices(url, namespace):
        pass


async def _put(url: str, namespace: str, batch: str, count: int) -> list[str]:
    async with _stock(url, namespace) as stock:
        return await stock.create_jobs([Item(batch=batch, number=number) for number in range(count)])
