"""`watch_token`: a short signed token with which a browser of your own site watches topics.

What it is made of stands in `flows/model/live/watch_token.py`; instances of trees have `Trees.watch_token`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flows.model.live.watch_token import LASTS, WatchClaims, sign_watch_token

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import timedelta


def watch_token(
    key: str, subject: str, topics: Iterable[str], *, hide: Iterable[str] = (), lasts: timedelta = LASTS
) -> str:
    """Return a token that lets a browser watch some topics.

    Args:
        key: That of the server, `FLOWS_LIVE_KEY`: 32 characters at least.
        subject: Who watches, as your site calls them.
        topics: Such as `job/access/0192…`; nothing else can be watched with it.
        hide: Fields that are hidden from this watcher.
        lasts: For how long; 15 minutes at most.

    Raises:
        DeclarationError: The key is too short, or the time too long.
        MissingExtra: PyJWT is not installed.
    """
    return sign_watch_token(key, WatchClaims(subject, frozenset(topics), hide=frozenset(hide)), lasts)
