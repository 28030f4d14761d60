"""What is accepted arrives equal, types included, or is refused at once: a property of types, not of JSON values."""

from __future__ import annotations

import enum
import ipaddress
import math
import re
from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import PurePosixPath
from typing import Annotated, Any, Generic, Literal, NamedTuple, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import (
    AfterValidator,
    AnyUrl,
    BaseModel,
    ConfigDict,
    Field,
    Json,
    PlainSerializer,
    PositiveInt,
    PrivateAttr,
    RootModel,
    SecretBytes,
    SecretStr,
    SerializeAsAny,
    StringConstraints,
    computed_field,
    create_model,
    field_validator,
    model_serializer,
)
from pydantic import ValidationError as PydanticValidationError
from typing_extensions import TypedDict

from flows import DeclarationError, Job, JobResult, ValidationError
from flows.model.codec import decode, encode, kernel_fields
from flows.model.values.lossy import refuse_lossy
from tests.scale import scaled

T = TypeVar("T")
BERLIN = ZoneInfo("Europe/Berlin")


class Animal(BaseModel):
    """A model with a subclass."""

    name: str


class Dog(Animal):
    """Fields of subclasses are dropped where the base is declared."""

    tricks: list[str] = []


class Cat(BaseModel):
    """One of two that a tag tells apart."""

    kind: Literal["cat"] = "cat"
    lives: int = 9


class Bird(BaseModel):
    """The other one."""

    kind: Literal["bird"] = "bird"
    wings: int = 2


class Aliased(BaseModel):
    """A field that has another name outside."""

    value: int = Field(alias="VALUE")


class Open(BaseModel):
    """Takes fields that it does not declare."""

    model_config = ConfigDict(extra="allow")


class Computed(BaseModel):
    """Is written with more than it takes."""

    model_config = ConfigDict(extra="forbid")
    number: int

    @computed_field  # type: ignore[prop-decorator]
    @property
    def double(self) -> int:
        """Twice."""
        return 2 * self.number


class Hidden(BaseModel):
    """Holds what is no field."""

    number: int
    _kept: int = PrivateAttr(default=0)


class Left(BaseModel):
    """A field is left out when it is written."""

    left: int = Field(default=0, exclude=True)


class Flat(BaseModel):
    """Is written in another shape."""

    a: int

    @model_serializer
    def flat(self) -> dict[str, Any]:
        """Join."""
        return {"all": f"{self.a}"}


class Box(BaseModel, Generic[T]):
    """A generic model."""

    held: T


class Numbers(RootModel[list[int]]):
    """A model that is a list."""


@dataclass
class Spot:
    """A dataclass."""

    x: int
    y: float


class Pair(NamedTuple):
    """A named tuple."""

    x: int
    at: date


class Typed(TypedDict):
    """A typed dict."""

    at: date


class Colour(enum.Enum):
    """An enum of texts."""

    RED = "red"


class Level(enum.IntEnum):
    """An enum of numbers."""

    LOW = 1


class Corner(enum.Enum):
    """An enum of tuples, which JSON does not have."""

    NEAR = (0, 0)


class May(enum.Flag):
    """A flag, of which a member contains itself."""

    READ = 1
    WRITE = 2


class MayInt(enum.IntFlag):
    """A flag of numbers."""

    READ = 1
    WRITE = 2


