"""What an error is to who asked over HTTP or a socket: a status, a code, and the sentence of the Python error.

The body is that of RFC 9457, "Problem Details for HTTP APIs".
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from pydantic_core import to_json
from starlette.responses import Response

from flows.errors import (
    FlowsError,
    Forbidden,
    JobExists,
    JobGone,
    JobNotDone,
    MissingExtra,
    NothingThere,
    PayloadTooLarge,
    StateError,
    StoreFull,
    StoreUnavailable,
    TooManyRequests,
    ValidationError,
    WaitTimeout,
)

#: The first that an error is an instance of counts.
_STATUSES: Final[tuple[tuple[type[FlowsError], int], ...]] = (
    (Forbidden, 403),
    (NothingThere, 404),
    (JobGone, 404),
    (WaitTimeout, 408),
    (StateError, 409),
    (JobExists, 409),
    (JobNotDone, 409),
    (PayloadTooLarge, 413),
    (ValidationError, 422),
    (TooManyRequests, 429),
    (MissingExtra, 501),
    (StoreUnavailable, 503),
    (StoreFull, 503),
)
#: What the live protocol calls each of them.
_CODES: Final = {
    401: "unauthenticated",
    403: "forbidden",
    404: "unknown",
    409: "busy",
    413: "too_large",
    422: "invalid",
    429: "too_many",
    503: "again",
}
_TITLES: Final = {
    400: "Bad request",
    401: "Who are you?",
    403: "Forbidden",
    404: "Not found",
    405: "Method not allowed",
    408: "Not in time",
    409: "Not in this state",
    413: "Too large",
    415: "Not JSON",
    421: "Another host",
    422: "Refused",
    429: "Too many requests",
    431: "Headers too large",
    500: "Broken",
    501: "Not installed",
    503: "The server is away",
}


def status_of(error: FlowsError) -> int:
    """Return the HTTP status of an error."""
    return next((status for kind, status in _STATUSES if isinstance(error, kind)), 500)


def code_of(error: FlowsError) -> str:
    """Return the code of an error in the live protocol."""
    return _CODES.get(status_of(error), "invalid")


def told(error: FlowsError) -> str:
    """Return the sentence of an error."""
    return str(error) or type(error).__name__


def problem(status: int, detail: str, *, kind: str = "about:blank", **more: float) -> Response:
    """Return a response that says what is wrong.

    Args:
        status: The HTTP status.
        detail: A sentence.
        kind: The name of the error's class, where it is one of ours.
        more: Further members, such as `retry_after` (seconds), which is a header as well.
    """
    body = {"type": kind, "title": _TITLES.get(status, "Error"), "status": status, "detail": detail, **more}
    headers = {"cache-control": "no-store"}
    if "retry_after" in more:
        headers["retry-after"] = str(max(1, round(more["retry_after"])))
    if status == HTTPStatus.UNAUTHORIZED:
        headers["www-authenticate"] = "Bearer"
    return Response(to_json(body), status, headers, media_type="application/problem+json")


def problem_of(error: FlowsError) -> Response:
    """Return the response that tells of an error."""
    more = {"retry_after": error.retry_after} if isinstance(error, TooManyRequests) else {}
    return problem(status_of(error), told(error), kind=type(error).__name__, **more)
