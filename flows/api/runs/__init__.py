"""Operations on runs of workflows: to list, show, start and steer them, without the code of any app."""

from flows.api.runs.acting import cancel, fork, move, provide, retry, start
from flows.api.runs.looking import explain, list_runs, show, wait, workflows
from flows.api.runs.steps import children, send, steps

__all__ = [
    "cancel",
    "children",
    "explain",
    "fork",
    "list_runs",
    "move",
    "provide",
    "retry",
    "send",
    "show",
    "start",
    "steps",
    "wait",
    "workflows",
]
