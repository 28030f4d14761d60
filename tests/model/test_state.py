"""The state table, which both Python and Lua live by."""

from __future__ import annotations

import pytest

from flows.model.state import TERMINAL, TRANSITIONS, JobState

#: The table of the design, from → to.
EDGES = {
    "waiting": {"processing", "failed", "cancelled", "waiting"},
    "delayed": {"waiting", "cancelled"},
    "processing": {"waiting", "done", "delayed", "failed", "cancelled", "children"},
    "children": {"waiting", "done", "failed", "cancelled"},
    "done": set[str](),
    "failed": {"waiting"},
    "cancelled": {"waiting"},
}


def reachable(start: JobState) -> set[JobState]:
    """Return the states that can be reached from one."""
    found: set[JobState] = set()
    ahead = [start]
    while ahead:
        for state in TRANSITIONS[ahead.pop()] - found:
            found.add(state)
            ahead.append(state)
    return found


def test_the_table_is_the_one_of_the_design() -> None:
    """Edge for edge."""
    assert {str(state): {str(to) for to in after} for state, after in TRANSITIONS.items()} == EDGES


def test_every_state_has_its_row() -> None:
    """And states are stored by the lower-case texts that the documents use."""
    assert set(TRANSITIONS) == set(JobState)
    assert all(state.value == state.name.lower() for state in JobState)


def test_a_job_ends_in_one_of_three_states() -> None:
    """From an end only `retry_job` leads on, into waiting; done is for good."""
    assert {JobState.DONE, JobState.FAILED, JobState.CANCELLED} == TERMINAL
    assert not TRANSITIONS[JobState.DONE]
    assert all(TRANSITIONS[state] <= {JobState.WAITING} for state in TERMINAL)


@pytest.mark.parametrize("start", [JobState.WAITING, JobState.DELAYED])
def test_every_state_can_be_reached_and_every_job_can_end(start: JobState) -> None:
    """From where jobs enter, and no state is a trap."""
    assert reachable(start) | {start} == set(JobState)
    assert all(reachable(state) & TERMINAL for state in JobState if state not in TERMINAL)


def test_only_waiting_leads_to_itself() -> None:
    """A job that waits may be moved to another queue; what goes back to its own has been something else meanwhile."""
    assert [state for state, after in TRANSITIONS.items() if state in after] == [JobState.WAITING]


def test_the_table_cannot_be_changed() -> None:
    """It is written in one place."""
    with pytest.raises(TypeError):
        TRANSITIONS[JobState.DONE] = frozenset()  # type: ignore[index]  # pyright: ignore[reportIndexIssue]
