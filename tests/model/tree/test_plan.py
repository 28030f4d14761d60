"""What a tree is refused for, each with the path of the task; and what its tasks depend on."""

from __future__ import annotations

import math
import time
from typing import Any

import pytest

from flows.errors import DeclarationError
from flows.model.tree.errors import TaskNotReady
from flows.model.tree.freshness import Digests, Standing
from flows.model.tree.moments import Progress
from flows.model.tree.node import Declared, Node, Read, Written, read_declared
from flows.model.tree.paths import is_below
from flows.model.tree.plan import TreePlan
from flows.model.tree.task_record import TaskRecord

TEXT = {"type": "string"}
NUMBER = {"type": "integer"}


def task(name: str, *reads: str, **more: Any) -> Node:
    """Return a task that reads these, a field with `?` by a default; its result stands under its name."""
    given = tuple(Read(one.rstrip("?"), required=not one.endswith("?")) for one in reads)
    return Node(name, **{"works": True, "reads": given, "writes": (Written(name),), **more})


def group(name: str, *tasks: Node, **more: Any) -> Node:
    """Return a group of tasks."""
    return Node(name, tasks=tasks, **more)


def plan(*tasks: Node, data: tuple[str, ...] = ("url",)) -> TreePlan:
    """Return the plan of a tree."""
    return TreePlan(Declared(tasks, tuple(map(Written, data))))


def refused(what: str, *tasks: Node, data: tuple[str, ...] = ("url",)) -> None:
    """Check that a tree is refused, by this."""
    with pytest.raises(DeclarationError, match=what):
        plan(*tasks, data=data)


def test_a_field_that_nobody_writes_names_the_nearest() -> None:
    """Names that can be seen from the task, those of the data among them."""
    refused(r"#\.b: nobody before it writes 'page': did you mean 'pages'\?", task("pages"), task("b", "page"))
    refused("did you mean 'url'", task("a", "ur"))
    nameless = Node("fetch-it", works=True, writes=())
    refused(
        r"nobody before it writes 'fetch_it': #\.fetch-it does with dest='fetch_it'", nameless, task("b", "fetch_it")
    )
    refused("there is nothing", task("a", "x"), data=())


def test_a_field_that_is_written_later_says_by_whom() -> None:
    """A later task does not count, nor one below, nor the task itself."""
    refused(r"#\.a: nobody before it writes 'b', but #\.b does: let it come before", task("a", "b"), task("b"))
    refused(r"#\.a: .*#\.a\.c does", task("a", "c", tasks=(task("c"),)))
    refused(r"nobody before it writes 'a'; there is", task("a", "a"))


def test_two_writers_side_by_side_are_refused_where_one_is_read() -> None:
    """Nobody could tell which one is meant; where nobody reads, nobody has to."""
    two = group("g", task("a", writes=(Written("x"),)), task("b", writes=(Written("x"),)))
    refused(r"#\.c: 'x' is written by #\.g\.a and by #\.g\.b, side by side", two, task("c", "x"))
    refused("side by side", group("g", *two.tasks, task("c", "x")))
    plan(two, task("c", "url"))


def test_the_nearest_writer_counts() -> None:
    """In a sequence the last one before; side by side a sibling before what stands further out."""
    found = plan(
        task("a", writes=(Written("x"),)),
        task("b", "x", writes=(Written("x"),)),
        group(
            "g",
            task("c", "x", writes=(Written("y"),)),
            group("h", task("d", writes=(Written("x"),)), task("e", "x"), order="sequence"),
        ),
        task("f", "x"),
    )
    sources = {path: one.sources.reads.get("x") for path, one in found.tasks.items()}
    assert sources["#.b"] == "#.a"
    assert sources["#.g.c"] == sources["#.g.h.e"] == sources["#.f"] == "#.g.h.d"
    assert set(found.tasks["#.g.h.e"].given.inputs) == {"#.g.h.d"}


def test_what_may_be_skipped_asks_for_a_default() -> None:
    """A condition or a failure that counts so, at the writer or above it; not above the reader as well."""
    asks = (Read("url"),)
    refused(r"#\.b: #\.a, which writes 'a', may be skipped", task("a", asks=asks), task("b", "a"))
    refused("may be skipped", task("a", continues=True), task("b", "a"))
    refused("may be skipped", group("g", task("a"), asks=asks), task("b", "a"))
    refused("may be skipped", task("a", continues=True), task("b", "argument"))
    plan(task("a", asks=asks), task("b", "a?"))
    plan(group("g", task("a"), task("b", "a"), asks=asks))
    plan(task("a", asks=asks, tasks=(task("b", "a", "argument"),)))


