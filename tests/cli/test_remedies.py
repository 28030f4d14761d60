"""What `flows explain` advises as a command is one that the command line takes, for each reason that has one."""

from __future__ import annotations

from typing import Any

import pytest

from flows.__main__ import _app
from flows.api.views.jobs import ExplanationView
from flows.cli.remedies import _COMMANDS, command_for
from flows.model.explain.reasons import REASONS


def view(flow: str, reason: str, **facts: Any) -> ExplanationView:
    """Return an explanation."""
    return ExplanationView(id="01a2", flow=flow, sentence="", reason=reason, remedy="", facts=facts)


@pytest.mark.parametrize("key", sorted(_COMMANDS))
def test_each_command_is_one(key: str) -> None:
    """It is read as the command line would, with a number in place of what is for people to choose."""
    flow, reason = key.split(" ") if " " in key else ("shop", key)
    assert reason in {row.name for row in REASONS}
    words = command_for(view(flow, reason, queue="pack", limiter=("pack:1", 5, 5))).replace("NUMBER", "5").split(" ")
    _app().parse_args(words[1:], print_error=False, exit_on_error=False)


def test_what_has_ended_is_retried_where_it_can_be() -> None:
    """As a job or as a run; not what is done, and no child."""
    assert command_for(view("shop", "ended", status="failed")) == "flows jobs retry 01a2"
    assert command_for(view("run", "ended", status="cancelled")) == "flows runs retry 01a2"
    assert command_for(view("shop", "ended", status="done")) == ""
    assert command_for(view("shop", "ended", status="failed", parent="shop:7")) == ""
