"""Makes the tokens with which browsers watch instances."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from flows.errors import DeclarationError, ValidationError
from flows.model.arguments import check_text
from flows.model.duration import as_timedelta
from flows.model.live.watch_token import LIVE_KEY_VARIABLE, WatchClaims, sign_watch_token
from flows.model.names import check_instance_id

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from flows.model.live.watch_token import WatchRight

#: What a watcher is called that nobody has named.
_NOBODY = "watcher"


def instance_token(  # noqa: PLR0917 - those of `Trees.watch_token`
    key: str | None,
    instances: Sequence[str],
    realm: str | None,
    subject: str,
    may: Sequence[WatchRight],
    ttl: timedelta | float,
) -> str:
    """Return a token for some instances, for all of a realm, or for both: see `Trees.watch_token`."""
    keys = key or os.environ.get(LIVE_KEY_VARIABLE)
    if keys is None:
        raise DeclarationError(
            f"there is no key to sign a token with: set {LIVE_KEY_VARIABLE} as for the server, or Trees(live_key=…)"
        )
    what = frozenset(check_instance_id(one) for one in instances)
    if not what and not realm:
        raise ValidationError("watch_token(): name instances or a realm, or with it nothing could be watched")
    name = check_text("subject", subject) or _NOBODY
    claims = WatchClaims(name, what, "" if realm is None else check_text("realm", realm), frozenset(may))
    return sign_watch_token(keys, claims, as_timedelta(ttl))
