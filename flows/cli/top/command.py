"""Runs `flows top`; what draws it is loaded only then."""

from __future__ import annotations

import importlib
from typing import Annotated, Any

from cyclopts import Parameter

from flows.api.link import ANSWERED_WITHIN
from flows.cli.options import NO_OPTIONS, Options
from flows.errors import MissingExtra, ValidationError


async def top(
    *,
    flow: Annotated[str, Parameter(help="Only the queues of this flow.")] = "",
    every: Annotated[float, Parameter(help="Read again after so many seconds.")] = 1.0,
    options: Options = NO_OPTIONS,
) -> int:
    """Watch queues and their jobs in the terminal, and act on them by keys: `?` says which."""
    if not 0.1 <= every <= 3600:  # noqa: PLR2004 - a tenth of a second, an hour
        raise ValidationError("--every: give 0.1 to 3600 seconds")
    try:
        board: Any = importlib.import_module("flows.cli.top.board")
    except ModuleNotFoundError as error:
        if error.name is not None and error.name.partition(".")[0] != "textual":
            raise
        raise MissingExtra("flows top", "cli") from None
    admin = options.admin()
    admin.link.within = ANSWERED_WITHIN
    async with admin:
        await board.Top(admin, flow, every).run_async()
    return 0
