"""Finds what a command line names: `package.module:name`, a flow or an app of workflows."""

from __future__ import annotations

import importlib
import os
import sys
from typing import TYPE_CHECKING, Any

from flows.errors import DeclarationError

if TYPE_CHECKING:
    from flows.pipeline.run import Runs


def load(target: str) -> Runs:
    """Return the flow or app that is named.

    Args:
        target: `shop.orders:access`.

    Raises:
        DeclarationError: there is no such module or name, or it is no flow and no app.
    """
    found = find(target)
    if isinstance(found, type) or not callable(getattr(found, "run", None)) or not hasattr(found, "stop_all"):
        raise DeclarationError(f"{target}: this is no flow and no app of workflows, but {found!r:.100}")
    runs: Runs = found
    return runs


def find(target: str) -> Any:
    """Return what is named; modules are looked for in the working directory as well.

    Args:
        target: `shop.orders:access`.

    Raises:
        DeclarationError: there is no such module or name.
    """
    module, _, name = target.partition(":")
    if not module or not name:
        raise DeclarationError(f"{target!r:.100}: name a flow as module:name, such as shop.orders:access")
    if (here := os.getcwd()) not in sys.path:  # noqa: PTH109 - as sys.path has it
        sys.path.insert(0, here)
    try:
        found: Any = importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is not None and not f"{module}.".startswith(f"{error.name}."):
            raise  # a module that it imports itself
        raise DeclarationError(f"{target}: there is no module {error.name!r} here or on PYTHONPATH") from None
    for part in name.split("."):
        try:
            found = getattr(found, part)
        except AttributeError:
            raise DeclarationError(f"{target}: {module} has no {name!r}") from None
    return found
