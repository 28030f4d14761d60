"""Records of steps: what is written is read again, and a result is never taken for a part of the record."""

from __future__ import annotations

import pytest

from flows.errors import MalformedJob, ValidationError
from flows.model.job import JobError
from flows.model.runs.loaded import Failing, read_failing
from flows.model.runs.step_record import Place, StepRecord, check_step_name, is_waiting, read_record

TRICKY = '{"a":",\\"result\\":1,\\"error\\":2"}'
ERROR = JobError(type="CardDeclined", message='no ,"result":1 here', queue="checkout", attempt=2)


@pytest.mark.parametrize(
    "record",
    [
        StepRecord("done", "run", Place(2, 7, 1), at=3, ms=12, tries=1, undo=True, result=TRICKY.encode()),
        StepRecord("done", "run", Place(0, 1), result=b'{"error":1,"result":[{}],"x":{"y":",\\"error\\":"}}'),
        StepRecord(
            "failed", "run", Place(3, 8), tries=2, life="0.1", classes=("a.B", "builtins.Exception"), error=ERROR
        ),
        StepRecord("waiting", "event", until=5, more={"event": ',"result":', "after": "0-0"}),
        StepRecord("waiting", "run", until=0, tries=1, error=ERROR),
        StepRecord("done", "event", Place(4), more={"entry": "5-0"}, result=b"null"),
        StepRecord("done", "map", Place(4), more={"total": 2}, children=b'[{"id":"1","result":{}},{"error":{}}]'),
        StepRecord("withdrawn", "sleep", Place(0, 3)),
    ],
)
def test_what_is_written_is_read_again(record: StepRecord) -> None:
    """Each record comes back as it was, whatever texts stand in its parts."""
    raw = record.write()
    assert read_record("s", raw) == record
    assert is_waiting(raw) is (record.status == "waiting")
    assert raw.startswith(b'{"status":"')


def test_places_compare_as_records_came() -> None:
    """What came from outside stands before what was written when it was known, and after all older writes."""
    places = [Place(0, 1), Place(0, 2, 0), Place(0, 2, 1), Place(1), Place(1, 3), Place(2), Place(3)]
    assert sorted(places, key=lambda place: (place.come, place.write, place.nth)) == places == sorted(places)


@pytest.mark.parametrize(
    "raw", [b"", b"[]", b"7", b'{"status":"odd","kind":"run"}', b'{"status":"done"}', b'{"status":']
)
def test_what_flows_has_not_written_is_told(raw: bytes) -> None:
    """A record that was edited into nonsense is a typed error that names its step."""
    with pytest.raises(MalformedJob, match="'charge'"):
        read_record("charge", raw)


def test_how_a_run_fails_comes_back() -> None:
    """Both verbs of `_failing` are read as they were written, and nonsense is told."""
    for failing in (Failing("cancelled", reason='a "reason"'), Failing("failed", ERROR)):
        assert read_failing(failing.write()) == failing
    with pytest.raises(MalformedJob):
        read_failing(b"{}")


@pytest.mark.parametrize("name", ["", "x" * 201, "a\nb", 7, "undo:a", "on_failure", "@turn"])
def test_a_name_is_printable_and_not_the_librarys(name: object) -> None:
    """Other names are refused, and the message says which."""
    with pytest.raises(ValidationError, match="step name"):
        check_step_name(name)
    assert check_step_name("charge the card, twice") == "charge the card, twice"


def test_a_schema_may_have_members_of_any_name() -> None:
    """Also those of records: an answer may have a `result`, an `error` and `children`."""
    schema = {"properties": {"good": {}, "result": {}, "error": {}, "children": {}}}
    record = StepRecord("waiting", "input", at=5, more={"prompt": "is it?", "schema": schema})
    assert read_record("a", record.write()) == record
