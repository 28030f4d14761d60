"""What is packed once is sent as if it were packed each time."""

from __future__ import annotations

import pytest

from flows.store.client.packed_script import PackedScript
from flows.store.client.scripts import load
from flows.store.client.wire import pack_arguments, pack_command
from flows.store.jobs.turns import _DIFFERING
from tests.world import World


class More:
    """Two arguments that are packed already."""

    arguments = 2
    packed = pack_arguments(("a", b"\xff\r\n"))


def test_the_bytes_are_those_of_the_whole_command(world: World) -> None:
    """By digest and in full, with and without further arguments; each call has its own."""
    script = load("turn")
    named = {**world._usual(), "field_names": "a b"}
    packed = PackedScript(script, named, _DIFFERING)
    for number, more, rest in ((1, (), ()), (22, (More(),), ("a", b"\xff\r\n"))):
        call = packed.call((number, 5, 0, len(more)), more)
        values = {**named, "number": number, "want": 5, "busy": 0, "ended": len(more)}
        command = script.command(values, rest)
        assert call.by_digest() == pack_command(command)
        assert call.in_full() == pack_command(script.in_full(command))
        assert call.script is script


def test_what_differs_comes_last(world: World) -> None:
    """A header in which it does not is refused, when the worker is made."""
    with pytest.raises(AssertionError):
        PackedScript(load("turn"), {**world._usual(), "field_names": ""}, ("want", "number"))
