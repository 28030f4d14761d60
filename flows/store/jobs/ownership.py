"""Records at the first connect, before any other write, which queues and names a flow owns; finds those it has lost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from flows.errors import DeclarationError
from flows.model.flow_options import claimed_names

if TYPE_CHECKING:
    from flows.model.flow_options import FlowOptions
    from flows.model.job import Job
    from flows.store.client.connection import Connection
    from flows.store.client.scripts import Argument
    from flows.store.jobs.flow_settings import FlowSettings

#: What to do, by why a name is taken.
_ADVICE: Final = {
    "": "choose another name, or another namespace",
    "alone": "declare the queue with shared=True there too, or choose another name",
    "shared": "declare the queue with shared=True as they do, or choose another name",
    "full": "it holds jobs, which stand otherwise in a shared queue: let it run empty before shared= is changed",
}


async def register(connection: Connection, settings: FlowSettings, options: FlowOptions[Job, str]) -> FlowSettings:
    """Record what this flow owns; change nothing where another flow owns one of these names.

    Return the settings with the layouts that its queues have on the server: jobs may stand in more lists than this
    release declares.

    Raises:
        DeclarationError: another flow owns a queue or a name; the message says which flow.
    """
    queues = [full_name for full_name, _queue in options.walk()]
    shared = [name for name in queues if options.is_shared(name)]
    former = [name for queue in options.queues for name in queue.formerly]
    rest: list[Argument] = [*queues, *former]
    for name, kind in claimed_names(options):
        rest += (name, kind)
    named: dict[str, Argument] = {
        **settings.named(),
        "names": settings.keys.names(),
        "queues": settings.keys.queues(options.name),
        "owner": options.name,
        "queue_count": len(queues),
        "former_count": len(former),
        "layouts": settings.layouts,
        "flow_settings": settings.keys.settings(options.name),
        "shared": f" {' '.join(shared)} " if shared else "",
    }
    answer = await connection.run(settings.script("register"), named, rest)
    if answer[0] != b"ok":
        taken, owner, *why = (part.decode() for part in answer[1:])
        advice = _ADVICE[why[0] if why else ""]
        raise DeclarationError(
            f"flow {options.name!r} cannot have the {taken}: on this server the name belongs to the {owner}; {advice}"
        )
    return settings.with_layouts(answer[1].decode() if len(answer) > 1 else "")


@dataclass(frozen=True, slots=True)
class Undeclared:
    """A queue that the flow has had and has no more, and how many jobs are left in each of its places."""

    queue: str
    waiting: int
    processing: int
    delayed: int
    children: int


async def queues_of(connection: Connection, settings: FlowSettings, options: FlowOptions[Job, str]) -> list[str]:
    """Return the queues that a reconciler walks: those declared here, and where others declare more, theirs too.

    Raises:
        StoreError: the server cannot be used.
    """
    declared = [full_name for full_name, _queue in options.walk()]
    if not options.partial:
        return declared
    return list(dict.fromkeys([*declared, *sorted(await known_queues(connection, settings, options.name))]))


async def known_queues(connection: Connection, settings: FlowSettings, flow: str) -> list[str]:
    """Return the queues that a flow has, or ever had.

    Raises:
        StoreError: the server cannot be used.
    """
    names: list[bytes] = await connection.call("HKEYS", settings.keys.queues(flow))
    return [name.decode("utf-8", "replace") for name in names]


async def count_queues(connection: Connection, settings: FlowSettings) -> int:
    """Return how many queues the flow has, or ever had.

    Raises:
        StoreError: the server cannot be used.
    """
    count: int = await connection.call("HLEN", settings.keys.queues(settings.flow))
    return count


async def undeclared(
    connection: Connection, settings: FlowSettings, options: FlowOptions[Job, str]
) -> list[Undeclared]:
    """Return the queues in which jobs are left and that the flow does not declare any more, not as former names either.

    Raises:
        StoreError: the server cannot be used.
    """
    if options.partial:
        return []
    declared = [full_name for full_name, _queue in options.walk()]
    former = [name for queue in options.queues for name in queue.formerly]
    named = {**settings.named(), "queues": settings.keys.queues(options.name)}
    left = await connection.run(settings.script("undeclared"), named, [*declared, *former])
    return [Undeclared(queue.decode("utf-8", "replace"), *counts) for queue, *counts in left]
