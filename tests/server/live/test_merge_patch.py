"""A patch turns one state into the other, whatever they are; it is small where they are alike."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from flows.server.live.merge_patch import ORDER, apply_patch, as_state, merge_patch

_LEAVES = st.none() | st.booleans() | st.integers(-3, 3) | st.floats(-1, 1) | st.text(max_size=2)
_VALUES = st.recursive(
    _LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3)
)
_STATES = st.dictionaries(st.text(max_size=2), _VALUES, max_size=4).map(as_state)


@given(_STATES, _STATES)
def test_the_patch_makes_the_new_state_of_the_old(old: dict[str, Any], new: dict[str, Any]) -> None:
    """Also where a member changes between an object and something else, or from 1 to True."""
    patched = apply_patch(old, merge_patch(old, new))
    assert json.dumps(patched, sort_keys=True) == json.dumps(new, sort_keys=True)


@given(_STATES)
def test_nothing_changed_is_an_empty_patch(state: dict[str, Any]) -> None:
    """So that who looks at its size knows that there is nothing to send."""
    assert merge_patch(state, state) == {}


def test_a_list_of_things_with_names_is_patched_thing_by_thing() -> None:
    """One queue of a board changes: the patch has that queue, and of it what changed."""
    board = [{"name": "a", "waiting": 1, "next": None}, {"name": "b", "waiting": 2}]
    old = as_state({"queues": board})
    new = as_state({"queues": [board[0], {"name": "b", "waiting": 3}]})
    assert old == {"queues": {ORDER: ["a", "b"], "a": {"name": "a", "waiting": 1}, "b": {"name": "b", "waiting": 2}}}
    assert merge_patch(old, new) == {"queues": {"b": {"waiting": 3}}}


def test_things_whose_names_meet_stay_a_list() -> None:
    """Nothing is lost: such a list is replaced as a whole."""
    twice = {"queues": [{"name": "a"}, {"name": "a", "n": 1}]}
    assert as_state(twice) == twice
