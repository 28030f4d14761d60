"""The command line: a command for each operation, and those that are more than one operation; errors are one line."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from cyclopts import App, CycloptsError

from flows.api import find_operation, problem_of
from flows.cli.acting import add_acting
from flows.cli.clean import one_line
from flows.cli.commands import add_operations, command_of
from flows.cli.completion import add_completion
from flows.cli.demo.command import demo
from flows.cli.following import add_following
from flows.cli.health import check, doctor
from flows.cli.mcp_server import mcp
from flows.cli.running import run
from flows.cli.top.command import top
from flows.cli.trees import add_trees
from flows.cli.typescript import types
from flows.errors import FlowsError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

#: Of a command that Ctrl-C has ended, as a shell has it.
INTERRUPTED = 130
USAGE = 2
#: What a group does without the name of a command.
_BY_DEFAULT: Final = {
    "audit": "list",
    "queues": "show",
    "runs": "list",
    "schedules": "list",
    "trees": "list",
    "workers": "list",
}


def make_app(*more: Callable[[App], None]) -> App:
    """Return the command line.

    Args:
        more: Each adds commands of another package: those of the server.
    """
    app = App(
        name="flows",
        help="Typed jobs through pipelines of queues on Redis: run workers, look at jobs, act on them.",
        version_flags=["--version"],
        result_action="return_value",
        exit_on_error=False,
        print_error=False,
        help_format="plaintext",
    )
    groups: dict[str, App] = {}
    add_operations(app, groups)
    add_acting(groups["jobs"])
    add_following(app, groups["jobs"])
    add_trees(groups["trees"])
    app.command(run)
    app.command(top)
    app.command(demo)
    app.command(check)
    app.command(doctor)
    app.command(mcp)
    app.command(types)
    add_completion(app)
    app.command(command_of(find_operation("queues.show")), name="ls")
    app.command(command_of(find_operation("jobs.explain")), name="explain")
    for group, verb in _BY_DEFAULT.items():
        groups[group].default(command_of(find_operation(f"{group}.{verb}")))
    for add in more:
        add(app)
    return app


def run_app(app: App, argv: Sequence[str]) -> int:
    """Run one command and return its exit status.

    0 well · 1 what was acted on had failures, or jobs in flight were left · 2 usage, the server, what is refused ·
    3 nothing there · 4 unhealthy · 5 time is over · 130 Ctrl-C.
    """
    try:
        status = app(list(argv))
    except CycloptsError as error:
        sys.stderr.write(f"flows: {one_line(str(error), 1000)}\n")
        return USAGE
    except FlowsError as error:
        problem = problem_of(error)
        sys.stderr.write(f"flows: {one_line(problem.detail, 2000)}\n")
        return problem.exit_status
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        sys.stderr.close()  # else Python tells of it at the exit
        return 0
    return status if isinstance(status, int) else 0
