"""Runs workflows in a test without a server, and holds histories that were recorded against their code."""

# pyright: reportPrivateUsage=false
# (the kit sees what users do not)

from __future__ import annotations

import warnings
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar, cast

from pydantic_core import from_json, to_json

from flows.errors import ValidationError
from flows.model.job import JobError
from flows.model.outcome import Cancel, Fail, Finish
from flows.model.runs.errors import DuplicateStep, PlanChanged, RunCancelled, RunFailed
from flows.model.runs.failure import Failure
from flows.model.runs.history import RunHistory, make_history
from flows.model.runs.plan_change import difference_of
from flows.model.runs.workflow_options import WorkflowOptions
from flows.model.state import JobState
from flows.testing.look import look
from flows.testing.memory_run import ANY_KEY, MemoryRun
from flows.testing.stand_ins import Asked, StandIns, StandInStep
from flows.workflow.annotations import workflow_shapes
from flows.workflow.declared import Declared
from flows.workflow.steps.play import Body
from flows.workflow.steps.run_judge import RunJudge

if TYPE_CHECKING:
    from flows.model.outcome import Outcome
    from flows.model.runs.loaded import Failing
    from flows.model.runs.new_run import NewRun
    from flows.workflow.definition import Workflow
    from flows.workflow.steps.step import Step

#: Where a run is after each outcome that ends it.
_STATES: Final = {Finish: JobState.DONE, Fail: JobState.FAILED, Cancel: JobState.CANCELLED}

InT = TypeVar("InT")
OutT = TypeVar("OutT")


@dataclass(frozen=True, slots=True)
class TestedRun(Generic[OutT]):
    """How a run of `run_workflow` has ended.

    Attributes:
        status: `done`, `failed` or `cancelled`.
        error: Why it failed; None where it did not.
        reason: Why it was cancelled.
        history: All that was recorded; `replay` holds later code against it.
        changed: How the code's steps differ from what was recorded; None: they do not.
    """

    __test__ = False

    status: JobState
    error: JobError | None
    reason: str
    history: RunHistory
    changed: str | None
    returned: OutT | None = None

    @property
    def output(self) -> OutT:
        """What the workflow returned.

        Raises:
            RunFailed: it has failed.
            RunCancelled: it was cancelled.
        """
        if self.status is JobState.CANCELLED:
            raise RunCancelled(self.history.id, self.reason)
        if self.error is not None:
            raise RunFailed(self.history.id, self.error)
        return cast("OutT", self.returned)

    @property
    def steps(self) -> dict[str, str]:
        """How each step stands, by its name, in the order in which they came."""
        return {name: str(found["status"]) for name, found in self.history.steps.items()}


async def run_workflow(
    workflow: Workflow[InT, OutT]
    | Callable[[InT, Step], Awaitable[OutT]]
    | Callable[[InT, Step, Any], Awaitable[OutT]]
    | Callable[[Step], Awaitable[OutT]],
    input: InT | None = None,  # noqa: A002 - as of `workflow.run`
    *,
    steps: Mapping[str, Any] | None = None,
    events: Mapping[str | tuple[str, str], Any] | None = None,
    answers: Mapping[str, Any] | None = None,
    resource: object = None,
) -> TestedRun[OutT]:
    """Run a workflow in this process without a server, and return how it ended; sleeps and delays take no time.

    Args:
        workflow: The workflow, or its function.
        input: What it takes; nothing where it takes none.
        steps: By a step's name what stands in for its function, or for the run that it starts: a value that is
            returned, an exception that is raised, or a function that is called with the step's arguments (of a run:
            with its input). A workflow that is started and has no stand-in is run likewise.
        events: What was sent before the run began, by the event's name (whatever the key) or by name and key: the
            data, or a list of them.
        answers: What `wait_for_input` gets, by the step's name.
        resource: What functions get in place of what the app's lifespan brings, where they take that.

    It warns where a name of `steps` seems to be misspelt, so that the step's own function was called, and where one of
    `events` was not waited for, but another event was.

    Raises:
        ValidationError: the input is not of the workflow's type, or a function takes a resource and none is given.
        WaitTimeout: the run waits for what will never come.
    """
    asked = Asked()
    run = await _run(workflow, input, steps or {}, events or {}, answers or {}, asked, resource)
    for doubt in asked.doubts(steps or (), (name if isinstance(name, str) else name[0] for name in events or ())):
        warnings.warn(f"run_workflow: {doubt}", stacklevel=2)
    return run


async def _run(  # noqa: PLR0917 - what `run_workflow` is given
    workflow: Any,
    given_input: object,
    steps: Mapping[str, Any],
    events: Mapping[str | tuple[str, str], Any],
    answers: Mapping[str, Any],
    asked: Asked,
    resource: object,
) -> TestedRun[Any]:
    declared = _declared(workflow, resource)
    value = declared.accept(given_input)
    given = b"null" if declared.input is None else declared.input.encode(value)
    stand_ins = StandIns(dict(steps), asked, resource)

    async def child(run: NewRun, step: str) -> bytes:
        return await _child(run, step, stand_ins, events, answers)

    run = MemoryRun(declared.name, given, retries=declared.options.retries, children=child)
    if declared.options.timeout is not None:
        run.limit_to(declared.options.timeout)
    for name, sent in events.items():
        event, key = (name, ANY_KEY) if isinstance(name, str) else name
        for data in sent if isinstance(sent, list) else [sent]:  # pyright: ignore[reportUnknownVariableType]
            run.send(event, key, to_json(data))
    run.answers = {
        name: [to_json(one) for one in (given if isinstance(given, list) else [given])]  # pyright: ignore[reportUnknownVariableType]
        for name, given in answers.items()
    }
    outcome = await run.play(lambda raw, judge: _body(declared, raw, judge, stand_ins))
    return _tested(declared, run, outcome)


