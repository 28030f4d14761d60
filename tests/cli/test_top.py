"""`flows top` by its keys, on what a program of somebody else has left in Redis."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from redis import Redis

from flows.api import jobs, queues
from flows.cli.options import Options
from flows.cli.top.board import Board, Jobs, Top
from flows.cli.top.command import top
from flows.cli.top.watching import Sure, Told, Watching
from flows.errors import StoreUnavailable
from flows.model.state import JobState
from tests.api.conftest import Left
from tests.cli.conftest import Command
from tests.waiting import LONG, until


class Terminal:
    """A terminal that shows the board of a flow."""

    def __init__(self, app: Top) -> None:
        self.app = app

    @property
    def screen(self) -> Watching:
        """The table that it shows, which may stand behind a question."""
        return next(one for one in reversed(self.app.screen_stack) if isinstance(one, Watching))

    @property
    def above(self) -> str:
        """The line above the table."""
        return str(self.screen.above.content)

    def cells(self) -> list[list[str]]:
        """Return what the table shows."""
        table = self.screen.table
        return [[str(text) for text in table.get_row_at(at)] for at in range(table.row_count)]

    def press(self, key: str) -> None:
        """Press a key, and wait for nothing: what it leads to is waited for."""
        self.app.simulate_key(key)

    async def on(self, kind: type[object]) -> None:
        """Wait until such a screen is shown."""
        await until(lambda: isinstance(self.app.screen, kind))

    async def told(self, text: str) -> None:
        """Wait until it has told something."""
        await until(lambda: any(text in one.message for one in self.app._notifications))

    async def search(self, text: str) -> None:
        """Say which rows."""
        self.press("slash")
        field = self.screen.field
        await until(lambda: field.has_focus)
        field.value = text
        self.press("enter")
        await until(lambda: self.screen.table.has_focus)


@asynccontextmanager
async def terminal(left: Left, role: str = "operator") -> AsyncIterator[Terminal]:
    """Show the flow `shop`."""
    async with left.admin(role) as admin:
        app = Top(admin, "shop", 0.1)
        app.animation_level = "none"
        app.NOTIFICATION_TIMEOUT = LONG  # type: ignore[misc]  # where the machine stands still they are gone unseen
        async with app.run_test(size=(80, 12)):
            shown = Terminal(app)
            await shown.on(Board)
            await until(lambda: shown.screen.rows)
            yield shown


async def test_the_board_shows_and_acts_on_queues(left_to_act: Left) -> None:
    """What they hold; a pause is asked for; all that failed is retried; a viewer is told that it may not."""
    async with terminal(left_to_act) as top, left_to_act.admin() as admin:
        assert top.cells()[0][0] == "shop-price"
        assert "NO WORKERS" in top.cells()[0][-1]
        assert "2 failed" in top.above
        await top.search("price")
        await until(lambda: len(top.cells()) == 1)
        top.press("p")
        await top.on(Sure)
        top.press("n")
        await top.on(Board)
        assert not (await queues.show(admin, queue="shop-price")).queues[0].paused
        top.press("p")
        await top.on(Sure)
        top.press("y")
        await top.told("shop-price: paused")
        await until(lambda: "paused" in top.cells()[0][-1])
        top.press("r")
        await top.on(Sure)
        top.press("y")
        await top.told("2 retried")
        await until(lambda: " 0 failed" in top.above)
        top.press("question_mark")
        await top.on(Told)
        top.press("escape")
        await top.on(Board)
    async with terminal(left_to_act, "viewer") as top:
        top.press("p")
        await top.on(Sure)
        top.press("y")
        await top.told("operator")


async def test_it_tells_soon_that_redis_is_away(left: Left, monkeypatch: pytest.MonkeyPatch) -> None:
    """Redis has a second to answer, not as long as a worker waits."""
    seen: list[float | None] = []

    async def show(app: Top) -> None:
        seen.append(app.admin.link.within)

    monkeypatch.setattr(Top, "run_async", show)
    assert await top(options=Options(left.url, left.namespace)) == 0
    assert seen == [1.0]


async def test_the_jobs_of_a_queue(left_to_act: Left) -> None:
    """Found by a query, explained, retried, cancelled and deleted; what a job holds is only shown."""
    failed = left_to_act.ids["failed"]
    with Redis.from_url(left_to_act.url) as redis:
        evil = json.dumps("[red]\x1b[2J\u202eevil", ensure_ascii=False)
        redis.hset(f"{left_to_act.namespace}job:shop:{failed}", "email", evil)
    async with terminal(left_to_act) as top, left_to_act.admin() as admin:
        top.press("enter")
        await top.on(Jobs)
        await until(lambda: len(top.cells()) >= 4)
        await top.search(f"id:{failed}")
        await until(lambda: len(top.cells()) == 1)
        [row] = top.cells()
        assert row[:2] == [failed, "failed"]
        assert "[red]" in "".join(row)
        assert not {"\x1b", "\u202e"} & set("".join(row))
        top.press("enter")
        await top.on(Told)
        top.press("escape")
        top.press("r")
        await top.told(f"{failed}: retried")
        await until(lambda: top.cells()[0][1] == "waiting")
        top.press("r")
        await top.told("is waiting")
        for key, state in (("c", "cancelled"), ("d", None)):
            top.press(key)
            await top.on(Sure)
            top.press("y")
            await until(lambda state=state: [row[1] for row in top.cells()] == ([state] if state else []))  # type: ignore[misc]
        await top.search("usr:7")
        await until(lambda: "no lookup attribute 'usr'" in top.above)
        top.press("escape")
        await top.on(Board)
        assert (await jobs.show(admin, left_to_act.ids["failed2"])).state == JobState.FAILED


async def test_it_keeps_what_it_has_seen(left_to_act: Left, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the server is away, and says since when; held, it reads nothing."""
    async with terminal(left_to_act) as top:

        async def away() -> tuple[list[object], str]:
            raise StoreUnavailable("no server")

        monkeypatch.setattr(top.screen, "read", away)
        await until(lambda: "s ago: no server" in top.above)
        assert top.cells()[0][0] == "shop-price"
        top.press("full_stop")
        await top.told("held")
        await until(lambda: not top.screen._looking.locked())
        monkeypatch.undo()
        assert "s ago: no server" in top.above
        top.press("full_stop")
        await until(lambda: "2 failed" in top.above)


def test_what_it_cannot_do_is_refused(command: Command) -> None:
    """Before anything is drawn."""
    assert command("top", "--every", "0")[0] == 2
