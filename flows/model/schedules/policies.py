"""What every schedule says besides its times: its id, and what happens to slots that overlap or were missed."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias, get_args

from flows.errors import DeclarationError

#: What happens to a slot while the last run of its schedule is open.
Overlap: TypeAlias = Literal["skip", "queue", "cancel_running", "allow"]
#: What happens to slots that came while no worker ran.
Missed: TypeAlias = Literal["last", "skip", "all"]

LONGEST_ID: Final = 200


def check_policies(schedule_id: object, overlap: object, missed: object) -> None:
    """Check what every schedule says.

    Raises:
        DeclarationError: the id is no text of 1 to 200 printable characters, or a policy is none.
    """
    if schedule_id is not None:
        check_schedule_id(schedule_id)
    for name, value, policies in (("overlap", overlap, get_args(Overlap)), ("missed", missed, get_args(Missed))):
        if value not in policies:
            raise DeclarationError(f"{name}={value!r}: give one of {', '.join(map(repr, policies))}")


def check_schedule_id(schedule_id: object) -> str:
    """Return the id if it can be a schedule's.

    Raises:
        DeclarationError: it is no text of 1 to 200 printable characters.
    """
    if not isinstance(schedule_id, str) or not 0 < len(schedule_id) <= LONGEST_ID or not schedule_id.isprintable():
        raise DeclarationError(f"schedule id {schedule_id!r}: give 1 to {LONGEST_ID} printable characters")
    return schedule_id
