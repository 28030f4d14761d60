"""Says who calls, and what they may do: a page shows the buttons that will work."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel
from starlette.responses import Response

from flows.api import Role, operations
from flows.server.asking import caller_of
from flows.version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from starlette.requests import Request

    from flows.server.identity import Identity


class Me(BaseModel):
    """Who calls."""

    name: str
    role: Role
    flows: list[str] | None
    hide: list[str]
    operations: list[str]
    """Those that they may ask for."""
    login: bool
    """Whether there is a form to log in by, and so a way out."""
    version: str


def me(identity: Identity) -> Callable[[Request], Coroutine[Any, Any, Response]]:
    """Return the endpoint."""

    async def answer(request: Request) -> Response:
        caller = caller_of(request)
        said = Me(
            name=caller.name,
            role=caller.role,
            flows=None if caller.flows is None else sorted(caller.flows),
            hide=sorted(caller.hide),
            operations=[name for name, operation in operations().items() if caller.may(operation.role)],
            login=identity.has_login,
            version=__version__,
        )
        return Response(said.model_dump_json(), headers={"cache-control": "no-store"}, media_type="application/json")

    return answer
