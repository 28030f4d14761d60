"""`flows trees watch`, which draws a tree again as it changes; `show` and `wait` are the operations as they are."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Final

from cyclopts import App, Parameter
from rich.live import Live

from flows.api import find_operation
from flows.api.reading.tree_host import find_tree
from flows.cli.options import NO_OPTIONS, Options
from flows.cli.printing import console, print_json
from flows.cli.tree_picture import MOST, tree_picture
from flows.cli.tree_types import types

if TYPE_CHECKING:
    from flows.api.views.trees import TreeView

#: Between two reads pass so many seconds at least.
_SPACING: Final = 0.1
_FAILED: Final = 1


def add_trees(trees: App) -> None:
    """Add the commands to the group of trees."""
    trees.command(types)
    trees.command(watch)


async def watch(
    id: Annotated[str, Parameter(help="Of the instance.")],  # noqa: A002 - as the operation calls it
    *,
    app: Annotated[str, Parameter(help="Its app; it is looked for where this is left out.")] = "",
    options: Options = NO_OPTIONS,
) -> int:
    """Draw an instance again as it changes, until no execution of it is under way; 1 where that has failed."""
    show_it, out = find_operation("trees.show"), console()
    async with options.admin() as admin:
        storage = (await find_tree(admin, id, app)).host.storage
        with Live(console=out, refresh_per_second=8, transient=options.json) as live:
            while True:
                view: TreeView = await show_it.call(admin, {"id": id, "app": app})
                live.update(tree_picture(view, max(1, out.height - 4) if out.is_terminal else MOST))
                if options.json:
                    print_json(view)
                if view.status != "working":
                    break
                await storage.changed(view.id, view.revision)
                await asyncio.sleep(_SPACING)
    if not out.is_terminal and not options.json:
        out.print()  # a picture that is drawn once has no end of its line
    return 0 if view.status in {"done", "idle"} else _FAILED
