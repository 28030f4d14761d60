"""Makes what is answered of task trees, without what is hidden from the caller."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from pydantic_core import from_json

from flows.api.reading.hiding import HIDDEN, Hiding, Secrets
from flows.api.reading.rows import error_view
from flows.api.reading.shortening import shortened
from flows.api.reading.tree_host import WORKFLOW
from flows.api.views.trees import TaskStateView, TreeRow, TreeTaskView, TreeView
from flows.model.tree.paths import ROOT, joined
from flows.model.tree.scopes import ARGUMENT
from flows.tree.plans import plan_of
from flows.tree.state import state_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from flows.api.caller import Caller
    from flows.model.tree.node import Node
    from flows.model.tree.plan import TreePlan
    from flows.model.tree.scopes import Sources
    from flows.model.tree.task_record import TaskRecord
    from flows.tree.host import Host
    from flows.tree.state import TaskState
    from flows.tree.storage.protocol import InstanceRow, Snapshot

#: What hides the whole of it.
DATA: Final = "data"
RESULT: Final = "result"


def hiding_of(caller: Caller, app: str) -> Hiding:
    """Return what is hidden from a caller of an app's trees; `hide` names that flow as their workflow, `tree.<app>`."""
    return Hiding(caller, f"{WORKFLOW}{app}")


async def secrets_of(hiding: Hiding, host: Host, snapshot: Snapshot) -> Secrets:
    """Return what no text may tell: what hidden fields of the data hold, and of the results.

    Raises:
        StoreError: the storage cannot be used.
    """
    if not hiding.names:
        return Secrets()
    data: Any = from_json(snapshot.data)
    paths = [path for path, record in snapshot.tasks.items() if record.bytes is not None]
    results: list[Any] = [from_json(one) for one in (await host.storage.results(snapshot.row.id, paths)).values()]
    values = [data, *results]
    texts = [text for value in values for text in hiding.nested(value)]
    for name, some in ((DATA, [data]), (RESULT, results)):
        if not hiding.allows(name):
            texts += [text for value in some for text in hiding.leaves(value)]
    return Secrets(texts)


def tree_row(hiding: Hiding, secrets: Secrets, row: InstanceRow) -> TreeRow:
    """Return an instance as a row of a list."""
    return TreeRow(
        id=row.id,
        app=row.app,
        generator=row.generator,
        realm=secrets.out_of(row.realm),
        name=secrets.out_of(row.name),
        labels=secrets.out_of({name: text for name, text in row.labels.items() if hiding.allows(name)}),
        ephemeral=row.ephemeral,
        status=row.status,
        progress=row.progress,
        created=_time(row.created),
        updated=_time(row.updated),
    )


def tree_view(hiding: Hiding, secrets: Secrets, host: Host, snapshot: Snapshot, *, whole: bool) -> TreeView:
    """Return an instance with all its tasks; of long texts and values the beginnings, unless it is to be `whole`."""
    plan = plan_of(snapshot.tree)
    state = state_of(snapshot, plan)
    row: dict[str, Any] = {
        **dict(tree_row(hiding, secrets, snapshot.row)),
        "status": state.status,
        "progress": state.progress,
    }
    view = TreeView(
        **row,
        revision=state.revision,
        execution=state.execution,
        path=state.path,
        error=error_view(hiding, secrets, state.error),
        because=secrets.out_of(state.because),
        data=shown(hiding, secrets, DATA, from_json(snapshot.data)),
        json_schema=None,
        tasks=[],
        states={},
    )
    states = {
        path: shortened(_state(hiding, secrets, one, snapshot.tasks.get(path)), whole=whole)
        for path, one in state.tasks.items()
    }
    # However many tasks there are: the page of a tree draws all of them.
    tasks = list(_tasks(secrets, plan, ROOT, plan.declared.tasks))
    recipe = host.recipes.get(snapshot.row.generator)
    # Who does not see all of the data would write what stands in place of the rest.
    schema = None if recipe is None or hiding.names else recipe.shape.schema
    return shortened(view, whole=whole).model_copy(update={"tasks": tasks, "states": states, "json_schema": schema})


def shown(hiding: Hiding, secrets: Secrets, name: str, value: Any) -> Any:
    """Return data, or a result, without what is hidden of it."""
    return secrets.out_of(hiding.pruned(value)) if hiding.allows(name) else HIDDEN if value is not None else None


def _tasks(secrets: Secrets, plan: TreePlan, above: str, nodes: Sequence[Node]) -> Iterable[TreeTaskView]:
    for node in nodes:
        path = joined(above, node.name)
        planned = plan.tasks.get(path)
        yield TreeTaskView(
            path=path,
            name=node.name,
            description=secrets.out_of(node.description),
            weight=node.weight if node.works else 0.0,
            order=node.order,
            queue=node.queue,
            reads=[one.name for one in node.reads],
            sources={} if planned is None else _sources(node, planned.sources),
            gate="" if planned is None else planned.gate or "",
            writes=[one.name for one in node.writes],
            tasks=list(_tasks(secrets, plan, path, node.tasks)),
        )


def _sources(node: Node, sources: Sources) -> dict[str, str]:
    whole = {DATA: ""} if any(one.name == DATA for one in (*node.reads, *(node.asks or ()))) else {}
    argument = {} if sources.argument is None else {ARGUMENT: sources.argument}
    return {**sources.asks, **sources.reads, **whole, **argument}


def _state(hiding: Hiding, secrets: Secrets, state: TaskState, record: TaskRecord | None) -> TaskStateView:
    return TaskStateView(
        status=state.status,
        stale=state.stale,
        progress=state.progress,
        message=secrets.out_of(state.message),
        queued=state.queued,
        started=state.started,
        ended=state.ended,
        attempt=state.attempt,
        error=error_view(hiding, secrets, state.error),
        because=secrets.out_of(state.because),
        bytes=state.bytes,
        order=0 if record is None else record.order,
        inputs={} if record is None else dict(record.inputs),
    )


def _time(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
