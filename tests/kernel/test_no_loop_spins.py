"""A guard over all loops: a lane, a turn or a poll that has done nothing never begins again in the same tick."""

from __future__ import annotations

import ast
import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest

import flows
from flows.errors import StoreError, StoreUnavailable
from tests.kernel.parts import LONG, Given, MakeFlow, double, within

PACKAGE = Path(flows.__file__).parent

#: Each loop of the package that waits for anything, and why it cannot go round without doing something.
PACED = {
    "kernel/lanes.py:_lane": "each round runs a job; a lane that ends without one is followed after a pause",
    "kernel/lanes.py:_slice": "each round runs a job",
    "kernel/worker_loop.py:run": "a turn reports or claims something, or waits; a fault is followed by a pause",
    "kernel/worker_loop.py:_wait": "each round waits until it is woken, or for a time",
    "kernel/turn_sender.py:_repeat": "a pause goes before each round",
    "kernel/worker.py:start": "each round waits until the worker has stopped",
    "kernel/resources.py:hold": "a rest goes before each further round",
    "kernel/resources.py:_open": "each round waits until the resource is closed",
    "kernel/rescuer.py:_rescue_forever": "each round sleeps",
    "kernel/rescuer.py:_sleep": "each round waits for a time, or until a worker has cancelled a parent",
    "kernel/streams/follow.py:_follow": "each round reads text, until a page is not full, or waits",
    "api/reading/tree_executions.py:executions_of": "each round reads a page, until there is enough or no more",
    "api/reading/search.py:page": "each round reads on, until there is enough or no more",
    "kernel/reconciler.py:_walk_forever": "each round sleeps",
    "kernel/deploy/drainer.py:_drain_forever": "each round sleeps",
    "kernel/deploy/drainer.py:_drain_one": "each round takes ids out of the former queue, until none is left",
    "kernel/renewer.py:_work": "a pause goes before each further round",
    "kernel/renewer.py:_renew_forever": "each round waits; what was asked for meanwhile is answered together",
    "api/audit.py:list_actions": "each round reads older entries, until there is enough or no more",
    "api/bulk.py:wait": "each round sleeps",
    "api/bulk_work.py:_look_again": "each round sleeps",
    "api/bulk_work.py:_serve": "each round has had a worker for a second at least, or waits for a time or for who asks",
    "api/jobs/following.py:wait": "each round sleeps",
    "api/runs/looking.py:wait": "each round sleeps",
    "api/trees/looking.py:wait": "each round waits for a change, or for a time",
    "api/workers/looking.py:dump": "each round sleeps",
    "api/server/checking.py:repair": "each round sleeps",
    "server/export.py:_pages": "each round reads a page, until there is none or enough",
    "cli/bulk_beside.py:_serve_forever": "each round serves until it is cancelled, or sleeps",
    "cli/demo/command.py:_order": "each round sleeps",
    "server/operation_routes.py:_gone": "each round receives a message: a request has one, and then its end",
    "server/body.py:drain": "each round receives a part of a body, until there is none or enough",
    "server/live/connection.py:_keep_checking": "each round sleeps, until the token ends",
    "server/live/connection.py:_keep_reading": "each round receives a message, and few a second may come",
    "server/live/connection.py:_sleep": "each round sleeps, until its time is over",
    "server/live/sending.py:keep_sending": "each round waits until there is something new, or for a time",
    "server/live/room.py:_keep_reading": "each round sleeps",
    "server/live/sse.py:_events": "each round waits until there is something new, or for a time",
    "service/tenants/tenant_copy.py:_keep": "each round waits until it is told, or for a time",
    "service/tenants/tenant_copy.py:look": "each round gives the queue what was changed meanwhile, until it has all",
    "service/tenants/clients.py:close": "each round closes a client, until none is left",
    "service/telling/report_rows.py:_log": "each round reads a page, until there is none",
    "service/telling/report_rows.py:_merged": "each round takes an ending, until there is none",
    "service/transports/http_call.py:_excerpt": "each round reads a part of an answer, until it is enough or all",
    "server/live/wake.py:wait": "each round waits until it is set",
    "pipeline/bulk/work_off.py:work_off": "each round sleeps",
    "store/trees/instance_reads.py:read": "each further round follows a change by somebody else",
    "store/trees/shared_calls.py:_send_all": "each round sends some of what waits, until nothing does",
    "store/runs/fork.py:_copy_side": "each round copies a part, until all is copied",
    "cli/acting.py:_wait": "each round waits a second for the end of an action",
    "cli/following.py:_grow": "each round reads a page of children, until there is none",
    "cli/following.py:log": "each round waits until something has moved, or for a time",
    "cli/following.py:tail": "each round waits until something has moved, or for a time",
    "cli/following.py:watch": "each round waits until something has moved, or for a time",
    "cli/trees.py:watch": "each round sleeps",
    "cli/supervisor.py:run": "each round waits until a signal comes, or for a time",
    "cli/worker_process.py:_end_when_done": "each round sleeps",
    "tree/tasks/attempts.py:run": "each round makes an attempt, and a pause goes before each further one",
    "tree/backend/kernel.py:_receive": "each round sleeps",
    "tree/backend/returns.py:_receive": "each round sleeps",
    "tree/host.py:is_over": "each round sleeps",
    "tree/tasks/running.py:stop": "each round waits until a task has ended",
    "tree/takeover.py:keep": "each round sleeps",
    "tree/takeover.py:follow": "each round waits for a run that has ended",
    "tree/execution.py:_wait": "each round waits for a change, or for a time",
    "tree/begin.py:begin": "each further round follows a change by somebody else",
    "tree/instance.py:update": "each further round follows a change by somebody else",
    "tree/instance.py:watch": "each round waits for a change, or for a time",
    "tree/outbox.py:tell_all": "each round looks at a page of rows, until there is none",
    "tree/outbox.py:move": "each round moves a page of rows, until one is not full",
    "tree/outbox.py:_move_forever": "each round sleeps",
    "tree/index/redis.py:find": "each round looks at a page of rows, until there is enough or no more",
    "store/trees/instances.py:drop": "each round drops a part of the paths, until none is left",
    "store/trees/tree_outbox.py:ids": "each round reads a page of keys, until the last one",
    "tree/trees.py:destroy_realm": "each round destroys a page of instances, until there is none",
    "tree/walk.py:run": "each round waits until a task has ended",
    "tree/writes.py:end": "each round waits until what was gathered is written",
    "tree/aws/dynamo_storage.py:begin": "each further round follows a change by somebody else, and a pause",
    "tree/aws/dynamo_storage.py:change": "each further round follows a change by somebody else, and a pause",
    "tree/aws/dynamo_storage.py:create": "each further round follows a change by somebody else, and a pause",
    "tree/aws/dynamo_storage.py:delete": "each further round follows a change by somebody else, and a pause",
    "tree/aws/dynamo_storage.py:load": "each further round follows a change by somebody else, and a pause",
    "tree/aws/dynamo_partition.py:values": "a pause goes before each further round, and there are few",
    "tree/aws/dynamo_write.py:_write": "a pause goes before each further round, and there are few",
    "tree/aws/dynamo_table.py:create": "each round asks DynamoDB, and sleeps",
    "tree/aws/dynamo_table.py:get_many": "each round asks DynamoDB; where it gives nothing a pause follows",
    "tree/aws/dynamo_table.py:drop": "each round asks DynamoDB; where it takes less a pause follows",
    "tree/aws/dynamo_table.py:_pages": "each round reads a page, until there is none",
    "tree/aws/sqs_backend.py:outcomes": "each round waits until there is a message, or for a time",
    "tree/aws/sqs_calls.py:_tell": "each round sleeps",
    "tree/aws/sqs_worker.py:run": "each round waits until there is a message, or for a time",
    "tree/aws/sqs_worker.py:_received": "each round waits until an order has ended",
    "tree/aws/sqs_worker.py:_prolong_forever": "each round sleeps",
    "tree/storage/looking.py:changed": "each round waits for a time, or until it is told",
    "tree/storage/looking.py:_listen": "each round waits for a time, or until it is told",
    "monitor/flow_monitor.py:_watch": "each round sleeps until the next tick",
    "monitor/flow_monitor.py:_close": "each round closes a sink, until none is left",
    "pipeline/bulk/acting.py:walk": "each round acts on a page of the query, until there is none",
    "pipeline/bulk/acting.py:read_ahead": "each round reads a page of the query, until there is none",
    "pipeline/bulk/service.py:_serve_forever": "each round waits for a time, or has had a worker for a second at least",
    "kernel/callers/queue_handle.py:drain": "each round sleeps",
    "kernel/program/worker_pool.py:_start_late": "each round starts a worker, or sleeps",
    "pipeline/job_reader.py:_page": "each round reads further ids of a list, until there are enough or none",
    "pipeline/job_reader.py:_resolve": "each round goes one level of children down",
    "kernel/callers/ends.py:wait_for_end": "each round waits for a message, or for a time",
    "kernel/program/wait_for_server.py:start_when_there": "each round sleeps",
    "store/client/connection.py:_request": "each round sends a request, and a pause goes before each further one",
    "store/client/signals.py:_listen_forever": "each round ends in a pause",
    "store/jobs/control.py:cancel_children": "each round cancels children, until none is left",
    "store/jobs/control.py:move": "each round cancels children, until none is left",
    "store/jobs/control.py:retry_job": "each round cancels children, until none is left",
    "store/jobs/leases.py:rescue": "each round takes jobs back, until fewer are over than one call takes",
    "store/jobs/many.py:_act": "each round acts on a job at least, until all were acted on",
    "store/jobs/namespace.py:delete_namespace": "each round goes on where the server has stopped",
    "store/operators/directory.py:read_namespaces": "each round goes on where the server has stopped",
    "store/jobs/turns.py:create_children": "each round writes or publishes children, until none is left",
    "store/jobs/wakeups.py:_wait_forever": "each round waits at the server, or sleeps where that lets nobody wait",
    "store/jobs/wakeups.py:_until_listened": "each round waits until something has changed, or for a time",
    "store/views/endings.py:count_endings": "each round reads a page, until there is none",
    "store/views/endings.py:read_endings": "each round reads a page, until there is enough or no more",
    "store/views/find.py:page": "each round reads on in a source, or takes a job that was read, until there is none",
    "store/runs/run_store.py:send_event": "each round lets further runs go on, until none waits",
    "testing/memory_run.py:play": "each round is an attempt, or lets time pass",
    "workflow/move_runs.py:move_runs": "each round moves runs, until none is left",
    "workflow/registry.py:_keep": "each round sleeps",
    "workflow/schedules/scheduler.py:_run": "each round sleeps, or is woken",
    "workflow/running/redis_recorder.py:_write": "a pause goes before each further round",
    "workflow/steps/step_children.py:_results": "each round reads a page, until all are read",
    "workflow/steps/step_try.py:_try": "each round calls the function, a pause before each further one",
    "workflow/steps/step_try.py:run": "each round ends in a wait, or with what the function has returned",
    "workflow/steps/step_waits.py:input": "each round waits for an answer",
    "workflow/steps/writes.py:flush": "each round waits until something is written",
    "testing/drain.py:drain": "each round waits for an event, or for a time",
}


