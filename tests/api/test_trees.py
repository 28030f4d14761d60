"""Task trees of apps whose code is not here: listed, shown, executed, named and destroyed."""

from __future__ import annotations

import pytest
from redis import Redis

from flows.api import Admin, Caller, Forbidden, NothingThere, audit, find_operation, flows, trees
from flows.errors import StateError, ValidationError, WaitTimeout
from flows.model.tree.errors import InstanceGone, TaskNotReady, TreeBusy, UnknownPath
from tests.api.conftest import Left
from tests.api.orchard import Plot, leave_trees, orchard
from tests.api.shop import CANARY
from tests.waiting import until


async def test_lists_instances(admin: Admin, left: Left) -> None:
    """By app, realm, generator, status, name and labels; newest first, a page at a time."""
    done, failed = left.ids["tree_done"], left.ids["tree_failed"]

    async def listed(**asked: object) -> list[str]:
        return [one.id for one in (await find_operation("trees.list").call(admin, asked)).trees]

    await until(lambda: _indexed(admin, failed))
    assert await listed() == await listed(app="orchard", generator="plot") == [failed, done]
    assert await listed(realm="acme") == await listed(status="done") == [done]
    assert await listed(status="failed") == await listed(labels={"season": "2"}) == [failed]
    assert await listed(name="of *") == [done]
    assert await listed(realm="nobody") == []
    assert (await flows.overview(admin)).trees == 2
    first = await trees.list_trees(admin, limit=1)
    assert ([one.id for one in first.trees], bool(first.cursor)) == ([failed], True)
    second = await trees.list_trees(admin, limit=1, cursor=first.cursor)
    assert [one.id for one in second.trees] == [done]
    [row] = (await trees.list_trees(admin, realm="acme")).trees
    assert (row.app, row.generator, row.status, row.progress) == ("orchard", "plot", "done", 1.0)
    assert [(one.app, one.generators) for one in await trees.apps(admin)] == [("orchard", ["plot"])]
    with pytest.raises(NothingThere, match="there is orchard"):
        await trees.list_trees(admin, "orchid")


async def _indexed(admin: Admin, failed: str) -> bool:
    return [one.id for one in (await trees.list_trees(admin, status="failed")).trees] == [failed]


async def test_shows_an_instance_with_its_tasks(admin: Admin, left: Left) -> None:
    """The tree as it was declared, and how each task stands; results and logs by path."""
    done = left.ids["tree_done"]
    shown = await trees.show(admin, done)
    assert (shown.status, shown.progress, shown.data["title"]) == ("done", 1.0, "one")
    pick, work = shown.tasks
    assert (pick.path, pick.description, pick.writes, pick.weight) == ("#.pick", "by hand", ["picked"], 1)
    assert [(one.path, one.weight) for one in work.tasks] == [("#.work.press", 3), ("#.work.sell", 1)]
    assert {path: one.status for path, one in shown.states.items()} == dict.fromkeys(
        ("#.pick", "#.work", "#.work.press", "#.work.sell"), "ok"
    )
    assert set(shown.states["#.work.sell"].inputs) == {"#.work.press"}
    result = await trees.result(admin, done, "#.pick")
    assert (result.result, result.stale) == ({"apples": 4, "email": CANARY}, False)
    assert (await trees.result(admin, done, "#.work")).result == {"press": 2.0, "sell": "2 litres"}
    [line] = (await trees.log(admin, done, "#.pick")).lines
    assert (line.text, line.meta) == (f"picking for {CANARY}", {"who": CANARY})
    assert (await trees.log(admin, done, "#.pick", after=line.n)).lines == []
    failed = await trees.wait(admin, left.ids["tree_failed"])
    assert (failed.status, failed.path) == ("failed", "#.work.press")
    assert failed.error is not None
    assert failed.error.message == f"no juice for {CANARY}"
    assert (failed.states["#.work.press"].status, failed.states["#.work.sell"].because) == (
        "failed",
        "#.work.press failed",
    )
    with pytest.raises(UnknownPath, match=r"did you mean '#\.pick'"):
        await trees.result(admin, done, "#.pik")
    with pytest.raises(StateError, match="it has no result"):
        await trees.result(admin, failed.id, "#.work.press")
    with pytest.raises(InstanceGone):
        await trees.show(admin, left.ids["run_done"])


