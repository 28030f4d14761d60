"""`jobs.create`: a job of params in JSON, checked by the code of its flow, or by the schema that this has left."""

from __future__ import annotations

import importlib
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any, Final, cast
from uuid import UUID

from pydantic import AnyUrl, BaseModel, Field, TypeAdapter
from pydantic import ValidationError as PydanticValidationError

from flows.api.admin import Admin
from flows.api.operation import operation
from flows.api.views.jobs import Created
from flows.api.views.time import Time
from flows.errors import MissingExtra, ValidationError
from flows.model.codec import encode, encode_value
from flows.model.creation.job_options import CheckedOptions, check_options
from flows.model.creation.keys import check_kept
from flows.model.ids import new_job_id
from flows.model.limits.given import refuse_without_rules, rule_fields
from flows.model.retention import Retention
from flows.store.jobs.creation import Creation
from flows.store.jobs.delayed_creation import DelayedCreation

if TYPE_CHECKING:
    from flows.api.known_flow import KnownFlow
    from flows.model.declared.schemas import Schema

#: What a text is by its format in a schema, and how it is then looked up: as the value that the flow's code would make.
_FORMATS: Final[dict[str, TypeAdapter[Any]]] = {
    "date-time": TypeAdapter(datetime),
    "date": TypeAdapter(date),
    "uuid": TypeAdapter(UUID),
    "uri": TypeAdapter(AnyUrl),
}


@operation("jobs.create", role="operator")
async def create(
    admin: Admin,
    flow: str,
    params: dict[str, Any],
    *,
    delay: Time | None = None,
    run_at: datetime | None = None,
    priority: Annotated[int, Field(ge=1, le=8)] | None = None,
    cost: Annotated[int, Field(ge=1)] | None = None,
    idempotency_key: str | None = None,
    correlation_id: str | None = None,
) -> Created:
    """Create a job, which then waits in the flow's first queue or is delayed.

    Args:
        flow: The flow.
        params: What the job is created with, as JSON.
        delay: It starts so much later.
        run_at: It starts then: an instant with a time zone.
        priority: 1 to 8, 1 first.
        cost: How many tokens and slots one start of it takes.
        idempotency_key: One job for this key: the id of the first is returned.
        correlation_id: A text that every worker of the job sees.

    Raises:
        ValidationError: the params or an option are refused; PayloadTooLarge where they are over the limit.
        IdempotencyConflict: the job of this key has other params.
        NothingThere: there is no such flow.
    """
    known = await admin.flow(flow)
    known.check_times()
    if known.name != flow or not known.declared:
        raise ValidationError(f"jobs of {flow!r} are created by the library, or by their parents")
    checked = _checked_options(
        known,
        {
            "delay": delay,
            "run_at": run_at,
            "priority": priority,
            "cost": cost,
            "idempotency_key": idempotency_key,
            "correlation_id": correlation_id,
        },
    )
    how, fields, values = encoded_params(known, admin.params_of(flow), params)
    if checked.correlation_id is not None:
        fields["_correlation_id"] = encode_value("correlation_id", checked.correlation_id)
    fields.update(rule_fields(checked.priority, checked.cost))
    first = known.settings.rules.get(known.settings.first_queue)
    job_id = new_job_id()
    if checked.conditional or (first is not None and first.group is not None):
        if checked.condition is not None:
            values.append((checked.condition.attribute, checked.condition.key))
        delayed = DelayedCreation(admin.connection, known.settings)
        [made] = await delayed.create(checked.due, [delayed.prepare(job_id, fields, values)], checked.condition)
    else:
        creation = Creation(admin.connection, known.settings)
        job = creation.prepare(job_id, fields, values)
        await creation.create(job)
        made = job.id
    return Created(word="created" if made == job_id else "existing", flow=flow, id=made, checked=how)


def _checked_options(known: KnownFlow, given: dict[str, Any]) -> CheckedOptions:
    checked = check_options("create_job", given)
    if checked.priority != 1 or checked.cost != 1:
        rules = {name: queue.rules for name, queue in known.by_queue.items()}
        refuse_without_rules(known.name, checked.priority, checked.cost, rules)
    if checked.condition is not None:
        times = known.declared[0].times
        kept = Retention(done=times.done, failed=times.failed, cancelled=times.cancelled)
        check_kept(checked.condition, times.ttl, kept)
    return checked


