"""`NewExecution`: an execution that is to begin; `BegunExecution`: how that went."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flows.model.runs.new_run import NewRun
    from flows.store.client.scripts import Argument


class NewExecution(NamedTuple):
    """An execution that is to begin.

    Attributes:
        id: Its id.
        record: That of the instance, without the time.
        fields: What the instance says of it, and `tree_digest`; `tree` as well where that is another one.
        gone: Paths that another tree has no more.
        run: The run that works on it, to be started in the same step where that is possible.
    """

    id: str
    record: bytes
    fields: Mapping[str, Argument]
    gone: Sequence[str] = ()
    run: NewRun | None = None


class BegunExecution(NamedTuple):
    """How the beginning of an execution went.

    Attributes:
        word: What the script said.
        under_way: The execution that is under way.
        revision: The instance's.
        is_started: Whether its run stands.
    """

    word: Literal["begun", "same", "busy", "moved", "gone", "tree"]
    under_way: str
    revision: int
    is_started: bool
