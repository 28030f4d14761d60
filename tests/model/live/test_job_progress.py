"""How far a job is: the stages behind it, and in its own what it has told, or how many children have settled."""

from __future__ import annotations

import pytest

from flows.model.live.job_progress import job_progress, stage_of

WAY = {"fetch": "resize", "resize": "publish", "publish": None, "alone": None, "a": "b", "b": "a"}


@pytest.mark.parametrize(
    ("queue", "expected"),
    [("fetch", (0, 3)), ("resize", (1, 3)), ("publish", (2, 3)), ("alone", (0, 1)), ("gone", (0, 1)), ("a", (1, 3))],
)
def test_a_queue_stands_at_its_place_of_the_way(queue: str, expected: tuple[int, int]) -> None:
    """One that nobody declares any more is a way of its own; a way in a circle ends."""
    assert stage_of(queue, WAY) == expected


@pytest.mark.parametrize(
    ("status", "own", "settled", "stage", "stages", "expected"),
    [
        ("waiting", None, None, 0, 1, 0.0),
        ("processing", 0.5, None, 0, 1, 0.5),
        ("processing", 0.5, None, 1, 3, 0.5),
        ("children", 1.0, 0.25, 1, 2, 0.625),
        ("failed", 0.5, None, 1, 2, 0.75),
        ("processing", 7.0, None, 0, 1, 1.0),
        ("done", None, None, 0, 3, 1.0),
    ],
)
def test_a_job_is_as_far_as_its_stage_and_what_is_in_it(  # noqa: PLR0913, PLR0917 - all that it hangs on
    status: str, own: float | None, settled: float | None, stage: int, stages: int, expected: float
) -> None:
    """What is done is all of the way, whatever it has told."""
    assert job_progress(status, own, settled, stage=stage, stages=stages) == expected
