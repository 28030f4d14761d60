"""Starts a run like another one, with what that has done before a step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias, cast

from flows.model.runs.new_run import RUN_FLOW

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flows.store.client.connection import Connection
    from flows.store.client.scripts import Argument
    from flows.store.jobs.flow_settings import FlowSettings

#: `unknown`: nothing is recorded of the step; `conflict`: the other run's hash names no queue, or something else stands
#: in the place of a key.
ForkAnswer: TypeAlias = Literal["started", "gone", "unknown", "conflict"]
#: The field of a forked run: the run that it was forked from, and before which step; empty: from the beginning.
FORKED_FIELD = "_forked"


async def fork(
    connection: Connection,
    settings: FlowSettings,
    source: str,
    run_id: str,
    step: str,
    given: bytes | None = None,
    lookups: Sequence[tuple[str, str]] | None = None,
    fields: Mapping[str, bytes] | None = None,
) -> ForkAnswer:
    """Start a run with the records that another one has of the steps that were done before a step.

    Args:
        connection: To the server.
        settings: Those of the flow of runs.
        source: The other run.
        run_id: The id of the new one; sent again with the same id, it is started once.
        step: The step; empty: without records.
        given: Its input, JSON; None: the other run's.
        lookups: Attributes and texts of its lookup lists; None: those of the other run.
        fields: Further fields of its hash that take the place of the other run's.

    Raises:
        StoreError: the server cannot be used.
    """
    named: dict[str, Argument] = {
        **settings.named(RUN_FLOW),
        "source": source,
        "id": run_id,
        "step": step,
        "given": given or b"",
        "lines": "=" if lookups is None else "\n".join(f"{attribute}:{text}" for attribute, text in lookups),
    }
    rest: list[Argument] = [part for pair in (fields or {}).items() for part in pair]
    word = await connection.run(settings.script("fork"), named, rest)
    return cast("ForkAnswer", word.decode())
