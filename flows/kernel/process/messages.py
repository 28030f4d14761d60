"""What a worker and its processes say to each other: a JSON text and the bytes that go with it, never a pickle."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from struct import Struct
from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel
from pydantic_core import from_json

from flows.errors import FlowsError, HostUnable, ValidationError
from flows.kernel.process.importable import qualified_name
from flows.model import verdict as verdicts
from flows.model.codec import encode, encode_value
from flows.model.encoded_result import EncodedResult
from flows.model.job import ChildJob, Job, JobResult
from flows.model.plan import WrongResult
from flows.model.retries import class_names
from flows.model.texts import text_of, trace_of
from flows.model.verdict import AnyVerdict, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flows.kernel.current import CurrentJob

#: Before the text stands its length.
_LENGTH: Final = Struct("<I")
_MICROSECOND: Final = timedelta(microseconds=1)


class FailedInProcess(FlowsError):
    """What a function raised in another process, as name and text: not every exception can travel.

    Attributes:
        kind: The name of its class.
        message: Its text.
        trace: Its traceback.
        classes: The qualified names of its class and of those it descends from.
    """

    def __init__(self, kind: str, message: str, trace: str, classes: tuple[str, ...]) -> None:
        super().__init__(f"{kind}: {message}")
        self.kind = kind
        self.message = message
        self.trace = trace
        self.classes = classes


class UnfitJob(FlowsError):
    """The job's fields could not be read as its class in the process, so the function was not called."""


@dataclass(frozen=True, slots=True)
class EncodedJob:
    """A job as its fields came from Redis.

    Attributes:
        values: The fields that its class declares, in the order of its `Decoder`.
        known: What the kernel adds to them.
        begin: Called when a process is there for it: the time that its function has begins.
    """

    values: Sequence[bytes | None]
    known: bytes
    begin: Callable[[], None] = lambda: None


def pack(text: Mapping[str, Any], parts: Sequence[bytes | None] = ()) -> bytes:
    """Return a message: a JSON object, and the parts that go with it as they are."""
    lengths = [-1 if part is None else len(part) for part in parts]
    head = json.dumps([text, lengths]).encode()
    return b"".join((_LENGTH.pack(len(head)), head, *filter(None, parts)))


def unpack(message: bytes) -> tuple[dict[str, Any], list[bytes | None]]:
    """Return what `pack` was given."""
    (size,) = _LENGTH.unpack_from(message)
    at = _LENGTH.size + size
    text, lengths = json.loads(message[_LENGTH.size : at])
    parts: list[bytes | None] = []
    for length in lengths:
        parts.append(None if length < 0 else message[at : at + length])
        at += max(0, length)
    return text, parts


def pack_call(job: EncodedJob, current: CurrentJob) -> bytes:
    """Return the call of a function for a job, with the facts of `current_job()`."""
    facts = (current.id, current.queue, current.attempt, current.fence, current.visit)
    told = [current.correlation_json, current.carried_json]
    return pack({"attempt": facts, "deadline": current.deadline}, [*told, job.known, *job.values])


def pack_returned(returned: object) -> bytes:
    """Return what a function has returned: nothing, a verdict, or a result with its fields encoded.

    Raises:
        ValidationError: it is none of these (WrongResult), or a value is not JSON.
    """
    if returned is None:
        return pack({"is": "nothing"})
    if isinstance(returned, Verdict):
        return pack({"is": "returned verdict", **_verdict(returned)})
    if not isinstance(returned, JobResult):
        raise WrongResult(returned)
    fields = {} if type(returned) is JobResult else encode(returned)
    text = {
        "is": "result",
        "kind": None if type(returned) is JobResult else type(returned).__name__,
        "next_queue": returned.next_queue,
        "names": list(fields),
    }
    return pack(text, [_children(returned.children), *fields.values()])


def pack_raised(error: BaseException) -> bytes:
    """Return what a function has raised, in words; of a verdict, what it says."""
    told = {
        "kind": type(error).__name__,
        "message": text_of(error),
        "trace": trace_of(error),
        "classes": class_names(error),
    }
    if isinstance(error, Verdict):
        try:
            return pack({"is": "raised verdict", **told, **_verdict(error)})
        except Exception:  # noqa: BLE001, S110 - a subclass of the user's may have made anything of its attributes
            pass
    return pack({"is": "raised", **told})


