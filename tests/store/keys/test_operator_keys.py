"""Keys of operators: each has one home."""

from __future__ import annotations

import inspect

import pytest

from flows.store.keys.operators import OperatorKeys

LITERAL = {
    "actions": ((), "flows:actions"),
    "dump": (("p1",), "flows:dump:p1"),
}


@pytest.mark.parametrize("name", LITERAL)
def test_keys_are_literal(name: str) -> None:
    """Without a namespace they stand as the docs have them; a namespace is put before, as it is."""
    arguments, key = LITERAL[name]
    assert getattr(OperatorKeys(), name)(*arguments) == key
    assert getattr(OperatorKeys("{a}:"), name)(*arguments) == f"{{a}}:{key}"


def test_every_key_is_in_this_list() -> None:
    """A new key has to be added here, and to the docs."""
    methods = {name for name, _ in inspect.getmembers(OperatorKeys, inspect.isfunction) if not name.startswith("_")}
    assert methods == set(LITERAL)
