"""write_tasks: each record under the next revision, by whoever has the execution now."""

from __future__ import annotations

import itertools

import pytest

from tests.store.trees.tree_world import DONE, ID, OK, PARTS, RUNNING, TreeWorld, written
from tests.world import NOW


def begun(trees: TreeWorld) -> TreeWorld:
    """Let an execution be under way, at revision 2, of which the index knows."""
    trees.create()
    trees.begin()
    trees.redis.delete(trees.trees.outbox("imports"))
    return trees


def test_records_are_numbered_and_told_in_one_message(trees: TreeWorld) -> None:
    """A result comes with its record, or an earlier one stays; the index need not know."""
    begun(trees)
    with trees.told() as told:
        assert trees.write("#.a", RUNNING, "", "#.b", OK, '"x"') == ["ok", 4]
        assert trees.write("#.a", OK, "1", "#.b", RUNNING, "") == ["ok", 6]
    assert trees.hash("treetasks") == {
        "#.a": '{"status":"ok","order":5,"run":"e1"}', "#.b": '{"status":"running","order":6,"run":"e1"}'
    }  # fmt: skip
    assert trees.hash("treeresults") == {"#.a": "1", "#.b": '"x"'}
    assert told == [
        '3\n#.a\t{"status":"running","order":3,"run":"e1"}\n#.b\t{"status":"ok","order":4,"run":"e1"}',
        '5\n#.a\t{"status":"ok","order":5,"run":"e1"}\n#.b\t{"status":"running","order":6,"run":"e1"}',
    ]
    assert (trees.hash("tree")["_order"], trees.hash("tree")["shown"], trees.due()) == ("6", "2", {})


def test_records_that_have_their_revisions_stay_as_they_are(trees: TreeWorld) -> None:
    """Where another revision comes next, they are numbered anew, the end too."""
    begun(trees)
    fits, late = '{"status":"ok","order":3,"run":"e1"}', '{"status":"ok","order":3}'
    assert trees.write("#.a", fits, "", "#.b", '{"status":"ok","order":77}', "", first=3) == ["ok", 4]
    assert trees.hash("treetasks") == {"#.a": fits, "#.b": '{"status":"ok","order":77}'}
    end = '{"status":"done","order":4,"run":"e1"}'
    assert trees.write("#.a", late, "", end_record=end, first=3) == ["ok", 6]
    assert trees.hash("treetasks")["#.a"] == '{"status":"ok","order":5}'
    assert trees.hash("tree")["record"] == '{"status":"done","order":6,"run":"e1"}'


def test_many_are_written_by_one_call(trees: TreeWorld) -> None:
    """Each for itself, the same one twice too; what is wrong with one concerns no other."""
    for name in ("a", "b", "c"):
        trees.create(name)
        trees.begin(instance_id=name)
    trees.redis.rpush(trees.key("treeresults", "b"), "not ours")
    writes = [
        *written("#.x", OK, "1", instance_id="a", call_id="1"),
        *written("#.x", OK, "1", instance_id="b", call_id="2"),
        *written("#.y", RUNNING, "", "#.z", OK, "2", instance_id="a", call_id="3", end_record=DONE),
        *written("#.x", OK, "1", instance_id="c", call_id="4", execution="e2"),
        *written("#.x", OK, "1", instance_id="c", call_id="5"),
    ]
    with trees.told("a") as told, trees.told("b") as none:
        first, second, third, fourth, fifth = trees.run("write_tasks", *writes)
    assert (first, third, fourth, fifth) == (["ok", 3], ["ok", 6], ["stale", 0], ["ok", 3])
    assert second[0] == "conflict"
    assert [one.split("\n", 1)[0] for one in told] == ["3", "4"]
    assert none == []
    assert trees.hash("treeresults", "a") == {"#.x": "1", "#.z": "2"}
    assert (trees.hash("tree", "a")["_order"], trees.hash("tree", "b")["_order"]) == ("6", "2")


def test_what_nobody_listens_to_is_not_told(trees: TreeWorld) -> None:
    """One question for all of a call, and no message."""
    begun(trees)
    asked = list[str]()
    with trees.redis.monitor() as monitor:
        trees.write("#.a", OK, "1")
        trees.redis.echo(f"{trees.namespace}end")
        commands = (str(one["command"]) for one in monitor.listen())
        for command in itertools.takewhile(
            lambda one: not one.startswith("ECHO") or trees.namespace not in one, commands
        ):
            if trees.trees.changed(ID) in command:
                asked.append(command.split(" ")[0].upper())
    assert asked == ["PUBSUB"]


def test_an_end_is_the_last_record(trees: TreeWorld) -> None:
    """It is what rows show, and the index is told."""
    begun(trees)
    trees.now += 9
    with trees.told() as told:
        assert trees.write("#.a", OK, "1", end_record=DONE) == ["ok", 4]
    found = trees.hash("tree")
    assert found["record"] == '{"status":"done","order":4,"run":"e1"}'
    assert (found["shown"], found["updated"]) == ("4", str(NOW + 9))
    assert told == ['3\n#.a\t{"status":"ok","order":3,"run":"e1"}\n#\t' + found["record"]]
    assert trees.due() == {ID: NOW + 9}
    assert [trees.life(kind, ID) for kind in PARTS[:3]] == [-1] * 3


