"""Records of tasks and of instances as texts."""

from __future__ import annotations

import pytest

from flows.errors import MalformedJob
from flows.model.job import JobError
from flows.model.tree.task_record import InstanceRecord, TaskRecord, read_instance_record, read_task_record


def test_a_record_comes_back() -> None:
    """With all that it can hold."""
    record = TaskRecord(
        "ok", 41, "run", 1, 2, 3, 2, 0.5, "page 3", {"#.a": 17}, "d1", JobError(type="E", message="m"), "why", 12
    )
    assert read_task_record("#.b", record.write()) == record
    instance = InstanceRecord("failed", 9, "run", 1, 2, "#.a", JobError(type="E", message="m"), "why", 0.25)
    assert read_instance_record(instance.write()) == instance


def test_a_record_begins_with_its_status_and_leaves_out_what_is_nothing() -> None:
    """Scripts tell the status by the prefix; a size of nothing is still a result."""
    assert TaskRecord("queued").write() == b'{"status":"queued"}'
    assert TaskRecord("ok", 7, bytes=0).write() == b'{"status":"ok","order":7,"bytes":0}'


def test_what_only_a_newer_release_knows_is_left_out() -> None:
    """Releases run side by side."""
    assert read_task_record("#.a", b'{"status":"ok","order":3,"colour":"red"}') == TaskRecord("ok", 3)


@pytest.mark.parametrize("raw", [b"", b"[]", b"{}", b'{"status":"done"}', b'{"status":"ok","error":1}'])
def test_what_is_no_record_is_refused(raw: bytes) -> None:
    """By the path, and why."""
    with pytest.raises(MalformedJob, match=r"the record of #\.a cannot be read"):
        read_task_record("#.a", raw)


def test_a_task_that_another_one_has_skipped_says_so() -> None:
    """Its own condition leaves no reason."""
    assert TaskRecord("skipped", because="#.a is skipped").skipped_above
    assert not TaskRecord("skipped").skipped_above
    assert not TaskRecord("inactive", because="#.a failed").skipped_above
    with pytest.raises(MalformedJob):
        read_instance_record(b'{"status":"ok"}')
