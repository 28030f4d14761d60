"""Keys: each has one home, and no two of them meet."""

from __future__ import annotations

import inspect

import pytest

from flows.store.keys.jobs import JobKeys

LITERAL = {
    "job": (("shop", "1"), "job:shop:1"),
    "lookup": (("shop", "name", "Joe"), "job:shop:name:Joe"),
    "settled": (("shop", "1", "pack"), "job:shop:1:children:pack"),
    "waiting": (("pack",), "queue:pack:waiting"),
    "processing": (("pack",), "queue:pack:processing"),
    "delayed": (("pack",), "queue:pack:delayed"),
    "children": (("pack",), "queue:pack:children"),
    "meta": (("pack",), "queue:pack:meta"),
    "settings": (("access",), "flows:settings:access"),
    "stale": (("pack",), "queue:pack:stale"),
    "ended_jobs": (("pack", "failed"), "flows:ended:pack:failed"),
    "endings": (("shop", "failed"), "flows:endings:shop:failed"),
    "errors": (("shop", "unknown-order"), "flows:errors:shop:unknown-order"),
    "error_types": (("shop",), "flows:error_types:shop"),
    "declarations": (("shop",), "flows:flow:shop"),
    "processes": (("shop",), "flows:processes:shop"),
    "process": (("shop", "p1"), "flows:process:shop:p1"),
    "workers": (("pack",), "flows:workers:pack"),
    "stats": (("pack",), "flows:stats:pack"),
    "changed": (("shop",), "flows:changed:shop"),
    "names": ((), "flows:names"),
    "history": ((), "flows:history"),
    "queues": (("shop",), "flows:queues:shop"),
    "never": (("a",), "flows:never:a"),
    "wake": (("pack",), "flows:wake:pack"),
    "timer": (("pack",), "flows:timer:pack"),
    "call": (("w1",), "flows:call:w1"),
    "pending": (("shop", "1"), "flows:pending:shop:1"),
    "building": (("shop", "1"), "flows:building:shop:1"),
    "parents": (("pack:box",), "flows:parents:pack:box"),
    "log": (("shop", "1"), "flows:log:shop:1"),
    "stream": (("shop", "1"), "job:shop:1:stream"),
    "streamed": (("shop", "1"), "flows:streamed:shop:1"),
    "reconcile": (("shop",), "flows:reconcile:shop"),
    "prune": (("shop",), "flows:prune:shop"),
    "cancelling": (("shop",), "flows:cancelling:shop"),
    "ended": (("shop", "1"), "flows:ended:shop:1"),
    "heard": (("shop",), "flows:heard:shop"),
    "cancel": (("pack:box",), "flows:cancel:pack:box"),
}


@pytest.mark.parametrize("name", LITERAL)
def test_keys_are_literal(name: str) -> None:
    """Without a namespace they stand as the docs have them; a namespace is put before, as it is."""
    arguments, key = LITERAL[name]
    assert getattr(JobKeys(), name)(*arguments) == key
    assert getattr(JobKeys("{a}:"), name)(*arguments) == f"{{a}}:{key}"


def test_every_key_is_in_this_list() -> None:
    """A new key has to be added here, and to the docs."""
    methods = {name for name, _ in inspect.getmembers(JobKeys, inspect.isfunction) if not name.startswith("_")}
    assert methods == set(LITERAL)


def test_the_default_priority_has_no_number() -> None:
    """Priority 1 is the plain list; others stand beside it."""
    keys = [JobKeys().waiting("pack", priority) for priority in (1, 2, 10)]
    assert keys == ["queue:pack:waiting", "queue:pack:waiting:2", "queue:pack:waiting:10"]


def test_a_child_queue_is_a_queue() -> None:
    """Its jobs bear its full name, to any depth."""
    assert JobKeys().waiting("pack:box:lid") == "queue:pack:box:lid:waiting"
    assert JobKeys().job("pack:box:lid", "5") == "job:pack:box:lid:5"