def test_an_end_may_be_the_end_of_the_instance(trees: TreeWorld) -> None:
    """All that it has goes together; what has been created with its key since stays."""
    trees.create(key="k")
    trees.begin()
    trees.redis.set(trees.trees.holder("imports", "k"), "another")
    trees.write("#.a", OK, "1", end_record=DONE, ttl_ms=60_000)
    assert all(0 < trees.life(kind, ID) <= 60_000 for kind in PARTS[:3])
    assert trees.life("treekey", "imports:k") == -1


def test_who_does_not_have_it_writes_nothing(trees: TreeWorld) -> None:
    """Another execution, a lower fence, and after the end; a higher fence takes over, also without a record."""
    assert trees.write("#.a", OK, "1") == ["stale", 0]
    trees.create()
    assert trees.write("#.a", OK, "1") == ["stale", 0]
    trees.begin()
    with trees.told() as told:
        assert trees.write(fence=3) == ["ok", 2]
    before = trees.snapshot()
    assert told == []
    with trees.told() as told:
        assert trees.write("#.a", OK, "1", execution="e2", fence=9) == ["stale", 0]
        assert trees.write("#.a", OK, "1", fence=2) == ["stale", 0]
        assert trees.write(end_record=DONE, fence=2) == ["stale", 0]
    assert (trees.snapshot(), told) == (before, [])
    assert trees.write("#.a", OK, "1", fence=3, end_record=DONE) == ["ok", 4]
    assert trees.write("#.a", OK, "1", fence=3) == ["stale", 0]


def test_a_child_writes_over_what_runs(trees: TreeWorld) -> None:
    """Without a fence, and without taking over; of several records none, where one is not running."""
    begun(trees)
    trees.write("#.a", RUNNING, "", "#.b", OK, "1", fence=4)
    assert trees.write("#.a", RUNNING, "", is_child=1) == ["ok", 5]
    assert trees.write(is_child=1) == ["ok", 5]
    assert trees.hash("tree")["_fence"] == "4"
    before = trees.snapshot()
    for records in (["#.b", RUNNING, ""], ["#.a", RUNNING, "", "#.b", RUNNING, ""], ["#.z", RUNNING, ""]):
        assert trees.write(*records, is_child=1) == ["stale", 0]
    assert trees.write("#.a", RUNNING, "", is_child=1, execution="e2") == ["stale", 0]
    assert trees.snapshot() == before


def test_what_is_sent_twice_is_done_once(trees: TreeWorld) -> None:
    """It answers the same, also where the first has ended the execution, and others came in vain since."""
    begun(trees)
    assert trees.write("#.a", RUNNING, "", call_id="a") == trees.write("#.a", RUNNING, "", call_id="a") == ["ok", 3]
    first = trees.write("#.a", OK, "1", end_record=DONE, call_id="b")
    before = trees.snapshot()
    assert trees.write("#.a", RUNNING, "", is_child=1) == ["stale", 0]
    assert trees.write("#.a", OK, "1", end_record=DONE, call_id="b") == first == ["ok", 5]
    assert trees.snapshot() == before


def test_a_call_of_an_earlier_execution_is_none_of_the_next(trees: TreeWorld) -> None:
    """Whoever sends it again is told that it has the instance no more."""
    begun(trees)
    trees.write("#.a", OK, "1", end_record=DONE, call_id="a")
    trees.begin("e2", 4)
    before = trees.snapshot()
    assert trees.write("#.a", OK, "1", end_record=DONE, call_id="b") == ["stale", 0]
    assert trees.snapshot() == before


def test_a_call_of_200_records_takes_no_script_long(trees: TreeWorld) -> None:
    """Each of a thousand bytes, with a result."""
    begun(trees)
    record = '{"status":"ok","message":"%s"}' % ("x" * 1000)
    records = [part for at in range(200) for part in (f"#.t{at}", record, "1" * 1000)]
    assert trees.write(*records) == ["ok", 202]
    assert len(trees.hash("treetasks")) == len(trees.hash("treeresults")) == 200


@pytest.mark.parametrize("kind", ["tree", "treetasks", "treeresults", "treedirty"])
def test_what_is_not_ours_stops_it(trees: TreeWorld, kind: str) -> None:
    """Before anything of it is written; the outbox only where the index is to be told."""
    begun(trees)
    place = trees.key(kind, "imports" if kind == "treedirty" else ID)
    trees.redis.delete(place)
    trees.redis.rpush(place, "not ours")
    if kind == "treedirty":
        assert trees.write("#.a", OK, "1") == ["ok", 3]
    before = trees.snapshot()
    answer = trees.write("#.a", OK, "1", end_record=DONE)
    assert answer[:2] == ["conflict", 0]
    assert "holds a list where flows keeps" in answer[2]
    assert trees.snapshot() == before
