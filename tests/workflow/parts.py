"""An app for the tests of workflows, in the test's namespace."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any, TypeVar

from pydantic import BaseModel

from flows import Workflows
from tests import waiting

T = TypeVar("T")

LONG = waiting.LONG


class Order(BaseModel):
    """An input."""

    id: str
    cents: int = 1


def make_app(redis_url: str, namespace: str, name: str = "billing", **options: Any) -> Workflows[Any]:
    """Return an app in a namespace."""
    return Workflows(name, redis_url=redis_url, namespace=namespace, **options)


async def within(awaitable: Awaitable[T], seconds: float = LONG) -> T:
    """Return what an awaitable brings; it fails when it takes too long."""
    async with asyncio.timeout(waiting.patient(seconds)):
        return await awaitable
