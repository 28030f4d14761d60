"""Which jobs are lost with the tail of a file: all whose creation is not whole before it."""

from __future__ import annotations

import uuid

from flows.store.client.wire import pack_all
from tests.faults.append_only_file import ends_of_creations

A, B, C = (str(uuid.UUID(int=number)) for number in range(3))


def creation(job_id: str) -> bytes:
    """Return the bytes of one job's creation."""
    return pack_all(
        [
            ("MULTI",),
            ("HSET", f"job:orders:{job_id}", "n", "1"),
            ("RPUSH", "queue:pick:waiting", job_id),
            ("EXEC",),
        ]
    )


def test_a_creation_is_there_once_it_is_whole() -> None:
    """Whatever becomes of the job later; of a transaction that is torn, nothing is there."""
    first, claim = creation(A), pack_all([("SELECT", "0"), ("HSET", f"job:orders:{A}", "_status", "processing")])
    data = first + claim + creation(B) + creation(C)[:-5]
    assert ends_of_creations(data) == {A: len(first), B: len(first) + len(claim) + len(creation(B))}
    assert ends_of_creations(data[: len(first) - 1]) == {}
    assert ends_of_creations(data[: len(first)]) == {A: len(first)}
