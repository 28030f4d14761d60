"""What a flow's options know of middleware: that it is some; `kernel/around/middleware.py` knows what it can do."""

from __future__ import annotations

from collections.abc import Sequence

from flows.errors import DeclarationError


class Hooks:
    """What stands around the jobs of a flow; users subclass `flows.Middleware`."""

    def check_hooks(self) -> None:
        """Check that what a subclass has written can be called; the flow's options do that.

        Raises:
            DeclarationError: one of its methods can never work.
        """


def check_middleware(given: object) -> None:
    """Check that `FlowOptions(middleware=…)` is a list of middleware.

    Raises:
        DeclarationError: it is none; the message says which item.
    """
    if isinstance(given, str) or not isinstance(given, Sequence):
        raise DeclarationError(f"middleware={given!r}: give a list, the outermost first")
    items: Sequence[object] = given  # pyright: ignore[reportUnknownVariableType]
    for one in items:
        if isinstance(one, type) and issubclass(one, Hooks):
            raise DeclarationError(f"middleware {one.__name__} is a class: make one of it, {one.__name__}()")
        if not isinstance(one, Hooks):
            raise DeclarationError(f"middleware {one!r} is none: subclass flows.Middleware")
        one.check_hooks()
