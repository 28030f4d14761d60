"""Operations on task trees: to find, show, execute and destroy them, without the code of any app."""

from flows.api.trees.acting import cancel, destroy, execute, update
from flows.api.trees.looking import apps, executions, list_trees, log, result, show, wait

__all__ = [
    "apps",
    "cancel",
    "destroy",
    "execute",
    "executions",
    "list_trees",
    "log",
    "result",
    "show",
    "update",
    "wait",
]
