"""Which hashes of jobs no transition can leave: a test proves nothing by one, unless it is about damage."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from flows.model.state import TERMINAL, JobState
from tests.attempt_field import PARTS

#: The fields that a job has in some states only. What a job lacks is no contradiction: tests seed what they need.
ONLY_IN: Final[dict[str, frozenset[str]]] = {
    "_reason": frozenset({"cancelled"}),
    "_ended": frozenset(TERMINAL),
    "_policy": frozenset({"children", "failed", "cancelled"}),
    "_next": frozenset({"children", "failed", "cancelled"}),
    "_failed_child": frozenset({"processing", "waiting", "delayed", "failed", "cancelled"}),
}
#: A job stands in a queue in these states, and its hash says in which.
IN_A_QUEUE: Final = frozenset({"processing", "children"})
#: A job came to these states by a claim.
CLAIMED: Final = frozenset({"processing", "children", "done"})


def impossible(fields: Mapping[str, object]) -> Iterator[str]:
    """Yield what no transition can leave so in a hash, in which the parts of `_attempt` have names of their own."""
    state = str(fields.get("_status", "waiting"))
    if state not in set(JobState):
        yield f"no state is called {state!r}"
        return
    for name, states in ONLY_IN.items():
        if name in fields and state not in states:
            yield f"{name} of a job that is {state}"
    if state in IN_A_QUEUE and "_queue" not in fields:
        yield f"no _queue of a job that is {state}"
    yield from _of_attempts(state, fields)


def _of_attempts(state: str, fields: Mapping[str, object]) -> Iterator[str]:
    if "_attempt" in fields:
        yield f"_attempt as a whole: {fields['_attempt']!r:.40}"
        return
    parts = {name: str(fields.get(name, usual)) for name, usual in PARTS.items()}
    worker, _path = parts.pop("_worker"), parts.pop("_path")
    if not all(part.isdecimal() for part in parts.values()):
        yield f"no whole numbers: {parts}"
        return
    fence, attempts, rescues = (int(parts[name]) for name in ("_fence", "_attempts", "_rescues"))
    wrong = {
        f"a job that is {state} and was never claimed": state in CLAIMED and not fence,
        f"fence {fence} and worker {worker}": bool(fence) != (worker != "-"),
        "a job that is processing and was never tried": state == "processing" and not attempts,
        f"{attempts} attempts by {fence} claims": attempts > fence,
        f"{rescues} rescues of {fence} claims": rescues > fence,
        "_error of a job that was never tried": not fence and "_error" in fields and state != "failed",
    }
    yield from (what for what, found in wrong.items() if found)