async def test_what_is_hidden_of_a_tree(admin: Admin, left: Left) -> None:
    """A field of the data or of a result by its name, a label, the data or all results as a whole, logs and errors."""
    done, failed = left.ids["tree_done"], left.ids["tree_failed"]
    blind = admin.acting_as(Caller(name="hugo", hide=frozenset({"email", "tree.orchard.log", "error"})))
    shown = await trees.show(blind, done)
    assert (shown.data["email"], shown.name, shown.labels) == ("•••", "of •••", {"season": "1"})
    assert (await trees.result(blind, done, "#.pick")).result == {"apples": 4, "email": "•••"}
    assert (await trees.log(blind, done, "#.pick")).hidden
    error = (await trees.show(blind, failed)).error
    assert error is not None
    assert error.message == "•••"
    with pytest.raises(Forbidden, match="hidden"):
        await trees.list_trees(blind, labels={"email": CANARY})
    blinder = admin.acting_as(Caller(name="hugo", hide=frozenset({"data", "result"})))
    assert (await trees.show(blinder, done)).data == "•••"
    assert (await trees.result(blinder, done, "#.pick")).result == "•••"


async def test_who_has_one_app_sees_its_trees_alone(admin: Admin, left: Left) -> None:
    """`run:tree.orchard` is enough for its trees; another app's name for none of them."""
    mine = admin.acting_as(Caller(name="olga", flows=frozenset({"run:tree.orchard"})))
    assert (await trees.show(mine, left.ids["tree_done"])).app == "orchard"
    other = admin.acting_as(Caller(name="otto", flows=frozenset({"run:press"})))
    assert await trees.apps(other) == []
    assert (await trees.list_trees(other)).trees == []
    assert (await flows.overview(other)).trees == 0
    with pytest.raises(InstanceGone):
        await trees.show(other, left.ids["tree_done"])


async def test_executes_by_path_without_the_code(redis_url: str, namespace: str) -> None:
    """A worker of the app does it. What is not ready, is executed already or is asked for twice does not begin anew."""
    ids = await leave_trees(redis_url, namespace, CANARY)
    left = Left(redis_url, namespace, ids)
    done, failed = ids["tree_done"], ids["tree_failed"]
    async with left.admin() as admin:
        with pytest.raises(TaskNotReady, match=r"#\.work\.press is failed"):
            await trees.execute(admin, failed, "#.work.sell")
        begun = await trees.execute(admin, done, "#.work.press", downstream=True, ref="click")
        assert await trees.execute(admin, done, "#.work.press", downstream=True, ref="click") == begun
        with pytest.raises(TreeBusy):
            await trees.execute(admin, done)
        with pytest.raises(WaitTimeout, match="no process has workers of app 'orchard': create_workers"):
            await trees.wait(admin, done, 0.01)
        app, _plot = orchard(redis_url, namespace)
        app.create_workers(concurrency=2)
        async with app:
            shown = await trees.wait(admin, done)
        assert (shown.status, shown.execution) == ("done", begun.execution)
        runs = {path: shown.states[path].order for path in ("#.pick", "#.work.press", "#.work.sell")}
        assert runs["#.pick"] < runs["#.work.press"] < runs["#.work.sell"]
        told = [(one.operation, one.word) for one in (await audit.list_actions(admin)).actions]
    assert told.count(("trees.execute", "begun")) == 2
    assert told.count(("trees.execute", "TreeBusy")) == 1


