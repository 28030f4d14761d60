"""Records which flow owns a queue or a name that keys are made of, at the first connect and before any other write."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flows.errors import DeclarationError
from flows.model.flow_options import claimed_names
from flows.store.client.scripts import load

if TYPE_CHECKING:
    from flows.model.flow_options import FlowOptions
    from flows.model.job import Job
    from flows.store.client.connection import Connection
    from flows.store.client.scripts import Argument
    from flows.store.jobs.flow_settings import FlowSettings


async def register(connection: Connection, settings: FlowSettings, options: FlowOptions[Job, str]) -> None:
    """Record what this flow owns; change nothing where another flow owns one of these names.

    Raises:
        DeclarationError: another flow owns a queue or a name; the message says which flow.
    """
    queues = [full_name for full_name, _queue in options.walk()]
    rest: list[Argument] = list(queues)
    for name, kind in claimed_names(options):
        rest += (name, kind)
    named: dict[str, Argument] = {
        **settings.named(),
        "names": settings.keys.names(),
        "owner": options.name,
        "queue_count": len(queues),
    }
    answer = await connection.run(load("register"), named, rest)
    if answer[0] != b"ok":
        taken, owner = answer[1].decode(), answer[2].decode()
        raise DeclarationError(
            f"flow {options.name!r} cannot have the {taken}: on this server the name belongs to the {owner}; "
            "choose another name, or another namespace"
        )
