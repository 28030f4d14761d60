"""Apps for the rows about amounts and deploys: each is some workflows of one row, by the name of that row."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from pydantic import BaseModel

from flows import Every, Step, Workflows
from flows.store.jobs.turns import Turn, Turns
from tests.faults.ledger import Ledger

#: Apart from the flow under test, whose audit looks elsewhere then.
NAMESPACE: Final = "runs:"
SLOTS: Final = 3
#: For how long a run of `held` has its slot.
HELD: Final = 0.02
#: Turns are told of whenever so many were taken.
_TURNS: Final = 20


class Given(BaseModel):
    """What a run begins with."""

    number: int = 0
    until_ms: int = 0


def make_large_app(  # noqa: PLR0913 - keyword-only
    url: str, ledger: Ledger, of: str, *, app: str = "faults", lease: float = 1.0, namespace: str = NAMESPACE
) -> Workflows:
    """Declare an app; nothing is connected yet.

    Args:
        url: The server, or a proxy before it.
        ledger: Where its steps write.
        of: Which of `APPS`.
        app: Its name.
        lease: In seconds.
        namespace: Before every key.
    """
    made = Workflows(app, redis_url=url, namespace=namespace, lease=lease, max_crashes=1_000)
    APPS[of](made, ledger)
    return made


def _map(made: Workflows, ledger: Ledger) -> None:
    @made.define("each", queue="map", max_concurrency=None)
    async def each(given: Given, step: Step) -> int:
        return await step.run("double", lambda: 2 * given.number)

    @made.define("all", queue="map", max_concurrency=None)
    async def all_of_them(given: Given, step: Step) -> int:
        found = await step.map("each", each, [Given(number=n) for n in range(given.number)])
        ledger.write("NOTE", step.run_id, what="joined", count=len(found))
        return sum(found)

    @made.define("other", queue="other", max_concurrency=None)
    async def other(step: Step) -> int:
        return step.attempt


def _slots(made: Workflows, ledger: Ledger) -> None:
    _count_turns(ledger)

    @made.define("held", max_concurrency=SLOTS)
    async def held(given: Given, step: Step) -> int:
        ledger.write("NOTE", step.run_id, what="held", at="begin")
        await asyncio.sleep(HELD)
        ledger.write("NOTE", step.run_id, what="held", at="end")
        return given.number


def _count_turns(ledger: Ledger) -> None:
    """Let the processes of this app tell how many turns they take, and how many of these neither end nor claim any."""
    read, seen, empty = Turns._read, 0, 0

    def counting(turns: Turns, reply: list[Any]) -> Turn:
        nonlocal seen, empty
        turn = read(turns, reply)
        seen, empty = seen + 1, empty + (not turn.words and not turn.jobs)
        if seen == _TURNS:
            ledger.write("NOTE", what="turns", seen=seen, empty=empty)
            seen = empty = 0
        return turn

    Turns._read = counting  # type: ignore[method-assign]


def _sleeps(made: Workflows, ledger: Ledger) -> None:
    del ledger

    @made.define("sleeps", max_concurrency=None)
    async def sleeps(given: Given, step: Step) -> int:
        await step.sleep_until("nap", datetime.fromtimestamp(given.until_ms / 1000, UTC))
        return given.number


def _full(made: Workflows, ledger: Ledger) -> None:
    @made.define("ten", max_concurrency=None)
    async def ten(given: Given, step: Step) -> int:
        async def work(name: str) -> int:
            ledger.write("NOTE", step.run_id, what="step", step=name, at="begin")
            await asyncio.sleep(0.05)
            return given.number

        return sum([await step.run(f"s{n}", work, f"s{n}") for n in range(10)])


def _release(*names: str) -> Callable[[Workflows, Ledger], None]:
    """Return what defines these workflows; each is started four times a second, and takes a nap between two steps."""

    def define(made: Workflows, ledger: Ledger) -> None:
        def add(name: str) -> None:
            @made.define(name, max_concurrency=None, cron=Every(0.25, id=name, overlap="allow", missed="all"))
            async def of_release(step: Step) -> str:
                def note(at: str) -> str:
                    ledger.write("NOTE", step.run_id, what="step", step=name, at=at)
                    return at

                await step.run("first", note, "begin")
                await step.sleep("nap", timedelta(seconds=0.3))
                return await step.run("second", note, "end")

        for name in names:
            add(name)

    return define


#: What each app defines. The releases: `dropped` is dropped, `before` is renamed `after`, `moved` moves to another app.
APPS: Final[dict[str, Callable[[Workflows, Ledger], None]]] = {
    "map": _map,
    "slots": _slots,
    "sleeps": _sleeps,
    "full": _full,
    "old": _release("kept", "dropped", "before", "moved"),
    "old of the other": _release("other"),
    "new": _release("kept", "after"),
    "new of the other": _release("other", "moved"),
}
