"""`Shape`: the type of a run's input, output or step result, and its values as JSON that gives them back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from pydantic import BaseModel, TypeAdapter
from pydantic import ValidationError as PydanticValidationError
from pydantic_core import from_json, to_json

from flows.errors import DeclarationError, ValidationError
from flows.model.values.lossy import refuse_lossy_type
from flows.model.values.plain import is_exactly, is_json, plain_fields
from flows.model.values.same import difference, refuse_unwritable
from flows.model.values.unreadable import faults_of, in_one_line

if TYPE_CHECKING:
    from flows.model.declared.schemas import Schema
    from flows.model.values.plain import Test

ValueT = TypeVar("ValueT")

#: What stands for a type that nobody has declared.
_UNDECLARED: Final = (Any, object)


class Shape(Generic[ValueT]):
    """A type as it was annotated: models, dataclasses, typed dicts, scalars, and lists and dicts of these.

    Where it is `Any` or `object`, its values are plain JSON: None, bool, int, str, float, lists, and dicts by str.

    Args:
        declared: The annotation, without names in quotes.
        what: What has it, for an error's text, such as "the input of workflow 'ship'".

    Raises DeclarationError where values of the type can never come back from JSON.
    """

    def __init__(self, declared: Any, what: str) -> None:
        self.declared = declared
        self.what = what
        self._plain = any(declared is one for one in _UNDECLARED)
        refuse_lossy_type(declared, what)
        try:
            self._adapter: TypeAdapter[ValueT] = TypeAdapter(declared)
        except Exception as error:  # pydantic and the hooks of users' types raise many things
            why = str(error).partition("\n")[0]
            raise DeclarationError(f"{what} has a type that cannot be validated ({why}): annotate another") from error
        #: Says whether a value is plain without a further look.
        self._is_exact = _exactly(declared)

    def __repr__(self) -> str:
        return f"<Shape {name_of(self.declared)} of {self.what}>"

    @property
    def schema(self) -> Schema | None:
        """The JSON schema of the type; None where it has none, or says nothing."""
        if self._plain:
            return None
        try:
            return self._adapter.json_schema()
        except Exception:  # noqa: BLE001 - a type of the user's may raise anything
            return None

    def accept(self, value: object) -> ValueT:
        """Return a value that is to be an input: what is given as plain data is made a value of the type.

        Raises:
            ValidationError: it is none, and cannot be made one.
        """
        if self._plain:
            self._refuse_others(value)
        try:
            return self._adapter.validate_python(value)
        except Exception as error:
            raise self._refusal(error) from error

    def encode(self, value: object) -> bytes:
        """Return a value as JSON, from which `decode` makes the same value.

        Raises:
            ValidationError: it is no value of the type, or would come back as another one.
        """
        if self._is_exact(value):
            return self._written(value)
        if self._plain:
            self._refuse_others(value)
            return self._written(value)
        refuse_unwritable(value, self.what)
        try:
            data = self._adapter.dump_json(value, warnings=False)  # type: ignore[arg-type]
        except Exception as error:
            raise ValidationError(f"{self.what}: a {type(value).__name__} is not JSON: {error}") from error
        self._check_arrival(value, data)
        return data

    def decode(self, data: bytes | str) -> ValueT:
        """Return the value that stands in a JSON text.

        Raises:
            ValidationError: the text is not JSON, or holds no value of the type.
        """
        try:
            return self._adapter.validate_json(data)
        except Exception as error:
            raise self._refusal(error) from error

    def _written(self, value: object) -> bytes:
        try:
            return to_json(value)
        except (ValueError, RecursionError) as error:  # a text may hold what UTF-8 cannot
            raise ValidationError(f"{self.what} is not JSON: {error}") from error

    def _check_arrival(self, value: object, data: bytes) -> None:
        """Check that what is read again is the value: whoever sees it first must not see what a replay cannot."""
        arrived = self.decode(data)
        found = difference(value, arrived)
        if found is None:
            return
        try:  # an int is a float's value too, and a typed dict may lack defaults
            same = bool(value == arrived) and difference(self._adapter.validate_python(value), arrived) is None
        except Exception:  # noqa: BLE001 - how a type of the user's compares is user code
            same = False
        if not same:
            raise ValidationError(
                f"{self.what} is declared as {name_of(self.declared)}, and the value{found.path} {found.how}"
            )

    def _refuse_others(self, value: object) -> None:
        if not is_json(value):
            refuse_unwritable(value, self.what)
            untyped = "is declared as object, which is no type" if self.declared is object else "has no declared type"
            raise ValidationError(
                f"{self.what} {untyped}, and what was given ({type(value).__name__}) is no plain JSON, such as a tuple "
                "or an object: annotate the type, or give JSON values"
            )

    def _refusal(self, error: Exception) -> ValidationError:
        if not isinstance(error, PydanticValidationError):
            return ValidationError(f"{self.what} cannot be validated: {type(error).__name__}: {error}")
        return ValidationError(f"{self.what} is no {name_of(self.declared)}: {in_one_line(error)}", faults_of(error))


def _exactly(declared: Any) -> Test:
    if isinstance(declared, type) and issubclass(declared, BaseModel):
        return _of_model(declared)
    try:
        return is_exactly(object if declared == list[int] else declared)
    except TypeError:  # it has no hash
        return is_exactly(object)


def _of_model(model: type[BaseModel]) -> Test:
    """Return what says whether a value is a model of plain fields, each of which JSON gives back as it is."""
    try:
        fields, declared = plain_fields(model), model.model_fields
    except DeclarationError:  # it has a name that no job's field may have
        return is_exactly(object)
    aliased = any(one.alias or one.validation_alias or one.serialization_alias for one in declared.values())
    unusual = aliased or fields.constrained or fields.numbers or model.model_computed_fields
    if unusual or not fields.plain or len(fields.tests) != len(declared):
        return is_exactly(object)

    def is_exact(value: object) -> bool:
        if type(value) is not model or value.__pydantic_extra__:
            return False
        values = value.__dict__
        return len(values) == len(fields.tests) and all(test(values.get(name)) for name, test in fields.tests)

    return is_exact


def name_of(declared: Any) -> str:
    """Return a type as a message names it."""
    return declared.__name__ if isinstance(declared, type) and not hasattr(declared, "__args__") else str(declared)


def plain_json(what: str) -> Shape[Any]:
    """Return the shape of what nobody has declared: plain JSON."""
    return Shape(Any, what)


def read_plain(data: bytes | str) -> Any:
    """Return the plain data of a JSON text; None where it is none."""
    try:
        return from_json(data)
    except ValueError:
        return None


#: The shape of values whose type nobody has declared.
JSON_VALUES: Final[Shape[Any]] = plain_json("the value")


def encode_untyped(what: str, value: object) -> bytes:
    """Return as JSON a value whose type nobody has declared here: plain JSON, or by its own class.

    Raises:
        ValidationError: it is none, or would come back as another one.
    """
    if is_json(value):
        return JSON_VALUES.encode(value)
    try:
        shape = Shape[Any](type(value), what)
    except DeclarationError as error:
        raise ValidationError(f"{what} is no JSON: {error}") from error
    return shape.encode(value)