def test_types_are_compared() -> None:
    """With those of the data, of results, and of what an argument is."""
    wrong = task("b", reads=(Read("x", schema=TEXT),))
    other = task("a", writes=(Written("x", NUMBER),))
    refused(r"#\.b: its view reads 'x' as another type than #\.a writes it: str, and not (int|float)$", other, wrong)
    with pytest.raises(DeclarationError, match="than the data writes it"):
        TreePlan(Declared((wrong,), (Written("x", NUMBER),)))
    argument = task("b", reads=(Read("argument", schema=TEXT),))
    refused("'argument' as another type", task("a", returns=NUMBER), argument)
    plan(task("a", returns=TEXT), argument)


def test_circles_are_told() -> None:
    """Side by side, tasks may wait for each other's results."""
    refused(
        r"#\.g\.[ab] waits for #\.g\.[ab], which waits for #\.g\.[ab]: let one",
        group("g", task("a", "b?"), task("b", "a?")),
    )
    inner = group("h", task("x", "y?"), task("z"), order="sequence")
    refused(r"wait for each other: .*#\.g\.y", group("g", inner, task("y", "z?")))


@pytest.mark.parametrize("name", ["", "a" * 65, "a.b", "#", "a b", "é", "a\n"])
def test_bad_names_are_refused(name: str) -> None:
    """A path is made of them."""
    refused("use 1 to 64 of the characters", task(name))


def test_names_are_unique_among_siblings() -> None:
    """Elsewhere they may come again."""
    refused(r"#\.a: two tasks have this name", task("a"), task("a"))
    plan(task("a", tasks=(task("a"),)), group("b", task("a")))


@pytest.mark.parametrize("weight", [-1.0, math.nan, math.inf])
def test_weights_are_checked(weight: float) -> None:
    """Progress is reckoned with them."""
    refused(r"#\.a: weight=", task("a", weight=weight))


def test_what_cannot_be_a_tree_is_refused() -> None:
    """Nothing to do, and names that stand for something else."""
    refused("no tasks")
    refused(r"#\.a: it has neither a function nor subtasks", group("a"))
    refused(r"#\.a: dest='data'", task("a", writes=(Written("data"),)))
    refused("dest='a-b'", task("a", writes=(Written("a-b"),)))
    refused("the data has a field 'argument'", task("a"), data=("argument",))


def test_a_tree_has_16_levels_and_10_000_tasks() -> None:
    """And the largest is planned, and its staleness told, in well under a second."""
    deep = task("t")
    for _ in range(15):
        deep = group("t", deep)
    plan(deep)
    refused("it stands in level 17, and there are 16 at most", group("t", deep))
    wide = [task(f"t{one}", "url", *([f"t{one - 1}"] if one else ())) for one in range(9_998)]
    refused("over 10,000 tasks", group("g", *wide, task("x"), task("y")))
    began = time.process_time()
    largest = plan(group("g", *wide), task("end", "url"))
    standing = Standing(largest, {}, Digests({"url": b"1"}))
    assert standing.targets("#") == [*(f"#.g.t{one}" for one in range(9_998)), "#.end"]
    assert len(standing.targets("#.g.t9997", missing="run")) == 9_998
    row = plan(*wide, task("end"))
    assert len(Standing(row, {}, Digests({})).targets("#.end", missing="run")) == 9_999
    assert time.process_time() - began < 10


def test_an_argument_goes_to_the_first_tasks() -> None:
    """To the task itself, or in a group to those that nothing in it precedes; later ones are given what came before."""
    found = plan(
        task("a", "argument"),
        group("g", task("b", "argument"), task("c", "argument", tasks=(task("d", "argument"),))),
        group("h", task("e", "argument?"), task("f", "argument"), order="sequence"),
    )
    assert found.takers("#") == found.takers("#.a") == ["#.a"]
    assert found.takers("#.g") == ["#.g.b", "#.g.c"]
    assert found.takers("#.h") == ["#.h.e"]
    arguments = {path: one.given.argument for path, one in found.tasks.items() if one.given.argument}
    assert arguments == {"#.g.b": "#.a", "#.g.c": "#.a", "#.g.c.d": "#.g.c", "#.h.f": "#.h.e"}


def test_a_group_gives_the_results_below_it() -> None:
    """What reads it needs all that make it up, and nothing that stands below these."""
    found = plan(
        group("g", task("a", tasks=(task("b"),)), group("h", task("c")), writes=(Written("all"),)), task("d", "all")
    )
    assert found.tasks["#.d"].given.inputs == {"#.g.a", "#.g.h.c"}


