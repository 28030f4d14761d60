"""`flows check`, for probes: is all well? And `flows doctor`, for people: what is not, and shall it be repaired?"""

from __future__ import annotations

from typing import Annotated, Any, Final

from cyclopts import Parameter
from rich.text import Text

from flows.api import find_operation
from flows.cli.clean import one_line
from flows.cli.options import NO_OPTIONS, Options
from flows.cli.printing import console, print_json

UNHEALTHY: Final = 4
_SIGNS: Final = {"fine": ("✓", "green"), "warning": ("!", "yellow"), "wrong": ("✗", "bold red")}


async def check(
    *,
    flow: Annotated[str, Parameter(help="Only this flow.")] = "",
    queue: Annotated[str, Parameter(help="Only this queue.")] = "",
    max_oldest: Annotated[str, Parameter(help="A job may wait for so long: 5m.")] = "",
    options: Options = NO_OPTIONS,
) -> int:
    """Say whether every queue that has jobs has a worker that is alive; exit status 4 where one has none."""
    asked = {name: value for name, value in (("flow", flow), ("queue", queue), ("max_oldest", max_oldest)) if value}
    async with options.admin() as admin:
        found = await find_operation("server.check").call(admin, asked)
    _print(found, options, all_of_it=False)
    return 0 if found.healthy else UNHEALTHY


async def doctor(
    *,
    repair: Annotated[bool, Parameter(negative="", help="Have the reconcilers look through everything now.")] = False,
    options: Options = NO_OPTIONS,
) -> int:
    """Say how the server is set up and what is not as it should be; exit status 4 where something is wrong."""
    async with options.admin() as admin:
        if repair:
            repaired = await find_operation("server.repair").call(admin, {})
            if options.json:
                print_json(repaired)
            else:
                console().print(f"{repaired.word}: {repaired.count:,}")
        found = await find_operation("server.check").call(admin, {})
    _print(found, options, all_of_it=True)
    return 0 if found.healthy else UNHEALTHY


def _print(found: Any, options: Options, *, all_of_it: bool) -> None:
    if options.json:
        print_json(found)
        return
    for finding in found.findings:
        if all_of_it or finding.level == "wrong":
            sign, style = _SIGNS[finding.level]
            console().print(Text.assemble((sign, style), f" {one_line(finding.sentence, 1000)}"))
