"""What a type of jobs is declared with beside its function, checked."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from flows.errors import DeclarationError
from flows.kernel.around.batch_handler import check_batching
from flows.model.duration import check_duration
from flows.model.names import check_name
from flows.model.option_checks import check_flag
from flows.model.retries import Retries

if TYPE_CHECKING:
    from flows.kernel.around.batches import Batching


@dataclass(frozen=True)
class TypeOptions:
    """One type of jobs.

    Args:
        name: Its name.
        timeout: How long an attempt may run.
        retries: When attempts that failed are made again; None: never.
        own_queue: Whether its jobs run from a queue of their own, `<service>.<type>`.
        size: Its function takes so many jobs at once; None: one.
        linger: How long the first job of a batch waits for others.

    Raises DeclarationError where one of them cannot be used.
    """

    name: str
    timeout: timedelta
    retries: Retries | None = None
    _: KW_ONLY
    own_queue: bool = False
    size: int | None = None
    linger: timedelta | float | None = None

    def __post_init__(self) -> None:
        """Check each of them.

        Raises:
            DeclarationError: one cannot be used.
        """
        check_name("job type", self.name)
        check_duration(f"job type {self.name!r}: timeout", self.timeout)
        if self.retries is not None and not isinstance(self.retries, Retries):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise DeclarationError(f"job type {self.name!r}: retries={self.retries!r}: give a flows.Retries")
        check_flag("own_queue", self.own_queue)
        self.batching  # noqa: B018 - it is checked so

    @property
    def batching(self) -> Batching | None:
        """How jobs are gathered for its function; None: it takes one at a time.

        Raises:
            DeclarationError: they cannot be gathered so.
        """
        return check_batching(self.size, self.linger, None, self.timeout)

    @property
    def has_queue(self) -> bool:
        """Whether its jobs have a queue of their own."""
        return self.own_queue or self.size is not None
