"""A job's path, as its record shows it: whatever the hash holds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.model.records.path import Visit, path_of, since_of

ID = "019b0000-0000-7000-8000-000000000000"
BORN = 0x019B00000000


def ms(number: int) -> timedelta:
    """Return so many milliseconds."""
    return timedelta(milliseconds=number)


@pytest.mark.parametrize(
    ("attempt", "more", "visits"),
    [
        (b"", {}, []),
        (b"0 - 0 0 0 5 -", {}, []),
        (b"1 w 1 0 0 5 pick=3", {}, [Visit("pick", ms(3))]),
        (b"1 w 1 0 0 %d +" % (BORN + 3), {"_queue": b"pick"}, [Visit("pick", ms(3))]),
        (
            b"1 w 1 0 0 %d +" % (BORN + 3),
            {"_queue": b"pick", "_ended": b"%d" % (BORN + 10)},
            [Visit("pick", ms(3), ms(7))],
        ),
        (b"1 w 1 0 0 %d +" % (BORN - 3), {"_queue": b"pick"}, [Visit("pick", ms(0))]),
        (b"1 w 1 0 0 5 +", {}, []),
        (b"1 w 0 1 0 5 pick=3/7,", {}, [Visit("pick", ms(3), ms(7))]),
        (b"2 w 1 1 0 5 pick=3/7/9,pack=1", {}, [Visit("pick", ms(3), ms(7), ms(9)), Visit("pack", ms(1))]),
        (b"1 w 1 0 0 5 pick=3", {"_ended": b"25"}, [Visit("pick", ms(3), ms(20))]),
        (b"2 w 2 0 0 5 pick=3/7", {"_ended": b"25", "_status": b"done"}, [Visit("pick", ms(3), ms(27))]),
        (b"2 w 2 0 0 5 pick=3/7", {"_ended": b"25", "_status": b"cancelled"}, [Visit("pick", ms(3), ms(7))]),
        (b"1 w 0 1 0 5 pick=3/7,", {"_ended": b"25", "_status": b"cancelled"}, [Visit("pick", ms(3), ms(7))]),
        (
            b"1 w 1 0 0 5 pick=3/7",
            {"_ended": b"25", "_status": b"done", "children:pick:jobs": b"[]"},
            [Visit("pick", ms(3), ms(7), ms(20))],
        ),
        (b"1 w 1 0 0 5 pick=x,pack=,=3,ship=1/2/3/4,a:b=2", {}, [Visit("a:b", ms(2))]),
    ],
)
def test_the_path_of_a_hash(attempt: bytes, more: dict[str, bytes], visits: list[Visit]) -> None:
    """A visit for each queue; what has ended says by `_ended` for how long it ran, or awaited its children."""
    assert path_of(ID, {"_attempt": attempt, **more}) == visits


def test_since_when() -> None:
    """By the end, else by the last move; of a job that never moved, by its id."""
    assert since_of(ID, {}) == datetime.fromtimestamp(0x019B00000000 / 1000, UTC)
    assert since_of(ID, {"_attempt": b"1 w 1 0 0 5000 pick=3"}) == datetime.fromtimestamp(5, UTC)
    assert since_of(ID, {"_attempt": b"1 w 1 0 0 5000 pick=3", "_ended": b"7000"}) == datetime.fromtimestamp(7, UTC)


@given(attempt=st.binary(max_size=60), ended=st.binary(max_size=20), parts=st.lists(st.binary(max_size=20), max_size=8))
def test_nonsense_is_left_out(attempt: bytes, ended: bytes, parts: list[bytes]) -> None:
    """No edited field raises out of a record."""
    for text in (attempt, b" ".join(parts), b"1 w 1 0 0 " + b" ".join(parts)):
        path_of(ID, {"_attempt": text, "_ended": ended})
        since_of(ID, {"_attempt": text, "_ended": ended})
