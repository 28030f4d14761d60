"""JSON schemas of what tasks read and return, for the comparison of both."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

if TYPE_CHECKING:
    from pydantic_core import core_schema

    from flows.model.declared.schemas import Schema


class Whole(GenerateJsonSchema):
    """Says of what is written that a field with a default is there too: results are written as a whole."""

    def field_is_required(
        self,
        field: core_schema.ModelField | core_schema.DataclassField | core_schema.TypedDictField,
        total: bool,  # noqa: FBT001 - pydantic's own
    ) -> bool:
        """Return whether a field is always there."""
        if field["type"] == "typed-dict-field":
            return super().field_is_required(field, total)
        return not field.get("serialization_exclude")


def read_schema(declared: Any) -> Schema | None:
    """Return which values can be read as a type; None where pydantic cannot say."""
    try:
        return TypeAdapter(declared).json_schema(by_alias=False)
    except Exception:  # noqa: BLE001 - types of users have hooks of their own
        return None


def written_schema(declared: Any) -> Schema | None:
    """Return which values are written of a type; None where pydantic cannot say."""
    try:
        return TypeAdapter(declared).json_schema(by_alias=False, mode="serialization", schema_generator=Whole)
    except Exception:  # noqa: BLE001 - types of users have hooks of their own
        return None
