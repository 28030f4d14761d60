"""The app of `flows top`: the queues, and the jobs of one of them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import App
from textual.binding import Binding, BindingType

from flows.api import find_operation
from flows.cli.clean import clean
from flows.cli.columns import lasting
from flows.cli.top.watching import Told, Watching

if TYPE_CHECKING:
    from textual.widgets import DataTable

    from flows.api import Admin

#: So many jobs are listed.
_JOBS = 100
_HELP = """\
enter   the jobs of a queue; why a job is where it is
/       which queues, by a part of the name; which jobs, by a query: state:failed user_id:7
p       pause a queue, or let it go on
r       retry a job; in the list of queues: all that failed in one
c       cancel a job
d       delete a job
.       hold what is shown, or go on
escape  back
q       leave"""


class Top(App[None]):
    """The board in a terminal.

    Args:
        admin: Open; for its caller all is read and done.
        flow: Only the queues of this flow; empty: all.
        every: It is read again after so many seconds.
    """

    TITLE = "flows"
    ENABLE_COMMAND_PALETTE = False
    CSS = """
    #above { height: 1; padding: 0 1; }
    #rows { height: 1fr; }
    #wanted { dock: bottom; margin-bottom: 1; }
    Sure, Told { align: center middle; }
    #sure, #told { width: auto; max-width: 100; height: auto; padding: 1 2; background: $panel; }
    #sure, #told { border: round $primary; }
    #sure Label, #told Label { width: auto; max-width: 94; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "quit", "Leave"),
        Binding("question_mark", "help", "Help", key_display="?"),
    ]

    def __init__(self, admin: Admin, flow: str, every: float) -> None:
        super().__init__()
        self.admin = admin
        self.flow = flow
        self.every = every

    async def on_mount(self) -> None:
        """Show the board."""
        await self.push_screen(Board(self.admin, self.flow, self.every))

    def action_help(self) -> None:
        """Say what keys do."""
        self.push_screen(Told(_HELP))


class Board(Watching):
    """Each queue: what it holds, how old, how fast, who works on it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("p", "pause", "Pause"),
        Binding("r", "retry", "Retry failed"),
    ]

    def __init__(self, admin: Admin, flow: str, every: float) -> None:
        super().__init__("QueueView", every)
        self._admin = admin
        self._of = {"flow": flow} if flow else {}

    async def read(self) -> tuple[list[Any], str]:
        """Return the queues, and what all of them hold."""
        answer = await find_operation("queues.show").call(self._admin, self._of)
        shown = [one for one in answer.queues if self.wanted in one.name]
        sums = {name: sum(getattr(one, name) for one in shown) for name in ("waiting", "processing", "failed")}
        oldest = max((one.oldest for one in shown if one.oldest is not None), default=None)
        unserved = [one.name for one in shown if one.unserved]
        above = (
            f"{len(shown)} queues · {sums['waiting']:,} wait, the oldest for {lasting(oldest)} · "
            f"{sums['processing']:,} run · {sums['failed']:,} failed"
        )
        return shown, above + (f" · nobody works on {', '.join(unserved)}" if unserved else "")

    def on_data_table_row_selected(self, _event: DataTable.RowSelected) -> None:
        """Show the jobs of a queue."""
        if (queue := self.row) is not None:
            self.top.push_screen(Jobs(self._admin, queue.flow, queue.name, self.every))

    def action_pause(self) -> None:
        """Pause a queue, or let it go on."""
        if (queue := self.row) is not None:
            verb = "resume" if queue.paused else "pause"
            self.do(partial(self._act, f"queues.{verb}", queue.flow, queue.name), f"{verb} {queue.name}?")

    async def _act(self, operation: str, flow: str, queue: str) -> str:
        acted = await find_operation(operation).call(self._admin, {"flow": flow, "queue": queue})
        return f"{queue}: {acted.word}"

    def action_retry(self) -> None:
        """Retry all that has failed in a queue."""
        if (queue := self.row) is not None:
            self.do(partial(self._retry, queue), f"retry the {queue.failed:,} failed jobs of {queue.name}?")

    async def _retry(self, queue: Any) -> str:
        asked = {"verb": "retry", "query": f"flow:{queue.flow} queue:{queue.name} state:failed"}
        seen = await find_operation("bulk.preview").call(self._admin, asked)
        begun = await find_operation("bulk.apply").call(self._admin, {**asked, "seen": seen.count, "undo": "0"})
        done = await find_operation("bulk.wait").call(self._admin, {"id": begun.id, "timeout": "1h"})
        return ", ".join(f"{count:,} {word}" for word, count in done.words.items()) or "nothing to retry"


class Jobs(Watching):
    """The jobs of one queue."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "act('retry')", "Retry"),
        Binding("c", "act('cancel')", "Cancel"),
        Binding("d", "act('delete')", "Delete"),
    ]

    def __init__(self, admin: Admin, flow: str, queue: str, every: float) -> None:
        super().__init__("JobRow", every)
        self._admin = admin
        self._flow = flow
        self._queue = queue

    async def read(self) -> tuple[list[Any], str]:
        """Return the jobs that are asked for, and how many there are."""
        asked = {"query": f"queue:{self._queue} {self.wanted}".strip(), "flow": self._flow, "limit": _JOBS}
        page = await find_operation("jobs.find").call(self._admin, asked)
        many = "" if page.total is None else f"{'' if page.exact else 'at least '}{page.total:,} "
        return page.jobs, f"{self._queue}: {many}jobs {self.wanted}"

    def on_data_table_row_selected(self, _event: DataTable.RowSelected) -> None:
        """Say why a job is where it is."""
        if (job := self.row) is not None:
            self.run_worker(self._explain(job), group="act")

    async def _explain(self, job: Any) -> None:
        async def said() -> str:
            found = await find_operation("jobs.explain").call(self._admin, {"id": job.id, "flow": job.flow})
            self.top.push_screen(Told(clean(f"{job.id}\n\n{found.sentence}\n\n{found.remedy}".strip())))
            return str(found.reason)

        self.do(said)

    def action_act(self, verb: str) -> None:
        """Retry, cancel or delete a job."""
        if (job := self.row) is not None:
            self.do(partial(self._act, verb, job), "" if verb == "retry" else f"{verb} job {job.id}?")

    async def _act(self, verb: str, job: Any) -> str:
        acted = await find_operation(f"jobs.{verb}").call(self._admin, {"id": job.id, "flow": job.flow})
        return f"{job.id}: {acted.word}"