async def test_names_cancels_and_destroys(redis_url: str, namespace: str, redis: Redis) -> None:
    """A worker records that it was cancelled. Nothing of a destroyed instance stays."""
    app, plot = orchard(redis_url, namespace)
    workers, _plot = orchard(redis_url, namespace)
    workers.create_workers(concurrency=2)
    async with app, Left(redis_url, namespace, {}).admin() as admin:
        instance = await plot.create(Plot(title="one"))
        assert (await trees.update(admin, instance.id, name="new", labels={"a": "b"})).word == "updated"
        shown = await trees.show(admin, instance.id)
        assert (shown.name, shown.labels) == ("new", {"a": "b"})
        with pytest.raises(ValidationError, match="give data, a name, or labels"):
            await trees.update(admin, instance.id)
        with pytest.raises(StateError, match="no execution is under way"):
            await trees.cancel(admin, instance.id)
        await trees.execute(admin, instance.id)
        assert (await trees.cancel(admin, instance.id, reason="a mistake")).word == "cancelled"
        async with workers:
            shown = await trees.wait(admin, instance.id)
        assert (shown.status, shown.because) == ("cancelled", "a mistake")
        assert (await trees.destroy(admin, instance.id)).word == "destroyed"
        with pytest.raises(InstanceGone):
            await trees.destroy(admin, instance.id)
    assert [key for key in redis.scan_iter(f"{namespace}*{instance.id}*") if b"treedirty" not in key] == []


async def test_shows_the_executions_of_an_instance(redis_url: str, namespace: str) -> None:
    """What was asked for each time, and how it has ended: the newest first, those of the app's last runs."""
    ids = await leave_trees(redis_url, namespace, CANARY)
    left = Left(redis_url, namespace, ids)
    app, _plot = orchard(redis_url, namespace)
    app.create_workers()
    async with left.admin() as admin, app:
        done, failed = ids["tree_done"], ids["tree_failed"]
        [first] = (await trees.executions(admin, failed)).executions
        assert (first.path, first.status, first.schedule) == ("#", "failed", None)
        begun = await trees.execute(admin, done, "#.work", missing="run")
        await trees.wait(admin, done)
        found = await trees.executions(admin, done)
        assert [(one.path, one.status) for one in found.executions] == [("#.work", "done"), ("#", "done")]
        assert (found.executions[0].id, found.more) == (begun.execution, False)
        assert found.executions[0].began > found.executions[1].began
        assert (await trees.executions(admin, done, limit=1)).more
        instance = await app.get(failed)
        assert instance is not None
        await instance.execute("#.pick", delay=3600)
        later, again = (await trees.executions(admin, failed)).executions
        assert (later.path, later.status, later.ended) == ("#.pick", "idle", None)
        assert (again.id, again.status) == (first.id, "failed")


async def test_data_is_changed_where_the_code_is(redis_url: str, namespace: str) -> None:
    """Its schema is told there; what is wrong is told by its place, before anything is written."""
    ids = await leave_trees(redis_url, namespace, CANARY)
    done = ids["tree_done"]
    async with Left(redis_url, namespace, ids).admin() as admin:
        with pytest.raises(ValidationError, match=r"the code of generator 'plot' is not in this process"):
            await trees.update(admin, done, data={"title": "two"})
        assert (await trees.show(admin, done)).json_schema is None
        app, _plot = orchard(redis_url, namespace)
        async with app:
            admin.link.trees["orchard"] = app._host
            shown = await trees.show(admin, done)
            assert shown.json_schema is not None
            assert list(shown.json_schema["properties"]) == ["title", "email", "fail"]
            blind = admin.acting_as(Caller(name="hugo", hide=frozenset({"email"})))
            assert (await trees.show(blind, done)).json_schema is None
            with pytest.raises(ValidationError) as refused:
                await trees.update(admin, done, data={"email": 5})
            assert [one.place for one in refused.value.faults] == [("title",), ("email",)]
            assert (await trees.show(admin, done)).revision == shown.revision
            await trees.update(admin, done, data={**shown.data, "fail": True})
            after = await trees.show(admin, done)
            assert [path for path, one in after.states.items() if one.stale] == ["#.work.press", "#.work.sell"]
            assert after.tasks[1].tasks[0].sources == {"picked": "#.pick", "fail": ""}
