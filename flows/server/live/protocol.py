"""The messages of `flows.live.1`: what a client may send, read and checked, and what it is sent besides states.

Each is a JSON object in a text frame of at most 64 KiB from clients. ARCHITECTURE.md draws how they follow each other.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic_core import to_json

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


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Authenticate(_Message):
    """Who the client is: first, and again before a token ends."""

    type: Literal["authenticate"]
    token: str = Field(max_length=8192)


class WatchTopic(_Message):
    """Send me the state of this topic, and what changes; with the last cursor that I have, only what is new."""

    type: Literal["watchTopic"]
    topic: str = Field(min_length=1, max_length=2048)
    cursor: str | None = Field(default=None, max_length=64)


class UnwatchTopic(_Message):
    """No more of this topic."""

    type: Literal["unwatchTopic"]
    topic: str = Field(max_length=2048)


_ANY: Final[TypeAdapter[Authenticate | WatchTopic | UnwatchTopic]] = TypeAdapter(
    Annotated[Authenticate | WatchTopic | UnwatchTopic, Field(discriminator="type")]
)


def read_message(text: str) -> Authenticate | WatchTopic | UnwatchTopic:
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


def hello(*, authenticated: bool) -> bytes:
    """Return the first message of the server: whether a token is still asked for, and how long it may be silent."""
    return to_json(
        {"type": "hello", "protocol": 1, "beat": int(BEAT * 1000), "auth": "none" if authenticated else "token"}
    )


def beat() -> bytes:
    """Return the message that says that the server is there."""
    return b'{"type":"beat"}'


def token_ends(seconds: float) -> bytes:
    """Return the message that says in how many seconds the client's token ends: it is to bring a new one."""
    return to_json({"type": "tokenEnds", "ms": int(seconds * 1000)})


def app_error(code: str, message: str, topic: str | None = None) -> bytes:
    """Return the message about what could not be done.

    Args:
        code: `unauthenticated`, `forbidden`, `unknown`, `invalid`, `too_many`, `too_large` or `again`.
        message: A sentence for people.
        topic: Which topic, where it is about one; it is not watched any more.
    """
    told = {"type": "appError", "error": {"code": code, "message": message}}
    return to_json(told if topic is None else {**told, "topic": topic})