def test_progress_passes_what_is_not_executed() -> None:
    """A task begins when all before it has ended that is executed."""
    found = plan(task("a"), group("g", task("b"), task("c", "b")), task("d"))
    progress = Progress(found.moments, {"#.a", "#.g.c", "#.d"})
    assert progress.take() == ["#.a"]
    assert progress.take() == []
    progress.end("#.a")
    assert progress.take() == ["#.g.c"]
    progress.end("#.g.c")
    assert progress.take() == ["#.d"]


def test_a_view_of_all_the_data_reads_each_field() -> None:
    """`data` stands for it as a whole."""
    found = plan(task("a", "data", "url"), task("b", "url"), data=("url", "size"))
    assert found.tasks["#.a"].given.fields == ("data",)
    one, other = Digests({"url": b"1", "size": b"2"}), Digests({"url": b"1", "size": b"3"})
    assert one.of(("data",), "") != other.of(("data",), "")
    assert one.of(("url",), "") == other.of(("url",), "") != one.of(("url",), "bound")
    assert one.of((), "") == ""


def test_a_task_is_stale_that_would_be_given_what_it_was_not() -> None:
    """With other data, a generator returns another tree: one more result to read, or one less."""
    made = plan(group("g", task("a"), writes=(Written("all"),)), task("b", "all"))
    more = plan(group("g", task("a"), task("c"), writes=(Written("all"),)), task("b", "all"))
    less = plan(group("g", task("a")), task("b"))
    records = {
        "#.g.a": TaskRecord("ok", 1),
        "#.g.c": TaskRecord("ok", 2),
        "#.b": TaskRecord("ok", 3, inputs={"#.g.a": 1}),
    }
    assert Standing(made, records, Digests({})).stale == set()
    assert Standing(more, records, Digests({})).stale == {"#.b"}
    assert Standing(less, records, Digests({})).stale == {"#.b"}


def test_what_functions_are_bound_to_counts() -> None:
    """What the condition is bound to counts for both, what the function is bound to not for a skip."""

    def bound(one: str, other: str) -> TreePlan:
        return plan(task("a", bound=one, asks=(), asks_bound=other))

    given = bound("1", "2").tasks["#.a"]
    digests = Digests({})
    for status, part, stale in (("ok", given.given, {"#.a"}), ("skipped", given.asked, set[str]())):
        records = {"#.a": TaskRecord(status, 1, data=digests.of(part.fields, part.bound))}  # type: ignore[arg-type]
        assert Standing(bound("1", "2"), records, digests).stale == set()
        assert Standing(bound("3", "2"), records, digests).stale == stale
        assert Standing(bound("1", "4"), records, digests).stale == {"#.a"}


def test_a_skipped_task_is_in_the_way_of_those_below_it_alone() -> None:
    """A task whose name begins as another's does not stand below it."""
    found = plan(task("t1", asks=(), tasks=(task("below"),)), task("t10"))
    records = {"#.t1": TaskRecord("skipped", 1), "#.t1.below": TaskRecord("skipped", 2, because="#.t1 is skipped")}
    standing = Standing(found, records, Digests({}))
    assert standing.targets("#.t10") == ["#.t10"]
    with pytest.raises(TaskNotReady) as caught:
        standing.targets("#.t1.below")
    assert caught.value.because == [("#.t1", "skipped")]


def test_an_argument_that_the_execution_gave_is_not_waited_for() -> None:
    """What was given by hand stays what it was, whatever the task before has returned since."""
    found = plan(task("a"), task("b", "argument"))
    records = {"#.a": TaskRecord("ok", 7), "#.b": TaskRecord("ok", 3)}
    assert Standing(found, records, Digests({})).stale == set()
    records["#.b"] = TaskRecord("ok", 5, inputs={"#.a": 4})
    assert Standing(found, records, Digests({})).stale == {"#.b"}


def test_a_description_gives_back_the_tree() -> None:
    """All but the schemas, and whether a field has a default."""
    tree = Declared(
        (
            task("a", weight=2.5, queue="gpu", bound="12", description="Fetches.", continues=True, spreads=True),
            group("g", task("b", "a?"), asks=(), order="sequence", writes=(Written("all"),)),
        ),
        (Written("url"),),
    )
    text = tree.write()
    again = read_declared(text)
    assert again.write() == text
    assert again.tasks[0] == tree.tasks[0]
    assert again.tasks[1].asks == ()
    assert b'{"name":"g","weight":0,' in text
    assert set(TreePlan(again).tasks) == set(TreePlan(tree).tasks)


def test_paths_are_compared_by_whole_names() -> None:
    """A task whose name begins as another's is not below it."""
    assert is_below("#.task1.a", "#.task1")
    assert not is_below("#.task10", "#.task1")
