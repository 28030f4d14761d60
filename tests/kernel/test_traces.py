"""The traceback that a job keeps begins in the user's code, wherever the function ran, and has all of its frames."""

from __future__ import annotations

import asyncio
import re
from typing import Any, Literal

import pytest

import flows
from flows import Middleware
from flows.model.texts import trace_of
from flows.telemetry.events import Event
from tests.kernel.parts import LONG, Given, MakeFlow, Work, in_process


class Wrapped(Middleware):
    """Stands around each attempt, in frames of its own."""

    async def attempt(self, job: Any, current: Any, call_next: Any) -> Any:
        """Call."""
        assert current.id == job.id
        return await call_next(job)


def helper() -> None:
    """Raise, below the function, from another error."""
    try:
        {}["missing"]
    except KeyError as error:
        raise ValueError("there is none") from error


async def in_loop(_job: Work) -> None:
    """Fail in the loop."""
    helper()


def in_thread(_job: Work) -> None:
    """Fail in a thread."""
    helper()


async def trace_in(make_flow: MakeFlow, function: Any, number: int = 0, **options: Any) -> str:
    """Return the traceback of the job that fails."""
    async with make_flow(function, **options) as flow:
        record = await flow.wait_for(await flow.create_job(Given(number=number)), LONG)
    assert record.error
    return record.error.traceback


def frames(trace: str) -> list[str]:
    """Return the functions of a traceback."""
    return re.findall(r"^  File .* in (\w+)$", trace, re.MULTILINE)


@pytest.mark.parametrize("function", [in_loop, in_thread])
async def test_it_begins_with_the_function(make_flow: MakeFlow, function: Any) -> None:
    """The frames of flows before it are left out; the cause stands above, as Python writes it."""
    trace = await trace_in(make_flow, function)
    first, second = trace.split("The above exception was the direct cause of the following exception")
    assert (frames(first)[-1:], frames(second)) == (["helper"], [function.__name__, "helper"])
    assert "/flows/kernel/" not in trace


async def test_in_a_process(make_flow: MakeFlow) -> None:
    """It is cut there."""
    process: Literal["process"] = "process"
    assert frames(await trace_in(make_flow, in_process, 2, executor=process)) == ["in_process"]


async def test_middleware_is_the_users(make_flow: MakeFlow) -> None:
    """What stands between it and the function stays."""
    found = frames(await trace_in(make_flow, in_loop, middleware=[Wrapped()]))
    assert (found[1], found[-2:]) == ("attempt", ["in_loop", "helper"])


def test_what_is_all_flows_stays_whole() -> None:
    """Else nothing would say where it comes from."""
    with pytest.raises(flows.FlowsError) as raised:
        flows.run()
    own: Any = raised.value.__traceback__
    raised.value.__traceback__ = own.tb_next
    assert frames(trace_of(raised.value)) == ["run"]


def test_under_a_plain_run_nothing_stands_before_it(make_flow: MakeFlow) -> None:
    """`flows.run` does not hand its own search for a loop to each error as its context."""
    flow = make_flow(in_loop)
    tasks: list[object] = []

    def stop(event: Event) -> None:
        if event.name == "job.failed":
            tasks.append(asyncio.get_running_loop().create_task(flow.stop_all()))

    flow.events.subscribe(stop)
    job_id = flow.sync.create_job(Given())
    assert flows.run(flow) == 0
    record = flow.sync.get_job(job_id)
    flow.sync.close()
    assert record
    assert record.error
    assert "no running event loop" not in record.error.traceback
    assert record.error.traceback.count("Traceback") == 2