Loud = Annotated[str, PlainSerializer(str.upper)]
Kept = Annotated[SecretStr, PlainSerializer(SecretStr.get_secret_value)]
Kept_bytes = Annotated[SecretBytes, PlainSerializer(SecretBytes.get_secret_value)]
Tagged = Annotated[Cat | Bird, Field(discriminator="kind")]
texts = st.text(st.characters(codec="utf-8"), max_size=5)
#: Some are so long that not even hypothesis can show them.
ints = st.integers() | st.builds(pow, st.sampled_from([2, -10]), st.sampled_from([64, 4299, 4400]))
floats = st.floats() | st.sampled_from([-0.0, 1e300, 5e-324])
moments = st.datetimes(timezones=st.sampled_from([None, UTC, BERLIN]), allow_imaginary=False)
#: Types, and values that fit them or a type beside them.
LEAVES: list[tuple[Any, st.SearchStrategy[Any]]] = [
    (str, texts),
    (int, ints),
    (bool, st.booleans()),
    (float, floats),
    (type(None), st.none()),
    (bytes, st.binary(max_size=4)),
    (Decimal, st.decimals(-100, 100, places=2) | st.just(Decimal("NaN"))),
    (complex, st.complex_numbers()),
    (UUID, st.uuids()),
    (date, st.dates()),
    (time, st.times()),
    (datetime, moments),
    (timedelta, st.timedeltas(timedelta(days=-9), timedelta(days=9))),
    (PurePosixPath, st.builds(PurePosixPath, st.sampled_from(["/tmp/a", "b"]))),  # noqa: S108
    (ipaddress.IPv4Address, st.ip_addresses(v=4)),
    (AnyUrl, st.just(AnyUrl("https://example.org/a?b=c"))),
    (re.Pattern, st.builds(re.compile, st.just("a+"), st.sampled_from([0, re.IGNORECASE]))),
    (
        Any,
        st.one_of(
            st.none(), ints, floats, st.dates(), st.tuples(ints), st.decimals(0, 9), st.dictionaries(ints, texts)
        ),
    ),
    (Colour, st.just(Colour.RED)),
    (Level, st.just(Level.LOW)),
    (Corner, st.just(Corner.NEAR)),
    (May, st.sampled_from([May.READ, May.READ | May.WRITE])),
    (MayInt, st.sampled_from([MayInt.WRITE, MayInt.READ | MayInt.WRITE])),
    (Animal, st.builds(Animal, name=texts) | st.builds(Dog, name=texts, tricks=st.lists(texts, max_size=1))),
    (SerializeAsAny[Animal], st.builds(Dog, name=texts, tricks=st.lists(texts, max_size=1))),
    (Tagged, st.builds(Cat, lives=ints) | st.builds(Bird)),
    (Aliased, st.builds(lambda number: Aliased(VALUE=number), ints)),
    (Open, st.builds(lambda more: Open.model_validate({"more": more}), ints | st.dates())),
    (Computed, st.builds(Computed, number=ints)),
    (Left, st.builds(Left, left=st.integers(0, 1))),
    (Flat, st.builds(Flat, a=ints)),
    (Box[int], st.builds(Box[int], held=ints)),
    (Box[date], st.builds(Box[date], held=st.dates())),
    (Numbers, st.builds(Numbers, st.lists(ints, max_size=2))),
    (Spot, st.builds(Spot, x=ints, y=floats)),
    (Pair, st.builds(Pair, x=ints, at=st.dates())),
    (Typed, st.fixed_dictionaries({"at": st.dates()})),
    (Json[list[int]], st.sampled_from(["[1, 2]", "[]"])),
    (SecretStr, st.builds(SecretStr, texts)),
    (Kept, st.builds(SecretStr, texts)),
    (Kept_bytes, st.builds(SecretBytes, st.binary(max_size=3))),
    (Loud, texts),
    (Annotated[str, Field(max_length=9)], texts),
]
KEYS = [LEAVES[at] for at in (0, 1, 2, 3, 4, 6, 8, 9, 18, 19, 21)]


