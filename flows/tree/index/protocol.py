"""`Index`: finds instances by what their rows say. It is a projection of the storage, which can be made again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from flows.errors import ValidationError
from flows.model.arguments import check_text, check_whole
from flows.model.tree.task_record import INSTANCE_STATUSES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from flows.model.tree.task_record import InstanceStatus
    from flows.tree.storage.protocol import InstanceRow

#: A page has so many instances at most.
MOST: Final = 1000


@dataclass(frozen=True, slots=True)
class Find:
    """Which instances are asked for: those of which all of this is true, newest first.

    Args:
        realm: Of this realm.
        generator: Made by this generator.
        status: With this status.
        name: Of this name; with `*` at its end, of one that begins so.
        labels: With these labels, and perhaps others.
        since: Created then or later: an aware datetime.
        until: Created before: an aware datetime.
        limit: How many at most, up to 1,000.
        cursor: Where the page before has ended.

    Raises ValidationError where one of them cannot be used.
    """

    realm: str | None = None
    generator: str | None = None
    status: InstanceStatus | None = None
    name: str | None = None
    labels: Mapping[str, str] | None = None
    since: datetime | None = None
    until: datetime | None = None
    limit: int = 100
    cursor: str = ""

    def __post_init__(self) -> None:
        """Check what is asked for."""
        for what, text in (("realm", self.realm), ("generator", self.generator), ("name", self.name)):
            if text is not None:
                check_text(what, text)
        if self.status is not None and self.status not in INSTANCE_STATUSES:
            raise ValidationError(f"status={self.status!r}: give one of {', '.join(INSTANCE_STATUSES)}")
        check_whole("limit", self.limit, 1)
        if self.limit > MOST:
            raise ValidationError(f"limit={self.limit}: give {MOST:,} at most, and go on by cursor")
        for what, time in (("since", self.since), ("until", self.until)):
            if time is not None and time.tzinfo is None:
                raise ValidationError(f"{what}={time!r} has no time zone: give an aware datetime")

    def matches(self, row: InstanceRow) -> bool:
        """Return whether an instance is asked for."""
        asked = ((self.realm, row.realm), (self.generator, row.generator), (self.status, row.status))
        if any(wanted is not None and wanted != has for wanted, has in asked) or not self._is_name(row.name):
            return False
        if any(row.labels.get(label) != value for label, value in (self.labels or {}).items()):
            return False
        if self.since is not None and row.created < self.since.timestamp() * 1000:
            return False
        return self.until is None or row.created < self.until.timestamp() * 1000

    def _is_name(self, name: str) -> bool:
        if self.name is None or self.name == name:
            return True
        return self.name.endswith("*") and name.startswith(self.name[:-1])


class InstancePage(NamedTuple):
    """Some of the instances that were asked for.

    Attributes:
        rows: As they stood, newest first.
        cursor: Give it to the next call; empty where no more are left.
    """

    rows: list[InstanceRow]
    cursor: str


class Index(Protocol):
    """Finds instances."""

    async def put(self, rows: Sequence[InstanceRow]) -> None:
        """Take rows; one of an older revision than is known changes nothing."""
        ...

    async def remove(self, ids: Sequence[str]) -> None:
        """Forget instances."""
        ...

    async def find(self, app: str, query: Find) -> InstancePage:
        """Return a page of the instances of an app."""
        ...
