"""`Slack`: tells of endings in a channel, by any hook that takes what Slack's incoming webhooks take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pydantic_core import to_json

from flows.service.transports.webhook import Posted
from flows.service.transports.wording import counted, details, job_page

if TYPE_CHECKING:
    from flows.service.transports.ending import Ending

#: Slack cuts longer texts.
_MOST: Final = 39_000
_ICONS: Final = {"done": ":white_check_mark:", "failed": ":x:", "cancelled": ":no_entry_sign:"}


@dataclass(frozen=True, kw_only=True)
class Slack(Posted):
    """Tells of endings in a channel: what ended, how, the error's type and the beginning of its message.

    Each message links to its job where the environment variable FLOWS_PUBLIC_URL has the dashboard's address. With
    `batch=20, linger=30` one message tells of up to 20 endings.

    Raises DeclarationError where an option cannot be used.
    """

    async def send(self, endings: Sequence[Ending]) -> None:
        """Post one message for all of them.

        Raises:
            NotSent: it was not taken.
        """
        body = to_json({"text": self.text(endings)})
        await self._post(lambda: {"Content-Type": "application/json"}, lambda: [body], len(body))

    def text(self, endings: Sequence[Ending]) -> str:
        """Return the message for some endings."""
        told = [self._told(ending) for ending in endings]
        if len(endings) > 1:
            told.insert(0, f"*{counted(endings)}*")
        whole = "\n".join(told)
        return whole if len(whole) <= _MOST else whole[:_MOST].rpartition("\n")[0] + "\n…"

    def _told(self, ending: Ending) -> str:
        page = job_page(ending)
        job = f"`{_escaped(ending.job_id)}`" if page is None else f"<{page}|{_escaped(ending.job_id)}>"
        what = f"{_ICONS[ending.outcome]} {_escaped(ending.service)} {_escaped(ending.type)} *{ending.outcome}*"
        lines = [f"> {_escaped(line)}" for line in details(ending, frozenset(self.include))]
        return "\n".join([f"{what} of {_escaped(ending.tenant)}, job {job}", *lines])


def _escaped(text: str) -> str:
    """Return a text that names no people and no links: `<!channel>` in an error's message must wake nobody."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("`", "'")
