"""Keys of trees: each has one home."""

from __future__ import annotations

import inspect

import pytest

from flows.store.keys.trees import TreeKeys

LITERAL = {
    "tree": (("0193",), "flows:tree:0193"),
    "tasks": (("0193",), "flows:treetasks:0193"),
    "results": (("0193",), "flows:treeresults:0193"),
    "log": (("0193",), "flows:treelog:0193"),
    "holder": (("imports", "a b"), "flows:treekey:imports:a b"),
    "outbox": (("imports",), "flows:treedirty:imports"),
    "apps": ((), "flows:treeapps"),
    "rows": ((), "flows:treerows"),
    "indexed": (("imports",), "flows:trees:imports"),
    "indexed_realm": (("imports", "acme"), "flows:trees:imports:acme"),
    "working": (("imports",), "flows:treesworking:imports"),
    "changed": (("0193",), "flows:treechanged:0193"),
}


@pytest.mark.parametrize("name", LITERAL)
def test_keys_are_literal(name: str) -> None:
    """Without a namespace they stand as the docs have them; a namespace is put before, as it is."""
    arguments, key = LITERAL[name]
    assert getattr(TreeKeys(), name)(*arguments) == key
    assert getattr(TreeKeys("{a}:"), name)(*arguments) == f"{{a}}:{key}"


def test_every_key_is_in_this_list() -> None:
    """A new key has to be added here, and to the docs."""
    methods = {name for name, _ in inspect.getmembers(TreeKeys, inspect.isfunction) if not name.startswith("_")}
    assert methods == set(LITERAL)


def test_texts_of_users_make_no_strange_keys() -> None:
    """No realm has nothing behind the app; a long one, or one with a line's end, is its digest."""
    assert TreeKeys().indexed_realm("imports", "") == "flows:trees:imports:"
    for text in ("a\nb", "x" * 300):
        assert TreeKeys().indexed_realm("imports", text).startswith("flows:trees:imports:#sha256:")
        assert TreeKeys().holder("imports", text).startswith("flows:treekey:imports:#sha256:")
