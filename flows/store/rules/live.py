"""Sets limits, slots and shares while workers run, in place of what is declared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from flows.model.limits.bounds import interval_ms

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import timedelta

    from flows.store.client.connection import Connection
    from flows.store.jobs.flow_settings import FlowSettings

#: In the field of no group: some groups have numbers of their own. A turn asks for those only then.
_SOME: Final = "1"
#: A queue to be woken, and the group whose jobs are looked at again; '' for all.
Woken = tuple[str, str]


async def set_limit(
    connection: Connection,
    settings: FlowSettings,
    limiter: str,
    value: tuple[int, timedelta] | None,
    group: str = "",
) -> None:
    """Set the reservoir and the interval of a limiter, for one group or for all; None takes that back.

    Raises:
        StoreError: the server cannot be used.
    """
    text = "" if value is None else f"{value[0]}/{interval_ms(value[1])}"
    queues = [
        (queue, group)
        for queue, rules in settings.rules.items()
        if any(name == limiter for name, _limiter in rules.named_limiters(queue))
    ]
    fields = {f"live:{group}": text, "live:": _SOME} if group else {"live": text}
    await _set(connection, settings, ("limit", limiter), fields, queues)


async def set_slots(
    connection: Connection, settings: FlowSettings, queue: str, most: int | None, per_group: int | None
) -> None:
    """Set how many jobs of a queue, or of all that share its slots, and of each group may run; None: as declared.

    Raises:
        StoreError: the server cannot be used.
    """
    fields = {"slots_per_group": _text(per_group)}
    shared = settings.rules[queue].shared_slots
    if shared is None:
        fields["slots"] = _text(most)
    else:
        sharing = [(name, "") for name, rules in settings.rules.items() if rules.shared_slots == shared]
        await _set(connection, settings, ("sharing", shared), {"": _text(most)}, sharing)
    await _set(connection, settings, ("fair", queue), fields, [(queue, "")])


async def set_slots_of(
    connection: Connection, settings: FlowSettings, queue: str, group: str, most: int | None
) -> None:
    """Set how many jobs of one group may run; None: as many as of any other.

    Raises:
        StoreError: the server cannot be used.
    """
    fields = {f"slots_per_group:{group}": _text(most), "slots_per_group:": _SOME}
    await _set(connection, settings, ("fair", queue), fields, [(queue, group)])


async def set_share(connection: Connection, settings: FlowSettings, queue: str, group: str, share: float) -> None:
    """Set the share of a group; 1 takes it back.

    Raises:
        StoreError: the server cannot be used.
    """
    text = "" if share == 1 else f"{share:.15g}"
    await _set(connection, settings, ("shares", queue), {group: text}, [(queue, group)])


async def _set(
    connection: Connection,
    settings: FlowSettings,
    place: tuple[str, str],
    fields: Mapping[str, str],
    queues: Sequence[Woken],
) -> None:
    named = {**settings.named(), "hash_kind": place[0], "hash_name": place[1]}
    rest: list[Any] = [2 * len(fields)]
    for pair in (*fields.items(), *queues):
        rest += pair
    await connection.run(settings.script("set_live"), named, rest)


def _text(most: int | None) -> str:
    return "" if most is None else str(most)
