"""`NewRecords`: what one call writes of an execution."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from flows.store.client.packed_script import PackedArguments

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flows.store.client.scripts import Argument


class NewRecords(NamedTuple):
    """Records of one execution that are to be written.

    Attributes:
        instance_id: The instance.
        execution: The execution.
        fence: That of the attempt at it which writes.
        is_child: Whether a child of the execution writes, which works on one task.
        records: Of each task its path, and the text of its record.
        results: Of each task that has made one its path, and the result.
        end: What the execution has come to; empty: it goes on.
        ttl_ms: With an end, how long the instance stays.
        first: The revision of the first record, where the texts have their revisions; where another one comes next, or
            0 is given, the server puts them there.
    """

    instance_id: str
    execution: str
    fence: int
    is_child: bool
    records: Sequence[Argument]
    results: Sequence[Argument] = ()
    end: bytes = b""
    ttl_ms: int | None = None
    first: int = 0


def pack_records(new: NewRecords) -> PackedArguments:
    """Return records as `write_tasks.lua` takes them, under a name of their own: sent twice, they are written once."""
    ttl_ms = "" if new.ttl_ms is None else new.ttl_ms
    named = (new.instance_id, new.execution, new.fence, int(new.is_child), new.first, new.end, ttl_ms)
    counts = (os.urandom(8).hex(), len(new.results), len(new.records))
    return PackedArguments((*named, *counts, *new.results, *new.records))
