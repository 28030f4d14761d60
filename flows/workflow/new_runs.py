"""Makes new runs of inputs: of a workflow that is known here, or of one that is known by its name alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from flows.errors import PayloadTooLarge, ValidationError
from flows.model.ids import new_job_id
from flows.model.names import NAME
from flows.model.runs.new_run import BY_TAG, BY_WORKFLOW, NewRun, check_run_options
from flows.model.runs.queue_names import run_queue
from flows.model.runs.shape import JSON_VALUES, Shape, encode_untyped
from flows.model.values.lookup import lookup_texts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flows.model.runs.new_run import CheckedRunOptions
    from flows.workflow.declared import Declared

#: The input of a run, in bytes of JSON, where nothing else is said.
DEFAULT_MAX_PAYLOAD: Final = 1 << 20


def new_run(
    workflow: Declared | str,
    given: object,
    options: Mapping[str, Any],
    call: str = "run",
    *,
    run_id: str | None = None,
    max_payload: int = DEFAULT_MAX_PAYLOAD,
) -> NewRun:
    """Return a run that is ready to be started.

    Args:
        workflow: The workflow, or its name.
        given: The input; of a workflow that takes none, None.
        options: Those of `RunOptions`.
        call: What was called, for an error's text.
        run_id: The run's id; None: a new one.
        max_payload: The most that the input may take, in bytes.

    Raises:
        ValidationError: the input is not of the workflow's type, or an option cannot be used.
        PayloadTooLarge: the input takes more than `max_payload` bytes.
    """
    return maker(workflow, options, call, max_payload)(given, run_id)


def maker(
    workflow: Declared | str, options: Mapping[str, Any], call: str, max_payload: int = DEFAULT_MAX_PAYLOAD
) -> Callable[[object, str | None], NewRun]:
    """Return what makes runs with the same options of inputs: options are checked once, before the first.

    Raises:
        ValidationError: an option cannot be used, or there can be no such workflow.
    """
    checked = check_run_options(call, options)
    if isinstance(workflow, str):
        if not NAME.fullmatch(workflow):
            raise ValidationError(f"{call}: workflow {workflow!r:.80}: use 1 to 64 of the characters A-Z a-z 0-9 _ . -")
        name = workflow
        return lambda given, run_id: _of(
            name, encode_untyped(f"the input of workflow {name!r}", given), checked, max_payload, run_id
        )
    known = workflow
    return lambda given, run_id: _of_known(known, given, checked, max_payload, run_id)


def child_output(workflow: Declared | str) -> Shape[Any]:
    """Return what the runs of a workflow return; plain JSON where it is known by its name alone."""
    return JSON_VALUES if isinstance(workflow, str) else workflow.output


def _of_known(
    workflow: Declared, given: object, checked: CheckedRunOptions, max_payload: int, run_id: str | None
) -> NewRun:
    options = workflow.options
    value = workflow.accept(given)
    data = b"null" if workflow.input is None else workflow.input.encode(value)
    rules = workflow.rules
    fields: tuple[tuple[str, bytes], ...] = ()
    if rules is not None and rules.group is not None:
        fields = ((rules.group, JSON_VALUES.encode(member_of(value, rules.group))),)
    lookups = [(name, text) for name in options.lookup for text in lookup_texts(member_of(value, name))]
    pinned = options.version_text if options.on_change == "pin" else ""
    return _of(
        workflow.name,
        data,
        checked,
        max_payload,
        run_id,
        lookups=lookups,
        pinned=pinned,
        version=options.version_text,
        undo=options.on_failure is not None,
        retention=options.retained,
        fields=fields,
    )


def _of(
    name: str,
    data: bytes,
    checked: CheckedRunOptions,
    max_payload: int,
    run_id: str | None,
    *,
    lookups: list[tuple[str, str]] | None = None,
    pinned: str = "",
    **more: Any,
) -> NewRun:
    if len(data) > max_payload:
        raise PayloadTooLarge(
            f"the input of workflow {name!r} takes {len(data):,} bytes, over max_payload={max_payload:,}: store large "
            "data elsewhere and give where it is"
        )
    tags = [(BY_TAG, tag) for tag in checked.tags]
    return NewRun(
        run_id or new_job_id(),
        name,
        run_queue(name, checked.queue, pinned),
        data,
        due=checked.due,
        priority=checked.priority,
        key=checked.key,
        key_ttl_ms=checked.key_ttl_ms,
        lookups=((BY_WORKFLOW, name), *tags, *(lookups or ())),
        correlation_id=checked.correlation_id,
        **more,
    )


def member_of(value: object, name: str) -> object:
    """Return a field of an input, which is a model, a dataclass or a dict; None where it lacks it."""
    return value.get(name) if isinstance(value, dict) else getattr(value, name, None)  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
