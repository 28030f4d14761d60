"""`audit.list`: who has asked for what, and what came of it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Annotated, Any, Final, cast

from pydantic import Field, TypeAdapter
from pydantic import ValidationError as PydanticValidationError

from flows.api.admin import Admin
from flows.api.operation import operation
from flows.api.reading.hiding import HIDDEN
from flows.api.views.server import ActionsPage, ActionView, ChangeView
from flows.store.operators.actions import read_actions

#: So many entries are read for one page.
_MOST: Final = 1000
_AT_ONCE: Final = 100
_CHANGES: Final = TypeAdapter(list[ChangeView])
#: What a caller from whom something is hidden sees of what was given: no text that may tell it.
_PLAIN: Final = frozenset({"id", "queue", "verb", "to", "limiter", "priority", "reservoir", "delay", "timeout", "most"})


@operation("audit.list", role="operator", acts=False)
async def list_actions(
    admin: Admin,
    *,
    flow: str | None = None,
    caller: str | None = None,
    doing: str | None = None,
    about: str | None = None,
    cursor: str = "",
    limit: Annotated[int, Field(ge=1, le=100)] = 50,
) -> ActionsPage:
    """List what operators have done, newest first: each action stands there as asked, and with what came of it.

    Args:
        flow: Only what was about this flow.
        caller: Only what this one has asked for.
        doing: Only this operation, such as `queues.pause`, or this group of operations, such as `queues`; or one of
            several, with `|` between them.
        about: Only what was asked about the job, run or schedule of this id, or has made it.
        cursor: Where to go on: what the page before had.
        limit: So many at most.

    Raises:
        ValidationError: the cursor is none.
    """
    wanted = None if doing is None else set(doing.split("|"))
    found: list[ActionView] = []
    before, looked = cursor, 0
    while looked < _MOST:
        some = await read_actions(admin.connection, admin.operator_keys, before, _AT_ONCE)
        for entry, fields in some:
            before, looked = entry, looked + 1
            of, named = fields.get("flow", ""), fields.get("operation", "")
            asked = flow in {None, of} and caller in {None, fields.get("caller")}
            asked = asked and (wanted is None or not wanted.isdisjoint({named, named.partition(".")[0]}))
            asked = asked and about in {None, _about(fields)}
            if asked and await _visible(admin, of):
                found.append(_view(admin, entry, fields))
            if len(found) == limit:
                return ActionsPage(actions=found, cursor=before)
        if len(some) < _AT_ONCE:
            return ActionsPage(actions=found, cursor="")
    return ActionsPage(actions=found, cursor=before)


async def _visible(admin: Admin, flow: str) -> bool:
    if admin.caller.flows is None:
        return True
    if not flow:
        return False
    flows = await admin.flows()
    return flow in flows or any(flow in queues for queues in flows.values())


def _view(admin: Admin, entry: str, fields: dict[str, str]) -> ActionView:
    count = fields.get("count", "")
    return ActionView(
        id=entry,
        at=datetime.fromtimestamp(int(entry.partition("-")[0]) / 1000, UTC),
        request=fields.get("request", ""),
        caller=fields.get("caller", ""),
        role=fields.get("role", ""),
        via=fields.get("via", ""),
        operation=fields.get("operation", ""),
        flow=fields.get("flow", ""),
        about=_about(fields),
        given=_given(admin, fields.get("given", "")),
        changed=_changed(fields.get("changed", "[]")),
        word=fields.get("word", ""),
        count=int(count) if count.isdigit() else None,
    )


def _changed(text: str) -> list[ChangeView]:
    try:
        return _CHANGES.validate_json(text)
    except PydanticValidationError:  # somebody has edited it
        return []


def _about(fields: dict[str, str]) -> str:
    found = fields.get("id") or _read(fields.get("given", "")).get("id")
    return found if isinstance(found, str) else ""


def _read(text: str) -> dict[str, Any]:
    try:
        found: Any = json.loads(text)
    except ValueError:  # it was too long, and cut
        found = {"cut": text}
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}


def _given(admin: Admin, text: str) -> dict[str, Any]:
    given = _read(text)
    if not admin.caller.hide:
        return given
    return {name: value if name in _PLAIN else HIDDEN for name, value in given.items()}
