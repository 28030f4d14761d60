"""Calls the code of a run with what is recorded, and nothing else: what does it ask for?"""

# pyright: reportPrivateUsage=false
# (the kit sees what users do not)

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from flows.model.runs.loaded import Failing, Loaded
from flows.testing.running_job import running_run
from flows.workflow.steps.play import Attempted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flows.workflow.steps.play import Body
    from flows.workflow.steps.step import Step


@dataclass(frozen=True, slots=True)
class Seen:
    """What the code of a run has asked for, by the names of steps, and what it has raised."""

    asked: Mapping[str, object]
    error: BaseException | None


async def look(run_id: str, records: Mapping[str, bytes], body: Body) -> Seen:
    """Call the code of a run: it is given what is recorded, and stands wherever a step would begin or wait."""
    raised: list[BaseException] = []

    async def call(step: Step) -> Any:
        try:
            return await body.call(step)
        except BaseException as error:
            raised.append(error)
            raise

    with running_run(run_id, body.workflow) as running:
        one = Attempted(
            replace(body, call=call, on_failure=None),
            Loaded(dict(records), failing=Failing("cancelled")),  # so no step begins
            _NoRecorder(),
            run_id=run_id,
            attempt=1,
            job=running.current,
            call_in_thread=_no_thread,
        )
        await one.look()
    return Seen(one.replay.questions.names, raised[0] if raised else None)


class _NoRecorder:
    """Writes nothing: nothing is written."""

    async def put(self, *_args: Any, **_kwargs: Any) -> None:
        raise AssertionError("nothing is to be written")

    async def children(self, step: str, start: int, count: int) -> Sequence[bytes]:  # noqa: ARG002 - the protocol's
        raise AssertionError(f"the runs of step {step!r} were too many for its history")


async def _no_thread(_function: object, _argument: object) -> Any:
    raise AssertionError("no function is to be called")
