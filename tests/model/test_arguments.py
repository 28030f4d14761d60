"""Arguments: what is no number of seconds is refused by name, whatever Python would make of it."""

from __future__ import annotations

import pytest

from flows import ValidationError
from flows.model.arguments import check_seconds


@pytest.mark.parametrize("value", [float("nan"), True, "3", None, 10**400, -(10**400)])
def test_what_is_no_number_of_seconds(value: object) -> None:
    """Also an int that is longer than any float: no clock can be set by it."""
    with pytest.raises(ValidationError, match=r"timeout=.*give seconds, as a number"):
        check_seconds("timeout", value)


@pytest.mark.parametrize("value", [0, -1, 2.5, float("inf"), 1e300])
def test_what_is_one(value: float) -> None:
    """A time that has passed already and one that never ends are numbers too."""
    assert check_seconds("timeout", value) == value
