"""The table of an attempt's moves, which the documents draw and the kernel lives by."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from flows.model.attempt_state import ATTEMPT_MOVES, AttemptState

STATES = Path(__file__).resolve().parents[2] / "docs" / "states.md"


def test_every_state_has_its_row() -> None:
    """And is written by the lower-case text that the documents use."""
    assert set(ATTEMPT_MOVES) == set(AttemptState)
    assert all(state.value == state.name.lower() for state in AttemptState)


def test_every_state_can_be_reached_and_every_attempt_comes_to_its_end() -> None:
    """From ready on; no state is a trap before one of the three in which an attempt stays."""
    ends = {AttemptState.REPORTED, AttemptState.ABANDONED, AttemptState.LOST}

    def reachable(start: AttemptState) -> set[AttemptState]:
        found: set[AttemptState] = set()
        ahead = [start]
        while ahead:
            for state in ATTEMPT_MOVES[ahead.pop()] - found:
                found.add(state)
                ahead.append(state)
        return found

    assert reachable(AttemptState.READY) == set(AttemptState) - {AttemptState.READY}
    assert all(reachable(state) & ends for state in set(AttemptState) - ends)
    assert all(ATTEMPT_MOVES[state] <= ends for state in ends)


def test_the_drawing_shows_the_table() -> None:
    """docs/states.md draws each move once, and no other."""
    drawing = STATES.read_text("utf-8").split("## An attempt in its worker")[1].split("```")[1]
    drawn = re.findall(r"^\s*(\w+) --> (\w+)", drawing, re.MULTILINE)
    moves = {(str(state), str(to)) for state, after in ATTEMPT_MOVES.items() for to in after}
    assert sorted(drawn) == sorted(moves)


def test_the_table_cannot_be_changed() -> None:
    """It is written in one place."""
    with pytest.raises(TypeError):
        ATTEMPT_MOVES[AttemptState.LOST] = frozenset()  # type: ignore[index]  # pyright: ignore[reportIndexIssue]
