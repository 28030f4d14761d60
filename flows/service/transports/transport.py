"""`Transport`: what every way of telling of endings has, and what it is told of."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import KW_ONLY, dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias, cast, get_args

from flows.errors import DeclarationError
from flows.model.duration import Duration, as_timedelta, in_seconds
from flows.model.names import check_child_name
from flows.model.option_checks import check_number
from flows.service.transports.ending import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pydantic import JsonValue

    from flows.service.transports.ending import Ending

#: What of a job is sent only where it is asked for.
Included: TypeAlias = Literal["payload", "result"]
#: What is made of a report of which nobody knows whether it has arrived.
Delivery: TypeAlias = Literal["at_least_once", "at_most_once"]

_LONGEST_LINGER: Final = timedelta(hours=1)
_MOST_BATCHED: Final = 1_000


@dataclass(frozen=True)
class Transport(ABC):
    """A way to tell of endings.

    Args:
        name: The reporter's name within its service.
        on: The outcomes that it is told of.
        types: The types of jobs that it is told of; None: all.
        include: Send the jobs' payloads, results or both; by default neither leaves.
        batch: So many endings at most are told at once.
        linger: So long a batch waits for more, in seconds or as a timedelta; at most an hour.
        delivery: "at_least_once" tries again where nobody knows whether a report has arrived; "at_most_once" does not:
            such a report fails as `Unknown`. For targets that cannot know one by its id.

    Raises DeclarationError where one of them cannot be used.
    """

    name: str = ""
    _: KW_ONLY
    on: AbstractSet[Outcome] = frozenset({"failed"})
    types: AbstractSet[str] | None = None
    include: AbstractSet[Included] = frozenset()
    batch: int = 1
    linger: Duration = Duration(timedelta(0))  # noqa: RUF009 - a descriptor
    delivery: Delivery = "at_least_once"

    def __post_init__(self) -> None:
        """Check what all transports have."""
        if self.name:
            check_child_name(self.name)
        object.__setattr__(self, "on", held_as_set("on", self.on, get_args(Outcome)))
        object.__setattr__(self, "include", held_as_set("include", self.include, get_args(Included)))
        if self.types is not None:
            object.__setattr__(self, "types", held_as_set("types", self.types, None))
        if not self.on or self.types == frozenset():
            raise DeclarationError(f"reporter {self.name!r} is told of nothing: give it outcomes by on= and types")
        if self.delivery not in get_args(Delivery):
            raise DeclarationError(f"delivery={self.delivery!r}: give one of {', '.join(get_args(Delivery))}")
        check_number("batch", self.batch)
        linger = as_timedelta(self.linger)
        if self.batch > _MOST_BATCHED or not isinstance(linger, timedelta):
            raise DeclarationError(f"batch={self.batch}, linger={linger!r}: give at most {_MOST_BATCHED}, and seconds")
        if not timedelta(0) <= linger <= _LONGEST_LINGER:
            raise DeclarationError(f"linger={in_seconds(linger)}: give 0 to {in_seconds(_LONGEST_LINGER)}")

    @abstractmethod
    async def send(self, endings: Sequence[Ending]) -> None:
        """Tell of endings, at most `batch` of them.

        Raises:
            NotSent: they did not arrive, or nobody knows.
        """

    def told(self, ending: Ending) -> dict[str, JsonValue]:
        """Return what is told of an ending, as JSON."""
        error: JsonValue = None
        if ending.outcome == "failed":
            error = {"type": ending.error_type, "message": ending.message}
        facts: dict[str, JsonValue] = {
            "id": ending.report_id,
            "service": ending.service,
            "job": ending.job_id,
            "type": ending.type,
            "tenant": ending.tenant,
            "outcome": ending.outcome,
            "ended": ending.ended.isoformat(),
            "error": error,
            "reason": ending.message if ending.outcome == "cancelled" else None,
            "links": list(ending.links),
        }
        if "payload" in self.include:
            facts["payload"] = ending.payload
        if "result" in self.include:
            facts["result"] = ending.result
        return facts


def held_as_set(name: str, value: object, known: Sequence[str] | None) -> frozenset[Any]:
    """Return a set, or a list that is meant as one, as a frozenset.

    Raises:
        DeclarationError: it is none, or has something else than texts, or than the known ones.
    """
    if isinstance(value, (str, bytes)) or not isinstance(value, (Sequence, AbstractSet)):
        raise DeclarationError(f"{name}={value!r}: give a set of texts")
    held = frozenset(cast("Iterable[object]", value))
    unknown = [one for one in held if not isinstance(one, str) or (known is not None and one not in known)]
    if unknown:
        which = "texts" if known is None else "some of " + ", ".join(map(repr, known))
        raise DeclarationError(f"{name} has {unknown[0]!r}: give {which}")
    return held
