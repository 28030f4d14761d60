"""Who makes a request, and what it works on: the `Admin` of the app, acting as the caller."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final, cast

from flows.errors import Forbidden

if TYPE_CHECKING:
    from starlette.requests import HTTPConnection

    from flows.api import Admin, Caller
    from flows.server.identity import Session

#: Characters of an id that a client gives to its request.
_LONGEST_REQUEST_ID: Final = 64


def session_of(connection: HTTPConnection) -> Session | None:
    """Return who calls, as the guard has found; None where it lets nobody through but to what is open to all."""
    return cast("Session | None", connection.scope["flows.session"])


def caller_of(connection: HTTPConnection) -> Caller:
    """Return who calls, where the guard lets through nobody whom it does not know."""
    session = session_of(connection)
    if session is None:
        raise Forbidden("this", "viewer", "nobody said who this is")
    return session.caller


async def asking(connection: HTTPConnection) -> Admin:
    """Return the app's `Admin`, connected, acting as who calls.

    Raises:
        StoreError: The server cannot be used.
    """
    admin = cast("Admin", connection.app.state.admin)
    caller = caller_of(connection)
    await admin.open()
    await admin.serve_bulk()  # what is begun here is done here, by this process; and what others have left
    given = connection.headers.get("x-request-id", "")
    request = given if given.isascii() and given.isprintable() and len(given) <= _LONGEST_REQUEST_ID else ""
    return admin.acting_as(caller, via="http", request=request or secrets.token_hex(6))
