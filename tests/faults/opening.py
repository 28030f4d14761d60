"""Opening a flow while its connections are cut: who cannot connect at first is told so, and asks again."""

from __future__ import annotations

from typing import Any

from flows import Flow, StoreUnavailable
from tests.waiting import until


async def opened(flow: Flow[Any, Any, Any]) -> None:
    """Connect; what the flow is asked later, it asks again itself.

    Raises:
        TimeoutError: no connection lasts long enough.
    """
    await until(lambda: _opens(flow))


async def _opens(flow: Flow[Any, Any, Any]) -> bool:
    try:
        await flow.queue("pick").resume()
    except StoreUnavailable:
        return False
    return True
