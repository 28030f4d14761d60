"""Which peers there are, and at which versions they are measured: the newest ones of November 2026."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["OURS", "PINS", "Pin"]

OURS = "flows"
_FAST = ("hiredis==3.5.0", "uvloop==0.23.0")
_REDIS = "redis==8.1.0"


@dataclass(frozen=True)
class Pin:
    """How to set up one peer."""

    adapter: str
    """The file beside this one."""
    requirements: tuple[str, ...]
    """What pip installs, or npm for an adapter in JavaScript."""


#: Each has hiredis where its client is redis-py, and uvloop where it runs on asyncio: so has flows.
PINS: dict[str, Pin] = {
    "bullmq-node": Pin("bullmq_node.mjs", ("bullmq@6.7.0", "ioredis@6.0.0")),
    "bullmq-python": Pin("bullmq_python.py", ("bullmq==3.4.4", _REDIS, *_FAST)),
    # arq asks for redis-py below 6, saq below 8; saq imports typing-extensions without asking for it.
    "arq": Pin("arq_adapter.py", ("arq==0.28.0", "redis==5.3.1", *_FAST)),
    "saq": Pin("saq_adapter.py", ("saq[redis]==0.26.4", "redis==7.4.1", "typing-extensions==4.16.0", *_FAST)),
    "rq": Pin("rq_adapter.py", ("rq==2.12.0", _REDIS, "hiredis==3.5.0")),
    "dramatiq": Pin("dramatiq_adapter.py", ("dramatiq==2.2.1", _REDIS, "hiredis==3.5.0")),
    "celery": Pin("celery_adapter.py", ("celery[redis]==5.7.0", "kombu==5.7.0", _REDIS, "hiredis==3.5.0")),
    "taskiq": Pin("taskiq_adapter.py", ("taskiq==0.13.0", "taskiq-redis==1.2.4", _REDIS, *_FAST)),
    "huey": Pin("huey_adapter.py", ("huey==3.5.4", _REDIS, "hiredis==3.5.0", "gevent==26.9.0")),
    "streaq": Pin("streaq_adapter.py", ("streaq==7.2.0", "coredis==6.9.0", "uvloop==0.23.0")),
    "redflow": Pin("redflow_adapter.py", ("redflow==0.1.9", _REDIS, *_FAST)),
    # On SQLite, in a file of its own, unless COMPARE_POSTGRES names a database.
    "dbos": Pin("dbos_adapter.py", ("dbos==3.4.0", "uvloop==0.23.0")),
    "docket": Pin("docket_adapter.py", ("pydocket==0.27.0", _REDIS, *_FAST)),
}
