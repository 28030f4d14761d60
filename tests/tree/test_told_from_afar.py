"""A task that was handed over tells how far it is: it is written while it runs, and takes no end's place."""

from __future__ import annotations

from dataclasses import replace

import pytest

from flows.tree.backend.protocol import Outcome, Progress
from flows.tree.declare import Task
from flows.tree.trees import Trees
from tests.tree.in_memory import trees_in_memory
from tests.tree.kernel_world import Number, Site, World, tree_of
from tests.tree.mail import Mail
from tests.waiting import LONG, until


@pytest.fixture
def mail() -> Mail:
    """Return what tasks are handed over to."""
    return Mail()


@pytest.fixture(params=["workers", "here"])
def trees(request: pytest.FixtureRequest, redis_url: str, namespace: str, mail: Mail) -> Trees:
    """Return an app whose executions are runs, and one that executes in this process."""
    if request.param == "here":
        made = trees_in_memory("imports", backends={"mail": mail})
    else:
        made = World(redis_url, namespace).trees(backends={"mail": mail})
    return made


async def test_progress_comes_before_the_end(trees: Trees, mail: Mail) -> None:
    """What is of another attempt or comes late changes nothing."""

    async def never(view: Number) -> int:
        raise NotImplementedError

    made = tree_of(trees, Task("a", never, backend="mail"))
    async with trees:
        instance = await made.create(Site())
        execution = await instance.execute_all()
        await until(lambda: mail.orders)
        order = mail.orders[0]

        async def is_at(value: float, message: str) -> bool:
            one = (await instance.state()).tasks["#.a"]
            return (one.status, one.progress, one.message) == ("running", value, message)

        for value, message in ((0.25, "a quarter"), (0.5, "half")):
            mail.give(order, Progress(value, message))
            await until(lambda value=value, message=message: is_at(value, message))  # type: ignore[misc]
        mail.give(replace(order, attempt=7), Progress(0.9))
        mail.give(replace(order, execution="another one"), Progress(0.9))
        mail.give(order, Progress(0.75, "more"))
        await until(lambda: is_at(0.75, "more"))
        mail.give(order, Outcome(b"3"))
        assert (await execution.wait(LONG)).tasks["#.a"].status == "ok"
        mail.give(order, Progress(0.8, "late"))
        mail.give(order, Outcome(b"4"))
        await until(mail.back.empty)
        state = await instance.state()
        assert (state.tasks["#.a"].status, state.tasks["#.a"].message, state.progress) == ("ok", "", 1.0)
        assert await instance.result("#.a", int) == 3
