"""Keys of schedules: each has one home."""

from __future__ import annotations

import inspect

import pytest

from flows.store.keys.schedules import ScheduleKeys

LITERAL = {
    "schedules": ((), "flows:schedules"),
    "schedule": (("a:b c",), "flows:schedule:a:b c"),
    "fired": (("daily",), "flows:fired:daily"),
    "declared": (("shop",), "flows:declared:shop"),
}


@pytest.mark.parametrize("name", LITERAL)
def test_keys_are_literal(name: str) -> None:
    """Without a namespace they stand as the docs have them; a namespace is put before, as it is."""
    arguments, key = LITERAL[name]
    assert getattr(ScheduleKeys(), name)(*arguments) == key
    assert getattr(ScheduleKeys("{a}:"), name)(*arguments) == f"{{a}}:{key}"


def test_every_key_is_in_this_list() -> None:
    """A new key has to be added here, and to the docs."""
    methods = {name for name, _ in inspect.getmembers(ScheduleKeys, inspect.isfunction) if not name.startswith("_")}
    assert methods == set(LITERAL)
