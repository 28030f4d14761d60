"""Stand-ins that tests hand over as worker functions: they run as what they stand for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from unittest.mock import AsyncMock, MagicMock, Mock, create_autospec

import pytest

from tests.pipeline.parts import LONG, Order, Orders, Price, Priced, Ship, price, ship


@pytest.mark.parametrize(
    "stand_in",
    [
        AsyncMock(return_value=Priced(price=1)),
        Mock(return_value=Priced(price=1)),
        MagicMock(return_value=Priced(price=1)),
        AsyncMock(spec=price, return_value=Priced(price=1)),
        Mock(spec=price, return_value=Priced(price=1)),
        create_autospec(price, return_value=Priced(price=1)),
    ],
)
async def test_a_stand_in_runs(make_orders: Callable[..., Orders], stand_in: Any) -> None:
    """Async or not, with a spec or without one."""
    orders = make_orders()
    orders.create_workers(Price, stand_in)
    orders.create_workers(Ship, ship)
    async with orders:
        record = await orders.wait_for(await orders.create_job(Order(user_id=7)), LONG)
    assert record.status == "done"
    assert stand_in.call_count == 1
