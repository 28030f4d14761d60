"""Job ids: bare UUIDv7 (RFC 9562) whose last 14 bits are the job's shard."""

from __future__ import annotations

import os
import struct
import time
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Final

import uuid6

#: A job and its children share these bits, so that one Redis slot can hold them.
SHARD_BITS: Final = 14
_SHARD_MASK: Final = (1 << SHARD_BITS) - 1
_VARIANT: Final = 0b10 << 62
_RANDOM_MASK: Final = (1 << 62) - 1
#: So many random numbers are asked for at once.
_DRAWN: Final = 256

#: Those that no id has yet. A process that forks must not share them with its child.
_drawn: list[int] = []
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_drawn.clear)


def new_job_id() -> str:
    """Return a new id: milliseconds, 12 bits of the millisecond's fraction, 62 random bits.

    The generator of `uuid6` adds a millisecond for each id that it makes within one, so in bulk its ids
    run ahead of the clock by seconds; here `created_at` is read from the id and has to be true.
    """
    return _new_id(_random())


def new_child_id(parent_id: str) -> str:
    """Return a new id in the shard of `parent_id`."""
    return _new_id(_random() & ~_SHARD_MASK | int(parent_id[-4:], 16) & _SHARD_MASK)


def named_child_id(parent_id: str, name: str, made_ms: int | None = None) -> str:
    """Return the id that a name has below `parent_id`, always the same, and in the shard of that.

    It is as old as its parent, or was made at `made_ms`.
    """
    digest = int.from_bytes(blake2b(f"{parent_id}:{name}".encode(), digest_size=10).digest())
    low = _VARIANT | digest & _RANDOM_MASK & ~_SHARD_MASK | int(parent_id[-4:], 16) & _SHARD_MASK
    made = parent_id[:13] if made_ms is None else f"{made_ms >> 16:08x}-{made_ms & 0xFFFF:04x}"
    return f"{made}-7{digest >> 64 & 0xFFF:03x}-{low >> 48:04x}-{low & 0xFFFF_FFFF_FFFF:012x}"


def created_at(job_id: str) -> datetime:
    """Return when the id was made, as an aware datetime in UTC."""
    return datetime.fromtimestamp(uuid6.UUID(job_id).time / 1000, UTC)


def _random() -> int:
    while True:
        try:
            return _drawn.pop() & _RANDOM_MASK
        except IndexError:
            # One call of the system for many ids: alone it takes as long as all the rest of one.
            _drawn.extend(struct.unpack(f"={_DRAWN}Q", os.urandom(8 * _DRAWN)))


def _new_id(random: int) -> str:
    milliseconds, rest = divmod(time.time_ns(), 1_000_000)
    low = _VARIANT | random
    return "%08x-%04x-7%03x-%04x-%012x" % (  # noqa: UP031 - quicker than f-strings
        milliseconds >> 16,
        milliseconds & 0xFFFF,
        (rest << 12) // 1_000_000,
        low >> 48,
        low & 0xFFFF_FFFF_FFFF,
    )
