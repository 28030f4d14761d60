"""What `flow.queue(…)` does with limits: reads them, sets them while workers run, and holds the queue or a group."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from flows.errors import DeclarationError, ValidationError
from flows.model.creation.job_options import Due, check_delay
from flows.model.duration import as_timedelta
from flows.model.limits.bounds import LEAST_SHARE, MOST_SHARE, MOST_TOKENS, is_share, is_whole
from flows.model.limits.groups import group_text
from flows.model.limits.limiter import check_interval
from flows.model.limits.rules import Rules
from flows.store.rules.hold import hold, hold_group
from flows.store.rules.live import set_limit, set_share, set_slots, set_slots_of
from flows.store.rules.read_limits import Group, read_limits

if TYPE_CHECKING:
    from flows.kernel.runtime import Runtime
    from flows.model.limits.limit_state import LimitState
    from flows.model.limits.limiter import Limiter


class QueueLimits:
    """The limits of one queue of a flow."""

    def __init__(self, runtime: Runtime, name: str) -> None:
        self._runtime = runtime
        self.name = name

    async def limits(self, group: str | int | None = None) -> list[LimitState]:
        """Return what each limiter of the queue has given out, then its slots; none where it declares none.

        Args:
            group: A value of the field by which the queue is grouped: what that group has used of its own.

        Raises:
            ValidationError: the queue has no groups.
            StoreError: the server cannot be used.
        """
        asked = None if group is None else Group(group, self._group(group))
        if self.name not in self._runtime.settings.rules:
            return []
        session = await self._runtime.open()
        return await read_limits(session.connection, session.settings, self.name, asked)

    async def set_limit(
        self,
        limiter_id: str,
        reservoir: int | None,
        interval: timedelta | float | None = None,
        *,
        group: str | int | None = None,
    ) -> None:
        """Set a limiter of the queue while workers run; it counts from the next claim on, for all that share the id.

        Tokens that were given out come back as they would have; a limit that is lowered below them lets nothing start
        until they have. It holds until it is set anew: also after a deploy that declares another number.

        Args:
            limiter_id: As `limits()` tells it: `<queue>:1` is the first of those without an id of their own.
            reservoir: Tokens; None: reservoir and interval as declared again.
            interval: A timedelta or seconds; None: as declared.
            group: For this group alone, where each has its own; None: for all without a number of their own.

        Raises:
            ValidationError: the queue has no such limiter or no such groups, or a number is out of bounds.
            StoreError: the server cannot be used.
        """
        limiter = self._limiter(limiter_id)
        of_group = ""
        if group is not None:
            if limiter.group_key is None:
                raise ValidationError(f"limiter {limiter_id!r} of queue {self.name!r} has no groups: leave group= out")
            of_group = self._group(group)
        value = None
        if reservoir is None and interval is not None:
            raise ValidationError("interval= without a reservoir: give both, or neither to take back what was set")
        if reservoir is not None:
            if not is_whole(reservoir):
                raise ValidationError(
                    f"reservoir={reservoir!r:.80}: give a whole number, 1 to {MOST_TOKENS:,}, or None"
                )
            value = reservoir, limiter.interval if interval is None else _interval(interval)
        session = await self._runtime.open()
        await set_limit(session.connection, session.settings, limiter_id, value, of_group)

    async def set_concurrency(
        self, most: int | None, *, per_group: int | None = None, group: str | int | None = None
    ) -> None:
        """Set how many jobs of the queue may run at a time, while workers run; jobs that run go on.

        Args:
            most: Of the queue, or of all that share its `Slots`; with `group`, of that group. None: as declared again.
            per_group: Of each group; None: as declared again.
            group: The group that `most` is for.

        Raises:
            ValidationError: the queue does not declare such slots, or a number is out of bounds.
            StoreError: the server cannot be used.
        """
        for what, number in (("most", most), ("per_group", per_group)):
            if number is not None and not is_whole(number):
                raise ValidationError(f"{what}={number!r:.80}: give a whole number, 1 to {MOST_TOKENS:,}, or None")
        rules = self._rules
        if (per_group is not None or group is not None) and not rules.slots_per_group:
            raise ValidationError(f"queue {self.name!r} counts no slots of groups: declare max_concurrency_per_group=")
        if group is not None:
            if per_group is not None:
                raise ValidationError("per_group= is for all groups: give `most` for this one, without it")
            text = self._group(group)
            session = await self._runtime.open()
            await set_slots_of(session.connection, session.settings, self.name, text, most)
            return
        if most is not None and not rules.slots:
            raise ValidationError(f"queue {self.name!r} counts no slots: declare max_concurrency=")
        if not (rules.slots or rules.slots_per_group):
            raise ValidationError(f"queue {self.name!r} counts no slots: declare max_concurrency=")
        session = await self._runtime.open()
        await set_slots(session.connection, session.settings, self.name, most, per_group)

    async def set_share(self, group: str | int, share: float) -> None:
        """Set the share of a group while workers run: one of 2 gets twice as many turns as one of 1, the default.

        Args:
            group: A value of the field by which the queue is grouped.
            share: 0.001 to 1,000.

        Raises:
            ValidationError: the queue has no groups, or the share is out of bounds.
            StoreError: the server cannot be used.
        """
        text = self._group(group)
        if not is_share(share):
            raise ValidationError(f"share={share!r:.80}: give a number from {LEAST_SHARE} to {MOST_SHARE:,.0f}")
        session = await self._runtime.open()
        await set_share(session.connection, session.settings, self.name, text, share)

    async def hold(self, how_long: timedelta | float, *, group: str | int | None = None) -> None:
        """Let nothing of the queue start for a time, as a provider that was asked too often demands; what runs goes on.

        Of two holds the later one counts. A queue without limits, groups or slots is paused so long. In a function,
        `return Snooze(after=30, hold="group")` holds too, and brings its own job back.

        Args:
            how_long: A timedelta or seconds; 0 ends a hold.
            group: Hold this group alone.

        Raises:
            ValidationError: `how_long` is negative or no time, or the queue has no groups.
            StoreError: the server cannot be used.
        """
        due = Due(check_delay("how_long", how_long))
        text = None if group is None else self._group(group)
        session = await self._runtime.open()
        if text is None:
            await hold(session.connection, session.settings, self.name, due)
        else:
            await hold_group(session.connection, session.settings, self.name, due, text)

    @property
    def _rules(self) -> Rules:
        return self._runtime.settings.rules.get(self.name, Rules())

    def _group(self, group: object) -> str:
        """Return the text of a group of the queue."""
        if self._rules.group is None:
            raise ValidationError(f"queue {self.name!r} has no groups: declare group_by=")
        return group_text(group)

    def _limiter(self, limiter_id: object) -> Limiter:
        limiters = dict(self._rules.named_limiters(self.name))
        if not isinstance(limiter_id, str) or limiter_id not in limiters:
            known = f"it has {', '.join(limiters)}" if limiters else "it declares none"
            raise ValidationError(f"queue {self.name!r} has no limiter {limiter_id!r:.80}: {known}")
        return limiters[limiter_id]


def _interval(given: timedelta | float) -> timedelta:
    interval: timedelta = as_timedelta(given)
    try:
        check_interval("interval", interval)
    except DeclarationError as error:
        raise ValidationError(str(error)) from error
    return interval