def open_result(
    text: Mapping[str, Any], parts: Sequence[bytes | None], classes: Mapping[str, type[Job]]
) -> JobResult | AnyVerdict | None:
    """Return what the function returned, or raise what it raised.

    Args:
        text: The text of the message.
        parts: What goes with it.
        classes: The job classes of which the function may name children, by their qualified names.

    Raises:
        FailedInProcess: the function raised; a verdict is raised as itself.
        UnfitJob: it was not called, since the job does not fit its class.
        HostUnable: it was not called, for a reason that is the host's.
    """
    match text["is"]:
        case "nothing":
            return None
        case "result":
            children = _open_children(from_json(parts[0] or b"[]"), classes)
            if text["kind"] is None:
                return JobResult.model_construct(next_queue=text["next_queue"], children=children)
            fields = {name: part or b"" for name, part in zip(text["names"], parts[1:], strict=True)}
            return EncodedResult.of(text["kind"], fields, text["next_queue"], children)
        case "returned verdict":
            return _open_verdict(text)
        case "raised verdict":
            verdict = _open_verdict(text)
            verdict.add_note(text["trace"])
            raise verdict
        case "unfit":
            raise UnfitJob(text["why"])
        case "unable":
            raise HostUnable(text["why"])
        case _:
            raise raised_by(text)


def raised_by(text: Mapping[str, Any]) -> FailedInProcess:
    """Return what was raised in the process."""
    return FailedInProcess(text["kind"], text["message"], text["trace"], tuple(text["classes"]))


def _verdict(verdict: Verdict) -> dict[str, Any]:
    """Return what a verdict says; one of a subclass says it as the class that the kernel knows."""
    after: timedelta | None = getattr(verdict, "after", None)
    until: datetime | None = getattr(verdict, "until", None)
    return {
        "verdict": next(one.__name__ for one in type(verdict).__mro__ if one.__module__ == verdicts.__name__),
        "reason": verdict.reason,
        "after": None if after is None else after // _MICROSECOND,
        "until": None if until is None else until.isoformat(),
        "hold": getattr(verdict, "hold", None),
        "type": getattr(verdict, "type", None),
    }


def _open_verdict(text: Mapping[str, Any]) -> AnyVerdict:
    reason: str = text["reason"]
    after = None if text["after"] is None else text["after"] * _MICROSECOND
    until = None if text["until"] is None else datetime.fromisoformat(text["until"])
    make: dict[str, Callable[[], AnyVerdict]] = {
        "Retry": lambda: verdicts.Retry(reason, after=after),
        "Snooze": lambda: verdicts.Snooze(reason, after=after, until=until, hold=text["hold"]),
        "Fail": lambda: verdicts.Fail(reason, type=text["type"]),
        "Cancel": lambda: verdicts.Cancel(reason),
    }
    return make[text["verdict"]]()


def _children(children: Sequence[ChildJob]) -> bytes:
    """Return the children that a result names, each with its params encoded."""
    return b"[" + b",".join(map(_child, children)) + b"]"


def _child(child: ChildJob) -> bytes:
    if not isinstance(child, ChildJob):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ValidationError(f"{child!r} is no ChildJob")
    params = child.params
    if isinstance(params, BaseModel):
        fields = encode(params)
    else:
        fields = {name: encode_value(name, value) for name, value in params.items()}
    which = (child.child, None) if isinstance(child.child, str) else (child.child.__name__, qualified_name(child.child))
    return b'{"child":%b,"params":{%b},"children":%b}' % (
        json.dumps(which).encode(),
        b",".join(b"%b:%b" % (json.dumps(str(name)).encode(), value) for name, value in fields.items()),
        _children(child.children),
    )


def _open_children(listed: Sequence[Any], classes: Mapping[str, type[Job]]) -> list[ChildJob]:
    """Return children of these classes; of a class that no queue has, the name, which is refused as it stands."""
    children: list[ChildJob] = []
    for one in listed:
        name, qualified = one["child"]
        child = name if qualified is None else classes.get(qualified, name)
        children.append(ChildJob(child, one["params"], _open_children(one["children"], classes)))
    return children
