"""The messages of `flows.live.1`: what a client may send, read and checked, and what it is sent besides states.

Each is a JSON object in a text frame of at most 64 KiB from clients. ARCHITECTURE.md draws how they follow each other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, NamedTuple, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel
from pydantic_core import to_json

from flows.model.tree.errors import InstanceGone
from flows.server.problem import code_of, told

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flows.errors import FlowsError

#: The subprotocol that a client asks for at the handshake.
SUBPROTOCOL: Final = "flows.live.1"
#: Bytes of a message from a client.
LONGEST_MESSAGE: Final = 64 * 1024
#: Seconds of silence after which the server says that it is there: browsers cannot see pings.
BEAT: Final = 15.0
#: Seconds for a client that has to say who it is.
TIME_TO_AUTHENTICATE: Final = 10.0
#: Seconds after which it is checked again who the client is.
CHECKED_EVERY: Final = 60.0

#: How a connection is closed.
NO_TOKEN: Final = 4401
SILENT: Final = 4408
TOO_MUCH: Final = 4413
#: The server goes: come back after a random 0 to 5 s.
GOING: Final = 1012


#: Characters of a `ref`.
_LONGEST_REF: Final = 100
#: Tasks whose logs one watcher of an instance may follow.
MOST_LOGS: Final = 16


class Watched(NamedTuple):
    """What is watched.

    Attributes:
        member: By which member messages name it: `topic`, or `id` of an instance, a run or a job.
        name: Its name: a topic; the id of an instance, `run/<id>` or `job/<flow>/<id>`.
    """

    member: Literal["topic", "id"]
    name: str


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=to_camel)


class Authenticate(_Message):
    """Who the client is: first, and again before a token ends."""

    type: Literal["authenticate"]
    token: str = Field(max_length=8192)


class _OfTopic(_Message):
    topic: str = Field(min_length=1, max_length=2048)

    @property
    def watched(self) -> Watched:
        """What it is about."""
        return Watched("topic", self.topic)


class _OfInstance(_Message):
    workflow_id: str = Field(min_length=1, max_length=512)

    @property
    def watched(self) -> Watched:
        """What it is about."""
        return Watched("id", self.workflow_id)


class WatchTopic(_OfTopic):
    """Send me the state of this topic, and what changes; with the last cursor that I have, only what is new."""

    type: Literal["watchTopic"]
    cursor: str | None = Field(default=None, max_length=64)


class UnwatchTopic(_OfTopic):
    """No more of this topic."""

    type: Literal["unwatchTopic"]


class WatchInstance(_OfInstance):
    """Send me how an instance, a run or a job stands, and what changes; with my last cursor, only what is new."""

    type: Literal["watchWorkflowInstance"]
    cursor: str | None = Field(default=None, max_length=64)
    logs: dict[str, Annotated[int, Field(ge=0, lt=1 << 53)]] = Field(
        default_factory=dict[str, int], max_length=MOST_LOGS
    )
    """Of which tasks the log is wanted, each with the number of the last line that the client has."""


class UnwatchInstance(_OfInstance):
    """No more of this instance."""

    type: Literal["unwatchWorkflowInstance"]


class _Command(_OfInstance):
    ref: str = Field(min_length=1, max_length=_LONGEST_REF)
    """By what the answer names it; sent again with the same, it is done once."""


class ExecuteTask(_Command):
    """Execute a task, by its path."""

    type: Literal["executeTask"]
    task_path: str = Field(max_length=2048)
    argument: Any = None
    missing: Literal["error", "run"] = "error"
    subtree: bool = False
    downstream: bool = False


class ExecuteAllTasks(_Command):
    """Execute all tasks."""

    type: Literal["executeAllTasks"]
    argument: Any = None


class CancelExecution(_Command):
    """Cancel the execution that is under way."""

    type: Literal["cancelExecution"]


class GetResult(_Command):
    """Send me the result of a task."""

    type: Literal["getResult"]
    task_path: str = Field(max_length=2048)


Watching: TypeAlias = WatchTopic | WatchInstance
Unwatching: TypeAlias = UnwatchTopic | UnwatchInstance
Command: TypeAlias = ExecuteTask | ExecuteAllTasks | CancelExecution | GetResult
ClientMessage: TypeAlias = Authenticate | Watching | Unwatching | Command

_ANY: Final[TypeAdapter[ClientMessage]] = TypeAdapter(Annotated[ClientMessage, Field(discriminator="type")])


_HAS_REF: Final[TypeAdapter[dict[str, Any]]] = TypeAdapter(dict[str, Any])


def read_message(text: str) -> ClientMessage:
    """Return the message that a client has sent.

    Raises:
        ValueError: It is none; the text says what is wrong with it.
    """
    try:
        return _ANY.validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ValueError(f"{place}: {first['msg']}" if place else first["msg"]) from None


def ref_of(text: str) -> str | None:
    """Return by what the answer to a message names it that could not be read; None: by nothing."""
    try:
        found = _HAS_REF.validate_json(text)
    except ValidationError:
        return None
    ref = found.get("ref")
    return ref if isinstance(ref, str) and len(ref) <= _LONGEST_REF else None


def text_of(message: Mapping[str, Any]) -> str:
    """Return the text of a message: made once, it is the same one for all who are sent it."""
    return to_json(message).decode()


def hello(*, authenticated: bool) -> str:
    """Return the first message of the server: whether a token is still asked for, and how long it may be silent."""
    return text_of(
        {"type": "hello", "protocol": 1, "beat": int(BEAT * 1000), "auth": "none" if authenticated else "token"}
    )


def beat() -> str:
    """Return the message that says that the server is there."""
    return '{"type":"beat"}'


def token_ends(seconds: float) -> str:
    """Return the message that says in how many seconds the client's token ends: it is to bring a new one."""
    return text_of({"type": "tokenEnds", "ms": int(seconds * 1000)})


def app_error(code: str, message: str, watched: Watched | None = None, ref: str | None = None) -> str:
    """Return the message about what could not be done.

    Args:
        code: `unauthenticated`, `forbidden`, `unknown`, `busy`, `not_ready`, `invalid`, `too_many`, `too_large` or
            `again`.
        message: A sentence for people.
        watched: What it is about, if that is watched no more.
        ref: Of a command, by what it is named.
    """
    said: dict[str, Any] = {"type": "appError", "error": {"code": code, "message": message}}
    if watched is not None:
        said[watched.member] = watched.name
    return text_of(said if ref is None else {**said, "ref": ref})


def refused(error: FlowsError, watched: Watched | None = None, ref: str | None = None) -> str:
    """Return the message about an error: see `app_error`."""
    return app_error(code_of(error), told(error), watched, ref)


def ended(watched: Watched, error: FlowsError) -> str:
    """Return the message about the error that has ended what was watched; an instance that is gone was destroyed."""
    if isinstance(error, InstanceGone):
        return text_of({"type": "workflowDestroyed", "id": watched.name})
    return refused(error, watched)


def accepted(ref: str, execution: str) -> str:
    """Return the answer to a command that was taken: the execution has durably begun, or is to be cancelled."""
    return text_of({"type": "accepted", "ref": ref, "execution": execution})


def result(ref: str, value: object) -> str:
    """Return the answer to `getResult`: the result as plain JSON."""
    return text_of({"type": "result", "ref": ref, "result": value})


def execution_error(instance_id: str, path: str, ref: str, kind: str, message: str) -> str:
    """Return the message that an execution could not begin for what the tree's own code does."""
    error = {"type": kind, "message": message}
    return text_of({"type": "executionError", "id": instance_id, "taskPath": path, "error": error, "ref": ref})
