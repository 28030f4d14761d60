"""A flow whose server goes away in mid-life says so, and so does one that stops; its last line says what is left."""

from __future__ import annotations

import asyncio
import socket
import threading

import pytest

from flows import Flow
from flows.telemetry.events import Event
from flows.testing import private_server
from tests.acceptance.numbers import LONG, Answer, Given, Work, number_flow
from tests.waiting import until

#: Much less than the deadline of a request, in seconds.
SOON = 8


def heard(flow: Flow[Work, Given]) -> list[Event]:
    """Return the list to which the events of a flow are added, those of jobs apart."""
    told = list[Event]()
    flow.events.subscribe(lambda event: told.append(event) if event.name.startswith(("flow.", "store.")) else None)
    return told


def started(namespace: str, url: str, lease: float = 30) -> tuple[Flow[Work, Given], asyncio.Event, threading.Event]:
    """Return a flow with a coroutine that waits for ever, that it has begun, and what lets a stubborn one end."""
    flow, begun, let = number_flow(url, namespace, lease), asyncio.Event(), threading.Event()

    async def waits(job: Work) -> Answer:
        begun.set()
        while job.number and not let.is_set():
            try:
                await asyncio.sleep(0.05)
            except asyncio.CancelledError:
                if job.number == 1:
                    raise
        return Answer(answer=0, pid=0)

    flow.create_workers(Work, waits)
    return flow, begun, let


async def test_an_outage_is_told_at_once_by_a_flow_that_is_idle(
    namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Long before leases are renewed; then its end, and when the flow stops meanwhile what follows."""
    monkeypatch.setattr("flows.kernel.worker.ANSWER_TIMEOUT", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    flow, _begun, _let = started(namespace, f"redis://127.0.0.1:{port}/0", 600)
    told = heard(flow)
    with private_server(port=port):
        await flow.start_all()
        assert (await flow.wait_for(await flow.create_job(Given(number=0)), LONG)).status == "done"
    await until(lambda: told[-1].name == "store.unavailable", SOON)
    with private_server(port=port):
        await until(lambda: told[-1].name == "store.available", LONG)
        assert (await flow.wait_for(await flow.create_job(Given(number=0)), LONG)).status == "done"
    await until(lambda: told[-1].name == "store.unavailable", SOON)
    await flow.stop_all(grace=0.1)
    # Another part may meet the outage, and tell so, while the flow stops.
    (stopping,) = [event for event in told if event.name == "flow.stopping"]
    assert told[-1].name == "flow.stopped"
    assert str(stopping.fields["follows"]).endswith("what cannot be reported to it is given up in 1 s at most")


@pytest.mark.parametrize(("number", "released", "left"), [(0, 0, 0), (1, 1, 0), (2, 1, 1)])
async def test_the_last_event_says_what_was_handed_back_and_what_is_left(
    redis_url: str, namespace: str, number: int, released: int, left: int
) -> None:
    """None where all was finished; a function that does not end is left, and the exit status is 1."""
    flow, begun, let = started(namespace, redis_url)
    told = heard(flow)
    run = asyncio.create_task(flow.run(grace=0.1, signals=False))
    await flow.create_job(Given(number=number))
    async with asyncio.timeout(LONG):
        await begun.wait()
        await flow.stop_all(grace=0.1)
        assert await run == (1 if left else 0)
    let.set()
    assert [event.name for event in told] == ["flow.connected", "flow.started", "flow.stopped"]
    assert told[-1].fields == {"flow": flow.name, "released": released, "left": left}
