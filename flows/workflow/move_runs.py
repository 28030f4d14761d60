"""Moves runs that stay with a version of their workflow's code to workers of another one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flows.errors import StoreError, ValidationError
from flows.model.names import NAME
from flows.model.runs.new_run import BY_WORKFLOW, RUN_FLOW
from flows.model.runs.queue_names import run_queue
from flows.store.jobs.many import Asked, ManyJobs
from flows.store.jobs.ownership import known_queues

if TYPE_CHECKING:
    from flows.workflow.host import Host

#: So many ids are looked at at once.
_PAGE: Final = 500
#: A run that a worker has stays where it is.
_OPEN: Final = frozenset({"waiting", "delayed"})


async def move_runs(host: Host, workflow: str, version: str | int | None, to: str | int | None) -> int:
    """Let the runs of one version that have not ended, and that no worker has just now, go on with another version.

    Args:
        host: The app's.
        workflow: The workflow's name.
        version: That of the runs; None: of those that stay with none.
        to: That of the workers; None: of those of a release that pins no runs.

    Returns:
        How many were moved. Those that execute are left; when they wait, ask again.

    Raises:
        ValidationError: the versions are the same, or no process ever had the other one.
        StoreError: the server cannot be used; some may be moved.
    """
    source, target = (run_queue(workflow, pinned=_text(one)) for one in (version, to))
    if source == target:
        raise ValidationError(f"runs of version {version!r} of {workflow!r} are there already: give another one as to=")
    session = await host.open()
    if target not in await known_queues(session.connection, session.settings, RUN_FLOW):
        raise ValidationError(
            f"no process has ever had version {to!r} of workflow {workflow!r}: start its workers first, or await its "
            "workflows.sync()"
        )
    many = ManyJobs(session.control, Asked("move", _OPEN, 0, queue=target))
    lookup = session.settings.keys.lookup(RUN_FLOW, BY_WORKFLOW, workflow)
    moved, start = 0, 0
    while ids := await session.connection.call("LRANGE", lookup, start, start + _PAGE - 1):
        texts = [one.decode() for one in ids]
        found = await session.fetch.hashes([(RUN_FLOW, one) for one in texts], ("_queue",))
        there = [
            one
            for one, fields in zip(texts, found, strict=True)
            if fields is not None and fields.get("_queue") == source.encode()
        ]
        for word in await many.act([(RUN_FLOW, one) for one in there]):
            if isinstance(word, StoreError):
                raise word
            moved += word == "moved"
        start += _PAGE
    return moved


def _text(version: str | int | None) -> str:
    text = "" if version is None else str(version)
    if text and not NAME.fullmatch(text):
        raise ValidationError(f"version {version!r:.80}: use 1 to 64 of the characters A-Z a-z 0-9 _ . -")
    return text
