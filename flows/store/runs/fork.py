"""Starts a run like another one, with what that has done before a step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias, cast

from flows.model.runs.new_run import RUN_FLOW

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flows.store.client.connection import Connection
    from flows.store.client.scripts import Argument
    from flows.store.jobs.flow_settings import FlowSettings

#: `unknown`: nothing is recorded of the step; `conflict`: the other run's hash names no queue, or something else stands
#: in the place of a key.
ForkAnswer: TypeAlias = Literal["started", "gone", "unknown", "conflict"]


@dataclass(frozen=True, slots=True)
class Fork:
    """A run that begins where another one was."""

    source: str
    """The other run's id."""
    id: str
    """Its own; sent again with the same id, it is started once."""
    step: str = ""
    """It has what the other run had done before this step; empty: nothing."""
    given: bytes | None = None
    """Its input, JSON; None: the other run's."""
    lookups: Sequence[tuple[str, str]] | None = None
    """Attributes and texts of its lookup lists; None: those of the other run."""
    fields: tuple[tuple[str, bytes], ...] = ()
    """Further fields of its hash that take the place of the other run's."""


async def start_fork(connection: Connection, settings: FlowSettings, fork: Fork) -> ForkAnswer:
    """Start a run with the records that another one has of the steps that were done before a step.

    Raises:
        StoreError: the server cannot be used.
    """
    lines = None if fork.lookups is None else "\n".join(f"{attribute}:{text}" for attribute, text in fork.lookups)
    named: dict[str, Argument] = {
        **settings.named(RUN_FLOW),
        "source": fork.source,
        "new_id": fork.id,
        "before_step": fork.step,
        "given": fork.given or b"",
        "lookup_lines": "=" if lines is None else lines,
    }
    rest: list[Argument] = [part for pair in fork.fields for part in pair]
    word = await connection.run(settings.script("fork"), named, rest)
    return cast("ForkAnswer", word.decode())
