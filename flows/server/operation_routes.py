"""A route for each operation, by a loop over the registry: what only looks is a GET, what acts is a POST with JSON."""

from __future__ import annotations

import asyncio
import contextlib
from functools import cache
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar

from pydantic import TypeAdapter
from pydantic import ValidationError as PydanticValidationError
from pydantic_core import from_json
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Route

from flows.api import operations
from flows.errors import ValidationError
from flows.server.asking import asking

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Coroutine

    from starlette.datastructures import QueryParams
    from starlette.requests import Request

    from flows.api import Operation

T = TypeVar("T")
#: What an operation is called that answers when something has happened.
_WAITS: Final = "wait"
_BODY: Final[TypeAdapter[dict[str, Any]]] = TypeAdapter(dict[str, Any])


def operation_routes(hidden: Collection[str] = ()) -> list[Route]:
    """Return the route of each operation but the hidden ones: `jobs.retry` is `/api/v1/jobs/retry`."""
    return [
        Route(path_of(operation), _endpoint(operation), methods=["POST" if operation.acts else "GET"])
        for operation in operations().values()
        if operation.name not in hidden
    ]


def path_of(operation: Operation[Any]) -> str:
    """Return the path of an operation."""
    return f"/api/v1/{operation.group}/{operation.verb}"


def params_of(operation: Operation[Any], params: QueryParams) -> dict[str, Any]:
    """Return params of a URL; one that was given twice is a list, which is refused where one value is asked for.

    An object is given as JSON.
    """
    given: dict[str, Any] = {}
    for name in params:
        values = params.getlist(name)
        given[name] = values if len(values) > 1 or takes(operation, name, "array") else values[0]
        if len(values) == 1 and takes(operation, name, "object"):
            with contextlib.suppress(ValueError):  # it is refused as the text that it is
                given[name] = from_json(values[0])
    return given


@cache
def takes(operation: Operation[Any], name: str, kind: Literal["array", "object"]) -> bool:
    """Whether a param of an operation is a list or an object, by its JSON schema."""
    schema = operation.params.model_json_schema()["properties"].get(name, {})
    return any(one.get("type") == kind for one in (schema, *schema.get("anyOf", ())))


def _endpoint(operation: Operation[Any]) -> Callable[[Request], Coroutine[Any, Any, Response]]:
    async def answer(request: Request) -> Response:
        given = await _body(request) if operation.acts else params_of(operation, request.query_params)
        admin = await asking(request)
        answering = operation.call(admin, given)
        answered = await (answering if operation.verb != _WAITS else _while_there(request, answering))
        if answered is None:
            return Response()  # to nobody
        body = operation.adapter.dump_json(answered)
        headers = {"cache-control": "no-store", "x-request-id": admin.request}
        return Response(body, headers=headers, media_type="application/json")

    answer.__name__ = operation.name
    return answer


async def _while_there(request: Request, answering: Coroutine[Any, Any, T]) -> T | None:
    """Return what is waited for; None where who waits for it has gone: nothing is asked any more then.

    Raises:
        HTTPException: The server goes.
    """
    answer = asyncio.create_task(answering)
    gone = asyncio.create_task(_gone(request))
    ends = asyncio.create_task(request.app.state.going.wait())
    try:
        await asyncio.wait({answer, gone, ends}, return_when=asyncio.FIRST_COMPLETED)
        if not answer.done() and ends.done():
            raise HTTPException(503, "this server goes: ask again, another one or the next", {"retry-after": "1"})
        if answer.done():
            return await answer
        gone.result()  # raises where its body is refused, which is not gone
        return None
    finally:
        for task in (answer, gone, ends):
            task.cancel()
        await asyncio.gather(answer, gone, ends, return_exceptions=True)


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _body(request: Request) -> dict[str, Any]:
    try:
        return _BODY.validate_json(await request.body() or b"{}")
    except PydanticValidationError as error:
        raise ValidationError(f"the body is a JSON object, the params by name: {error.errors()[0]['msg']}") from None