def test_every_loop_that_waits_is_known() -> None:
    """A new loop says in the table above what paces it."""
    waiting = {
        f"{path.relative_to(PACKAGE)}:{function.name}"
        for path in PACKAGE.rglob("*.py")
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        if any(isinstance(node, ast.While) and waits(node) for node in ast.walk(function))
    }
    assert waiting == set(PACED)


def waits(loop: ast.While) -> bool:
    """Whether a loop awaits anything, or waits in a thread."""
    return any(
        isinstance(node, ast.Await) or (isinstance(node, ast.Attribute) and node.attr in {"wait", "_renew_forever"})
        for node in ast.walk(loop)
    )


@contextlib.contextmanager
def few_ticks(most: int = 100) -> Iterator[None]:
    """Fail if the event loop goes round more often than that."""
    loop: Any = asyncio.get_running_loop()
    once, ticks = loop._run_once, 0

    def counted() -> None:
        nonlocal ticks
        ticks += 1
        once()

    loop._run_once = counted
    try:
        yield
    finally:
        del loop._run_once
    assert ticks <= most


def raising(error: Exception, then: Callable[[], object] = lambda: None) -> Callable[..., Any]:
    """Return an async function that only raises."""

    async def refused(*_arguments: object, **_options: object) -> NoReturn:
        then()
        raise error

    return refused


