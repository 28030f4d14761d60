"""Attempts that have ended are packed as the scripts read them, by the short way and by the long one alike."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from flows.model.codec import as_object
from flows.model.job import JobError
from flows.model.outcome import Advance, Fail, Finish
from flows.store.client.wire import pack_arguments
from flows.store.jobs.claimed import ClaimedJob
from flows.store.jobs.finished import FinishedAttempt

names = st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,20}", fullmatch=True)
fields = st.dictionaries(names, st.binary(max_size=100), max_size=6)


def test_a_parent_sees_null_where_no_function_returned_anything() -> None:
    """A child without a result settles with `null`: the kernel's own fields are no result either."""
    claimed = ClaimedJob([b"0197-id", 1, 1, 0, 0, 0, None])
    for outcome, result in (
        (Finish({}, returned=False), "null"),
        (Finish({"children:a:b:results": b"{}"}, returned=False), "null"),
        (Finish({}), "{}"),
        (Finish({"n": b"1"}), '{"n":1}'),
    ):
        arguments = [result, *(part for pair in outcome.fields.items() for part in pair)]
        packed = pack_arguments(("finish", "0197-id", 1, len(arguments), *arguments))
        assert FinishedAttempt(claimed, outcome, child=True).packed == packed


def test_lookups_stand_behind_all_else() -> None:
    """Where there are some; each on a line."""
    claimed = ClaimedJob([b"0197-id", 1, 1, 0, 0, 0, None])
    finished = FinishedAttempt(claimed, Finish({"n": b"1"}, lookups=("links:a", "links:b")), child=False)
    tail = ("", "n", b"1", "+lookups", "links:a\nlinks:b")
    assert finished.packed == pack_arguments(("finish", "0197-id", 1, len(tail), *tail))
    error = JobError(type="E", message="", traceback="", queue="q", attempt=1)
    failed = FinishedAttempt(claimed, Fail(error, ("links:a",)), child=False)
    assert failed.packed == pack_arguments(("fail", "0197-id", 1, 3, error.model_dump_json(), "+lookups", "links:a"))


@given(fields, st.integers(1, 10**12), st.sampled_from(["child", ""]), st.sampled_from(["", "pack", "a.b-c_d"]))
def test_the_form_of_an_end_gives_the_bytes_of_its_arguments(
    found: dict[str, bytes], fence: int, child: str, to: str
) -> None:
    """However many fields there are and whatever they hold: verb, id, fence, and the counted arguments."""
    claimed = ClaimedJob([b"0197-id", fence, 1, 0, 0, 0, None])
    ended = FinishedAttempt(claimed, Advance(to, found) if to else Finish(found), child=bool(child))
    verb, first = ("advance", to) if to else ("finish", as_object(found) if child else "")
    arguments = [first, *(part for pair in found.items() for part in pair)]
    assert ended.packed == pack_arguments((verb, "0197-id", fence, len(arguments), *arguments))
    assert ended.arguments == 4 + len(arguments)
