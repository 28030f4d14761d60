"""A screen with a table that is read again and again, and keeps what it has seen while the server is away."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, ClassVar, cast

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen, Screen
from textual.widgets import DataTable, Footer, Input, Label, Static

from flows.api import problem_of
from flows.cli.clean import one_line
from flows.cli.columns import COLUMNS
from flows.cli.printing import cell
from flows.errors import FlowsError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from textual.app import App, ComposeResult


class Watching(Screen[None]):
    """A table of rows, a line above it, and a field for a text that says which of them.

    Args:
        kind: The model of its rows, which says its columns.
        every: It is read again after so many seconds.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "ask", "Search", key_display="/"),
        Binding("escape", "leave", "Back"),
        Binding("full_stop", "hold", "Hold", key_display="."),
    ]

    def __init__(self, kind: str, every: float) -> None:
        super().__init__()
        self.columns = COLUMNS[kind]
        self.above = Static(id="above", markup=False)
        self.table: DataTable[Text] = DataTable(cursor_type="row", zebra_stripes=True, id="rows")
        self.field = Input(id="wanted", placeholder="which of them; empty for all")
        self.wanted = ""
        self.rows: list[Any] = []
        self.every = every
        self._held = False
        self._looking = asyncio.Lock()
        self._seen = time.monotonic()

    async def read(self) -> tuple[list[Any], str]:
        """Return the rows and what stands above them."""
        raise NotImplementedError

    def compose(self) -> ComposeResult:
        """Lay out the line, the table and the field."""
        yield self.above
        yield self.table
        yield self.field
        yield Footer()

    def on_mount(self) -> None:
        """Begin to read."""
        self.field.display = False
        for column in self.columns:
            self.table.add_column(column.title)
        self.table.focus()
        self._look_again()
        self.set_interval(self.every, self._look_again)

    @property
    def row(self) -> Any:
        """The row under the cursor; None where there is none."""
        at = self.table.cursor_row
        return self.rows[at] if 0 <= at < len(self.rows) else None

    @property
    def top(self) -> App[None]:
        """The app."""
        return cast("App[None]", self.app)  # pyright: ignore[reportUnknownMemberType]

    def _look_again(self) -> None:
        if not (self._held or self._looking.locked()):
            self.run_worker(self.look(), group="look")

    async def look(self) -> None:
        """Read once, and draw what has changed; where that fails the rows stay, and the line says since when."""
        async with self._looking:
            try:
                rows, above = await self.read()
            except FlowsError as error:
                if not self.is_running:
                    return
                age = time.monotonic() - self._seen
                self._say(f"as it was {age:.0f} s ago: {one_line(problem_of(error).detail)}")
                return
            if not self.is_running:  # it was left meanwhile
                return
            self._seen = time.monotonic()
            self._say(above)
            self._draw(rows)

    def _say(self, text: str) -> None:
        self.above.update(Text(text))

    def _draw(self, rows: list[Any]) -> None:
        table, before = self.table, [_key(row) for row in self.rows]
        here, self.rows = self.row, rows
        cells = [[cell(column.of(row)) for column in self.columns] for row in rows]
        if before == [_key(row) for row in rows]:
            for at, line in enumerate(cells):
                for column, text in enumerate(line):
                    if table.get_cell_at((at, column)) != text:  # type: ignore[arg-type]
                        table.update_cell_at((at, column), text)  # type: ignore[arg-type]
            return
        table.clear()
        for row, line in zip(rows, cells, strict=True):
            table.add_row(*line, key=_key(row))
        if here is not None and _key(here) in (keys := [_key(row) for row in rows]):
            table.move_cursor(row=keys.index(_key(here)))

    # What keys do

    def action_ask(self) -> None:
        """Ask for a text that says which rows."""
        self.field.display = True
        self.field.focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Take the text, and read; keys go on meanwhile."""
        self.wanted = event.value.strip()
        self._put_away()
        self.run_worker(self.look(), group="look")

    def action_leave(self) -> None:
        """Leave the field, or the screen."""
        if self.field.display:
            self._put_away()
        elif len(self.top.screen_stack) > 2:  # noqa: PLR2004 - the app's own, and the board
            self.top.pop_screen()

    def action_hold(self) -> None:
        """Read no more, until it is pressed again."""
        self._held = not self._held
        self.notify("held: `.` goes on" if self._held else "goes on", markup=False)

    def _put_away(self) -> None:
        self.field.display = False
        self.table.focus()

    def do(self, work: Callable[[], Awaitable[str]], sure: str = "") -> None:
        """Do something and tell its word, or why it is refused; then read again.

        Args:
            work: Does it, and returns what it has done.
            sure: A question that has to be answered with yes before.
        """
        self.run_worker(self._do(work, sure), group="act")

    async def _do(self, work: Callable[[], Awaitable[str]], sure: str) -> None:
        if sure and not await self.top.push_screen_wait(Sure(sure)):
            return
        try:
            self.notify(one_line(await work(), 500), markup=False)
        except FlowsError as error:
            self.notify(one_line(problem_of(error).detail, 1000), severity="error", markup=False)
        await self.look()


class Sure(ModalScreen[bool]):
    """A question: y or n."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "dismiss(True)", "Yes"),
        Binding("n,escape", "dismiss(False)", "No"),
    ]

    def __init__(self, question: str) -> None:
        super().__init__()
        self._question = question

    def compose(self) -> ComposeResult:
        """Lay out the question."""
        with Vertical(id="sure"):
            yield Label(Text(f"{self._question} [y/n]"))
            yield Footer()


class Told(ModalScreen[None]):
    """A text that stays until a key is pressed."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,enter,q,question_mark", "dismiss", "Close")]

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text

    def compose(self) -> ComposeResult:
        """Lay out the text."""
        with Vertical(id="told"):
            yield Label(Text(self._text))
            yield Footer()


def _key(row: Any) -> str:
    return str(row.id if hasattr(row, "id") else f"{row.flow} {row.name}")
