"""Completes users' models: where fields name types that were not there yet, they are looked for again."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, get_args

from pydantic import BaseModel

from flows.errors import DeclarationError
from flows.model.annotations.declarer import names_of_declarer

if TYPE_CHECKING:
    from collections.abc import Iterator


def complete(model: type[BaseModel]) -> None:
    """Try once more to find what the fields of `model` name: what comes later in a file may be there by now."""
    if not model.__pydantic_complete__:
        try:
            model.model_rebuild(raise_errors=False, _types_namespace=names_of_declarer())
        except Exception:  # noqa: BLE001 - pydantic raises many things; `require_complete` says which field it is
            return


def require_complete(model: type[BaseModel]) -> None:
    """Check that all types that the fields of `model` name are there.

    Raises:
        DeclarationError: one is not; the message names the class and the field.
    """
    complete(model)
    if model.__pydantic_complete__:
        return
    try:
        model.model_rebuild(_types_namespace=names_of_declarer())
    except Exception as error:
        owner, field = _culprit(model, getattr(error, "name", None)) or (model, None)
        named = f"{owner.__name__}.{field}" if field else owner.__name__
        within = "" if owner is model else f", a part of {model.__name__},"
        why = str(error).partition("\n")[0]
        raise DeclarationError(
            f"{named}{within} has a type that is not there at run time ({why}): import it outside of "
            "`if TYPE_CHECKING:`, or define it before the flow is built"
        ) from error


def _culprit(model: type[BaseModel], missing: str | None) -> tuple[type[BaseModel], str] | None:
    """Return the class and field whose annotation has the missing name: of `model`, or of a model in its fields."""
    word = re.compile(rf"\b{re.escape(missing)}\b") if missing else None
    found = [
        (one, field)
        for one in _with_parts(model, set())
        if not one.__pydantic_complete__
        for field, info in one.model_fields.items()
        if word is not None and word.search(_text(info.annotation))
    ]
    # The innermost is the one to mend: all those around it lack the same name.
    return found[-1] if found else None


def _with_parts(model: type[BaseModel], seen: set[type[BaseModel]]) -> Iterator[type[BaseModel]]:
    if model in seen:
        return
    seen.add(model)
    yield model
    for info in model.model_fields.values():
        for part in _classes(info.annotation):
            yield from _with_parts(part, seen)


def _classes(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
        return
    for argument in get_args(annotation):
        yield from _classes(argument)


def _text(annotation: Any) -> str:
    return annotation if isinstance(annotation, str) else repr(annotation)
