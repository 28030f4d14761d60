"""What a run has that is forked from another one: what was done before the step, and still is."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from flows.model.runs.forked import Forked, forked

HASH = {
    "input": b"1",
    "output": b"5",
    "tenant": b"7",
    "_priority": b"2",
    "_version": b"3",
    "_status": b"done",
    "_key": b"1 x",
    "_come": b"9",
}


def done(order: str, kind: str = "run", status: str = "done", more: str = ',"result":1') -> bytes:
    """Return a record."""
    return f'{{"status":"{status}","order":{order},"kind":"{kind}"{more}}}'.encode()


FIRST = {
    "a": done("[0,1,0]"),
    "b": done("[0,1,1]"),
    "paid": done("1", "event"),
    "c": done("[1,2,0]"),
    "late": done("2", "event"),
}


def fork(records: dict[str, bytes], before: str) -> Forked:
    """Fork a run with these records."""
    found = forked({**HASH, **{f"step:{name}": raw for name, raw in records.items()}}, before)
    assert found is not None
    return found


def names(fields: Iterable[str]) -> set[str]:
    """Return the steps in whose fields records stand."""
    return {field.removeprefix("step:") for field in fields}


def test_what_came_before_the_step_is_done() -> None:
    """By the order in which it came; things from outside are counted anew from there."""
    found = fork(FIRST, "c")
    assert names(found.records) == {"a", "b", "paid"}
    assert found.records["step:a"] == FIRST["a"]
    assert found.fields == {"tenant": b"7", "_priority": b"2", "_version": b"3", "_come": b"1"}


@pytest.mark.parametrize(("before", "kept"), [("a", set[str]()), ("b", {"a"}), ("late", {"a", "b", "paid", "c"})])
def test_of_one_write_too(before: str, kept: set[str]) -> None:
    """Records of one write came one after another."""
    assert names(fork(FIRST, before).records) == kept


def test_of_no_step_it_has_nothing_and_of_one_that_it_lacks_there_is_none() -> None:
    """The one begins anew, the other cannot."""
    assert fork(FIRST, "") == Forked({"tenant": b"7", "_priority": b"2", "_version": b"3"}, {}, ())
    assert forked({"step:a": done("1")}, "z") is None
    assert forked({"step:a": b"nonsense"}, "a") is None


def test_what_was_undone_failed_waits_or_cannot_be_read_is_not_done() -> None:
    """It runs again; nothing that followed the failure is taken along."""
    records = {
        **FIRST,
        "bad": done("[0,3,0]", status="failed", more=',"error":{"type":"E"}'),
        "nap": b'{"status":"waiting","kind":"sleep","until":5}',
        "undo:b": done("[2,4,0]", "undo"),
        "on_failure": done("[2,5,0]", "on_failure"),
        "@turn": done("3", "workflow"),
        "edited": b"nonsense",
        "gone": done("[0,3,1]", "sleep", "withdrawn", ""),
    }
    assert names(fork(records, "nap").records) == {*FIRST, "gone"} - {"b"}


def test_steps_whose_results_may_stand_beside_the_hash() -> None:
    """Of runs that it has waited for, where they are not within the record."""
    records = {
        "m": done("1", "map", more=',"total":600'),
        "w": done("2", "workflow", more=',"total":1,"children":[]'),
        "e": done("[2,1,0]", "emit"),
        "z": done("[2,2,0]"),
    }
    assert fork(records, "z").parents == ("m",)
