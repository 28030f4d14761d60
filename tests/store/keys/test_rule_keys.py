"""Keys of queues with rules: each has one home, and no two of them meet."""

from __future__ import annotations

import inspect

import pytest

from flows.store.keys.rules import RuleKeys

LITERAL = {
    "group": (("pack", 2, '"a/b"'), 'flows:group:pack/2/"a/b"'),
    "ring": (("pack", 1), "flows:ring:pack/1"),
    "parked": (("pack",), "flows:parked:pack"),
    "fair": (("pack",), "flows:fair:pack"),
    "shares": (("pack",), "flows:shares:pack"),
    "limit": (("pack:1",), "flows:limit:pack:1"),
    "window": (("pack:1",), "flows:window:pack:1"),
    "windows": (("pack:1",), "flows:windows:pack:1"),
    "slots": (("pack",), "flows:slots:pack"),
    "load": (("pack",), "flows:load:pack"),
    "sharing": (("gpu",), "flows:sharing:gpu"),
}


@pytest.mark.parametrize("name", LITERAL)
def test_keys_are_literal(name: str) -> None:
    """Without a namespace they stand as the docs have them; a namespace is put before, as it is."""
    arguments, key = LITERAL[name]
    assert getattr(RuleKeys(), name)(*arguments) == key
    assert getattr(RuleKeys("{a}:"), name)(*arguments) == f"{{a}}:{key}"


def test_every_key_is_in_this_list() -> None:
    """A new key has to be added here, and to the docs."""
    methods = {name for name, _ in inspect.getmembers(RuleKeys, inspect.isfunction) if not name.startswith("_")}
    assert methods == set(LITERAL)
