"""What an operation is: one typed function with a name and a role, which every mouth calls in the same way.

`@operation("jobs.retry", role="operator")` keeps the function's type and makes a model of its parameters. Whoever calls
it, from Python or by `Operation.call`, passes the same checks: the role, the flow, the params; and where it acts, the
audit is told before and after.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property, wraps
from typing import Any, Concatenate, Final, Generic, ParamSpec, TypeVar, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, create_model
from pydantic import ValidationError as PydanticValidationError
from pydantic_core import ErrorDetails

from flows.api.admin import Admin
from flows.api.audited import audited
from flows.api.caller import Role
from flows.errors import Forbidden, ValidationError

P = ParamSpec("P")
AnswerT = TypeVar("AnswerT")
#: An operation as the module has it that declares it.
Function = Callable[Concatenate[Admin, P], Coroutine[Any, Any, AnswerT]]

_operations: Final[dict[str, Operation[Any]]] = {}
_NAME: Final = re.compile(r"[a-z]+\.[a-z_]+")
#: A line of the docstring's `Args:`.
_ARGUMENT: Final = re.compile(r"^ {4}(?:    )?(\w+): (.+(?:\n {8,}\S.*)*)", re.MULTILINE)


@dataclass(frozen=True)
class Operation(Generic[AnswerT]):
    """One operation, as the registry has it."""

    name: str
    """`<group>.<verb>`: a CLI's `flows <group> <verb>`, and the path `/api/v1/<group>/<verb>`."""
    role: Role
    """The role that it takes."""
    acts: bool
    """Whether it changes something: it is then audited, and asked for by POST."""
    frees: bool
    """Whether it frees memory: it then goes on where the server is full and cannot take a line of the audit."""
    params: type[BaseModel]
    """What it takes, but for the `Admin`."""
    answer: Any
    """The type of its answer: a pydantic model, or a list of one."""
    function: Callable[..., Coroutine[Any, Any, AnswerT]]

    @property
    def group(self) -> str:
        """What it is about: `jobs`, `queues` and so on."""
        return self.name.partition(".")[0]

    @property
    def verb(self) -> str:
        """What it does with that."""
        return self.name.partition(".")[2]

    @cached_property
    def summary(self) -> str:
        """What it does, in one sentence."""
        return (inspect.getdoc(self.function) or "").partition("\n")[0]

    @cached_property
    def description(self) -> str:
        """What its docstring says, without what is told of its arguments."""
        return re.split(r"\n\n(?:Args|Raises):", inspect.getdoc(self.function) or "")[0].strip()

    @cached_property
    def adapter(self) -> TypeAdapter[AnswerT]:
        """What writes its answer as JSON, and knows its JSON schema."""
        return TypeAdapter(self.answer)

    def plain(self, answer: AnswerT) -> Any:
        """Return an answer as plain JSON."""
        return self.adapter.dump_python(answer, mode="json")

    async def call(self, admin: Admin, given: Mapping[str, Any] | BaseModel) -> AnswerT:
        """Do it, for the caller of `admin`.

        Args:
            admin: What it works on, and who asks.
            given: Its params by name; texts of a command line or of a URL are read as what they stand for.

        Raises:
            Forbidden: the caller lacks the role, or the flow is not one of its.
            ValidationError: the params are refused; the message says which.
            FlowsError: what it itself raises.
        """
        caller = admin.caller
        if not caller.may(self.role):
            raise Forbidden(self.name, self.role)
        params = given if isinstance(given, self.params) else self._checked(given)
        scoped = await admin.scope(params)
        named = {name: getattr(scoped, name) for name in self.params.model_fields}
        if not self.acts:
            return await self.function(admin, **named)
        async with audited(admin, self.name, scoped, frees=self.frees) as entry:
            answer = await self.function(admin, **named)
            entry.answered(answer)
            return answer

    def _checked(self, given: Mapping[str, Any] | BaseModel) -> BaseModel:
        try:
            return self.params.model_validate(dict(given))
        except PydanticValidationError as error:
            raise ValidationError(f"{self.name}: {_told(error)}") from error


def operation(
    name: str, *, role: Role = "viewer", acts: bool | None = None, frees: bool = False
) -> Callable[[Function[P, AnswerT]], Function[P, AnswerT]]:
    """Declare an operation: a coroutine function that takes an `Admin`, and what is given to it by name.

    Args:
        name: `<group>.<verb>`.
        role: Who may ask for it.
        acts: Whether it changes something; what takes the role `operator` does, unless this says otherwise.
        frees: Whether it frees memory, and goes on where the server is full.
    """

    def declare(function: Function[P, AnswerT]) -> Function[P, AnswerT]:
        if not _NAME.fullmatch(name) or name in _operations:
            raise TypeError(f"operation {name!r}: name it <group>.<verb>, and once")
        hints = get_type_hints(function, include_extras=True)
        declared = Operation[AnswerT](
            name=name,
            role=role,
            acts=role == "operator" if acts is None else acts,
            frees=frees,
            params=_params(name, function, hints),
            answer=hints["return"],
            function=function,
        )
        _operations[name] = declared
        signature = inspect.signature(function)

        @wraps(function)
        async def call(admin: Admin, /, *args: P.args, **kwargs: P.kwargs) -> AnswerT:
            bound = signature.bind(admin, *args, **kwargs)
            return await declared.call(admin, dict(list(bound.arguments.items())[1:]))

        return call

    return declare


def operations() -> dict[str, Operation[Any]]:
    """Return all operations by name, in the order of their names: those of the modules that were imported."""
    return {name: _operations[name] for name in sorted(_operations)}


def find_operation(name: str) -> Operation[Any]:
    """Return an operation by its name.

    Raises:
        ValidationError: there is none; the message names those that are called alike.
    """
    try:
        return _operations[name]
    except KeyError:
        alike = ", ".join(get_close_matches(name, _operations)) or ", ".join(operations())
        raise ValidationError(f"there is no operation {name!r}: there is {alike}") from None


def forget_operation(name: str) -> None:
    """Forget an operation: for tests that declare one."""
    _operations.pop(name, None)


def _params(name: str, function: Callable[..., Any], hints: Mapping[str, Any]) -> type[BaseModel]:
    told = {one: re.sub(r"\s+", " ", text) for one, text in _ARGUMENT.findall(inspect.getdoc(function) or "")}
    fields: dict[str, Any] = {}
    for parameter in list(inspect.signature(function).parameters.values())[1:]:
        default = ... if parameter.default is inspect.Parameter.empty else parameter.default
        fields[parameter.name] = (hints[parameter.name], Field(default, description=told.get(parameter.name)))
    title = "".join(part.capitalize() for part in re.split(r"[._]", name)) + "Params"
    return create_model(title, __config__=ConfigDict(extra="forbid", frozen=True), **fields)


def _told(error: PydanticValidationError) -> str:
    """Return what is wrong, without what was given: it may be secret, or long."""
    return "; ".join(map(_sentence, error.errors()[:5]))


def _sentence(one: ErrorDetails) -> str:
    """Return what was said where it was refused; what we have said ourselves needs no name before it."""
    said = one.get("ctx", {}).get("error")
    if isinstance(said, ValidationError):
        return str(said)
    return f"{'.'.join(map(str, one['loc'])) or 'params'}: {said if isinstance(said, ValueError) else one['msg']}"