async def replay(
    workflow: Workflow[Any, Any] | Callable[..., Awaitable[Any]],
    history: RunHistory | Mapping[str, Any] | str | bytes,
    *,
    resource: object = None,
) -> None:
    """Call a workflow's code with what was recorded of a run, and see that it still asks for that.

    No function of a step is called, and nothing is started or waited for.

    Args:
        workflow: The workflow, or its function, as it is now.
        history: From `await handle.history()`, or as a JSON text.
        resource: What its function gets in place of what the app's lifespan brings, where it takes that.

    Raises:
        PlanChanged: it does not ask for a step that is recorded, takes one for another, or cannot read its result; or
            the run has ended, and the code goes on to a step that is not recorded.
        DuplicateStep: it asks twice for one.
        ValidationError: the history is none, its input is not of the workflow's type, or the function takes a resource
            and none is given.
    """
    if not isinstance(history, RunHistory):
        try:
            text = history if isinstance(history, str | bytes) else to_json(history)
            history = RunHistory.model_validate_json(text)
        except ValueError as error:
            raise ValidationError(f"this is no history of a run: {error}") from error
    declared = _declared(workflow, resource)
    given, records = to_json(history.input), history.records
    judge = RunJudge(declared.name, None, 1)
    seen = await look(history.id, records, _body(declared, given, judge, StandIns({}, None, resource)))
    if isinstance(seen.error, PlanChanged | DuplicateStep):
        raise seen.error
    missing = difference_of(records, seen.asked, "")
    if missing is None and history.status == JobState.DONE and (new := seen.asked.keys() - records.keys()):
        missing = f"it goes on to {', '.join(map(repr, sorted(new)))}, and the run has ended without"
    if missing is not None:
        raise PlanChanged(missing)


def _declared(workflow: Any, resource: object) -> Declared:
    declared = _as_declared(workflow)
    if resource is None and (declared.takes_resource or declared.failure_takes_resource):
        raise ValidationError(f"workflow {declared.name!r} takes a resource: give what stands in for it as resource=")
    return declared


def _as_declared(workflow: Any) -> Declared:
    if isinstance(workflow, Declared):
        if workflow.function is None:
            raise ValidationError(f"workflow {workflow.name!r} is a reference: give the one that has a function")
        return workflow
    name = getattr(workflow, "__name__", "workflow").strip("<>")
    return Declared(WorkflowOptions(name), workflow_shapes(name, workflow), workflow)


def _body(declared: Declared, raw: bytes, judge: RunJudge, stand_ins: StandIns) -> Body:
    function, on_failure = declared.function, declared.options.on_failure
    assert function is not None  # noqa: S101 - a reference was refused
    arguments = declared.arguments(raw)
    more = (stand_ins.resource,) if declared.takes_resource else ()

    def call(step: Step) -> Awaitable[Any]:
        return function(*arguments, StandInStep(step._host, stand_ins), *more)

    def failed(failing: Failing) -> Any:
        cancelled = failing.how == "cancelled"
        error = failing.error or JobError(type="Cancelled", message=failing.reason)
        told = Failure(stand_ins.run_id, declared.name, arguments[0] if arguments else None, error, cancelled)
        return (on_failure or repr)(told, *((stand_ins.resource,) if declared.failure_takes_resource else ()))

    def encode(value: object) -> bytes:
        accepted = declared.accept(value)
        return b"null" if declared.input is None else declared.input.encode(accepted)

    return Body(
        declared.name, call, declared.output, encode, judge, None if on_failure is None else failed,
        declared.options.on_change == "fail",
    )  # fmt: skip


async def _child(run: NewRun, step: str, stand_ins: StandIns, events: Any, answers: Any) -> bytes:
    """Return how a child ended: as its stand-in says, or as its workflow does."""
    found: dict[str, Any] = {"id": run.id, "status": "done"}
    try:
        if step in stand_ins.steps:
            found["result"] = await stand_ins.child(step, run)
        else:
            workflow = stand_ins.workflow(run.workflow, step)
            given = workflow.arguments(run.input)
            one = given[0] if given else None
            ended = await _run(workflow, one, stand_ins.steps, events, answers, stand_ins.asked, stand_ins.resource)
            found["result"] = from_json(workflow.output.encode(ended.output))
    except RunFailed as error:
        found |= {"status": "failed", "error": error.error}
    except RunCancelled as error:
        found |= {"status": "cancelled", "reason": error.reason}
    except ValidationError:
        raise
    except Exception as error:  # noqa: BLE001 - a stand-in's
        found |= {"status": "failed", "error": JobError(type=type(error).__name__, message=str(error))}
    return to_json(found)


def _tested(declared: Declared, run: MemoryRun, outcome: Outcome) -> TestedRun[Any]:
    status = next(state for kind, state in _STATES.items() if isinstance(outcome, kind))
    raw = outcome.fields["output"] if isinstance(outcome, Finish) else None
    error = outcome.error if isinstance(outcome, Fail) else None
    reason = outcome.reason if isinstance(outcome, Cancel) else ""
    history = make_history(run.run_id, declared.name, status, run.input, raw, run.records)
    returned = None if raw is None else declared.output.decode(raw)
    return TestedRun(status, error, reason, history, run.changed, returned)
