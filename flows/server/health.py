"""Whether the process answers, and whether Redis does: what a load balancer and Kubernetes ask."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, cast

from starlette.responses import PlainTextResponse

from flows.errors import FlowsError

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from flows.api import Admin

#: Redis has so many seconds to answer.
_PATIENCE: Final = 1.0
_HEADERS: Final = {"cache-control": "no-store"}


async def healthz(_request: Request) -> Response:
    """Answer that the process answers."""
    return PlainTextResponse("ok\n", headers=_HEADERS)


async def readyz(request: Request) -> Response:
    """Answer whether Redis has answered within a second."""
    admin = cast("Admin", request.app.state.admin)
    try:
        async with asyncio.timeout(_PATIENCE):
            await admin.open()
            await admin.connection.call("PING")
    except (FlowsError, TimeoutError) as error:
        return PlainTextResponse(f"the Redis server does not answer: {type(error).__name__}\n", 503, _HEADERS)
    return PlainTextResponse("ok\n", headers=_HEADERS)
