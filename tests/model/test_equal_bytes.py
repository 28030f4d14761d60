"""The short way from a model to its fields gives the very bytes of pydantic's own, for models of every kind."""

from __future__ import annotations

import enum
from datetime import timedelta
from typing import Annotated, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    RootModel,
    ValidationInfo,
    create_model,
    field_serializer,
    field_validator,
)
from pydantic import ValidationError as PydanticValidationError
from pydantic_core import to_json

from flows import Job, JobResult, ValidationError
from flows.model.codec import decode, encode
from flows.model.job import user_fields
from tests.scale import scaled


class Colour(enum.Enum):
    """What pydantic writes by its value."""

    RED = "r"


class Turned(BaseModel):
    """A class with a word on how its field is written, and how it is read."""

    secret: str

    @field_serializer("secret")
    def _turn(self, value: str) -> str:
        return value[::-1]

    @field_validator("secret", mode="before")
    @classmethod
    def _turn_back(cls, value: str, info: ValidationInfo) -> str:
        return value[::-1] if info.mode == "json" else value


class TurnedResult(JobResult):
    """The same for all its fields, in a result."""

    secret: str

    @field_serializer("*")
    def _mark(self, value: Any) -> str:
        return f"<{value}>"

    @field_validator("*", mode="before")
    @classmethod
    def _unmark(cls, value: Any, info: ValidationInfo) -> Any:
        return value[1:-1] if info.mode == "json" else value


class Heir(TurnedResult):
    """What it inherits counts as well."""

    number: int


Upper = Annotated[str, PlainSerializer(str.upper)]
Short = Annotated[str, Field(max_length=1000)]
texts = st.text(st.characters(codec="utf-8"))
#: Types of fields, and the values that fit them: those that the short way takes, and those that it must not.
KINDS: list[tuple[Any, st.SearchStrategy[Any]]] = [
    (str, texts),
    (int, st.integers()),
    (bool, st.booleans()),
    (None, st.none()),
    (list[str], st.lists(texts)),
    (list[int], st.lists(st.integers())),
    (list[bool], st.lists(st.booleans())),
    (float, st.floats(allow_nan=False, allow_infinity=False)),
    (str | None, st.none() | texts),
    (dict[str, int], st.dictionaries(texts, st.integers())),
    (timedelta, st.timedeltas(timedelta(0), timedelta(days=1))),
    (Colour, st.sampled_from(Colour)),
    (Upper, texts),
    (list[Upper], st.lists(texts)),
    (Short, texts),
    (Any, st.integers() | texts | st.none()),
    (Annotated[int, Field(exclude=True)], st.integers()),
]
BASES = (BaseModel, Job, JobResult)
CONFIGS = (ConfigDict(), ConfigDict(json_encoders={int: lambda number: f"#{number}"}), ConfigDict(strict=True))


@st.composite
def models(draw: st.DrawFn) -> BaseModel:
    """Return an instance of a class that was made up."""
    kinds = draw(st.lists(st.sampled_from(KINDS), max_size=5))
    made: Any = create_model(
        "Made",
        __base__=draw(st.sampled_from(BASES)),
        **{f"f{number}": (kind, ...) for number, (kind, _values) in enumerate(kinds)},
    )
    config = draw(st.sampled_from(CONFIGS))
    cls = type("Configured", (made,), {"model_config": config, "__module__": __name__})
    values = {f"f{number}": draw(values) for number, (_kind, values) in enumerate(kinds)}
    model: BaseModel = cls(**values)
    return model


def written_by_pydantic(model: BaseModel) -> dict[str, bytes]:
    """Return the fields as pydantic's serialiser alone makes them."""
    names = user_fields(type(model))
    values = model.__pydantic_serializer__.to_python(
        model, mode="json", by_alias=False, round_trip=True, include=set(names)
    )
    return {name: to_json(values[name]) for name in names if name in values}


@pytest.mark.scale
@pytest.mark.filterwarnings("ignore:.*json_encoders:pydantic.PydanticDeprecatedSince20")
@given(models())
@settings(max_examples=scaled(100, full=1_000))
def test_both_ways_write_the_same_bytes(model: BaseModel) -> None:
    """Whatever a class declares, its fields are what pydantic writes, or are refused since it cannot read them."""
    written = written_by_pydantic(model)
    try:
        fields = encode(model)
    except ValidationError:
        with pytest.raises((PydanticValidationError, AssertionError)):
            assert decode(type(model), written).__dict__ == model.__dict__
    else:
        assert fields == written


@given(texts, st.integers())
def test_what_a_class_says_of_its_fields_is_heard(text: str, number: int) -> None:
    """A serialiser of the class, of all its fields, or of a class that it descends from, is asked."""
    for model in (Turned(secret=text), TurnedResult(secret=text), Heir(secret=text, number=number)):
        assert encode(model) == written_by_pydantic(model)
    assert encode(Heir(secret=text, number=number))["number"] == to_json(f"<{number}>")


def test_a_class_with_a_schema_of_its_own_is_left_to_pydantic() -> None:
    """Its instances are written by that schema, which may be anything."""

    class Own(BaseModel):
        number: int

        @classmethod
        def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
            """Write the number as a text, which is read as a number again."""
            schema = handler(source)
            schema["serialization"] = {"type": "function-plain", "function": lambda own: {"number": str(own.number)}}
            return schema

    assert encode(Own(number=1)) == {"number": b'"1"'}


def test_a_root_model_is_refused() -> None:
    """It is no object: the short way, which would write its value as a field, is not taken."""
    with pytest.raises(ValidationError, match="RootModel"):
        encode(RootModel[int](1))
