"""Operations that look at task trees: `trees.apps`, `list`, `show`, `executions`, `result`, `log` and `wait`."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import product
from typing import Annotated, Any, Final, cast

from pydantic import Field

from flows.api.admin import Admin
from flows.api.operation import operation
from flows.api.reading.hiding import Hiding, Secrets
from flows.api.reading.log_lines import log_view
from flows.api.reading.shortening import shortened
from flows.api.reading.tree_executions import executions_of
from flows.api.reading.tree_host import FoundTree, find_tree, tree_hosts
from flows.api.reading.tree_rows import RESULT, hiding_of, secrets_of, shown, tree_row, tree_view
from flows.api.views.jobs import LogView
from flows.api.views.time import Time
from flows.api.views.trees import TreeAppView, TreeExecutionsView, TreePageView, TreeResultView, TreeRow, TreeView
from flows.errors import ValidationError, WaitTimeout
from flows.model.tree.task_record import InstanceStatus
from flows.tree.host import Host
from flows.tree.index.protocol import Find
from flows.tree.storage.protocol import InstanceRow

#: Whatever a result is.
_ANY: Final = cast("type[Any]", Any)
#: An hour: no request waits longer.
_LONGEST: Final = timedelta(hours=1)


@operation("trees.apps")
async def apps(admin: Admin) -> list[TreeAppView]:
    """List the apps of task trees, with the generators whose code is here or that have made the last instances."""
    hosts = await tree_hosts(admin)
    pages = await asyncio.gather(*(host.index.find(name, Find()) for name, host in hosts.items()))
    return [
        TreeAppView(app=name, generators=sorted({*host.recipes, *(row.generator for row in page.rows)}))
        for (name, host), page in zip(hosts.items(), pages, strict=True)
    ]


@operation("trees.list")
async def list_trees(
    admin: Admin,
    app: str = "",
    *,
    realm: str | None = None,
    generator: str | None = None,
    status: InstanceStatus | None = None,
    name: str | None = None,
    labels: Mapping[str, str] | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    cursor: str = "",
    limit: Annotated[int, Field(ge=1, le=100)] = 50,
) -> TreePageView:
    """List instances of task trees, newest first.

    Args:
        app: Only of this app.
        realm: Only of this realm.
        generator: Only those that this generator has made.
        status: Only with this one: `idle`, `working`, `done`, `failed` or `cancelled`.
        name: Only of this name; with `*` at its end, of one that begins so.
        labels: Only with these: a JSON object of texts.
        since: Only those that were created then or later: an instant with a time zone, `2026-11-28T09:00:00Z`.
        until: Only those that were created before.
        cursor: Where to go on: what the page before had.
        limit: So many at most.

    Raises:
        ValidationError: the cursor is none, or an argument cannot be used.
        NothingThere: there is no such app.
        Forbidden: a label is hidden from the caller.
    """
    asked = Find(realm, generator, status, name, labels, since, until, limit, cursor)
    hosts = await tree_hosts(admin, app)
    for one, label in product(hosts, labels or {}):
        hiding_of(admin.caller, one).check_search(label)
    await asyncio.gather(*(host.note() for host in hosts.values()))
    pages = await asyncio.gather(*(host.index.find(one, asked) for one, host in hosts.items()))
    # Cursors are ids, and ids are in order of time. What an app has not looked through yet comes with the next page.
    ended = max((page.cursor for page in pages if page.cursor), default="")
    found = [(row, host) for page, host in zip(pages, hosts.values(), strict=True) for row in page.rows]
    found = sorted((one for one in found if one[0].id >= ended), key=lambda one: one[0].id, reverse=True)
    rows = await asyncio.gather(*(_row(admin, host, row) for row, host in found[:limit]))
    return shortened(TreePageView(trees=rows, cursor=rows[-1].id if len(found) > limit else ended))


@operation("trees.show")
async def show(admin: Admin, id: str, *, app: str = "", whole: bool = False) -> TreeView:
    """Show an instance: its data, its tree, and how each task stands.

    Args:
        id: Of the instance.
        app: Its app; it is looked for where this is left out.
        whole: Whether long texts and values are shown in full.

    Raises:
        InstanceGone: there is none of this id.
        NothingThere: there is no such app.
    """
    found = await find_tree(admin, id, app)
    snapshot = await found.host.load(found.row.id)
    hiding = hiding_of(admin.caller, found.row.app)
    return tree_view(hiding, await secrets_of(hiding, found.host, snapshot), found.host, snapshot, whole=whole)


@operation("trees.executions")
async def executions(
    admin: Admin, id: str, *, limit: Annotated[int, Field(ge=1, le=100)] = 20, app: str = ""
) -> TreeExecutionsView:
    """Show the last executions of an instance, newest first: those among the last 500 of its app.

    Args:
        id: Of the instance.
        limit: So many at most.
        app: Its app; it is looked for where this is left out.

    Raises:
        InstanceGone: there is none of this id.
    """
    found = await find_tree(admin, id, app)
    return await executions_of(admin, await found.host.load(found.row.id), limit)


@operation("trees.result")
async def result(admin: Admin, id: str, path: str, *, app: str = "", whole: bool = False) -> TreeResultView:
    """Show the result of a task; of a group, those of what is directly below it, by name.

    Args:
        id: Of the instance.
        path: Of the task: `#.images.small`.
        app: Its app; it is looked for where this is left out.
        whole: Whether long texts and values are shown in full.

    Raises:
        InstanceGone: there is none of this id.
        UnknownPath: it has no such task.
        StateError: the task has no result.
    """
    found = await find_tree(admin, id, app)
    state = (await found.instance.state()).tasks.get(path)
    value = await found.instance.result(path, _ANY)
    hiding, secrets = await _hidden(admin, found)
    view = TreeResultView(
        path=path, stale=state is not None and state.stale, result=shown(hiding, secrets, RESULT, value)
    )
    return shortened(view, whole=whole)


@operation("trees.log")
async def log(
    admin: Admin,
    id: str,
    path: str,
    *,
    after: Annotated[int, Field(ge=0)] = 0,
    limit: Annotated[int, Field(ge=1, le=1000)] = 1000,
    app: str = "",
    whole: bool = False,
) -> LogView:
    """Show what a task has logged: the last 1,000 lines are kept.

    Args:
        id: Of the instance.
        path: Of the task: `#.images.small`.
        after: Only lines with a higher number.
        limit: So many at most, the last ones.
        app: Its app; it is looked for where this is left out.
        whole: Whether long texts and values are shown in full.

    Raises:
        InstanceGone: there is none of this id.
        UnknownPath: it has no such task.
    """
    found = await find_tree(admin, id, app)
    if hiding_of(admin.caller, found.row.app).logs:
        return LogView(lines=[], last=after, hidden=True)
    lines = await found.instance.log(path, after)
    _hiding, secrets = await _hidden(admin, found)
    return log_view(secrets, lines, after, limit, whole=whole)


@operation("trees.wait")
async def wait(admin: Admin, id: str, timeout: Time = timedelta(seconds=30), *, app: str = "") -> TreeView:
    """Wait until no execution of an instance is under way, and show it.

    Args:
        id: Of the instance.
        timeout: For how long, an hour at most.
        app: Its app; it is looked for where this is left out.

    Raises:
        InstanceGone: it was destroyed, or has expired.
        WaitTimeout: it has not ended in time.
    """
    if not timedelta(0) < timeout <= _LONGEST:
        raise ValidationError("timeout: give a time of up to an hour")
    found = await find_tree(admin, id, app)
    try:
        async with asyncio.timeout(timeout.total_seconds()):
            while True:
                record, revision = await found.host.glance(found.row.id)
                if record.status != "working":
                    break
                await found.host.storage.changed(found.row.id, revision)
    except TimeoutError as error:
        said = f"instance {found.row.id} is still being executed after {timeout.total_seconds():g} s"
        raise WaitTimeout(f"{said}{await found.host.lonely()}") from error
    return await show(admin, found.row.id, app=found.row.app)


async def _hidden(admin: Admin, found: FoundTree) -> tuple[Hiding, Secrets]:
    """Return what is hidden from the caller, and what no text may tell."""
    hiding = hiding_of(admin.caller, found.row.app)
    if not hiding.names:
        return hiding, Secrets()
    return hiding, await secrets_of(hiding, found.host, await found.host.load(found.row.id))


async def _row(admin: Admin, host: Host, row: InstanceRow) -> TreeRow:
    """Return a row; where something is hidden, the instance is read, since name and labels may quote it."""
    hiding = hiding_of(admin.caller, row.app)
    snapshot = await host.storage.load(row.id) if hiding.names else None
    secrets = Secrets() if snapshot is None else await secrets_of(hiding, host, snapshot)
    return tree_row(hiding, secrets, row)
