"""`jobs.create`: a job of params in JSON, checked by the code of its flow, or by the schema that this has left."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, Field
from pydantic import ValidationError as PydanticValidationError

from flows.api.admin import Admin
from flows.api.jobs.checking import as_declared, check_object, refusal
from flows.api.operation import operation
from flows.api.views.jobs import Created
from flows.api.views.time import Time
from flows.errors import Fault, ValidationError
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
            raise refusal("params", [Fault(tuple(one["loc"]), one["msg"]) for one in error.errors()]) from error
        return "model", encode(params), [(name, getattr(params, name)) for name in known.lookups]
    schema = known.declared[0].params.schema
    if schema is None:
        whole = given
    else:
        properties: dict[str, Any] = schema.get("properties", {})
        check_object(schema, given)
        defaults = {name: part["default"] for name, part in properties.items() if "default" in part}
        whole = {**defaults, **given}
        if missing := properties.keys() - whole.keys():
            why = "its default is made by the flow's code, which is not here: give a value"
            raise refusal("params", [Fault((name,), why) for name in sorted(missing)])
    fields = {name: encode_value(f"params.{name}", value) for name, value in whole.items()}
    values = [(name, as_declared(schema, name, whole[name])) for name in known.lookups if name in whole]
    return "nothing" if schema is None else "schema", fields, values
