"""A service for the tests, in the test's namespace."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any, TypeVar

from pydantic import BaseModel

from flows.service import Service, ServiceOptions
from tests import waiting

T = TypeVar("T")


class Email(BaseModel):
    """A payload."""

    to: str
    order: str = ""


class Sent(BaseModel):
    """A result."""

    message_id: str


def make_service(redis_url: str, namespace: str, name: str = "mailer", *, concurrency: int = 10, **options: Any) -> Any:
    """Return a service in a namespace."""
    of = ServiceOptions(redis_url=redis_url, namespace=namespace, **options)
    return Service(name, concurrency=concurrency, options=of)


async def within(awaitable: Awaitable[T], seconds: float = waiting.LONG) -> T:
    """Return what an awaitable brings; it fails when it takes too long."""
    async with asyncio.timeout(waiting.patient(seconds)):
        return await awaitable
