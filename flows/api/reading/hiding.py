"""Keeps from a caller what is hidden from it: fields, errors, logs, and texts that tell a hidden value."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, TypeVar

from pydantic_core import from_json

from flows.api.caller import ERROR, LOG, Caller
from flows.errors import Forbidden

#: Stands for what is hidden.
HIDDEN: Final = "•••"
#: More values are not looked for in each text: what a job holds would decide for how long. No text is shown then.
_MOST: Final = 100
#: A shorter value is not looked for in texts: it would be found in all of them.
_SHORTEST: Final = 3
T = TypeVar("T")


class Hiding:
    """What is hidden from a caller of one flow's jobs.

    Args:
        caller: Who asks.
        flow: The flow's name.
        job_flow: Of children, the name of their child queue: `access-check:role.email` names their field.
    """

    def __init__(self, caller: Caller, flow: str, job_flow: str = "") -> None:
        self.caller = caller
        self.names: frozenset[str] = caller.hidden(flow) | caller.hidden(job_flow or flow)

    @property
    def errors(self) -> bool:
        """Whether the messages of errors are hidden."""
        return ERROR in self.names

    @property
    def logs(self) -> bool:
        """Whether the lines of logs are hidden."""
        return LOG in self.names

    def allows(self, field: str) -> bool:
        """Return whether a field may be seen."""
        return field not in self.names

    def check_search(self, field: str) -> None:
        """Refuse to search by what is hidden: the answer would tell it.

        Raises:
            Forbidden: the field is hidden.
        """
        if not self.allows(field):
            raise Forbidden("jobs.find", self.caller.role, f"{field!r} is hidden from {self.caller.name!r}")

    def secrets(self, fields: Mapping[str, bytes]) -> Secrets:
        """Return what the hidden fields of a job hold, also within others, to be kept out of texts."""
        if not self.names:
            return Secrets()
        plain = {name: _plain(raw) for name, raw in fields.items() if not name.startswith(("_", "children:"))}
        return Secrets(self.nested(plain))

    def pruned(self, value: Any) -> Any:
        """Return a value of plain JSON in which members of a hidden name are hidden, however deep they stand."""
        if not self.names:
            return value
        if isinstance(value, dict):
            members: dict[str, Any] = value  # pyright: ignore[reportUnknownVariableType]
            return {name: self.pruned(one) if self.allows(name) else HIDDEN for name, one in members.items()}
        if isinstance(value, list):
            some: list[Any] = value  # pyright: ignore[reportUnknownVariableType]
            return [self.pruned(one) for one in some]
        return value

    def nested(self, value: Any) -> Iterator[str]:
        """Yield the texts and numbers that members of a hidden name hold, however deep they stand."""
        if isinstance(value, dict):
            members: dict[str, Any] = value  # pyright: ignore[reportUnknownVariableType]
            for name, one in members.items():
                yield from self.nested(one) if self.allows(name) else self.leaves(one)
        elif isinstance(value, list):
            some: list[Any] = value  # pyright: ignore[reportUnknownVariableType]
            for one in some:
                yield from self.nested(one)

    def leaves(self, value: Any) -> Iterator[str]:
        """Yield all texts and numbers of a value, as texts."""
        if isinstance(value, dict):
            members: dict[str, Any] = value  # pyright: ignore[reportUnknownVariableType]
            value = list(members.values())
        if isinstance(value, list):
            some: list[Any] = value  # pyright: ignore[reportUnknownVariableType]
            for one in some:
                yield from self.leaves(one)
        elif isinstance(value, str | int | float) and not isinstance(value, bool):
            yield str(value)


class Secrets:
    """Values that no text may tell: a message, a reason, a line.

    Args:
        values: They themselves.
        unknown: Whether there may be others: then no text is shown.
    """

    def __init__(self, values: Iterable[str] = (), *, unknown: bool = False) -> None:
        self._values = sorted({value for value in values if len(value) >= _SHORTEST}, key=len, reverse=True)
        self._hides_all = unknown or len(self._values) > _MOST

    def out_of(self, value: T) -> T:
        """Return a value of plain JSON in which no text has any of them."""
        return self._cleaned(value) if self._values or self._hides_all else value

    def _cleaned(self, value: Any) -> Any:
        if isinstance(value, str):
            if self._hides_all:
                return HIDDEN if value else value
            for secret in self._values:
                value = value.replace(secret, HIDDEN)
            return value
        if isinstance(value, dict):
            members: dict[Any, Any] = value  # pyright: ignore[reportUnknownVariableType]
            if self._hides_all:
                return {HIDDEN: HIDDEN} if members else members  # its names are texts too
            return {self._cleaned(name): self._cleaned(one) for name, one in members.items()}
        if isinstance(value, list | tuple):
            some: list[Any] = list(value)  # pyright: ignore[reportUnknownArgumentType]
            return [self._cleaned(one) for one in some]
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return HIDDEN if is_number and str(value) in self._values else value


def _plain(raw: bytes) -> Any:
    try:
        return from_json(raw)
    except ValueError:
        return raw.decode("utf-8", "replace")
