"""What users subclass: the job that a queue's workers see, and the result that they return."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Final, Generic, Literal, Self, TypeAlias, cast

from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema
from typing_extensions import TypeVar

from flows.errors import DeclarationError, ValidationError
from flows.model.ids import created_at, new_job_id
from flows.model.limits.given import check_cost, check_priority
from flows.model.names import FIELD

if TYPE_CHECKING:
    from collections.abc import Iterable


class _ExactText:
    """Marks a text of ours in a class that users subclass: `str_to_upper` and its like in `model_config` spare it."""

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        text = core_schema.str_schema(
            strip_whitespace=False, to_upper=False, to_lower=False, min_length=0, max_length=1 << 31
        )
        return text if source is str else core_schema.nullable_schema(text)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        text: JsonSchemaValue = {"type": "string"}
        return text if schema["type"] == "str" else {"anyOf": [text, {"type": "null"}]}


_Text: TypeAlias = Annotated[str, _ExactText()]
_OptionalText: TypeAlias = Annotated[str | None, _ExactText()]


class Job(BaseModel):
    """What the workers of one queue see: the fields of the job's hash that a subclass declares.

    The fields below come with every job; a subclass adds the attributes that its queue needs.
    """

    model_config = ConfigDict(extra="ignore")

    id: _Text = Field(default_factory=new_job_id)
    """The job's id, a UUIDv7."""
    flow_name: _Text = ""
    """The flow's name; of a child, `<parent queue>:<child>`."""
    priority: int = 1
    """How soon the job is taken, 1 first, as far as its queue has priorities."""
    correlation_id: _OptionalText = None
    attempt: int = 1
    """Which attempt in this queue this is, from 1."""

    @property
    def created_at(self) -> datetime:
        """When the job was created, in UTC, to the millisecond."""
        return created_at(self.id)

    @classmethod
    def __job_class__(cls) -> type[Self]:
        """Return the class: type checkers infer from this which one stands for a queue."""
        return cls

    @classmethod
    def __flow_job_class__(cls) -> type[Self]:
        """Return the class: type checkers compare it by this with those of the flow."""
        return cls


@dataclass(frozen=True, slots=True)
class ChildJob:
    """A child to create: for which child queue, with which params.

    Args:
        child: The job class of the child queue, or the child queue's own name.
        params: A model or a mapping with the fields that the child's job class declares.
        children: Children of the child, where its queue has child queues of its own.
        priority: 1 to 8, 1 first; None: its parent's.
        cost: How many tokens and slots one start of the child takes; None: 1.

    Raises ValidationError where the params have a field that the job class does not declare, or the priority or the
    cost is none. All else is validated when the function returns, before anything is written.
    """

    child: type[Job] | str
    params: BaseModel | Mapping[str, object]
    children: Sequence[ChildJob] = field(default=())
    _: KW_ONLY
    priority: int | None = None
    cost: int | None = None

    def __post_init__(self) -> None:
        """Check the names of the params against the job class, where that is known already."""
        child, params, children = self.child, self.params, self.children
        declared = _names_of_job(child) if isinstance(child, type) else None
        kind: type[object] = type(params)
        is_bare = kind is dict and children == () and self.priority is None and self.cost is None
        if is_bare and declared is not None and declared >= cast("Mapping[str, object]", params).keys():
            return  # as most are; one parent may have thousands
        if declared is None and not isinstance(child, str):
            raise ValidationError(f"ChildJob({child!r}): give the job class of a child queue, or the queue's name")
        # What most are is asked first: to ask a model's class or an abstract one takes as long as all else here.
        is_mapping = kind is dict or isinstance(params, Mapping)
        if not is_mapping and not isinstance(params, BaseModel):
            raise ValidationError(f"ChildJob: params are a {kind.__name__}: give a model, or a mapping of fields")
        if children != () and (isinstance(children, (str, bytes)) or not isinstance(children, Sequence)):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ValidationError(f"ChildJob: children are a {type(children).__name__}: give a list of ChildJob")
        if self.priority is not None:
            check_priority(self.priority)
        if self.cost is not None:
            check_cost(self.cost)
        if declared is None or isinstance(child, str):
            return
        model = cast("type[BaseModel]", kind)
        given = cast("Mapping[str, object]", params).keys() if is_mapping else _names_of(model)
        if not declared >= given:
            unknown, known = ", ".join(sorted(map(str, given - declared))), ", ".join(user_fields(child)) or "none"
            raise ValidationError(f"ChildJob: {child.__name__} declares no {unknown}; its fields are {known}")

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Let results hold children as they are: the worker validates them against their class."""
        return core_schema.is_instance_schema(cls)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Let results have a JSON schema: what a child is created with depends on its queue."""
        return {"type": "object", "title": cls.__name__}


