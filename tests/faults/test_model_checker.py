"""The search of the small model: nothing bad can be reached, and without any one guard something bad can."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

from tests.faults import small_family, small_model, small_scripts
from tests.faults.model_checker import search
from tests.faults.small_cases import CASES, EVERY_DAY
from tests.faults.small_steps import Case

#: In which case the search finds what goes wrong without a guard, and the number of the invariant that breaks.
GUARDS: Final = {
    "attempts:cancel": ("road: lost, again, client, client", "I14"),
    "await_children:failed": ("built family: lost", "I8"),
    "await_children:forget": ("built family: lost", "I8"),
    "await_children:none": ("built family: lost", "I8"),
    "build:built": ("built family: lost", "I4"),
    "build:offset": ("built family: lost", "I1"),
    "cancel:exists": ("road: crash, stall, client, damage", "I2"),
    "cancel:noted": ("family that may continue: crash, client", "I14"),
    "cancel:open": ("road: lost, again, client, client", "a script stops"),
    "cancel:running": ("road: lost, again, client, client", "I14"),
    "child_failed:policy": ("family that may continue: stall, damage", "I8"),
    "claim:isolated": ("crowd: crash, crash, crash", "I5"),
    "claim:exists": ("road: again, damage", "I2"),
    "claim:fence": ("road: again, damage", "I4"),
    "claim:queue": ("road: again, damage", "I1"),
    "claim:status": ("road: again, damage", "I6"),
    "join:parent waits": ("built family: lost", "I8"),
    "once:same call": ("road: lost, again, client, client", "I6"),
    "owned:fence": ("road: again, damage", "I7"),
    "owned:queue": ("road: crash, stall, client, damage", "I7"),
    "owned:status": ("crowd: crash, stall", "I7"),
    "owned:worker": ("road: crash, stall, client, damage", "I7"),
    "promote:queue": ("road: again, damage", "I1"),
    "promote:status": ("road: again, damage", "I6"),
    "publish:once": ("built family: lost", "I8"),
    "rescue:cancel": ("family that may continue: crash, client", "I14"),
    "rescue:crashes": ("crowd: crash, crash, crash", "I5"),
    "rescue:over": ("road: again, damage", "I3"),
    "rescue:queue": ("road: again, damage", "I3"),
    "rescue:status": ("road: again, damage", "I6"),
    "retry_job:cancelling": ("family that may continue: client, client", "I2"),
    "retry_job:ended": ("road: lost, again, client, client", "I1"),
    "retry_job:flag": ("road: lost, again, client, client", "I14"),
    "retry_job:pending": ("built family: client", "I8"),
    "settle:last": ("built family: lost", "I8"),
    "settle:missing child": ("family that may fail: stall, damage", "from here the jobs never end"),
    "settle:parent ended": ("built family: lost", "I6"),
    "settle:parent gone": ("family that may fail: stall, damage", "I2"),
    "settle:parent waits": ("built family: lost", "I2"),
    "settle:pending": ("built family: client", "I8"),
    "turn:isolated": ("crowd: crash, crash, crash", "I5"),
    "turn:late number": ("crowd: lost, again", "I3"),
    "turn:same number": ("crowd: lost, again", "I4"),
}
#: Guards that others stand before in this model, and what would have to happen for them to matter.
BEHIND_OTHERS: Final = {
    "build:visit": "a second parent queue of the same flow, reached with children of the first half built",
    "child_failed:parent waits": "a caller that has not looked: both have",
    "status:edge": "a transition whose own guard is missing",
}
CASE: Final = {case.name: case for case in EVERY_DAY}


@pytest.mark.timeout(7200)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_nothing_bad_can_be_reached(case: Case) -> None:
    """Every state holds every invariant, and from every state all jobs can end."""
    found = search(case)
    assert not found.fault, str(found)
    assert found.states > 100


@pytest.mark.parametrize("guard", GUARDS)
def test_every_guard_is_needed(guard: str) -> None:
    """Without it the search finds a way to break an invariant."""
    name, fault = GUARDS[guard]
    found = search(CASE[name], frozenset({guard}))
    assert found.fault.startswith(fault), str(found)
    assert found.trace


@pytest.mark.parametrize("guard", BEHIND_OTHERS)
def test_some_guards_stand_behind_others(guard: str) -> None:
    """Their absence alone changes nothing in the smallest cases; should it, the list above is to be mended."""
    for name in ("road: again, damage", "built family: lost", "crowd: lost, again"):
        assert not search(CASE[name], frozenset({guard})).fault


def test_the_last_guard_holds_where_the_first_is_missing() -> None:
    """The table of moves stops a script whose own guard is missing; without both, what has ended begins again."""
    found = search(CASE["road: lost, again, client, client"], frozenset({"cancel:open", "status:edge"}))
    assert found.fault.startswith(("I6", "I14")), str(found)


def test_every_guard_of_the_model_is_in_a_list() -> None:
    """A guard that is added to the model has to be looked for."""
    texts = [
        Path(str(module.__file__)).read_text(encoding="utf-8") for module in (small_model, small_family, small_scripts)
    ]
    named = {guard for text in texts for guard in re.findall(r"""\.on\("([^"]+)"\)""", text)}
    assert named == {*GUARDS, *BEHIND_OTHERS}
