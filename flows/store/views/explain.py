"""Reads what explains why a job is where it is, by one script; whatever somebody has edited, it gives an answer."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from pydantic_core import from_json

from flows.model.declared.declared_flow import read_declared
from flows.model.explain.needs import needs_of_declared
from flows.model.explain.situation import Situation
from flows.model.fleet.statistics import starts_a_minute
from flows.model.history import history_of
from flows.store.jobs.flow_settings import ISOLATED_FROM
from flows.store.views.observe import paused_until, whole

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flows.model.declared.declared_flow import DeclaredFlow
    from flows.model.explain.needs import Needs
    from flows.store.client.connection import Connection
    from flows.store.jobs.flow_settings import FlowSettings

#: Fence, worker, attempts, visit, rescues, since when, path; the claim reads it alike.
_ATTEMPT: Final = re.compile(r"\d{1,15} (\S+) (\d{1,15}) \d{1,15} (\d{1,15}) (\d{1,15}) \S+", re.ASCII)
#: A UUIDv7, whose first digits are milliseconds.
_MADE: Final = re.compile(r"([0-9a-f]{8})-([0-9a-f]{4})-7")


async def situation(
    connection: Connection, settings: FlowSettings, needs: Mapping[str, Needs], job_id: str
) -> Situation:
    """Return what was found of a job of the flow, or of one of its child queues.

    Args:
        connection: To the server.
        settings: Those of the flow.
        needs: Which queues this program declares, and the fields that their job classes need; the declaration that was
            written last goes before it.
        job_id: The job's id.

    Raises:
        StoreError: the server cannot be used.
    """
    named = {**settings.named(), "queues": settings.keys.queues(settings.flow), "id": job_id}
    now, told = await connection.run(settings.script("explain"), named, [*needs])
    return _read(settings, needs, job_id, _Told(now, told))


class _Told:
    """What the script has told: facts by name, and the names of the fields that the hash has."""

    def __init__(self, now: int, told: list[tuple[bytes, bytes | int]]) -> None:
        self.now = now
        self.facts: dict[str, str] = {}
        self.fields: set[str] = set()
        #: What the history of its queue has of the last minutes, by how many minutes ago each of them was.
        self.minutes: dict[int, str] = {}
        for raw_name, raw in told:
            name, value = raw_name.decode(), raw.decode("utf-8", "replace") if isinstance(raw, bytes) else str(raw)
            if name == "field":
                self.fields.add(value)
            elif name == "minute":
                ago, _, text = value.partition(" ")
                self.minutes[int(ago)] = text
            else:
                self.facts[name] = value


def _read(settings: FlowSettings, needs: Mapping[str, Needs], job_id: str, told: _Told) -> Situation:
    facts = told.facts
    status, queue = facts.get("_status", "waiting"), facts.get("queue", "")
    text = facts.get("_attempt")
    attempt = None if text is None else _ATTEMPT.fullmatch(text)
    worker = attempt[1] if attempt and attempt[1] != "-" else ""
    declared = read_declared("", facts["declaration"], None) if "declaration" in facts else None
    needed_by, missing = _missing(declared, needs, queue, told.fields)
    past = history_of({"_history": facts.get("_history", "").encode()}, None)
    put_off = past[-1] if past and status == "delayed" else None
    pending = whole(facts.get("pending")) or 0
    child = tuple(facts.get(name, "") for name in ("child_id", "child_queue", "child_status"))
    place, _, left_queue = facts.get("left_in", "").partition(" ")
    oldest_since, _, oldest = facts.get("oldest", "").partition(" ")
    oldest_process, _, oldest_id = oldest.partition(" ")
    return Situation(
        job_id=job_id,
        flow=facts.get("flow", settings.flow),
        now_ms=told.now,
        kind=facts.get("kind", "none"),
        status=status,
        queue=queue,
        attempt_text=None if attempt else text,
        worker=worker,
        attempts=int(attempt[2]) if attempt else 0,
        rescues=int(attempt[3]) if attempt else 0,
        since_ms=int(attempt[4]) if attempt else _made_at(job_id) if text is None else None,
        placed_ms=_score(facts.get("score")),
        ahead=whole(facts.get("ahead", facts.get("about"))),
        exact="about" not in facts,
        listed=True if "ahead" in facts else False if "unlisted" in facts else None,
        left_in=f"the {place} jobs of {left_queue!r}" if place else "",
        paused_ms=paused_until(facts.get("paused")),
        paused_at_ms=whole(facts.get("paused_at")),
        note=facts.get("paused_note", ""),
        declared=tuple(one.name for one in declared.walk()) if declared else tuple(needs),
        serving=whole(facts.get("serving")) or 0,
        heard_ms=_score(facts.get("heard")),
        asked=whole(facts.get("asked")) or 0,
        worker_slots=whole(facts.get("slots")) or 0,
        busy=whole(facts.get("busy")) if facts.get("said") == facts.get("asked") else None,
        oldest=(oldest_id, oldest_process) if oldest_id else None,
        oldest_ms=_score(oldest_since or None),
        needs=missing,
        needed_by=needed_by,
        error=_error(facts.get("_error")),
        reason=facts.get("_reason", "") or (put_off.reason if put_off else ""),
        put_off_by=put_off.verb if put_off else "",
        cancel=facts.get("_cancel") if status == "processing" else None,
        ended_ms=whole(facts.get("_ended")),
        parent=facts.get("_parent", ""),
        parent_status=facts.get("parent_status", ""),
        parent_cancelled=facts.get("parent_cancelled") == "1",
        pending=pending,
        children=pending + (whole(facts.get("settled")) or 0),
        child=(child[0], child[1], child[2]) if child[0] else None,
        policy=facts.get("_policy", ""),
        rate=starts_a_minute(told.minutes),
        isolated_from=ISOLATED_FROM,
        lease_ms=settings.lease_ms,
        ttl_ms=settings.ttl_ms,
    )


def _missing(
    declared: DeclaredFlow | None, needs: Mapping[str, Needs], queue: str, fields: set[str]
) -> tuple[str, tuple[str, ...]]:
    """Return the job class of a queue, and which fields it needs and a job lacks."""
    of_queue = next((one for one in declared.walk() if one.name == queue), None) if declared else None
    found = (needs_of_declared(of_queue.job) if of_queue else None) or needs.get(queue)
    if found is None:
        return "", ()
    return found[0], tuple(name for name in found[1] if name not in fields)


def _made_at(job_id: str) -> int | None:
    made = _MADE.match(job_id)
    return int(made[1] + made[2], 16) if made else None


def _score(text: str | None) -> float | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        return None


def _error(text: str | None) -> tuple[str, str] | None:
    if text is None:
        return None
    try:
        found: Any = from_json(text)
        return str(found["type"]), str(found["message"])
    except (ValueError, TypeError, KeyError):
        return "MalformedJob", text
