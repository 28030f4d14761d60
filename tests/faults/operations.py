"""The operations that are cut at every command: all that `Flow` offers, and all that a worker sends."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any, Final

from flows.model.codec import encode_value
from flows.model.ids import new_job_id
from flows.model.job import JobError
from flows.model.outcome import OUTCOMES, Advance, AwaitChildren, Fail, Finish, NewChild, Outcome, Retry
from flows.store.jobs.claimed import ClaimedJob
from flows.store.jobs.leases import LeaseRenewal, Rescue
from flows.store.jobs.log_line import pack_line, pack_update
from flows.store.jobs.many import Asked, ManyJobs
from flows.store.jobs.progress import ProgressReport, add_line, write_progress
from flows.store.jobs.turns import Turns
from flows.store.streams.text_piece import Streamed, TextReport
from flows.store.streams.text_stream import read_text, write_texts
from tests.faults.cut import Operation, Stage
from tests.faults.flow_under_test import Order, Orders, add_workers
from tests.faults.keyed import KINDS
from tests.faults.keyed import create as create_with_key
from tests.outcomes import EXAMPLES
from tests.waiting import until

WORKER: Final = "the-worker"
_ERROR: Final = JobError(type="ValueError", message="as scripted", queue="pick", attempt=1)
_FIELDS: Final = {"pick_fence": b"1", "pick_pid": b"2"}


def turns(stage: Stage, flow: Orders, queue: str = "pick") -> Turns:
    """Return the turns of the one worker, on the flow's connection; they count on where the last ones stopped."""
    calls = flow._runtime.session.turns(queue, WORKER, ["number", "kind"])
    calls._number = next(stage.numbers)
    return calls


async def create(stage: Stage, count: int = 1) -> list[str]:
    """Prepare jobs."""
    return await stage.direct.create_jobs(Order(number=number, customer=7) for number in range(count))


async def claim(stage: Stage, queue: str = "pick", count: int = 1) -> list[ClaimedJob]:
    """Prepare jobs that the worker has."""
    if queue == "pick":
        await create(stage, count)
    return (await turns(stage, stage.direct, queue).turn([], count, busy=False)).claimed


async def end(stage: Stage, claimed: list[ClaimedJob], outcome: Outcome, queue: str = "pick") -> list[str]:
    """Prepare jobs whose attempts have ended."""
    calls = turns(stage, stage.direct, queue)
    return await calls.report([calls.finished(job, outcome) for job in claimed])


async def ended(stage: Stage, outcome: Outcome) -> str:
    """Prepare one job with one ended attempt."""
    claimed = await claim(stage)
    await end(stage, claimed, outcome)
    return claimed[0].id


def children(count: int) -> list[NewChild]:
    """Return children that are ready to be written, in both child queues."""
    fields = {"number": b"1", "kind": encode_value("kind", "plain")}
    return [NewChild(("label", "box")[number % 2], new_job_id(), dict(fields)) for number in range(count)]


async def parent(stage: Stage) -> list[ClaimedJob]:
    """Prepare a job that the worker has at the parent queue."""
    await end(stage, await claim(stage), Advance("pack", _FIELDS))
    return await claim(stage, "pack")


async def family(stage: Stage) -> str:
    """Prepare a parent that waits for three children."""
    claimed = await parent(stage)
    await end(stage, claimed, AwaitChildren(children(3), "ship", {}), "pack")
    return claimed[0].id


async def last_child(stage: Stage) -> list[ClaimedJob]:
    """Prepare a parent and its last child, which the worker has."""
    claimed = await parent(stage)
    await end(stage, claimed, AwaitChildren(children(1), "ship", {}), "pack")
    return await claim(stage, "pack:label")


async def over(stage: Stage) -> list[ClaimedJob]:
    """Prepare three jobs of which two were not renewed for too long."""
    claimed = await claim(stage, count=3)
    for job in claimed[:2]:
        stage.client.zadd(f"{stage.namespace}queue:pick:processing", {job.id: 1})
    return claimed


async def due(stage: Stage) -> str:
    """Prepare a delayed job that is due."""
    job_id = await ended(stage, Retry(60_000, _ERROR))
    stage.client.zadd(f"{stage.namespace}queue:pick:delayed", {job_id: 1})
    return job_id


def turn(name: str, outcome: Outcome | None, queue: str = "pick", **rest: Any) -> Operation:
    """Return the operation of one turn that ends an attempt so, and claims."""

    async def act(stage: Stage) -> Any:
        calls = turns(stage, stage.flow, queue)
        done = [] if outcome is None else [calls.finished(job, outcome) for job in stage.kept]
        answer = await calls.turn(done, 2, busy=False)
        return answer.words, [(job.id, job.fence, job.attempt, job.visit, job.values) for job in answer.claimed]

    return Operation(f"turn: {name}", act, **{"prepare": claim, **rest})


async def _fan_out(stage: Stage) -> Any:
    calls, claimed = turns(stage, stage.flow, "pack"), stage.kept[0]
    word = await calls.create_children(claimed, children(450))
    await calls.report([calls.finished(claimed, AwaitChildren([], "ship", {}))])
    return word