def within(inner: st.SearchStrategy[tuple[Any, Any]]) -> st.SearchStrategy[tuple[Any, Any]]:
    """Return pairs of a type and values of it, made of such pairs."""
    pair = st.tuples(inner, inner)
    return st.one_of(
        inner.map(lambda of: (list[of[0]], st.lists(of[1], max_size=2))),  # type: ignore[name-defined]
        inner.map(lambda of: (tuple[of[0], ...], st.lists(of[1], max_size=2).map(tuple))),  # type: ignore[name-defined]
        inner.map(lambda of: (Sequence[of[0]], st.lists(of[1], max_size=2).map(tuple))),  # type: ignore[name-defined]
        inner.map(lambda of: (deque[of[0]], st.lists(of[1], max_size=2).map(deque))),  # type: ignore[name-defined]
        inner.map(lambda of: (of[0] | None if of[0] is not Any else Any, of[1] | st.none())),
        pair.map(
            lambda two: (two[0][0] | two[1][0] if Any not in (two[0][0], two[1][0]) else Any, two[0][1] | two[1][1])
        ),
        st.tuples(st.sampled_from(KEYS), inner).map(
            lambda of: (dict[of[0][0], of[1][0]], st.dictionaries(of[0][1], of[1][1], max_size=2))  # type: ignore[misc]
        ),
        st.sampled_from(KEYS).map(lambda of: (frozenset[of[0]], st.frozensets(of[1], max_size=2))),  # type: ignore[name-defined]
        st.sampled_from(KEYS).map(
            lambda of: (set[of[0]] | list[of[0]], st.sets(of[1], max_size=2) | st.lists(of[1], max_size=2))  # type: ignore[name-defined]
        ),
        inner.map(lambda of: (Box[of[0]], st.builds(Box[of[0]], held=of[1]))),  # type: ignore[name-defined]
    )


TYPES = st.recursive(st.sampled_from(LEAVES), within, max_leaves=3)


def shape(value: Any) -> Any:  # noqa: PLR0911 - one per kind
    """Return a value with the types of all it holds: what is equal for Python need not be the same, as 1 and True."""
    kind = type(value)
    if isinstance(value, BaseModel):
        held = {name: shape(of) for name, of in value.__dict__.items()}
        return kind, held, shape(value.__pydantic_extra__), shape(value.__pydantic_private__)
    if isinstance(value, dict):
        return kind, sorted(((shape(key), shape(of)) for key, of in value.items()), key=repr)
    if isinstance(value, (set, frozenset)):
        return kind, sorted(map(shape, value), key=repr)
    if isinstance(value, (list, tuple, deque)):
        return kind, list(map(shape, value))
    if isinstance(value, Spot):
        return kind, shape(value.x), shape(value.y)
    if isinstance(value, (datetime, time)):
        return kind, value.isoformat(), value.fold
    if isinstance(value, SecretStr | SecretBytes):
        return kind, value.get_secret_value()
    return kind, repr(value)


@given(st.data())
@settings(max_examples=scaled(250, full=3_000), suppress_health_check=list(HealthCheck))
def test_what_is_accepted_arrives_equal(data: st.DataObject) -> None:
    """In params and in a result, with a class of the worker's own; else the error names class and field."""
    declared, values = data.draw(TYPES)
    base = data.draw(st.sampled_from([BaseModel, JobResult]))
    given_class: Any = create_model("Given", __base__=base, field=(declared, ...))
    read_class = create_model("Read", __base__=Job, field=(declared, ...))
    try:
        model = given_class(field=data.draw(values))
    except (PydanticValidationError, TypeError, ValueError):
        return  # pydantic does not take it, so nobody holds such a model
    fields, why = written(model)
    if fields is None:
        assert re.search(r"Given|'field'|\.\w+ (is a Secret|has exclude|has keys)", why)
        return
    arrived: Any = decode(read_class, fields)
    assert shape(arrived.field) == shape(model.field)
    assert arrived.field == model.field


def written(model: BaseModel) -> tuple[dict[str, bytes] | None, str]:
    """Return the fields of a model, or None and why it is refused, when it is declared or when it is written."""
    try:
        refuse_lossy(type(model))
        return encode(model), ""
    except (DeclarationError, ValidationError) as error:
        return None, str(error)


def deep(levels: int) -> Any:
    """Return lists in each other."""
    value: Any = 0
    for _ in range(levels):
        value = [value]
    return value