def encoded_params(
    known: KnownFlow, model: type[BaseModel] | None, given: dict[str, Any]
) -> tuple[str, dict[str, bytes], list[tuple[str, object]]]:
    """Return against what params were checked, the fields of the hash, and the lookup attributes with their values.

    Args:
        known: The flow.
        model: Its Params, where its code is here.
        given: The params, as JSON.

    Raises:
        ValidationError: they are refused.
    """
    if model is not None:
        try:
            params = model.model_validate(given)
        except PydanticValidationError as error:
            raise ValidationError(f"params: {_told(error)}") from error
        return "model", encode(params), [(name, getattr(params, name)) for name in known.lookups]
    schema = known.declared[0].params.schema
    if schema is None:
        whole = given
    else:
        properties: dict[str, Any] = schema.get("properties", {})
        _check_schema(schema, properties, given)
        defaults = {name: part["default"] for name, part in properties.items() if "default" in part}
        whole = {**defaults, **given}
        if missing := properties.keys() - whole.keys():
            raise ValidationError(
                f"params.{min(missing)}: its default is made by the flow's code, which is not here: give a value"
            )
    fields = {name: encode_value(f"params.{name}", value) for name, value in whole.items()}
    values = [(name, _valued(schema, name, whole[name])) for name in known.lookups if name in whole]
    return "nothing" if schema is None else "schema", fields, values


def check_value(schema: Schema, what: str, name: str, value: object) -> None:
    """Check the value of one property by a schema.

    Args:
        schema: Of the whole object.
        what: How the value is called where it is refused.
        name: Of the property.
        value: As JSON has it.

    Raises:
        ValidationError: the value breaks the schema.
        MissingExtra: what checks it is not installed.
    """
    one = {"$defs": schema.get("$defs", {}), **schema["properties"][name]}
    _refuse(one, what, value)


def _check_schema(schema: Schema, properties: dict[str, Any], given: dict[str, Any]) -> None:
    if unknown := given.keys() - properties.keys():
        raise ValidationError(f"params.{min(unknown)}: there is no such param: there is {', '.join(properties)}")
    _refuse(schema, "params", given)
    for name, value in given.items():
        _valued(schema, name, value)


def _refuse(schema: Schema, what: str, value: object) -> None:
    """Refuse a value that breaks a schema."""
    try:
        jsonschema: Any = importlib.import_module("jsonschema")
    except ImportError as error:
        raise MissingExtra("checking params by the schema that a flow has left", "web") from error
    validator = jsonschema.Draft202012Validator(schema)
    errors = sorted(validator.iter_errors(value), key=lambda one: list(map(str, one.absolute_path)))
    if errors:
        told = "; ".join(f"{'.'.join([what, *map(str, one.absolute_path)])}: {_why(one)}" for one in errors[:5])
        raise ValidationError(told)


def _why(error: Any) -> str:
    """Return what is wrong, without the value, which may be long or secret."""
    if error.validator == "required":
        return str(error.message)
    return f"it breaks {error.validator}: {error.validator_value!r:.200}"


def _valued(schema: Schema | None, name: str, value: Any) -> object:
    """Return a param as the flow's code would have it, as far as its format says: so its lookup text is the same.

    Raises:
        ValidationError: it is no text of that format.
    """
    part: Any = {} if schema is None else schema.get("properties", {}).get(name, {})
    if isinstance(value, list):
        some: list[Any] = value  # pyright: ignore[reportUnknownVariableType]
        items: Any = part.get("items", {})
        return [_as_format(items, name, one) for one in some]
    return _as_format(part, name, value)


def _as_format(part: Any, name: str, value: Any) -> object:
    members = cast("dict[str, Any]", part) if isinstance(part, dict) else {}
    options: list[dict[str, Any]] = [members, *members.get("anyOf", ())]
    formats = [one.get("format") for one in options]
    known = next((one for one in formats if one in _FORMATS), None)
    if known is None or not isinstance(value, str):
        return value
    try:
        found: object = _FORMATS[known].validate_python(value)
    except PydanticValidationError as error:
        raise ValidationError(f"params.{name}: it is no {known}") from error
    return found


def _told(error: PydanticValidationError) -> str:
    return "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()[:5])