async def _report(stage: Stage) -> Any:
    """What is reported while a worker stops; a repeated report is refused, and changes nothing."""
    calls = turns(stage, stage.flow)
    await calls.report([calls.finished(job, Finish(_FIELDS)) for job in stage.kept])


async def _renew(stage: Stage) -> Any:
    renewal = LeaseRenewal(stage.proxy.url, stage.flow._runtime.settings)
    held = [(job.id, job.fence) for job in stage.kept]
    try:
        return await asyncio.to_thread(renewal.renew, "pick", WORKER, held)
    finally:
        renewal.close()


async def _rescue(stage: Stage) -> Any:
    """Who is told of what was rescued does not matter."""
    await Rescue(stage.flow._runtime.session.connection, stage.flow._runtime.settings, "pick").rescue(1 << 53)


async def _progress(stage: Stage) -> Any:
    report, session = ProgressReport(), stage.flow._runtime.session
    report.progress = b'{"value": 0.5, "message": "half"}'
    for text in ("one", "two"):
        report.add(pack_line(text, "info", {}, 1))
    reports = {(job.id, job.fence): report for job in stage.kept}
    await write_progress(session.connection, session.settings, "pick", WORKER, reports)
    logs = [await stage.direct.get_log(job.id) for job in stage.kept]
    return [[(line.n, line.text, line.late) for line in log] for log in logs]


async def _add_line(stage: Stage) -> Any:
    session, job_id = stage.flow._runtime.session, stage.kept[0]
    line = pack_update("paid", "info", None, 0)
    word = await add_line(session.connection, session.settings, "orders", job_id, line)
    return word, [(line.n, line.status) for line in await stage.direct.get_log(job_id)]


async def _stream(stage: Stage) -> Any:
    report, session = TextReport(), stage.flow._runtime.session
    for text in ("one", "two"):
        report.add(Streamed(text, "", 1, begins=True))
    texts = {(job.id, job.fence): report for job in stage.kept}
    await write_texts(session.connection, session.settings, "pick", WORKER, texts)
    direct = await stage.direct._runtime.open()
    found = [await read_text(direct.connection, direct.settings, "orders", job.id, 0) for job in stage.kept]
    return [[(piece.text, piece.gap) for piece in pieces] for pieces, _position in found]


async def _logged(stage: Stage) -> str:
    stage.kept = await claim(stage)
    stage.client.rpush(f"{stage.namespace}flows:log:orders:{stage.kept[0].id}", "one", "two")
    return str(stage.kept[0].id)


async def _wait_for_one_that_ends(stage: Stage) -> Any:
    def has_looked() -> bool:
        return any(words[0] == b"HGETALL" for _session, words in stage.proxy.seen)

    async def finish() -> None:
        with suppress(TimeoutError):  # where the way is cut it may not come to look
            await until(has_looked, 1)
        await asyncio.sleep(0.1)
        await end(stage, stage.kept, Finish(_FIELDS))

    finishing = asyncio.create_task(finish())
    try:
        return await stage.flow.wait_for(stage.kept[0].id, 10)
    finally:
        await finishing


async def _life(stage: Stage) -> Any:
    """A whole life: created, picked, packed with two children, shipped, by workers on the same proxy."""
    add_workers(stage.flow, stage.ledger)
    await stage.flow.start_all()
    job_id = await stage.flow.create_job(Order(number=1, kind="children:2", customer=7))
    done = await stage.flow.wait_for(job_id, 25)
    await stage.flow.stop_all()
    return done


def many(verb: str, prepare: Any) -> Operation:
    """Return the operation of acting on several jobs, of which one is not there."""

    async def act(stage: Stage) -> Any:
        asked = Asked(verb, frozenset(), 0, reason="why", queue="ship")
        ids = [*stage.kept, new_job_id()] if isinstance(stage.kept, list) else [stage.kept]
        return await ManyJobs(stage.flow._runtime.session.control, asked).act([("orders", job_id) for job_id in ids])

    return Operation(f"{verb} many", act, prepare)


async def _some_failed(stage: Stage) -> list[str]:
    claimed = await claim(stage, count=3)
    await end(stage, claimed, Fail(_ERROR))
    return [job.id for job in claimed]


async def _explain(stage: Stage) -> Any:
    """Its facts have the time of the call."""
    explanation = await stage.flow.explain(stage.kept[0])
    return explanation.reason, explanation.sentence


async def _keyed(stage: Stage, flow: Orders, kind: str, customer: int = 7) -> Any:
    """Create a job with a key, and tell what came of it; one that has it already was created before."""
    word, job_id = await create_with_key(flow, kind, "k", customer)
    return word, job_id == stage.kept[1] if stage.kept else job_id


async def _paused(stage: Stage) -> None:
    await stage.direct.queue("pick").pause()


#: Their examples are for another flow.
_SAID_HERE: Final = {Finish, Advance, AwaitChildren}


