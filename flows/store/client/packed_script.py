"""Packs a script that is sent again and again: what stays of it once, and only what differs each time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from flows.store.client.wire import pack_arguments

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flows.store.client.scripts import Argument, Script


class Packed(Protocol):
    """Arguments of a script that are packed already."""

    @property
    def arguments(self) -> int:
        """How many they are."""
        ...

    @property
    def packed(self) -> bytes:
        """Their bytes."""
        ...


class PackedArguments:
    """Arguments that are packed."""

    __slots__ = ("arguments", "packed")

    def __init__(self, arguments: Sequence[Argument]) -> None:
        self.arguments = len(arguments)
        self.packed = pack_arguments(arguments)


class PackedScript:
    """A script with keys and arguments that stay; the last arguments of its header differ from call to call.

    Args:
        script: The script.
        named: Its keys and arguments by name, but those that differ.
        differing: The names of those that differ, the last ones of the header, in its order.
    """

    def __init__(self, script: Script, named: Mapping[str, Argument], differing: Sequence[str]) -> None:
        assert script.args[-len(differing) :] == tuple(differing)  # noqa: S101 - written beside the script's header
        self.script = script
        command = script.command({**named, **dict.fromkeys(differing, "")})
        stays = command[2 : len(command) - len(differing)]
        self._count = 2 + len(stays) + len(differing)
        self._by_digest = pack_arguments(command[:2]) + pack_arguments(stays)
        self._stays = stays

    def call(self, differing: Sequence[Argument], more: Sequence[Packed] = ()) -> PackedCall:
        """Return a call of the script, with further arguments that are packed already."""
        tail = b"".join((pack_arguments(differing), *[part.packed for part in more]))
        return PackedCall(self, self._count + sum([part.arguments for part in more]), tail)

    def by_digest(self, count: int, tail: bytes) -> bytes:
        """Return the bytes of a call that names the script by its digest."""
        return b"".join((b"*%d\r\n" % count, self._by_digest, tail))

    def in_full(self, count: int, tail: bytes) -> bytes:
        """Return the bytes of a call with the script's whole text, for a server that does not know it."""
        head = pack_arguments(("EVAL", self.script.text)) + pack_arguments(self._stays)
        return b"".join((b"*%d\r\n" % count, head, tail))


class PackedCall:
    """One call of a packed script."""

    __slots__ = ("_count", "_of", "_tail")

    def __init__(self, of: PackedScript, count: int, tail: bytes) -> None:
        self._of = of
        self._count = count
        self._tail = tail

    @property
    def script(self) -> Script:
        """The script."""
        return self._of.script

    def by_digest(self) -> bytes:
        """Return the bytes of the call."""
        return self._of.by_digest(self._count, self._tail)

    def in_full(self) -> bytes:
        """Return its bytes for a server that does not know the script."""
        return self._of.in_full(self._count, self._tail)
