"""Commands that act on jobs, by their ids or by a query: `flows jobs retry ID…`, `flows jobs cancel --where QUERY`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any, Final

from cyclopts import App, Parameter
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from flows.api import find_operation, problem_of
from flows.cli.commands import read_object
from flows.cli.options import NO_OPTIONS, Options
from flows.cli.printing import console, print_json, print_table
from flows.errors import FlowsError, ValidationError, WaitTimeout

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from flows.api import Admin

#: Acting on many had failures: the action itself was done.
SOME_FAILED: Final = 1
REFUSED: Final = 2
_HELP: Final = {
    "retry": "Retry jobs that failed or were cancelled: by their ids, or all that a query matches.",
    "cancel": "Cancel jobs: by their ids, or all that a query matches.",
    "delete": "Delete jobs: by their ids, or all that a query matches.",
    "move": "Move jobs to another queue of their flow: by their ids, or all that a query matches.",
}
#: How often the progress of an action is asked for, in seconds.
_LOOK: Final = "1"


def add_acting(jobs: App) -> None:
    """Add the commands to the group of jobs, in place of those that take one id."""
    for verb in _HELP:
        jobs.command(_command(verb), name=verb)


def _command(verb: str) -> Callable[..., Coroutine[Any, Any, int]]:
    async def run(
        *ids: Annotated[str, Parameter(help="Ids of jobs, or `-` for those on stdin.")],
        where: Annotated[str, Parameter(help="Instead: a query, such as `flow:access state:failed since:1h`.")] = "",
        yes: Annotated[bool, Parameter(negative="", help="Do not ask: needed where nobody can answer.")] = False,
        undo: Annotated[
            str, Parameter(help="With --where: begin after so long, and until then Ctrl-C undoes it.")
        ] = "0",
        to: Annotated[str, Parameter(help="`move`: to which queue.")] = "",
        fields: Annotated[
            str, Parameter(help="`move` of ids: other values of some fields, a JSON object, or `-` for one on stdin.")
        ] = "",
        edit_params: Annotated[bool, Parameter(negative="", help="With --fields: params may be among them.")] = False,
        reason: Annotated[str, Parameter(help="`cancel`: why.")] = "",
        flow: Annotated[str, Parameter(help="The flow of the jobs, where the query does not name it.")] = "",
        options: Options = NO_OPTIONS,
    ) -> int:
        if bool(ids) == bool(where):
            raise ValidationError(f"flows jobs {verb}: give ids, or --where QUERY, and not both")
        more: dict[str, Any] = {"to": to, "reason": reason, "flow": flow, "edit_params": edit_params}
        if fields:
            if where:
                raise ValidationError(f"flows jobs {verb}: --fields is for jobs by their ids")
            more["fields"] = read_object("--fields", fields)
        more = {name: value for name, value in more.items() if value}
        async with options.admin() as admin:
            if ids:
                return await _by_id(admin, verb, ids, more, options)
            return await _by_query(admin, verb, where, more=more, undo=undo, options=options, sure=yes)

    run.__doc__ = _HELP[verb]
    run.__name__ = verb
    return run


async def _by_id(admin: Admin, verb: str, ids: tuple[str, ...], more: dict[str, Any], options: Options) -> int:
    """Act on each; what one of them is refused does not keep the others."""
    operation, status = find_operation(f"jobs.{verb}"), 0
    wanted = [name for name in ids if name != "-"]
    if "-" in ids:
        wanted += sys.stdin.read().split()
    for job_id in wanted:
        try:
            answer = await operation.call(admin, {"id": job_id, **more})
        except FlowsError as error:
            if len(wanted) == 1:
                raise
            problem = problem_of(error)
            sys.stderr.write(f"flows: {problem.detail}\n")
            status = max(status, problem.exit_status)
        else:
            if options.json:
                print_json(answer)
            else:
                sys.stdout.write(f"{answer.id} {answer.word}\n")
    return status


async def _by_query(
    admin: Admin, verb: str, where: str, *, more: dict[str, Any], undo: str, options: Options, sure: bool
) -> int:
    """Show what would be acted on, ask, and wait until it is done."""
    of = {"flow": more["flow"]} if "flow" in more else {}
    seen = await find_operation("bulk.preview").call(admin, {"verb": verb, "query": where, **of})
    about = f"{verb} {'' if seen.exact else 'at least '}{seen.count:,} jobs of {seen.flow}"
    if not options.json:
        print_table(seen.sample)
    if seen.count == 0:
        console(stderr=True).print("nothing to do", style="dim")
        return 0
    if not sure:
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            raise ValidationError(f"{about}: nobody can be asked here, so say --yes")
        sys.stderr.write(f"{about}? [y/N] ")
        sys.stderr.flush()
        if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
            return REFUSED
    asked = {"verb": verb, "query": where, "seen": seen.count, "undo": undo, **more}
    started = await find_operation("bulk.apply").call(admin, asked)
    view = await _wait(admin, started.id, about, started.count)
    if options.json:
        print_json(view)
    else:
        told = ", ".join(f"{count:,} {word}" for word, count in view.words.items()) or "nothing"
        sys.stdout.write(f"{started.id} {view.state}: {told}\n")
    return SOME_FAILED if view.failed or view.state != "done" else 0


async def _wait(admin: Admin, action_id: str, about: str, count: int) -> Any:
    wait, cancel = find_operation("bulk.wait"), find_operation("bulk.cancel")
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console(stderr=True), transient=True) as bars:
        bar = bars.add_task(about, total=count)
        try:
            while True:
                try:
                    return await wait.call(admin, {"id": action_id, "timeout": _LOOK})
                except WaitTimeout:
                    view = await find_operation("bulk.show").call(admin, {"id": action_id})
                    bars.update(bar, completed=view.done + view.skipped + view.failed)
        except BaseException:
            # Ctrl-C: what is delayed is undone, what has begun ends here.
            await cancel.call(admin, {"id": action_id})
            raise
