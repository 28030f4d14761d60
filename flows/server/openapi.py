"""The OpenAPI 3.1 document of the operations, from their models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pydantic import TypeAdapter
from pydantic_core import to_json
from starlette.responses import Response

from flows.api import operations
from flows.server.operation_routes import path_of
from flows.version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Coroutine

    from starlette.requests import Request

    from flows.api import Operation

_REFERENCE: Final = "#/components/schemas/{model}"
_PROBLEM: Final = {
    "description": "What is wrong, as RFC 9457 has it.",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}
_PROBLEM_SCHEMA: Final = {
    "type": "object",
    "title": "Problem",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "description": "The name of the error's class."},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "A sentence that says what to do."},
        "retry_after": {"type": "number", "description": "Seconds."},
    },
}


def openapi(hidden: Collection[str] = ()) -> Callable[[Request], Coroutine[Any, Any, Response]]:
    """Return an endpoint that answers with the document; it is made once."""
    made: list[bytes] = []

    async def answer(_request: Request) -> Response:
        if not made:
            made.append(to_json(document(hidden)))
        return Response(made[0], media_type="application/json")

    return answer


def document(hidden: Collection[str] = ()) -> dict[str, Any]:
    """Return the OpenAPI document of all operations but the hidden ones."""
    shown = [operation for operation in operations().values() if operation.name not in hidden]
    schemas, definitions = TypeAdapter.json_schemas(
        [
            *((f"{operation.name} in", "validation", TypeAdapter(operation.params)) for operation in shown),
            *((f"{operation.name} out", "serialization", operation.adapter) for operation in shown),
        ],
        ref_template=_REFERENCE,
    )
    components = {**definitions.get("$defs", {}), "Problem": _PROBLEM_SCHEMA}
    paths: dict[str, Any] = {}
    for operation in shown:
        asked = operation.params.model_json_schema(ref_template=_REFERENCE)
        components.update(asked.pop("$defs", {}))
        told = _told(operation, asked, schemas[f"{operation.name} out", "serialization"])
        paths[path_of(operation)] = {"post" if operation.acts else "get": told}
    return {
        "openapi": "3.1.0",
        "info": {"title": "flows", "version": __version__, "summary": "What can be asked of flows, and done."},
        "servers": [{"url": "."}],
        "security": [{}, {"token": []}],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _told(operation: Operation[Any], asked: dict[str, Any], answered: dict[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {
        "operationId": operation.name,
        "tags": [operation.group],
        "summary": operation.summary,
        "description": operation.description,
        "x-role": operation.role,
        "responses": {
            "200": {"description": "The answer.", "content": {"application/json": {"schema": answered}}},
            "default": _PROBLEM,
        },
    }
    if operation.acts:
        told["requestBody"] = {"required": True, "content": {"application/json": {"schema": asked}}}
        return told
    required = frozenset(asked.get("required", ()))
    told["parameters"] = [
        {
            "name": name,
            "in": "query",
            "required": name in required,
            **({"description": schema["description"]} if "description" in schema else {}),
            "schema": {word: value for word, value in schema.items() if word != "description"},
        }
        for name, schema in asked.get("properties", {}).items()
    ]
    return told
