"""What `current_job()` and `current_jobs()` are in unit tests of worker functions."""

from __future__ import annotations

import pytest

from flows import DeclarationError, FlowsError, current_job, current_jobs
from flows.testing import running_job, running_jobs


def test_one_job_has_what_it_is_given() -> None:
    """Its correlation id and what it carries too; and it is gone with the context."""
    with running_job(attempt=2, correlation_id="c", carried={"a": "b"}) as running:
        current = current_job()
        assert current is running.current
        assert (current.attempt, current.correlation_id, dict(current.carried)) == (2, "c", {"a": "b"})
        assert current_jobs() == [current]
    with running_job():
        assert (current_job().correlation_id, dict(current_job().carried)) == (None, {})
    with pytest.raises(FlowsError, match="no job runs here"):
        current_job()


def test_a_batch_has_one_for_each() -> None:
    """Each keeps what is reported to it, and the batch is gone with the context."""
    with running_job() as around, running_jobs(3, queue="save", timeout=60) as running:
        for number, current in enumerate(current_jobs()):
            current.progress(number / 2)
            current.log(f"line {number}")
        assert [current.queue for current in current_jobs()] == ["save"] * 3
        assert all(current.deadline is not None for current in current_jobs())
        with pytest.raises(FlowsError, match="a batch of jobs runs here"):
            current_job()
    assert [one.progress for one in running] == [[(number / 2, "")] for number in range(3)]
    assert [[line.text for line in one.lines] for one in running] == [[f"line {number}"] for number in range(3)]
    assert around.progress == []
    with pytest.raises(FlowsError, match="no job runs here"):
        current_jobs()


def test_a_batch_of_none_is_refused() -> None:
    """No function is called for it."""
    with pytest.raises(DeclarationError, match="count=0"), running_jobs(0):
        pass
