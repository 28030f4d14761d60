"""What a flow leaves behind: what a declaration of it refuses, and the lines by which scripts know it."""

from __future__ import annotations

import re
from typing import Any

import pytest

from flows import DeclarationError, Endings, FlowOptions, Job, QueueOptions
from flows.model.endings.outbox import Outbox, ReportsTo
from flows.store.jobs.flow_settings import FlowSettings

DAY_MS = 86_400_000


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"days": 0}, "endings: days=0: give a positive whole number"),
        ({"days": 40_000}, "endings: days=40000: give at most 36,525"),
        ({"most": True}, "endings: most=True: give a positive whole number"),
        ({"fields": "type"}, "endings: fields='type': give a list"),
        ({"fields": ["no name"]}, "the field 'no name' is no field name"),
        ({"fields": ["type", "type"]}, "the field 'type' is no field name, or is named twice"),
        ({"fields": [5]}, "the field 5 is no field name"),
        ({"fields": ["error"]}, "an ending has 'error' of its own: name another field"),
        ({"fields": list("abcdefghi")}, "endings: 9 fields: name at most 8"),
    ],
)
def test_what_cannot_be_kept_is_refused(options: dict[str, Any], said: str) -> None:
    """Where it is declared, with what to give instead."""
    with pytest.raises(DeclarationError, match=re.escape(said)):
        Endings(**options)


def test_a_flow_that_shares_queues_has_no_log() -> None:
    """Workers of other flows end its jobs, and know nothing of its log."""
    queues = [QueueOptions("pick", Job, shared=True)]
    with pytest.raises(DeclarationError, match="'shop' has endings= and shares the queue 'pick'"):
        FlowOptions("shop", queues, endings=Endings())
    options: Any = {"endings": 5}
    with pytest.raises(DeclarationError, match=r"endings=5: give a flows\.Endings"):
        FlowOptions("shop", [QueueOptions("pick", Job)], **options)


def test_lines_of_settings() -> None:
    """One for the log, and one for each reporter; nothing where nothing is left behind."""
    reports = (ReportsTo("mail.reports:audit"), ReportsTo("mail.reports:slack", {"failed"}, {"sms", "mail"}))
    assert Outbox().lines == Outbox(fields=("type",)).lines == ""
    assert Outbox(Endings(2, 50, ["type", "tenant"])).lines == f"@ 50 {2 * DAY_MS} type,tenant"
    assert Outbox(Endings()).lines == f"@ 1000000 {30 * DAY_MS} -"
    assert Outbox(None, reports, ("type",)).lines.split("\n") == [
        "@ 0 0 type",
        "> mail.reports:audit cancelled,done,failed *",
        "> mail.reports:slack failed mail,sms",
    ]


def test_scripts_of_a_flow_with_a_log_are_others() -> None:
    """And those of a flow without one are plain."""
    queues = [QueueOptions("pick", Job)]
    plain, logging = FlowOptions("shop", queues), FlowOptions("shop", queues, endings=Endings(1, 5))
    assert FlowSettings.of(plain).overlays("pick") == ()
    settings = FlowSettings.of(logging)
    assert settings.overlays("pick") == ("outbox",)
    assert settings.packed.split("\n")[1:] == [f"@ 5 {DAY_MS} -"]
