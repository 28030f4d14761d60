"""A command for each operation, by a loop over the registry: what it takes by place, the rest by name."""

from __future__ import annotations

import inspect
import json
import sys
from shlex import quote
from typing import TYPE_CHECKING, Annotated, Any, Final

from cyclopts import App, Parameter

from flows.api import operations
from flows.cli.options import NO_OPTIONS, Options
from flows.cli.printing import console, cursor_of, print_answer, print_json
from flows.errors import ValidationError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping

    from flows.api import Operation

#: What a group is called besides, in a terminal.
SHORT: Final = {"find": "ls", "list": "ls"}
#: Groups that are called by another name besides.
_ALSO: Final = {"trees": "tree"}
#: What the commands of a group are about; of a group that stands here not, its name says it.
_ABOUT: Final = {
    "audit": "Who has done what.",
    "bulk": "Actions on many jobs: preview, begin, watch and undo them.",
    "flows": "Which flows there are, and what they declare.",
    "jobs": "Find jobs, look at one, follow it, and act on some or many.",
    "queues": "What waits and who serves it; pause, limit and drain queues.",
    "runs": "Runs of workflows: list, look at, start and steer them.",
    "schedules": "What starts runs at times.",
    "server": "The server of Redis, what is wrong there, and the embedded one.",
    "stats": "How much there was to do, and how long it took.",
    "trees": "Task trees: list, look at, execute and destroy them.",
    "workers": "Which processes have workers, and what they do now.",
}
#: Operations for which there is a command that does more: it takes several ids or a query, or follows.
WRITTEN: Final = frozenset({"jobs.retry", "jobs.cancel", "jobs.delete", "jobs.move", "jobs.log"})


def add_operations(app: App, groups: dict[str, App]) -> None:
    """Add a command `<group> <verb>` for each operation, and its group where there is none yet."""
    for operation in operations().values():
        if operation.name in WRITTEN:
            continue
        group = groups.get(operation.group)
        if group is None:
            group = groups[operation.group] = App(
                name=[operation.group, *filter(None, [_ALSO.get(operation.group)])],
                help=_ABOUT.get(operation.group, f"{operation.group.capitalize()}."),
            )
            app.command(group)
        name = operation.verb.replace("_", "-")
        names = [name, *([SHORT[operation.verb]] if operation.verb in SHORT else [])]
        group.command(command_of(operation), name=names)


def command_of(operation: Operation[Any]) -> Callable[..., Coroutine[Any, Any, int]]:
    """Return the command of an operation: its docstring, its params as texts, and the options of every command."""
    schema = operation.params.model_json_schema()["properties"]
    given = list(inspect.signature(operation.function).parameters.values())[1:]
    last = [one.name for one in given if one.kind is one.POSITIONAL_OR_KEYWORD][-1:]
    words_of = "query" if last == ["query"] else ""  # a query that comes last is all words that are left: no quotes

    async def run(*places: Any, options: Options = NO_OPTIONS, **named: Any) -> int:
        by_place = [one.name for one in given if one.kind is one.POSITIONAL_OR_KEYWORD]
        asked = {**dict(zip(by_place, places, strict=False)), **named}
        if asked.get(words_of) is not None:
            asked[words_of] = " ".join(asked[words_of])
        asked = {name: _read(name, schema[name], value) for name, value in asked.items() if value is not None}
        return await ask(operation, asked, options)

    parameters = [_parameter(one, schema[one.name], words=one.name == words_of) for one in given]
    parameters.append(
        inspect.Parameter("options", inspect.Parameter.KEYWORD_ONLY, annotation=Options, default=NO_OPTIONS)
    )
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {one.name: one.annotation for one in parameters}
    run.__doc__ = operation.description
    run.__name__ = operation.name
    return run


async def ask(operation: Operation[Any], asked: Mapping[str, Any], options: Options) -> int:
    """Ask for an operation, print its answer, and return the exit status.

    Raises:
        FlowsError: what the operation raises.
    """
    async with options.admin() as admin:
        answer = await operation.call(admin, asked)
    if options.json:
        print_json(answer)
    else:
        print_answer(answer)
    if cursor := cursor_of(answer):
        console(stderr=True).print(f"there are more: --cursor {quote(cursor)}", style="dim", soft_wrap=True)
    return 0


def _parameter(one: inspect.Parameter, schema: Mapping[str, Any], *, words: bool = False) -> inspect.Parameter:
    kinds = {part.get("type") for part in (schema, *schema.get("anyOf", ()))}
    about = " ".join(str(schema.get("description", "")).split())
    plain: Any = bool if "boolean" in kinds else list[str] if words or "array" in kinds else str
    optional = one.default is not one.empty
    shown = one.default if isinstance(one.default, (int, str)) and one.default != "" else None
    told = Parameter(help=about if shown is None else f"{about} [default: {shown}]", show_default=False, negative=())
    if plain is bool:
        told = Parameter(help=about, show_default=False)
    annotation = Annotated[plain | None, told] if optional else Annotated[plain, told]
    return one.replace(annotation=annotation, default=None if optional else one.empty)


def _read(name: str, schema: Mapping[str, Any], value: Any) -> Any:
    """Return what stands for an object read as JSON, from stdin where it is `-`."""
    kinds = {part.get("type") for part in (schema, *schema.get("anyOf", ()))}
    return read_object(name, value) if "object" in kinds and isinstance(value, str) else value


def read_object(name: str, text: str) -> Any:
    """Return the JSON object that a text is, or the one on stdin where it is `-`.

    Raises:
        ValidationError: it is no JSON.
    """
    try:
        return json.loads(sys.stdin.read() if text == "-" else text)
    except json.JSONDecodeError as error:
        raise ValidationError(f"{name}: give a JSON object, or - and the object on stdin: {error}") from None
