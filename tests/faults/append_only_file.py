"""Reads a server's append-only file: where the creation of each job ends in it, and so which are lost with its tail."""

from __future__ import annotations

import re
from collections.abc import Iterator

_JOB = re.compile(rb"job:orders:([0-9a-f-]{36})")


def ends_of_creations(data: bytes) -> dict[str, int]:
    """Return of each job of the flow the offset at which the transaction that created it is whole."""
    found: dict[str, int] = {}
    new: list[str] = []
    inside = False
    for words, end in _commands(data):
        verb = words[0].upper()
        if verb == b"HSET" and (job := _JOB.fullmatch(words[1])) and (name := job[1].decode()) not in found:
            found[name] = end
            new.append(name)
        inside = (inside or verb == b"MULTI") and verb != b"EXEC"
        if not inside:
            found.update(dict.fromkeys(new, end))
            new.clear()
    # Of a transaction that is not whole, nothing counts.
    return {name: end for name, end in found.items() if name not in new}


def _commands(data: bytes) -> Iterator[tuple[list[bytes], int]]:
    """Yield each whole command, and the offset at which it ends."""
    at = 0
    while data[at : at + 1] == b"*":
        line = data.index(b"\r\n", at)
        count, at = int(data[at + 1 : line]), line + 2
        words = []
        for _ in range(count):
            line = data.find(b"\r\n", at)
            if line < 0:
                return
            size, at = int(data[at + 1 : line]), line + 2
            words.append(data[at : at + size])
            at += size + 2
        if at > len(data):
            return
        yield words, at
