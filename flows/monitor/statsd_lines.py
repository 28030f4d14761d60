"""Writes figures as lines of StatsD, with tags or without, and gathers them into packets."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final, Literal, TypeAlias

Dialect: TypeAlias = Literal["statsd", "dogstatsd"]

#: So many bytes go through the networks of today in one piece; StatsD's own documents say so.
PACKET: Final = 1432
#: What would end a name or a tag before its time.
_IN_NAMES: Final = re.compile(r"[^A-Za-z0-9_-]")
_IN_TAGS: Final = re.compile(r"[|,#@\s]")


class Packets:
    """Gathers lines into packets of at most 1,432 bytes, and sends each when the next line has no room in it.

    Args:
        send: Sends a packet.
    """

    def __init__(self, send: Callable[[bytes], None]) -> None:
        self._send = send
        self._lines: list[bytes] = []
        self._size = 0

    def add(self, line: str) -> None:
        """Add a line; one that has no room in any packet is left out."""
        data = line.encode()
        if len(data) > PACKET:
            return
        if self._size + len(data) > PACKET:
            self.flush()
        self._lines.append(data)
        self._size += len(data) + 1

    def flush(self) -> None:
        """Send what is left."""
        if self._lines:
            data = b"\n".join(self._lines)
            self._lines.clear()
            self._size = 0
            self._send(data)


class Lines:
    """Writes lines: `<prefix>.queue.jobs:12|g|#queue:price,…` with tags, `<prefix>.<flow>.price.jobs.…:12|g` without.

    Args:
        dialect: "dogstatsd" has tags; "statsd" has none, so all stands in the name.
        prefix: What each name begins with.
        tags: Those of all lines.
    """

    def __init__(self, dialect: Dialect, prefix: str, tags: Mapping[str, str]) -> None:
        self._tagged = dialect == "dogstatsd"
        self._prefix = prefix
        self._tags = "".join(f",{_in_tag(name)}:{_in_tag(value)}" for name, value in tags.items())

    def gauge(self, name: str, value: float, labels: Mapping[str, str]) -> str:
        """Return the line of a value that stands until the next; never below 0, for then a sign would change it."""
        return f"{self._name(name, labels)}:{_number(max(0, value))}|g{self._end(labels)}"

    def timing(self, name: str, seconds: float, labels: Mapping[str, str]) -> str:
        """Return the line of one duration, which is in milliseconds there."""
        return f"{self._name(name, labels)}:{_number(max(0, seconds) * 1000)}|ms{self._end(labels)}"

    def _name(self, name: str, labels: Mapping[str, str]) -> str:
        if self._tagged:
            return f"{self._prefix}.{name}"
        where = [labels[which] for which in ("flow", "queue") if which in labels]
        more = [value for which, value in labels.items() if which not in {"flow", "queue"}]
        return ".".join([self._prefix, *map(_in_name, where), name, *map(_in_name, more)])

    def _end(self, labels: Mapping[str, str]) -> str:
        if not self._tagged:
            return ""
        return "|#" + ",".join(f"{name}:{_in_tag(value)}" for name, value in labels.items()) + self._tags


def _in_name(text: str) -> str:
    """Return a text as one part of a name: dots would make several of it."""
    return _IN_NAMES.sub("_", text.replace(":", "__"))


def _in_tag(text: str) -> str:
    return _IN_TAGS.sub("_", text)


def _number(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:.3f}".rstrip("0").rstrip(".")
