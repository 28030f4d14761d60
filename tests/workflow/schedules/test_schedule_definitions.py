"""`define(cron=…)`: what is declared is checked there, and what another release has edited stays."""

from __future__ import annotations

from typing import Any

import pytest

from flows import DeclarationError, Slots, Step, Workflows
from flows.model.schedules.cron import Cron
from flows.model.schedules.every import Every
from flows.workflow.schedule_definitions import schedules_of
from tests.workflow.parts import Order, make_app


@pytest.fixture
def app(redis_url: str, namespace: str) -> Workflows:
    """Make an app in the test's namespace."""
    return make_app(redis_url, namespace)


def test_a_schedule_starts_runs_as_the_workflow_does(app: Workflows) -> None:
    """With its input, the lists by which it is found, and its place among versions; the only one has its name."""
    order = {"id": "a", "cents": 4}

    @app.define("report", lookup=["id"], max_concurrency=Slots(2, id="gpu"), cron=Every(60, input=order))
    async def report(order: Order, step: Step) -> None:
        del order, step

    [one] = schedules_of(report)
    assert (one.id, one.most, one.run.workflow, one.run.input) == ("report", 2, "report", b'{"id":"a","cents":4}')
    assert one.run.lookups == (("workflow", "report"), ("id", "a"))
    run = one.run_of(60_000)
    assert run.id != one.run_of(60_000).id
    assert ("_schedule", b"60000 report") in run.fields


@pytest.mark.parametrize(
    ("cron", "says"),
    [
        ("0 9 * * *", "give a Cron"),
        (["0 9 * * *"], "give a Cron"),
        (5, "give a Cron"),
        ([Every(60, input={"id": "a", "cents": 1}), Every(70, input={"id": "a", "cents": 1})], "two of its schedules"),
        (Every(60), "the input of its schedule 'report'"),
        (Every(60, input={"id": "a", "cents": "many"}), "the input of its schedule 'report'"),
    ],
)
def test_what_cannot_be_scheduled_is_refused_at_define(app: Workflows, cron: Any, says: str) -> None:
    """Nothing is defined then."""

    async def report(order: Order, step: Step) -> None:
        del order, step

    with pytest.raises(DeclarationError, match=says):
        app.define("report", cron=cron)(report)
    app.define("report", cron=[])(report)


def test_two_workflows_have_other_schedules(app: Workflows) -> None:
    """One id names one schedule of all apps."""

    async def report(step: Step) -> None:
        del step

    app.define("a", cron=Every(60, id="daily"))(report)
    with pytest.raises(DeclarationError, match="'a' and 'b' have a schedule 'daily' each"):
        app.define("b", cron=Cron("@daily", id="daily"))(report)
