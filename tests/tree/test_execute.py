"""Executions: whole, by path, of generators and arguments, one that was handed over."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import pytest

from flows.errors import StateError, ValidationError
from flows.model.retries import Retries
from flows.model.schedules.every import Every
from flows.model.tree.errors import (
    TaskNotReady,
    TreeFailed,
    UnknownPath,
)
from flows.store.jobs.log_line import pack_line
from flows.tree.annotations import TaskInput
from flows.tree.backend.protocol import Outcome
from flows.tree.declare import Task, Tree
from flows.tree.generator import Generator
from flows.tree.storage.memory import MemoryStorage
from flows.tree.trees import Trees
from tests.tree.in_memory import trees_in_memory
from tests.tree.mail import Mail
from tests.tree.site import (
    Argument,
    Nothing,
    Site,
    Url,
    calls,
    done,
    fetch,
    nothing,
    resize,
    statuses,
    tree_of,
)
from tests.waiting import LONG, until


async def test_a_tree_is_executed(site: Generator[Site]) -> None:
    """In order, side by side, with views of the data and of results, from the loop and from threads."""
    instance = await site.create(Site(sizes=[3]), realm="acme", name="a.com")
    assert statuses(await instance.state())["fetch"] == "inactive"
    state = await done(instance)
    assert state.status == "done"
    assert state.progress == 1.0
    assert set(statuses(state).values()) == {"ok"}
    assert calls[0] == "fetch"
    assert calls[-1] == "publish"
    assert await instance.result("#.publish", str) == "['u', 'b'] {'w1': 2, 'w2': 4, 'w3': 6} 1"
    assert await instance.result("#.images", dict[str, int]) == {"w1": 2, "w2": 4, "w3": 6}
    assert await instance.result("#.fetch", list[str]) == ["u", "b"]
    fetched = state.tasks["#.fetch"]
    assert fetched.queued is not None
    assert fetched.started is not None
    assert fetched.ended is not None
    assert fetched.queued <= fetched.started <= fetched.ended
    assert (fetched.attempt, fetched.bytes, fetched.progress, fetched.message) == (1, 9, 1.0, "")
    lines = await instance.log("#.fetch")
    assert [(one.n, one.text, one.meta) for one in lines] == [(1, "fetched", {"pages": 2}), (2, "2 pages", {})]
    assert [one.text for one in await instance.log("#.publish")] == ["published"]
    assert await instance.log("#.fetch", since=1) == lines[1:]


async def test_a_condition_skips_all_below(site: Generator[Site]) -> None:
    """And what reads that has its default."""
    instance = await site.create(Site(wanted=False))
    state = await done(instance)
    assert statuses(state) == {
        "fetch": "ok", "images": "skipped", "images.w1": "skipped", "images.w2": "skipped", "publish": "ok",
    }  # fmt: skip
    assert state.tasks["#.images.w1"].because == "#.images is skipped"
    assert state.progress == 1.0
    assert await instance.result("#.publish", str) == "['u', 'b'] {} 1"
    with pytest.raises(StateError, match=r"task #\.images\.w1 is skipped: it cannot be read: it has no result"):
        await instance.result("#.images.w1", int)
    await instance.update(Site())
    await done(instance)
    assert await instance.result("#.images.w1", int) == 2
    await instance.update(Site(wanted=False))
    await done(instance)
    with pytest.raises(StateError):
        await instance.result("#.images.w1", int)


async def test_one_task_by_path(site: Generator[Site]) -> None:
    """What it depends on has to be there; what uses it is stale afterwards, and may be executed with it."""
    instance = await site.create(Site())
    with pytest.raises(TaskNotReady) as caught:
        await instance.execute("#.images.w1")
    assert caught.value.because == [("#.fetch", "inactive"), ("#.images", "inactive")]
    assert (await instance.state()).revision == 1
    await done(instance, "#.images.w1", missing="run")
    assert calls == ["fetch", "w1"]
    await done(instance)
    calls.clear()
    assert statuses(await done(instance, "#.images.w1"))["publish"] == "ok*"
    await done(instance, "#.images.w2", downstream=True)
    assert calls == ["w1", "w2", "publish"]
    calls.clear()
    await done(instance, "#.images")
    assert calls == ["w1", "w2"]
    with pytest.raises(UnknownPath, match=r"no task 'w1': did you mean '#\.images\.w1'"):
        await instance.execute("w1")
    with pytest.raises(UnknownPath, match=r"did you mean '#\.images\.w1'"):
        await instance.execute("#.image.w1")
    with pytest.raises(ValidationError, match="give 'error' or 'run'"):
        await instance.execute("#.fetch", missing="maybe")  # type: ignore[arg-type]


async def test_an_execution_that_has_ended_is_not_worked_on_again(trees: Trees) -> None:
    """Whoever starts it twice; not even where some of its tasks have not begun."""

    def bad(view: Nothing) -> int:  # noqa: ARG001 - it is a task
        calls.append("bad")
        raise ValueError("no")

    instance = await tree_of(trees, Task("bad", bad), Task("after", nothing)).create(Site())
    with pytest.raises(TreeFailed):
        await done(instance)
    before = await instance.state()
    await trees._host.executor.start(instance.id, before.execution)
    await trees._host.executor.start(instance.id, "another")
    await trees.close()
    assert calls == ["bad"]
    assert await instance.state() == before


async def test_who_waits_for_an_earlier_execution_is_not_told_of_a_later_one(trees: Trees) -> None:
    """It has ended: its waiter neither waits for the next one nor fails by it."""
    failing: list[bool] = []

    async def maybe(view: Nothing) -> int:  # noqa: ARG001 - it is a task
        if failing:
            raise ValueError("no")
        return 1

    made = tree_of(trees, Task("maybe", maybe))
    instance = await made.create(Site())
    first = await instance.execute_all()
    await first.wait(LONG)
    failing.append(True)
    second = await instance.execute_all()
    assert (await first.wait(LONG)).execution == second.id
    with pytest.raises(TreeFailed):
        await second.wait(LONG)
    assert (await first.wait(LONG)).status == "failed"
    assert await tree_of(trees, Task("a", nothing), name="y").get(instance.id) is None


async def test_an_argument_goes_to_the_first_task_or_the_one_that_was_named(trees: Trees) -> None:
    """Without one, it is the result of the task before."""

    def add(view: Argument) -> int:
        return view.argument + 1

    made = tree_of(trees, Task("a", add), Task("b", add), Task("c", add))
    instance = await made.create(Site())
    await done(instance, argument=5)
    assert [await instance.result(path, int) for path in ("#.a", "#.b", "#.c")] == [6, 7, 8]
    state = await done(instance, "#.b", 40)
    assert statuses(state) == {"a": "ok", "b": "ok", "c": "ok*"}
    assert await instance.result("#.b", int) == 41
    await done(instance, "#.c")
    assert statuses(await done(instance, "#.a")) == {"a": "ok", "b": "ok", "c": "ok"}
    with pytest.raises(ValidationError):
        await instance.execute("#.a", object())


async def test_debug_functions_are_called_where_that_is_wanted() -> None:
    """With the result and the view; what they raise is a line of the log, as with on_complete."""
    seen: list[tuple[list[str], Url]] = []

    def show(result: list[str], view: Url) -> None:
        seen.append((result, view))
        raise ValueError("debug")

    def line(result: list[str]) -> str:  # noqa: ARG001 - it raises
        raise ValueError("line")

    for debug in (False, True):
        async with trees_in_memory("imports", debug=debug) as trees:
            instance = await tree_of(trees, Task("fetch", fetch, debug=show, on_complete=line)).create(Site())
            assert (await done(instance)).status == "done"
            said = [one.text for one in await instance.log("#.fetch") if one.level == "error"]
            assert (
                said == ["on_complete has failed: ValueError: line", "debug has failed: ValueError: debug"][: 1 + debug]
            )
    assert seen == [(["u", "b"], Url(url="u"))]


async def test_a_lost_result_fails_what_needs_it() -> None:
    """A storage that has lost one, or somebody else has deleted it."""

    class Forgetful(MemoryStorage):
        async def results(self, instance_id: str, paths: Sequence[str]) -> dict[str, bytes]:  # noqa: ARG002 - none
            return {}

    async with trees_in_memory("imports", storage=Forgetful()) as trees:
        instance = await tree_of(trees, Task("pages", fetch), Task("w", partial(resize, 1))).create(Site())
        with pytest.raises(TreeFailed, match=r"#\.w failed: MalformedJob: .* has lost the result of #\.pages"):
            await done(instance)


async def test_what_cannot_be_kept_fails(trees: Trees) -> None:
    """A result that is none of its type, or too large; a view that does not fit; a condition that raises or lies."""

    def lies(view: Nothing) -> int:  # noqa: ARG001 - it is a task
        return "x"  # type: ignore[return-value]

    def big(view: Nothing) -> str:  # noqa: ARG001 - it is a task
        return "x" * (1 << 20)

    class Small(TaskInput):
        limit: int
        argument: int

    def small(view: Small) -> int:
        return view.limit

    def raises(view: Nothing) -> bool:  # noqa: ARG001 - it is a condition
        raise ValueError("no")

    def mute(view: Nothing) -> bool:  # noqa: ARG001 - it is a condition
        return "no"  # type: ignore[return-value]

    asked = Task("condition", nothing, condition=raises)
    for task, why in (
        (Task("lies", lies, retries=Retries(backoff=0)), "ValidationError"),
        (Task("big", big), "PayloadTooLarge"),
        (Task("small", small, retries=Retries(backoff=0)), "ValidationError: what it is given is no Small: argument: "),
        (asked, "ValueError: no"),
        (Task("mute", nothing, condition=mute), "ValidationError: its condition has returned no bool, but a str"),
    ):
        instance = await tree_of(trees, task, name=task.name).create(Site())
        with pytest.raises(TreeFailed, match=why):
            await done(instance)
        assert (await instance.state()).tasks[f"#.{task.name}"].attempt <= 1


async def test_a_generator_that_fails_ends_the_execution(trees: Trees, monkeypatch: pytest.MonkeyPatch) -> None:
    """It worked when the execution began, and works no more."""
    monkeypatch.setattr("flows.tree.recipe._MOST_GROWN", 0)  # as in another process
    works = [True, True, False]

    @trees.generator("moody")
    def moody(data: Site) -> Tree:  # noqa: ARG001 - the tree is always the same
        if not works.pop(0):
            raise ValueError("no tree")
        return Tree(Task("a", nothing))

    instance = await moody.create(Site())
    with pytest.raises(TreeFailed, match="# failed: ValueError: no tree"):
        await done(instance)
    assert statuses(await instance.state()) == {"a": "inactive"}


async def test_what_is_handed_over_comes_back_here_too() -> None:
    """Without workers, the process that executes receives the outcomes; one that never comes is a time-out."""
    mail = Mail()
    async with trees_in_memory("imports", backends={"mail": mail}) as trees:
        made = tree_of(
            trees,
            Task("a", nothing, backend="mail"),
            Task("b", nothing, backend="mail", timeout=0.05, on_failure="continue"),
        )
        instance = await made.create(Site())
        execution = await instance.execute_all()
        await until(lambda: len(mail.orders) == 1)
        mail.give(mail.orders[0], Outcome(b"null", lines=(pack_line("from afar", "info", {}, 1),)))
        state = await execution.wait(LONG)
        assert [(one.path, one.attempt) for one in mail.orders] == [("#.a", 1), ("#.b", 1)]
        error = state.tasks["#.b"].error
        assert error is not None
        assert (statuses(state), error.type) == ({"a": "ok", "b": "failed"}, "Timeout")
        assert [line.text for line in await instance.log("#.a")] == ["from afar"]
        with pytest.raises(ValidationError, match="need the KernelBackend"):
            await instance.execute_all(delay=1)
        with pytest.raises(ValidationError, match="need the KernelBackend"):
            await instance.execute_all(cron=Every(1))
