"""What `Workflows` is made with, checked."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, field
from datetime import timedelta
from typing import Final

from flows.kernel.handler import check_lifespan
from flows.kernel.resources import Lifespan
from flows.loggers import AnyLogger
from flows.model.duration import Duration, check_duration
from flows.model.flow_options import DEFAULT_MAX_PAYLOAD
from flows.model.names import check_name
from flows.model.retention import Retention

#: As long as an idempotency key, so that a start that is repeated finds its run.
DEFAULT_RETENTION: Final = timedelta(days=7)


@dataclass(frozen=True)
class AppOptions:
    """One app: who owns what it defines, on which server, and how long its runs are kept.

    Raises DeclarationError where one of them cannot be used; the options of the flow are checked with it.
    """

    app: str
    _: KW_ONLY
    redis_url: str | None = field(default=None, repr=False)
    namespace: str = ""
    logger: AnyLogger | None = None
    lease: Duration = Duration(timedelta(seconds=30))  # noqa: RUF009 - a descriptor
    hang_limit: Duration = Duration(timedelta(minutes=10))  # noqa: RUF009
    max_crashes: int = 3
    max_payload: int = DEFAULT_MAX_PAYLOAD
    retention: Duration[Retention | timedelta | float, Retention | timedelta] = Duration(DEFAULT_RETENTION)  # noqa: RUF009
    allow_eviction: bool = False
    lifespan: Lifespan | None = None

    def __post_init__(self) -> None:
        """Check the name, the retention and the lifespan; `run_flow_options` checks the rest.

        Raises:
            DeclarationError: one of them cannot be used.
        """
        check_name("app", self.app)
        if not isinstance(self.retention, Retention):
            check_duration("retention", self.retention)
        if self.lifespan is not None:
            check_lifespan(self.lifespan)
