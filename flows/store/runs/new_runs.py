"""Packs runs that are to be started, as `take_run.lua` reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flows.errors import PayloadTooLarge
from flows.model.values.lookup import lookup_text
from flows.store.client.wire import pack_arguments
from flows.store.jobs.finished import MOST_ARGUMENTS
from flows.store.jobs.flow_settings import milliseconds

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from flows.model.runs.new_run import NewRun
    from flows.store.client.scripts import Argument

#: The attribute of the lookup list by which a key finds its run.
KEY: Final = "#key"
#: So many runs are started by one script.
MOST_STARTED: Final = 50
_MOST_BYTES: Final = 1 << 19


class PackedRun:
    """A run that is ready to be started: its part of a script's arguments, packed."""

    __slots__ = ("arguments", "packed", "run")

    def __init__(self, run: NewRun, before: tuple[Argument, ...] = ()) -> None:
        arguments = [*before, *run_arguments(run)]
        self.run = run
        self.arguments = len(arguments)
        self.packed = pack_arguments(arguments)


def run_arguments(run: NewRun) -> list[Argument]:
    """Return a run as `take_run` reads it.

    Queue, id, delay in ms or -1 and a server time in ms, for how many ms its key is to find it (0: it has none), the
    digest of its input, its lookups, and its fields and values, counted.
    """
    delay_ms, until_ms = (0, 0) if run.due is None else (run.due.delay_ms, run.due.until_ms)
    lines = [f"{attribute}:{text}" for attribute, text in run.lookups]
    if run.key is not None:
        lines.append(f"{KEY}:{lookup_text(f'{run.workflow}:{run.key}')}")
    fields = _fields(run)
    key_ms = run.key_ttl_ms if run.key is not None else 0
    return [run.queue, run.id, delay_ms, until_ms, key_ms, run.digest, "\n".join(lines), len(fields), *fields]


def check_size(run: NewRun, most: int) -> None:
    """Check that the input of a run takes at most so many bytes.

    Raises:
        PayloadTooLarge: it takes more.
    """
    if len(run.input) > most:
        raise PayloadTooLarge(
            f"the input of a run of {run.workflow!r} takes {len(run.input):,} bytes, over max_payload={most:,}: store "
            "large data elsewhere and pass on where it is"
        )


def in_parts(runs: Iterable[PackedRun], most: int = MOST_STARTED) -> Iterator[list[PackedRun]]:
    """Cut runs into parts of one script each."""
    part: list[PackedRun] = []
    arguments, size = 0, 0
    for run in runs:
        arguments += run.arguments
        size += len(run.packed)
        if part and (len(part) >= most or arguments > MOST_ARGUMENTS or size > _MOST_BYTES):
            yield part
            part, arguments, size = [], run.arguments, len(run.packed)
        part.append(run)
    if part:
        yield part


def _fields(run: NewRun) -> list[Argument]:
    fields: list[Argument] = ["input", run.input]
    for name, value in run.fields:
        fields += (name, value)
    if run.priority > 1:
        fields += ("_priority", run.priority)
    if run.correlation_id is not None:
        fields += ("_correlation_id", run.correlation_id)
    if run.version:
        fields += ("_version", run.version)
    if run.undo:
        fields += ("_undo", 1)
    if run.retention is not None:
        kept = run.retention
        fields += ("_kept", " ".join(str(milliseconds(one)) for one in (kept.done, kept.failed, kept.cancelled)))
    return fields
