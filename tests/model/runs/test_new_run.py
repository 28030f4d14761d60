"""The options of a start: what is refused before anything is written."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from flows.errors import ValidationError
from flows.model.runs.new_run import NewRun, check_run_options


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"idempotency_keys": "a"}, "no option idempotency_keys="),
        ({"idempotency_key": ""}, "idempotency_key is empty"),
        ({"idempotency_key": "a", "idempotency_ttl": 0}, "idempotency_ttl=0 s is not positive"),
        ({"idempotency_ttl": 60}, "give idempotency_key="),
        ({"delay": -1}, "delay=-1 s is negative"),
        ({"delay": 1, "run_at": datetime.now(UTC)}, "give one of them"),
        ({"run_at": datetime(2026, 1, 1)}, "is naive"),  # noqa: DTZ001 - that is the point
        ({"priority": 9}, "priority"),
        ({"queue": "a b"}, "queue='a b'"),
        ({"tags": "a"}, "give a list"),
        ({"tags": [""]}, "a tag is empty"),
        ({"tags": list(map(str, range(21)))}, "at most 20"),
        ({"correlation_id": 3}, "correlation_id=3"),
    ],
)
def test_a_wrong_option_is_refused(options: dict[str, Any], says: str) -> None:
    """The message says which one, and what to give."""
    with pytest.raises(ValidationError, match=says):
        check_run_options("run", options)


def test_options_are_taken_as_the_store_needs_them() -> None:
    """Times are milliseconds, tags stand once each, and a key is kept for 7 days."""
    checked = check_run_options("run", {"idempotency_key": "k", "tags": ["a", "a", "b"], "delay": 1.5, "queue": None})
    assert (checked.key, checked.key_ttl_ms, checked.tags) == ("k", 604_800_000, ("a", "b"))
    assert checked.due is not None
    assert checked.due.delay_ms == 1500
    assert (
        check_run_options("run", {"idempotency_key": "k", "idempotency_ttl": timedelta(seconds=1)}).key_ttl_ms == 1000
    )


def test_the_digest_names_the_input() -> None:
    """The same input has the same digest, whatever the run's id."""
    one, same, other = (NewRun(name, "w", "w", data) for name, data in (("a", b"1"), ("b", b"1"), ("a", b"2")))
    assert one.digest == same.digest != other.digest
