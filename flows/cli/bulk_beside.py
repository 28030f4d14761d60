"""Does bulk actions beside the workers of `flows run`: on the same server, of runs and of flows that have no worker.

Run as a program, it is a worker process that does so.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from flows.api.admin import Admin
from flows.cli.worker_process import main
from flows.errors import FlowsError
from flows.pipeline.bulk.action import LOOK_AGAIN

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flows.telemetry.events import Event

_logger: Final = logging.getLogger("flows.bulk")


def serve_bulk_beside(flows: Iterable[Any]) -> None:
    """Serve each server and namespace of some flows and apps, from when the first there has workers that run."""
    places: dict[tuple[str | None, str], asyncio.Task[None]] = {}

    def serve(flow: Any, _event: Event) -> None:
        place: tuple[str | None, str] = flow._lifecycle.place()  # noqa: SLF001 - users have no need of it
        if place not in places:
            places[place] = asyncio.get_running_loop().create_task(_serve_forever(*place))

    for flow in flows:
        if hasattr(flow, "_lifecycle"):
            flow.events.subscribe(partial(serve, flow), "flow.started")


async def _serve_forever(url: str | None, namespace: str) -> None:
    """Serve until this is cancelled, at the end of the loop: what is under way then is handed back."""
    while True:
        try:
            async with Admin(url, namespace) as admin:
                await admin.serve_bulk(every=LOOK_AGAIN)
                await asyncio.Event().wait()
        except FlowsError as error:
            _logger.warning("bulk actions are not looked for: %s", error)
        await asyncio.sleep(LOOK_AGAIN)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]), serve_bulk_beside))