def of_flow() -> list[Operation]:
    """Return what a user calls."""
    return [
        Operation("start_all", lambda stage: stage.flow.start_all(), opened=False),
        Operation("create_job", lambda stage: stage.flow.create_job(Order(number=1, customer=7))),
        Operation(
            "create_jobs",
            lambda stage: stage.flow.create_jobs(Order(number=n, customer=7) for n in range(3)),
            leaves_some=True,
        ),
        Operation("create_job later", lambda stage: stage.flow.create_job(Order(number=1, customer=7), delay=3600)),
        *(Operation(f"create_job, {kind}", lambda stage, kind=kind: _keyed(stage, stage.flow, kind)) for kind in KINDS),
        *(
            Operation(
                f"create_job again, {kind}",
                lambda stage, kind=kind: _keyed(stage, stage.flow, kind),
                lambda stage, kind=kind: _keyed(stage, stage.direct, kind, customer=8),
            )
            for kind in KINDS
        ),
        Operation("get_job", lambda stage: stage.flow.get_job(stage.kept[0]), create),
        Operation("get_job with children", lambda stage: stage.flow.get_job(stage.kept, resolve_children=True), family),
        Operation("get_jobs", lambda stage: stage.flow.get_jobs(stage.kept), lambda stage: create(stage, 3)),
        Operation("get_jobs_by_key", lambda stage: stage.flow.get_jobs_by_key("customer", 7), create),
        Operation("a page of jobs", lambda stage: stage.flow.jobs.where("customer", 7).page(), create),
        Operation("a count of jobs", lambda stage: stage.flow.jobs.status("waiting").count(), create),
        Operation(
            "wait_for what has ended",
            lambda stage: stage.flow.wait_for(stage.kept, 10),
            lambda stage: ended(stage, Finish(_FIELDS)),
        ),
        Operation("wait_for what ends", _wait_for_one_that_ends, claim),
        Operation("cancel_job waiting", lambda stage: stage.flow.cancel_job(stage.kept[0]), create),
        Operation(
            "cancel_job delayed",
            lambda stage: stage.flow.cancel_job(stage.kept),
            lambda stage: ended(stage, Retry(60_000, _ERROR)),
        ),
        Operation("cancel_job running", lambda stage: stage.flow.cancel_job(stage.kept[0].id), claim),
        Operation("cancel_job with children", lambda stage: stage.flow.cancel_job(stage.kept), family),
        Operation(
            "retry_job",
            lambda stage: stage.flow.retry_job(stage.kept),
            lambda stage: ended(stage, Fail(_ERROR)),
        ),
        Operation("move_job waiting", lambda stage: stage.flow.move_job(stage.kept[0], to="ship"), create),
        Operation(
            "move_job failed",
            lambda stage: stage.flow.move_job(stage.kept, to="ship"),
            lambda stage: ended(stage, Fail(_ERROR)),
        ),
        Operation("delete_job", lambda stage: stage.flow.delete_job(stage.kept[0]), create),
        Operation("delete_job with children", lambda stage: stage.flow.delete_job(stage.kept), family),
        many("retry", _some_failed),
        many("move", lambda stage: create(stage, 3)),
        many("cancel", lambda stage: create(stage, 3)),
        many("cancel", family),
        many("delete", lambda stage: create(stage, 3)),
        many("delete", family),
        Operation("get_log", lambda stage: stage.flow.get_log(stage.kept), _logged),
        Operation("add_line", _add_line, create),
        Operation("position", lambda stage: stage.flow.position(stage.kept[1]), lambda stage: create(stage, 2)),
        Operation("explain", _explain, create),
        Operation("pause", lambda stage: stage.flow.queue("pick").pause(note="why")),
        Operation("resume", lambda stage: stage.flow.queue("pick").resume(), _paused),
    ]


def of_workers() -> list[Operation]:
    """Return what a worker sends."""
    packed = {"value": b"2", "part_fence": b"1", "part_pid": b"1"}
    return [
        turn("claim", None, prepare=lambda stage: create(stage, 2)),
        turn("claim, scripts unknown", None, prepare=lambda stage: create(stage, 2), unknown=True),
        turn("promote", None, prepare=due),
        turn("finish", Finish(_FIELDS)),
        turn("advance", Advance("pack", _FIELDS)),
        *(turn(row.verb, EXAMPLES[kind]) for kind, row in OUTCOMES.items() if kind not in _SAID_HERE),
        turn("await children", AwaitChildren(children(3), "ship", {}), "pack", prepare=parent),
        turn("finish the last child", Finish(packed), "pack:label", prepare=last_child),
        turn("fail the last child", Fail(_ERROR), "pack:label", prepare=last_child),
        Operation("fan out 450 children", _fan_out, parent),
        Operation("fan out 450 children, scripts unknown", _fan_out, parent, unknown=True),
        Operation("report", _report, claim),
        Operation("renew", _renew, lambda stage: claim(stage, count=3)),
        Operation("renew, scripts unknown", _renew, lambda stage: claim(stage, count=3), unknown=True),
        Operation("rescue", _rescue, over),
        Operation("progress", _progress, claim),
        Operation("stream", _stream, claim),
    ]


#: Workers and a job from its creation to its end.
LIFE: Final = Operation("a whole life", _life)
