"""Reads by which arguments a function is called."""

from __future__ import annotations

import inspect
from typing import Any


def signature_of(function: Any) -> inspect.Signature:
    """Return the signature by which a function itself is called, whatever it wraps.

    Raises:
        Exception: a builtin has none, and annotations are user code.
    """
    # Of an object whose `__call__` is static, `inspect` before 3.13 leaves the first argument out.
    call = inspect.getattr_static(function.__class__, "__call__", None)
    if isinstance(call, (staticmethod, classmethod)):
        function = function.__call__
    return inspect.signature(function, follow_wrapped=False)
