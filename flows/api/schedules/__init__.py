"""Operations on schedules: to list, make, pause, trigger and fill them, without the code of any app."""

from flows.api.schedules.acting import backfill, create, delete, edit, pause, resume, trigger
from flows.api.schedules.looking import day, list_schedules, slots

__all__ = [
    "backfill",
    "create",
    "day",
    "delete",
    "edit",
    "list_schedules",
    "pause",
    "resume",
    "slots",
    "trigger",
]
