"""The common way of a step: its function returns at its first try, and nothing else of the run is under way.

It does what `step_calls.py` and `step_try.py` do, without what only other steps need: a run of three such steps takes
half the time. Wherever anything is otherwise, these two go on.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from flows.kernel.current import reset_current, set_current
from flows.model.runs.step_record import StepRecord, done_text
from flows.workflow.annotations import returned_shape
from flows.workflow.steps.step_job import StepJob
from flows.workflow.steps.step_options import options_of
from flows.workflow.steps.step_try import StepTries

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from flows.workflow.steps.step_host import StepHost


def begins_plainly(host: StepHost, name: str) -> bool:
    """Take note of a question for a step of which nothing is recorded, while nothing else of the run is under way.

    Returns:
        Whether it is so, and the step begins; else nothing is taken note of, and the code has to `ask`.
    """
    replay = host.replay
    return not (
        replay.stopping
        or replay.collecting
        or replay.stillness.counting
        or replay.gate.replays
        or name in replay.records.loaded
    ) and replay.questions.admit_alone(name)


async def run_plain_step(
    host: StepHost, name: str, function: Callable[..., Awaitable[Any]], args: Sequence[Any], kwargs: Mapping[str, Any]
) -> Any:
    """Return what the function of a step returns that `begins_plainly`; it is an `async def`.

    Raises:
        StepFailed: it has failed; that is recorded.
        DeclarationError: what it returns is annotated as something that no JSON can give back.
    """
    replay = host.replay
    shape = returned_shape(function)
    began = replay.now_ms()
    replay.active += 1
    try:
        token = set_current(StepJob(host.job, name))
        try:
            value = await function(*args, **kwargs)
        finally:
            reset_current(token)
        raw = replay.records.encode(name, shape, value)
    except BaseException as error:  # noqa: BLE001 - whatever the function raises
        raised = error
    else:
        await _write(host, name, began, raw)
        return value
    finally:
        replay.leave()
    tries = StepTries(host, options_of(name), shape, function, args, kwargs, "run")
    return await tries.run(None, raised, began)


async def _write(host: StepHost, name: str, began: int, raw: bytes) -> None:
    """Write a result, and return when it stands, and is the next that the code is given."""
    replay = host.replay
    gate, writes, questions = replay.gate, replay.writes, replay.questions
    took = replay.now_ms() - began
    try:
        if questions.overlaps or gate.holds or not writes.idle:
            await replay.write(name, StepRecord("done", "run", at=began, ms=took, tries=1, result=raw))
            return
        place = writes.next_place()
        replay.records.count(len(raw))
        await writes.put_at_once(place, name, done_text(place, "run", began, took, 1, raw))
        if questions.overlaps or not gate.add_given(place):
            gate.add(place)
            await replay.give(place)
    except asyncio.CancelledError:
        if not (replay.stopping or host.job.cancelled):  # the code has not got it, and shall not get it ever after
            record = StepRecord("withdrawn", "run", at=began, ms=took, tries=1, life=replay.life, result=raw)
            replay.withdraw(name, record)
        raise
