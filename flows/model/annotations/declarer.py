"""Finds where a declaration is written: the names that can be seen there, and the line at which a warning points."""

from __future__ import annotations

import inspect
import types
import warnings
from typing import Any

from flows.errors import DeclarationWarning


def names_of_declarer() -> dict[str, Any]:
    """Return the names that can be seen where a declaration is written: by the nearest caller outside of flows."""
    frame = _declarer()
    return {**frame.f_globals, **frame.f_locals}


def names_beside(code: types.CodeType | None) -> dict[str, Any]:
    """Return the names that are local where a declaration is written, if `code` was defined there as well."""
    frame = _declarer()
    return dict(frame.f_locals) if code is not None and _holds(frame.f_code, code) else {}


def warn_declarer(message: str) -> None:
    """Emit a DeclarationWarning that points at the declaration."""
    frame = _declarer()
    registry = frame.f_globals.setdefault("__warningregistry__", {})
    where = (frame.f_code.co_filename, frame.f_lineno, frame.f_globals.get("__name__"))
    warnings.warn_explicit(message, DeclarationWarning, *where, registry)


def _declarer() -> types.FrameType:
    frame = inspect.currentframe()
    assert frame is not None  # noqa: S101 - CPython and PyPy have frames
    while frame.f_back is not None and _is_ours(str(frame.f_globals.get("__name__"))):
        frame = frame.f_back
    return frame


def _holds(outer: types.CodeType, code: types.CodeType) -> bool:
    return any(inner is code or _holds(inner, code) for inner in outer.co_consts if isinstance(inner, types.CodeType))


def _is_ours(module: str) -> bool:
    return module == "flows" or module.startswith("flows.")