class JobResult(BaseModel):
    """What a worker function returns: its fields are saved to the job's hash."""

    model_config = ConfigDict(extra="forbid")

    next_queue: _OptionalText = None
    """Where the job goes, instead of the queue's own next queue."""
    children: list[ChildJob] = Field(default_factory=list[ChildJob])
    """The children to create for the next parent queue."""

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        """Yield what a repr shows: of the two fields above only what is set."""
        return [(name, value) for name, value in super().__repr_args__() if name not in JobResult.model_fields or value]


class JobError(BaseModel):
    """Why an attempt ended badly."""

    model_config = ConfigDict(frozen=True)

    type: str
    """The name of the exception's class, or a reason of the kernel such as `MalformedJob`."""
    message: str
    traceback: str = ""
    queue: str = ""
    attempt: int = 0

    def brief(self) -> dict[str, str]:
        """Return what the job's history keeps of the error: the type, and the first 200 characters of the message."""
        return {"type": self.type, "message": self.message[:200]}


ResultT = TypeVar("ResultT", bound=JobResult)
ChildParamsT = TypeVar("ChildParamsT", default=dict[str, Any])


def _no_params() -> Any:
    return {}


class ChildResult(BaseModel, Generic[ResultT, ChildParamsT]):
    """How one child ended, as the queue after the parent queue sees it.

    `ChildResult[Checked]` has the child's params as a dict of plain JSON, and `ChildResult[Checked, CheckParams]` as
    this model.
    """

    id: str
    status: Literal["done", "failed", "cancelled", "expired", "deleted"]
    result: ResultT | None = None
    error: JobError | None = None
    params: ChildParamsT = Field(default_factory=_no_params)
    """What the child was created with."""


@dataclass(frozen=True, slots=True)
class ChildrenOf:
    """Marks a field of a job class as the results of a parent queue's children.

    The field's type is `list[ChildResult[...]]`, in the order in which the children were named::

        checks: Annotated[list[ChildResult[Checked]], ChildrenOf("access-check", "requirement")]
    """

    queue: str
    child: str


#: User fields may not be called so: they would hide what every job or result has.
RESERVED_FIELDS: Final = frozenset({*Job.model_fields, *JobResult.model_fields, "created_at", "results"})


@cache
def user_fields(model: type[BaseModel]) -> tuple[str, ...]:
    """Return the names of the fields that users declared in `model`, in order.

    Raises:
        DeclarationError: the model takes unknown fields, or a name is reserved or breaks the grammar.
    """
    if model.model_config.get("extra") == "allow":
        raise DeclarationError(
            f"{model.__name__} has extra='allow': declare its fields, unknown ones cannot be checked"
        )
    own = Job if issubclass(model, Job) else JobResult if issubclass(model, JobResult) else BaseModel
    names = tuple(name for name in model.model_fields if name not in own.model_fields)
    redeclared = (
        name for name, info in own.model_fields.items() if model.model_fields[name].annotation != info.annotation
    )
    for name in (*redeclared, *names):
        if name in RESERVED_FIELDS or not FIELD.fullmatch(name):
            why = "every job has one" if name in RESERVED_FIELDS else "use letters, digits and _"
            raise DeclarationError(f"field {name!r} of {model.__name__} cannot be used ({why}): rename it")
    return names


@cache
def _names_of(model: type[BaseModel]) -> frozenset[str]:
    return frozenset(user_fields(model))


@cache
def _names_of_job(model: type[object]) -> frozenset[str] | None:
    """Return the names of the fields of a job class; nothing for another class."""
    return _names_of(model) if issubclass(model, Job) else None


def children_fields(model: type[BaseModel]) -> dict[str, ChildrenOf]:
    """Return the fields of `model` that hold children's results, by name."""
    found: dict[str, ChildrenOf] = {}
    for name, info in model.model_fields.items():
        marks: list[Any] = [mark for mark in info.metadata if isinstance(mark, ChildrenOf)]
        if marks:
            found[name] = marks[0]
    return found
