"""The log of actions: what was asked stands there before it is done, and what came of it after."""

from __future__ import annotations

import json
import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel

from flows.errors import FlowsError, StoreError, StoreFull
from flows.store.operators.actions import write_action

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from flows.api.admin import Admin

#: So many characters of what was given are kept.
_LONGEST: Final = 2000

_logger: Final = logging.getLogger("flows.actions")


class Entry:
    """What is told of one action.

    Attributes:
        told: What came of it: the fields of the entry that differ from those of what was asked.
    """

    def __init__(self) -> None:
        self.told = {"word": "done"}

    def answered(self, answer: Any) -> None:
        """Take from an answer what it says: its word, its flow, its id, on how many jobs it acted, what it changed."""
        found = {name: getattr(answer, name, None) for name in ("word", "flow", "id", "count")}
        self.told.update({name: str(value) for name, value in found.items() if value is not None})
        if changed := getattr(answer, "changed", None):
            self.told["changed"] = json.dumps(changed, separators=(",", ":"))


@asynccontextmanager
async def audited(admin: Admin, operation: str, params: BaseModel, *, frees: bool) -> AsyncGenerator[Entry]:
    """Tell the log that something is asked for, and at the end of the block what came of it.

    Args:
        admin: Who asks, and where.
        operation: What it is called.
        params: What was given; of what jobs are made of, the log has the names alone.
        frees: Whether it frees memory: where the server is full it goes on, and is told to this process's logger
            `flows.actions` instead.

    Raises:
        StoreFull: the server is full, and this frees nothing.
        StoreError: the server cannot be used.
    """
    entry, caller = Entry(), admin.caller
    told = {
        "request": admin.new_request(),
        "caller": caller.name,
        "role": caller.role,
        "via": admin.via,
        "operation": operation,
        "flow": str(getattr(params, "flow", None) or ""),
        "given": _given(params),
    }
    await _tell(admin, {**told, "word": "asked"}, frees=frees)
    try:
        yield entry
    except BaseException as error:
        word = type(error).__name__ if isinstance(error, FlowsError) else "broken"
        await _tell_end(admin, {**told, "word": word})
        raise
    await _tell_end(admin, {**told, **entry.told})


async def _tell(admin: Admin, fields: dict[str, str], *, frees: bool) -> None:
    try:
        await write_action(admin.connection, admin.operator_keys, fields)
    except StoreFull:
        if not frees:
            raise
        _logger.warning("%s", json.dumps(fields))


async def _tell_end(admin: Admin, fields: dict[str, str]) -> None:
    """Tell what came of it; where that cannot be written any more, this process's log has it."""
    try:
        await write_action(admin.connection, admin.operator_keys, fields)
    except StoreError:
        _logger.warning("%s", json.dumps(fields))


def _given(params: BaseModel) -> str:
    """Return what was given as JSON: of objects, whose values may be anybody's secrets, the names alone."""
    plain = params.model_dump(mode="json", exclude_defaults=True, exclude={"flow"})
    kept = {name: _named(value) for name, value in plain.items()}
    return json.dumps(kept, separators=(",", ":"))[:_LONGEST]


def _named(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    members: dict[str, Any] = value  # pyright: ignore[reportUnknownVariableType]
    return list(members)
