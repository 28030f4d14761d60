"""`Slack`: tells of endings in a channel, by any hook that takes what Slack's incoming webhooks take."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from pydantic_core import to_json

from flows.service.transports.webhook import Posted

if TYPE_CHECKING:
    from flows.service.transports.ending import Ending

#: So much of an error's message is told, and so much of a payload or result, in characters.
_MESSAGE, _VALUE = 300, 1_000
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
        told = [self._line(ending) for ending in endings]
        if len(endings) > 1:
            counts = Counter(ending.outcome for ending in endings)
            told.insert(0, f"*{', '.join(f'{count} {outcome}' for outcome, count in counts.items())}*")
        whole = "\n".join(told)
        return whole if len(whole) <= _MOST else whole[:_MOST].rpartition("\n")[0] + "\n…"

    def _line(self, ending: Ending) -> str:
        job = f"`{_escaped(ending.job_id)}`"
        if public := os.environ.get("FLOWS_PUBLIC_URL", "").rstrip("/"):
            job = f"<{public}/flows/{quote(ending.service)}/jobs/{quote(ending.job_id)}|{_escaped(ending.job_id)}>"
        what = f"{_ICONS[ending.outcome]} {_escaped(ending.service)} {_escaped(ending.type)} *{ending.outcome}*"
        lines = [f"{what} of {_escaped(ending.tenant)}, job {job}"]
        if ending.error_type or ending.message:
            why = f"{ending.error_type}: {ending.message}" if ending.error_type else ending.message
            lines.append(f"> {_escaped(_cut(why, _MESSAGE))}")
        for name, value in (("payload", ending.payload), ("result", ending.result)):
            if name in self.include and value is not None:
                lines.append(f"> {name} {_escaped(_cut(to_json(value).decode(), _VALUE))}")
        return "\n".join(lines)


def _cut(text: str, most: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= most else line[:most] + "…"


def _escaped(text: str) -> str:
    """Return a text that names no people and no links: `<!channel>` in an error's message must wake nobody."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("`", "'")
