"""Keys of runs: each has one home, and no two of them meet."""

from __future__ import annotations

import inspect

import pytest

from flows.store.keys.runs import RunKeys, event_name

LITERAL = {
    "children": (("1", "map all"), "job:run:1:children:map all"),
    "next": (("1", "map all"), "flows:next:1:map all"),
    "event": (("paid", "7"), "flows:event:paid:7"),
    "waiters": (("paid", "7"), "flows:waiters:paid:7"),
    "sent": (("paid", "7", "e"), "flows:sent:paid:7:e"),
    "forking": (("1",), "flows:forking:1"),
    "kept": (("order",), "flows:kept:order"),
    "sending": (("run",), "flows:sending:run"),
}


@pytest.mark.parametrize("name", LITERAL)
def test_keys_are_literal(name: str) -> None:
    """Without a namespace they stand as the docs have them; a namespace is put before, as it is."""
    arguments, key = LITERAL[name]
    assert getattr(RunKeys(), name)(*arguments) == key
    assert getattr(RunKeys("{a}:"), name)(*arguments) == f"{{a}}:{key}"


def test_every_key_is_in_this_list() -> None:
    """A new key has to be added here, and to the docs."""
    methods = {name for name, _ in inspect.getmembers(RunKeys, inspect.isfunction) if not name.startswith("_")}
    assert methods == set(LITERAL)


def test_a_key_of_an_event_is_bounded() -> None:
    """A long one, and one with a line end, which would part what stands in lists of lines, is a digest."""
    assert event_name("paid", "7") == "paid:7"
    assert event_name("paid", "a\nb").startswith("paid:#sha256:")
    assert len(event_name("paid", "x" * 1000)) < 100