def made(declared: Any, value: Any, **field: Any) -> BaseModel:
    """Return a model with one field."""
    return create_model("Given", field=(declared, Field(**field)))(field=value)  # type: ignore[no-any-return]


ARRIVES: list[tuple[Any, Any]] = [
    (Decimal | str, Decimal("1.50")),
    (UUID | str, UUID(int=7)),
    (datetime, datetime(2026, 1, 2, 3, tzinfo=BERLIN)),
    (datetime | None, None),
    (time, time(3, 4, 5, 6)),
    (timedelta, timedelta(days=-3, microseconds=7)),
    (set[int] | list[int], [1, 2]),
    (dict[int, Decimal], {1: Decimal("1.10")}),
    (dict[Colour, bytes], {Colour.RED: b"x"}),
    (dict[UUID, list[Pair]], {UUID(int=7): [Pair(1, date(2026, 1, 2))]}),
    (frozenset[Colour], {Colour.RED}),
    (deque[int], deque([1])),
    (May, May.READ | May.WRITE),
    (MayInt, MayInt.READ | MayInt.WRITE),
    (Json[list[int]], "[1, 2]"),
    (Kept, SecretStr("token")),
    (list[Kept], [SecretStr("token")]),
    (Tagged, Bird(wings=3)),
    (Animal | Cat, Cat(lives=3)),
    (Aliased, Aliased(VALUE=3)),
    (Open, Open.model_validate({"more": [1]})),
    (Computed, Computed(number=2)),
    (Hidden, Hidden(number=2)),
    (Box[date], Box[date](held=date(2026, 1, 2))),
    (Numbers, Numbers([1])),
    (Spot, Spot(1, -0.0)),
    (Typed, {"at": date(2026, 1, 2)}),
    (re.Pattern[str], re.compile("a")),
    (ipaddress.IPv6Network, ipaddress.ip_network("::/64")),
    (AnyUrl, AnyUrl("https://example.org")),
    (complex, 1 + 2j),
    (int, 10**4299),
    (list[int], [-(10**4299)]),
    (Any, deep(100)),
    (defaultdict[str, list[int]], defaultdict(list, {"a": [1]})),
]


@pytest.mark.parametrize(("declared", "value"), ARRIVES, ids=[str(at) for at in range(len(ARRIVES))])
def test_what_users_have_arrives(declared: Any, value: Any) -> None:
    """Nothing of this is refused for being hard to write."""
    model: Any = made(declared, value)
    refuse_lossy(type(model))
    arrived: Any = decode(create_model("Read", __base__=Job, field=(declared, ...)), encode(model))
    assert shape(arrived.field) == shape(model.field)
    assert arrived.field == model.field


HIDDEN = Hidden(number=1)
HIDDEN._kept = 2


REFUSED: list[tuple[Any, Any, str]] = [
    (Animal, Dog(name="rex"), "Given.field is a Dog and would come back as a Animal"),
    (list[Animal], [Dog(name="rex")], r"Given.field\[0\] is a Dog and would come back as a Animal"),
    (SerializeAsAny[Animal], Dog(name="rex"), "Given.field is a Dog"),
    (Box[Animal], Box[Animal](held=Dog(name="rex")), "Given.field.held is a Dog"),
    (Colour | str, Colour.RED, "Given.field is a Colour and would come back as a str"),
    (str | Decimal, Decimal("1.5"), "Given.field is a Decimal and would come back as a str"),
    (set[int] | list[int], {1}, "Given.field"),
    (Any, {"at": (1, 2)}, r"Given.field\['at'\] is a tuple and would come back as a list"),
    (Any, datetime(2026, 1, 2, tzinfo=UTC), "Given.field is a datetime and would come back as a str"),
    (Any, {1: 2}, r"Given.field\[1\] would be lost"),
    (Sequence[int], (1, 2), "Given.field is a tuple"),
    (re.Pattern[str], re.compile("a", re.IGNORECASE), "Given.field would come back as another value"),
    (datetime, datetime(2026, 10, 25, 2, 30, fold=1, tzinfo=BERLIN), "Given.field is in an hour that its zone has"),
    (datetime, datetime(2026, 10, 25, 2, 30, fold=0, tzinfo=BERLIN), "convert it to UTC"),
    (Corner, Corner.NEAR, "Given.field"),
    (deque[int], deque([1], maxlen=3), "Given.field has a maxlen"),
    (Iterable[int], [1, 2], "Given.field is an iterator, which can be read but once"),
    (Any, deep(230), "'field' is nested more than 128 levels deep"),
    (Any, deep(150), "is nested more than 128"),
    (int, 10**4400, "'field' holds an integer of more than 4,300 digits"),
    (list[int], [10**4400], r"'field'\[0\] holds an integer of more than 4,300 digits"),
    (int | None, -(10**4400), "'field' holds an integer of more than 4,300 digits"),
    (Loud, "quiet", "Given.field would come back as another value"),
    (Flat, Flat(a=1), "Given.field.a cannot be read again"),
    (Hidden, HIDDEN, r"Given.field\['_kept'\] would come back as another value"),
    (Decimal, Decimal("NaN"), "Given"),
    (dict[str, float], {"a": math.nan}, r"'field'\['a'\] is nan: JSON has no such number"),
]


