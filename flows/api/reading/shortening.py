"""Bounds what an answer shows of long texts and values: what is left out is told, and `whole` asks for all of it.

Jobs hold what anybody has sent. So no page is as long as somebody likes, and none that is read takes long.
"""

from __future__ import annotations

from typing import Any, Final, TypeVar

from flows.api.views.view import View

#: Characters of one text, and of all texts of an answer; when those are used up, the rest shows their beginnings.
LONGEST: Final = 16_000
MOST: Final = 256_000
_BEGINNING: Final = 100
#: Members of one object or list of a value; and parts of an answer, such as steps.
MOST_MEMBERS: Final = 200
MOST_PARTS: Final = 1_000
#: Stands before what is told of the rest.
MARK: Final = "… "
#: The field of a view that says that it shows some of its texts or values in part.
_CUT: Final = "cut"
ViewT = TypeVar("ViewT", bound=View)


def shortened(answer: ViewT, *, whole: bool = False) -> ViewT:
    """Return an answer in which no text and no value is long; `cut` says of what, at each part.

    A text keeps its beginning, followed by `… 500,000 characters in all`. An object or a list keeps its first members,
    and has one more, of the name `…` in an object, that says how many there are in all.

    Args:
        answer: What an operation has found, without what is hidden from its caller.
        whole: Whether it is to stay as it is.
    """
    return answer if whole else _Shortener().view(answer)


def told_of(count: int, what: str) -> str:
    """Return what stands for the rest, or for all, of a long text or value."""
    return f"{MARK}{count:,} {what} in all"


class _Shortener:
    """Shortens one answer."""

    def __init__(self) -> None:
        self._left = MOST

    def view(self, view: ViewT) -> ViewT:
        changed = {name: short for name, value in view if (short := self._part(value)) is not value}
        if changed and _CUT in type(view).model_fields:
            changed[_CUT] = True
        return view.model_copy(update=changed) if changed else view

    def _part(self, value: Any) -> Any:
        if isinstance(value, View):
            return self.view(value)
        if isinstance(value, list) and value and isinstance(value[0], View):
            views: list[View] = value  # pyright: ignore[reportUnknownVariableType]
            short = [self.view(one) for one in views[:MOST_PARTS]]
            return views if len(short) == len(views) and all(map(_is, short, views)) else short
        return self._value(value)

    def _value(self, value: Any) -> Any:
        """Return a text or value as it is, the very same, or what is shown of it."""
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, dict):
            members: dict[str, Any] = value  # pyright: ignore[reportUnknownVariableType]
            return self._object(members)
        if isinstance(value, list):
            some: list[Any] = value  # pyright: ignore[reportUnknownVariableType]
            return self._list(some)
        self._left -= 1
        return value

    def _text(self, text: str) -> str:
        most = min(LONGEST, max(_BEGINNING, self._left))
        self._left -= min(len(text), most)
        # A little more than the most is not worth a mark.
        return text if len(text) <= most + _BEGINNING else text[:most] + told_of(len(text), "characters")

    def _object(self, members: dict[str, Any]) -> dict[str, Any]:
        most = self._members(len(members))
        short = {self._text(name): self._value(one) for name, one in list(members.items())[:most]}
        if most < len(members):
            short[MARK.strip()] = told_of(len(members), "members").removeprefix(MARK)
            return short
        same = all(map(_is, short, members)) and all(map(_is, short.values(), members.values()))
        return members if same and len(short) == len(members) else short

    def _list(self, some: list[Any]) -> list[Any]:
        most = self._members(len(some))
        short = [self._value(one) for one in some[:most]]
        if most < len(some):
            return [*short, told_of(len(some), "members")]
        return some if all(map(_is, short, some)) else short

    def _members(self, count: int) -> int:
        return min(count, MOST_MEMBERS if self._left > 0 else 1)


def _is(one: object, other: object) -> bool:
    return one is other
