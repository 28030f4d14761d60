"""Tells what is refused: over HTTP by problem JSON (RFC 9457), over a socket by a code of the protocol.

What the errors of flows are to others stands in `flows.api`; here is what a server adds to that.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from pydantic_core import to_json
from starlette.responses import Response

from flows.api import Problem, problem_of
from flows.errors import StateError
from flows.model.tree.errors import TaskNotReady

if TYPE_CHECKING:
    from flows.errors import FlowsError

#: What the live protocol calls a status.
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


def code_of(error: FlowsError) -> str:
    """Return the code of an error in the live protocol."""
    if isinstance(error, TaskNotReady | StateError):
        return "not_ready"
    return _CODES.get(problem_of(error).status, "invalid")


def told(error: FlowsError) -> str:
    """Return the sentence of an error."""
    return problem_of(error).detail


def refused(status: int, detail: str) -> Response:
    """Return the response for what the server refuses before any operation is asked.

    Args:
        status: The HTTP status.
        detail: A sentence.
    """
    title = HTTPStatus(status).phrase if status in set(HTTPStatus) else "Refused"
    return respond(Problem(type="about:blank", title=title, status=status, detail=detail, exit_status=2))


def respond(problem: Problem) -> Response:
    """Return the response that tells of a problem."""
    headers = {"cache-control": "no-store"}
    if problem.retry_after is not None:
        headers["retry-after"] = str(max(1, round(problem.retry_after)))
    if problem.status == HTTPStatus.UNAUTHORIZED:
        headers["www-authenticate"] = "Bearer"
    return Response(to_json(problem.plain()), problem.status, headers, media_type="application/problem+json")
