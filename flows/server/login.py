"""Gives a cookie for a token, so that it stands in no page and no URL; and takes it back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic_core import from_json
from starlette.responses import Response

from flows.server.identity import LOGIN_SECONDS, cookie_name
from flows.server.problem import refused

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from starlette.requests import Request

    from flows.server.identity import Identity


def login(identity: Identity) -> Callable[[Request], Coroutine[Any, Any, Response]]:
    """Return the endpoint: `{"token": "…"}` by POST."""

    async def answer(request: Request) -> Response:
        try:
            token = from_json(await request.body())["token"]
        except (ValueError, KeyError, TypeError):
            return refused(422, 'give {"token": "…"}')
        found = identity.log_in(token) if isinstance(token, str) else None
        if found is None:
            return refused(401, "this token is not known, or has ended")
        response = Response(status_code=204, headers={"cache-control": "no-store"})
        _set(request, response, found[1], LOGIN_SECONDS)
        return response

    return answer


async def logout(request: Request) -> Response:
    """Take the cookie away."""
    response = Response(status_code=204, headers={"cache-control": "no-store"})
    _set(request, response, "", 0)
    return response


def _set(request: Request, response: Response, value: str, seconds: int) -> None:
    name = cookie_name(request)
    response.set_cookie(
        name, value, max_age=seconds, httponly=True, samesite="strict", secure=name.startswith("__Host")
    )
