"""What Prometheus and autoscalers ask: the gauges and counts of all queues, and how much one of them waits."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final

from starlette.responses import JSONResponse, Response

from flows.api import queues
from flows.errors import MissingExtra, NothingThere, ValidationError
from flows.monitor.prometheus_queues import QueueMetrics
from flows.monitor.reading import Reading, served_by
from flows.server.asking import asking
from flows.store.fleet.processes import read_processes
from flows.store.views.observe import observe

if TYPE_CHECKING:
    from starlette.requests import Request

    from flows.api import Admin

#: A reading is shown as soon as it is made.
_LASTS: Final = 60.0


async def metrics(request: Request) -> Response:
    """Answer with the metrics of the queues of all flows that the caller may see, in Prometheus' text format."""
    try:
        from prometheus_client import CollectorRegistry, core  # noqa: PLC0415 - an extra
        from prometheus_client.exposition import choose_encoder  # noqa: PLC0415 - the same
    except ImportError:
        raise MissingExtra("/metrics", "metrics") from None
    admin = await asking(request)
    readings = await asyncio.gather(*(_read(admin, flow) for flow in await admin.flows()))
    registry = CollectorRegistry()
    registry.register(QueueMetrics(core, {reading.flow: reading for reading in readings}))
    encode, content_type = choose_encoder(request.headers.get("accept", ""))
    return Response(encode(registry), headers={"cache-control": "no-store"}, media_type=content_type)


async def scale(request: Request) -> Response:
    """Answer what an autoscaler asks of one queue: `{"queue", "backlog", "oldest", "start_p95", "slots", "busy"}`.

    The backlog is what waits and is due; seconds and milliseconds as in `queues.show`.
    """
    name = request.query_params.get("queue", "")
    if not name:
        raise ValidationError("name a queue: /scale?queue=…")
    admin = await asking(request)
    found = (await queues.show(admin, queue=name)).queues
    if not found:
        raise NothingThere(f"there is no queue {name!r:.80}")
    one = found[0]
    said = {
        "queue": one.name,
        "backlog": one.waiting,
        "processing": one.processing,
        "oldest": one.oldest or 0,
        "start_p95": one.start_p95 or 0,
        "slots": one.slots,
        "busy": one.busy,
    }
    return JSONResponse(said, headers={"cache-control": "no-store"})


async def _read(admin: Admin, flow: str) -> Reading:
    known = await admin.flow(flow)
    states, processes = await asyncio.gather(
        observe(admin.connection, known.settings, list(known.queues)),
        read_processes(admin.connection, known.settings, flow),
    )
    return Reading(flow, up=True, queues=states, at=time.monotonic(), lasts=_LASTS, served=served_by(processes))
