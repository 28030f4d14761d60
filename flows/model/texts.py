"""Texts of users' errors and messages, made such that they can be written: making them is user code too."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType


def text_of(error: BaseException) -> str:
    """Return the text of an error, or that there is none."""
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - even the text of an error is user code
        return "its text could not be made"


def summary_of(error: BaseException) -> str:
    """Return the class and the text of an error."""
    return f"{type(error).__name__}: {text_of(error)}"


def writable(text: str) -> str:
    """Return a text with `?` for what UTF-8 cannot hold, such as the surrogates of an undecodable file name."""
    return text.encode("utf-8", "replace").decode()


def trace_of(error: BaseException) -> str:
    """Return an error's traceback without the frames of flows that stand before all others; whole where all are."""
    first = error.__traceback__
    while first is not None and _is_ours(first):
        first = first.tb_next
    return "".join(traceback.format_exception(type(error), error, first or error.__traceback__))


def _is_ours(trace: TracebackType) -> bool:
    return str(trace.tb_frame.f_globals.get("__name__")).startswith("flows.")