@pytest.mark.parametrize(("declared", "value", "why"), REFUSED, ids=[str(at) for at in range(len(REFUSED))])
def test_what_would_arrive_as_something_else_is_refused(declared: Any, value: Any, why: str) -> None:
    """The error says where, and as what it would arrive; it shows no value."""
    if declared is Decimal:
        declared = Annotated[Decimal, Field(allow_inf_nan=True)]
    with pytest.raises(ValidationError, match=why):
        encode(made(declared, value))


def test_a_value_that_holds_itself_is_refused() -> None:
    """It has no end."""
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(ValidationError, match="'field' is nested more than 128 levels deep"):
        encode(made(Any, endless))


def test_what_was_not_given_is_refused() -> None:
    """A model that was made without validation may lack a field, which nobody could read."""

    class Two(BaseModel):
        plain: int
        when: date

    with pytest.raises(ValidationError, match=r"Two\.plain is missing"):
        encode(Two.model_construct(when=date(2026, 1, 2)))
    with pytest.raises(ValidationError, match=r"Given\.field is missing"):
        encode(create_model("Given", field=(int, ...)).model_construct())


@pytest.mark.parametrize(
    ("declared", "value"),
    [
        (Annotated[int, Field(ge=0)], -1),
        (PositiveInt, 0),
        (Annotated[str, Field(max_length=2)], "abc"),
        (Annotated[str, Field(pattern="^a")], "b"),
        (Annotated[list[int], Field(max_length=1)], [1, 2]),
        (Annotated[str, StringConstraints(strip_whitespace=True)], " a "),
        (Annotated[str, StringConstraints(to_lower=True)], "A"),
        (Annotated[float, Field(gt=0)] | None, -1.0),
    ],
)
def test_what_was_set_afterwards_is_held_to_its_class(declared: Any, value: Any) -> None:
    """Pydantic does not look at it then, and every worker would refuse the job, or get another value."""
    with pytest.raises(ValidationError, match=r"^Given\.field (cannot be read again|would come back as another value)"):
        encode(create_model("Given", field=(declared, ...)).model_construct(field=value))


@pytest.mark.parametrize("setting", [{"str_strip_whitespace": True}, {"str_to_lower": True}, {"str_max_length": 2}])
def test_what_was_set_afterwards_is_held_to_the_settings_of_its_class(setting: Any) -> None:
    """Those say something of every text."""
    given = create_model("Given", __config__=ConfigDict(**setting), field=(str, ...))
    with pytest.raises(ValidationError, match=r"^Given\.field"):
        encode(given.model_construct(field=" ABC "))
    assert encode(given(field="ab")) == {"field": b'"ab"'}


