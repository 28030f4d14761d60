"""Row E8: params, results and families that are far too large."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from pydantic import BaseModel

from flows import ChildJob, Flow, FlowOptions, Job, JobResult, PayloadTooLarge, QueueOptions
from tests.faults.auditor import audit
from tests.faults.case import Case, row
from tests.faults.server_stalls import Stalls

_MB: Final = 1 << 20
_NAMESPACE: Final = "large:"
#: The sizes that are tried, in megabytes.
_SIZES: Final = (1, 16, 64, 512)
#: What one flow allows.
_ALLOWED: Final = 20 * _MB


class Large(BaseModel):
    """Params of any size."""

    text: str = ""
    numbers: dict[str, int] = {}
    result: int = 0
    pieces: int = 0


class Make(Job):
    """The first queue."""

    text: str
    result: int
    pieces: int


class Made(JobResult):
    """A result of any size."""

    made: str


class Share(Job):
    """The parent queue."""


class Piece(Job):
    """A child."""

    number: int


Flows: TypeAlias = Flow[Make | Share, Large, Any]


def _flow(case: Case, **options: Any) -> Flows:
    queues = [
        QueueOptions("make", job=Make, next_queue="share"),
        QueueOptions("share", job=Share, children=[QueueOptions("piece", job=Piece)]),
    ]
    made = FlowOptions[Any, Any](
        name="large", queues=queues, redis_url=case.server.url, namespace=_NAMESPACE, **options
    )
    return Flow[Make | Share, Large](made)


async def _make(job: Make) -> Made:
    named = [ChildJob(Piece, {"number": number}) for number in range(job.pieces)]
    return Made(made="x" * job.result, children=named)


async def _piece(_job: Piece) -> None:
    return None


@row("E8", "params, results and families that are far too large", long=True, profile="none", limit=180)
def e8(case: Case) -> None:
    """They are refused before anything is sent; what is allowed works, and the server never stalls by what is not."""
    with case.server.client(timeout=60) as client:
        asyncio.run(_refused(case, client))
        asyncio.run(_results(case))
        asyncio.run(_allowed(case))
        found = audit(client, _flow(case, max_payload=_ALLOWED)._declaration.options)
        case.expect(not found.violations, f"the keyspace is sound: {found.violations[:3]}")
        for key in client.scan_iter(f"{_NAMESPACE}*", count=1000):
            client.unlink(key)


async def _refused(case: Case, client: Any) -> None:
    """Create jobs that are larger than the default allows: nothing of them is sent."""
    flow = _flow(case)
    await flow.start_all()
    try:
        keys = client.dbsize()
        sent = _received(client)
        makes: list[Callable[[], Large]] = [lambda size=size: Large(text="x" * size * _MB) for size in _SIZES]
        makes.append(lambda: Large(numbers={f"field{number}": number for number in range(10**5)}))
        for make in makes:
            params = make()
            try:
                await flow.create_job(params)
                case.expect(None, f"{params!r:.40} is refused")
            except PayloadTooLarge:
                pass
        sent = _received(client) - sent
        case.expect(sent < 100_000, f"of what is refused nothing is sent, not {sent} bytes")
        case.expect(client.dbsize() == keys, "nothing of it is written")
    finally:
        await flow.stop_all()
    case.figures.update(refused=len(makes), sent_bytes=sent)


def _received(client: Any) -> int:
    return int(client.info("stats")["total_net_input_bytes"])


async def _results(case: Case) -> None:
    """Return results and name children that are too many: such jobs fail, and their worker goes on."""
    flow = _flow(case)
    flow.create_workers(Make, _make)
    flow.create_parent_workers(Share)
    flow.create_child_workers(Share, Piece, _piece, concurrency=64)
    await flow.start_all()
    try:
        for size in _SIZES[:3]:
            record = await flow.wait_for(await flow.create_job(Large(result=size * _MB)), 20)
            case.expect(record.error and record.error.type == "PayloadTooLarge", f"{record} fails: {record.error}")
        record = await flow.wait_for(await flow.create_job(Large(pieces=10_001)), 20)
        case.expect(record.status == "failed", f"a parent of 10,001 children fails: {record}")
        record = await flow.wait_for(await flow.create_job(Large(pieces=10_000)), 60)
        case.expect(record.status == "done", f"one of 10,000 does not: {record}")
    finally:
        await flow.stop_all()


async def _allowed(case: Case) -> None:
    """Let jobs of 16 MB pass where they are allowed, and see what that costs the server."""
    flow = _flow(case, max_payload=_ALLOWED)
    stalls = Stalls(case.server)
    await flow.start_all()
    try:
        params = Large(text="x" * 16 * _MB, result=16 * _MB)
        job_id = await stalls.of_async("create_16mb", flow.create_job(params))
        flow.create_workers(Make, _make)
        flow.create_parent_workers(Share)
        await flow.start_all()
        record = await flow.wait_for(job_id, 30)
        case.expect(record.status == "done", f"a job of 16 MB is done: {record}")
        case.expect(len(record.params.text) == len(record.view(Made).made) == 16 * _MB, "its texts are as they were")
    finally:
        await flow.stop_all()
    case.figures["create_16mb_ms"] = round(stalls.samples["create_16mb"][0], 1)
