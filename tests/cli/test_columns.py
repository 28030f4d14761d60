"""What lists look like in a terminal where columns say more than members: groups that are parked, and stacks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from flows.api.views.flows import GroupView
from flows.api.views.workers import StackView
from flows.cli.printing import print_table


def group(name: str, *, until: datetime | None = None, parked: bool = True, held: bool = False) -> GroupView:
    """Return a group."""
    state = {"parked": parked, "until": until, "held": held}
    return GroupView(group=name, share=1, waiting=3, in_flight=None, oldest=None, limits=[], **state)


def test_groups_say_why_they_are_parked(capsys: pytest.CaptureFixture[str]) -> None:
    """Held, or at a limit, and for how long."""
    later = datetime.now(UTC) + timedelta(minutes=5, seconds=5)
    print_table([group("a", parked=False), group("b"), group("c", until=later), group("d", until=later, held=True)])
    _head, first, *lines = capsys.readouterr().out.splitlines()
    assert first.split() == ["a", "3", "-", "1"]
    for line, why in zip(lines, ["at its limit", "at its limit for 5m", "held for 5m"], strict=True):
        assert line.rstrip().endswith(f" {why}")


def test_a_frame_has_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    """The outermost first, with how many are there."""
    print_table([StackView(kind="task", count=3, frames=["a.py:1 first", "b.py:2 second"])])
    assert [line.split() for line in capsys.readouterr().out.splitlines() if line.strip()] == [
        ["task", "3", "a.py:1", "first"],
        ["b.py:2", "second"],
    ]
