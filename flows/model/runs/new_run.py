"""What a run is started with, checked and encoded: `start.lua` writes it as it is."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypedDict

from flows.errors import ValidationError
from flows.model.arguments import check_many, check_text
from flows.model.codec import encode_value
from flows.model.creation.job_options import check_options
from flows.model.creation.keys import check_key, time_in_ms
from flows.model.limits.given import check_priority
from flows.model.names import NAME
from flows.model.values.lookup import lookup_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from flows.model.creation.job_options import Due
    from flows.model.retention import Retention

#: The flow of all runs, of whatever app.
RUN_FLOW: Final = "run"
#: The lookup attributes that every run may have.
BY_WORKFLOW: Final = "workflow"
BY_TAG: Final = "tag"
#: How long an idempotency key finds its run.
DEFAULT_KEY_TTL: Final = timedelta(days=7)
_MOST_TAGS: Final = 20


class RunOptions(TypedDict, total=False):
    """What a new run may be given beside its input; None is the same as leaving it out."""

    idempotency_key: str | None
    """One run of the workflow for this key: the call returns the first one's. 1 to 200 bytes."""
    idempotency_ttl: timedelta | float | None
    """How long the key finds its run, 7 days by default: a timedelta, or seconds."""
    run_at: datetime | None
    """The run starts then, by the server's clock; at once where that is over. An aware datetime."""
    delay: timedelta | float | None
    """The run starts so much later: a timedelta, or seconds; not together with `run_at`."""
    priority: int | None
    """1 to 8, 1 first, as far as the workflow has priorities."""
    queue: str | None
    """Workers of this queue take the run, in place of the workflow's own."""
    tags: Sequence[str] | None
    """Up to 20 texts by which the run is found."""
    correlation_id: str | None
    """A text that all steps and children of the run see."""


@dataclass(frozen=True, slots=True)
class NewRun:
    """A run that is ready to be started."""

    id: str
    workflow: str
    queue: str
    """The kernel's queue: the workflow's name, with an override `<workflow>@<queue>`."""
    input: bytes
    """JSON; `null` of a workflow that takes none."""
    due: Due | None = None
    """When it starts; None: at once."""
    priority: int = 1
    key: str | None = None
    """Its idempotency key."""
    key_ttl_ms: int = 0
    lookups: tuple[tuple[str, str], ...] = ()
    """Attribute and text of each lookup list that it joins, that of its workflow first."""
    correlation_id: bytes | None = None
    """JSON."""
    version: str = ""
    """Of its workflow's code, where it has one."""
    undo: bool = False
    """Whether something is to be run after its last failure: its workflow has `on_failure`."""
    retention: Retention | None = None
    """How long it is kept when it has ended; None: as its flow says."""
    fields: tuple[tuple[str, bytes], ...] = ()
    """Further fields of its hash, as JSON: the one by which it belongs to a group."""

    @property
    def digest(self) -> str:
        """Names the input: the same key with another digest is a conflict."""
        return hashlib.sha256(self.input).hexdigest()[:32]


class Started(NamedTuple):
    """What became of a run that was to be started."""

    id: str
    """Its id, or that of the run that has its key."""
    word: Literal["created", "existing", "conflict"]


class CheckedRunOptions(NamedTuple):
    """Options of a start that were checked."""

    due: Due | None
    priority: int
    queue: str | None
    key: str | None
    key_ttl_ms: int
    tags: tuple[str, ...]
    correlation_id: bytes | None


#: Those of most runs.
_NONE: Final = CheckedRunOptions(None, 1, None, None, 0, (), None)


def check_run_options(call: str, options: Mapping[str, Any]) -> CheckedRunOptions:
    """Return the options of a start, checked.

    Raises:
        ValidationError: one is unknown, of another type, or says what no other does.
    """
    if not options:
        return _NONE
    if unknown := options.keys() - RunOptions.__annotations__.keys():
        known = ", ".join(sorted(RunOptions.__annotations__))
        raise ValidationError(f"{call} has no option {min(unknown)}=: it takes {known}")
    common = {name: options.get(name) for name in ("run_at", "delay", "correlation_id")}
    checked = check_options(call, common)
    key, ttl = options.get("idempotency_key"), options.get("idempotency_ttl")
    if key is not None:
        check_key("idempotency_key", key)
    elif ttl is not None:
        raise ValidationError("idempotency_ttl= says how long a key finds its run: give idempotency_key= too")
    queue = options.get("queue")
    if queue is not None and not NAME.fullmatch(check_text("queue", queue)):
        raise ValidationError(f"queue={queue!r:.80}: use 1 to 64 of the characters A-Z a-z 0-9 _ . -")
    correlation_id = checked.correlation_id
    return CheckedRunOptions(
        checked.due,
        check_priority(options.get("priority")),
        queue,
        key,
        0 if key is None else time_in_ms("idempotency_ttl", DEFAULT_KEY_TTL if ttl is None else ttl),
        check_tags(options.get("tags")),
        None if correlation_id is None else encode_value("correlation_id", correlation_id),
    )


def check_tags(tags: object) -> tuple[str, ...]:
    """Return tags as the texts of lookup lists, each once.

    Raises:
        ValidationError: they are no list of texts, one is empty, or there are more than 20.
    """
    if tags is None:
        return ()
    found: dict[str, None] = {}
    for tag in check_many("tags", tags, "texts"):
        text = lookup_text(check_text("a tag", tag))
        if not tag or text is None:
            raise ValidationError("a tag is empty: give a text by which the run is found")
        found[text] = None
    if len(found) > _MOST_TAGS:
        raise ValidationError(f"tags= has {len(found)}: give at most {_MOST_TAGS}")
    return tuple(found)