@pytest.mark.parametrize("error", [StoreError("refused"), StoreUnavailable("away"), RuntimeError("a fault of ours")])
async def test_a_turn_that_fails_at_once(
    make_flow: MakeFlow, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """A pause comes before the next one, also where something wakes the worker all the time."""
    flow = make_flow(double)
    async with flow:
        (worker,) = flow.workers
        loop = worker._worker_loop
        assert loop is not None
        with monkeypatch.context() as patch:
            for name in ("turn", "repeat", "report"):
                patch.setattr(loop._turns, name, raising(error, loop._woken.set))
            loop._woken.set()
            with few_ticks():
                await asyncio.sleep(0.3)
        job_id = await flow.create_job(Given(number=4))
        assert (await within(flow.wait_for(job_id, LONG))).status == "done"


async def test_a_server_that_lets_nobody_wait(make_flow: MakeFlow, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy that answers a blocking command at once: it is asked now and then, and work is found by that."""
    asked = 0

    async def answers_at_once(*_arguments: object, **_options: object) -> None:
        nonlocal asked
        asked += 1

    flow = make_flow(double)
    async with flow:
        monkeypatch.setattr(flow._runtime.session._blocking, "call", answers_at_once)
        first = await flow.create_job(Given(number=1))
        assert (await within(flow.wait_for(first, LONG))).status == "done"
        asked, began = 0, time.monotonic()
        with few_ticks():
            await asyncio.sleep(0.3)
        assert asked <= 2 + (time.monotonic() - began)
        second = await flow.create_job(Given(number=2))
        assert (await within(flow.wait_for(second, LONG))).status == "done"


async def test_services_that_fail_or_find_nothing(make_flow: MakeFlow, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rescuer and the reconciler sleep, whatever the server answers."""
    tried: list[str] = []
    flow = make_flow(double, lease=0.3)
    async with flow:
        session = flow._runtime.session
        refuses = raising(StoreError("no"), lambda: tried.append("rescuer"))
        fails = raising(RuntimeError("no"), lambda: tried.append("reconciler"))
        monkeypatch.setattr(session.rescuer, "_cascade", refuses)
        monkeypatch.setattr(session.reconciler._reconciliation, "step", fails)
        with few_ticks():
            await asyncio.sleep(0.3)
    assert 0 < tried.count("rescuer") < 10
    assert 0 < tried.count("reconciler") < 5
