"""What goes over the queues of SQS, as JSON: orders to workers in any language, and what has come of them.

An order, whose view is left out where it is too large for a message:

    {"v":1,"instance":"0193…","generator":"import-site","execution":"0193…","path":"#.large","attempt":1,
     "view":{"pages":["…"]},"timeout":300,"deadline":1764172800000}

Its outcome has the first members of the order again, and either a result or an error:

    {"v":1,"instance":"0193…","execution":"0193…","path":"#.large","attempt":1,"result":{…},"log":[{"text":"…"}]}
    {"v":1,"instance":"0193…","execution":"0193…","path":"#.large","attempt":1,
     "error":{"type":"ValueError","message":"…"},"classes":["builtins.ValueError"],"wish":"never"}

Before that, it may tell how far it is, from 0 to 1:

    {"v":1,"instance":"0193…","execution":"0193…","path":"#.large","attempt":1,"progress":0.5,"message":"page 5 of 10"}
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pydantic_core import from_json, to_json

from flows.errors import MalformedJob, PayloadTooLarge
from flows.model.job import JobError
from flows.model.texts import writable
from flows.tree.backend.messages import read_outcome, write_outcome
from flows.tree.backend.protocol import Outcome, Progress
from flows.workflow.steps.failures import error_of

if TYPE_CHECKING:
    from flows.tree.backend.protocol import Order

#: The version of messages that is written, and the only one that is read.
_VERSION: Final = 1
#: So many bytes of a view or of a whole outcome are sent at most: a queue may take 256 KiB in all.
MOST_BYTES: Final = 200_000


class Ordered(NamedTuple):
    """An order as it was received.

    Attributes:
        turn: Which call of the attempt it is: one that wants to be called later is called again.
        view: The fields of the function's view, as a JSON object; None: it was too large.
        timeout: How long it may take, in seconds; None: no longer than until the deadline.
        deadline: When nobody waits for it any more, in milliseconds by the clock of who has sent it.
    """

    instance_id: str
    generator: str
    execution: str
    path: str
    attempt: int
    turn: int
    view: bytes | None
    timeout: float | None
    deadline: int

    @property
    def seconds_left(self) -> float:
        """For how long somebody will wait for it."""
        return self.deadline / 1000 - time.time()


class Answered(NamedTuple):
    """An outcome as it was received, or how far its order is."""

    instance_id: str
    execution: str
    path: str
    attempt: int
    turn: int
    outcome: Outcome | Progress


def write_order(order: Order, timeout: float) -> str:
    """Return the text of an order that has so many seconds."""
    told = {
        "v": _VERSION,
        "instance": order.instance_id,
        "generator": order.generator,
        "execution": order.execution,
        "path": order.path,
        "attempt": order.attempt,
        **_turn_of(order),
        "view": from_json(order.view) if len(order.view) <= MOST_BYTES else None,
        "timeout": order.timeout,
        "deadline": round((time.time() + timeout) * 1000),
    }
    return to_json(told).decode()


def read_order(body: str) -> Ordered:
    """Return an order from its text.

    Raises:
        MalformedJob: it is none.
    """
    found = _read(body)
    try:
        view, timeout = found["view"], found.get("timeout")
        return Ordered(
            _text(found, "instance"),
            _text(found, "generator"),
            _text(found, "execution"),
            _text(found, "path"),
            int(found["attempt"]),
            int(found.get("turn", 1)),
            None if view is None else to_json(dict(view)),
            None if timeout is None else float(timeout),
            int(found["deadline"]),
        )
    except (ValueError, TypeError, KeyError, OverflowError) as error:
        raise MalformedJob(f"an order cannot be read: {error}") from error


def write_answer(order: Ordered, outcome: Outcome) -> str:
    """Return the text of an outcome; of one that is too large, that of an error which says so."""
    text = to_json(_place_of(order) | write_outcome(outcome))
    if len(text) > MOST_BYTES:
        said = (
            f"the outcome of {order.path} takes {len(text):,} bytes, over the {MOST_BYTES:,} of a message: keep what "
        )
        error = PayloadTooLarge(f"{said}it returns elsewhere, and return where")
        told = Outcome(error=error_of(error, order.path, order.attempt), wish="never")
        text = to_json(_place_of(order) | write_outcome(told))
    return text.decode()


def write_progress(order: Ordered, progress: Progress) -> str:
    """Return the text that says how far an order is."""
    return to_json(_place_of(order) | {"progress": progress.value, "message": progress.message}).decode()


def read_answer(body: str) -> Answered:
    """Return an outcome, or progress, from its text; of an error the type and the message are enough.

    Raises:
        MalformedJob: it is none.
    """
    found = _read(body)
    try:
        path, attempt = _text(found, "path"), int(found["attempt"])
        error = found.get("error")
        if error is not None:
            found["error"] = JobError(
                type=str(error["type"]),
                message=str(error["message"]),
                traceback=str(error.get("traceback", "")),
                queue=path,
                attempt=attempt,
            ).model_dump()
        else:
            found.pop("error", None)
        place = _text(found, "instance"), _text(found, "execution"), path, attempt, int(found.get("turn", 1))
        return Answered(*place, _progress(found) if "progress" in found else read_outcome(found))
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
        raise MalformedJob(f"an outcome cannot be read: {error}") from error


def _progress(found: dict[str, Any]) -> Progress:
    value = float(found["progress"])
    if not 0 <= value <= 1:
        raise MalformedJob(f"a message has progress={value!r}, which is not between 0 and 1")
    return Progress(value, writable(str(found.get("message", ""))))


def _read(body: str) -> dict[str, Any]:
    try:
        found = from_json(body)
        version = found["v"]
    except (ValueError, TypeError, KeyError) as error:
        raise MalformedJob(f"a message is not of flows: {error}") from error
    if version != _VERSION:
        raise MalformedJob(f"a message has the version {version!r:.20}: this release reads version {_VERSION}")
    return dict(found)


def _text(found: dict[str, Any], name: str) -> str:
    value = found[name]
    if not isinstance(value, str):
        raise MalformedJob(f"a message has {name}={value!r:.80}, which is no text")
    return value


def _place_of(order: Ordered) -> dict[str, Any]:
    return {
        "v": _VERSION,
        "instance": order.instance_id,
        "execution": order.execution,
        "path": order.path,
        "attempt": order.attempt,
        **_turn_of(order),
    }


def _turn_of(order: Order | Ordered) -> dict[str, int]:
    """Return which call of its attempt an order is, where that is not the first."""
    return {"turn": order.turn} if order.turn > 1 else {}