def test_settings_of_a_job_class_are_not_for_what_every_job_has() -> None:
    """Its id and the flow's name are longer than the user's texts may be, and have capitals."""

    class Short(Job):
        model_config = ConfigDict(str_max_length=3, str_min_length=2, str_to_upper=True, str_strip_whitespace=True)

        text: str

    known = kernel_fields(b"01a21a1f-1317-718e-8816-a255addcf15d", b"s", 1, b'" call "')
    job = decode(Short, {"text": b'" ab "'}, known)
    assert (job.id, job.flow_name, job.correlation_id) == ("01a21a1f-1317-718e-8816-a255addcf15d", "s", " call ")
    assert job.text == "AB"
    assert Short.model_json_schema()["properties"]["id"] == {"title": "Id", "type": "string"}


class Splits(BaseModel):
    """A validator that does not take what it makes."""

    tags: list[str]

    @field_validator("tags", mode="before")
    @classmethod
    def split(cls, value: str) -> list[str]:
        """Cut."""
        return value.split(",")


class Hashes(BaseModel):
    """A validator that changes what it has made once more."""

    password: str
    at: date

    @field_validator("password")
    @classmethod
    def hashed(cls, value: str) -> str:
        """Hash."""
        return f"hashed({value})"


def test_a_validator_that_refuses_its_own_value_is_found_at_once() -> None:
    """Validators run again at the worker: a job that no worker could read is not created."""
    with pytest.raises(
        ValidationError, match=r"Splits\.tags cannot be read again: its validator raises AttributeError"
    ):
        encode(Splits.model_validate({"tags": "a,b"}))


def test_what_a_validator_changes_again_is_the_users_own() -> None:
    """The documents say that validators run again; the value is written as it is."""
    hashes = Hashes.model_validate({"password": "pw", "at": date(2026, 1, 2)})
    assert encode(hashes)["password"] == b'"hashed(pw)"'


def test_a_validator_does_not_hide_what_is_lost() -> None:
    """Only what validating the same value once more would change as well is theirs."""
    field = Annotated[Animal, AfterValidator(lambda animal: animal)]
    with pytest.raises(ValidationError, match="is a Dog"):
        encode(made(field, Dog(name="rex")))
    with pytest.raises(ValidationError, match="another value"):
        encode(made(Annotated[Loud, AfterValidator(lambda text: text)], "quiet"))


@pytest.mark.parametrize(
    ("declared", "field", "why"),
    [
        (SecretStr, {}, r"Given\.field is a SecretStr, which is written as asterisks"),
        (SecretBytes | None, {}, r"Given\.field is a SecretBytes"),
        (dict[str, list[SecretStr]], {}, r"Given\.field is a SecretStr"),
        (int, {"exclude": True}, r"Given\.field has exclude=True"),
        (list[Left], {}, r"Left\.left has exclude=True"),
        (Box[Left], {}, r"Left\.left has exclude=True"),
        (dict[tuple[int, int], str], {}, r"Given\.field has keys of type tuple"),
        (dict[int | None, str], {}, r"Given\.field has keys of type NoneType"),
        (dict[Pair, str], {}, r"Given\.field has keys of type Pair"),
    ],
)
def test_what_can_never_come_back_is_refused_when_it_is_declared(declared: Any, field: Any, why: str) -> None:
    """With the class that has the field, which may be a nested one."""
    with pytest.raises(DeclarationError, match=why):
        refuse_lossy(create_model("Given", field=(declared, Field(**field))))


@pytest.mark.parametrize("declared", [Kept, list[Kept], Kept | None, Flat, dict[str, int], Box[Kept], Tagged])
def test_a_serializer_is_heard_before_a_declaration_is_refused(declared: Any) -> None:
    """What it makes of a value is seen when there is one."""
    refuse_lossy(create_model("Given", field=(declared, ...)))


def test_a_root_model_has_no_fields() -> None:
    """It cannot be params."""
    with pytest.raises(DeclarationError, match="is a RootModel"):
        refuse_lossy(Numbers)
