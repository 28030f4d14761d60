"""Finds out whether this account may publish and receive messages, and says once in a process where it may not.

Messages only hasten what the keys say anyway: without them everything works, and who waits looks for himself.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from flows.store.client.wire import ReplyError

if TYPE_CHECKING:
    from flows.store.client.connection import Connection

_logger = logging.getLogger("flows.store")
#: What this process has said already.
_said: Final[set[str]] = set()


async def check_publishing(connection: Connection, channel: str) -> None:
    """Publish to a channel to which nobody listens: scripts publish for this account, and do not tell of a refusal."""
    [reply] = await connection.together([("SPUBLISH", channel, "")])
    if isinstance(reply, ReplyError):
        warn_of_silence("publish", reply)


def warn_of_silence(verb: str, refusal: ReplyError) -> None:
    """Say that messages do not come, the first time in this process."""
    if not _said:
        _said.add(verb)
        _logger.warning(
            "this account may not %s: waiting for the end of a job is slower, and so is cancelling one that runs; "
            "allow it SPUBLISH, SSUBSCRIBE and the channels of flows, as in `&*` (%s)",
            verb,
            refusal,
        )
