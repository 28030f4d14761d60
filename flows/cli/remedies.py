"""The command that does what an explanation advises."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from flows.api.views.jobs import ExplanationView

#: By the reason; of a run, that by `run <reason>`, where there is one. What is in capitals is for people to choose.
_COMMANDS: Final = {
    "cancelling": "flows jobs retry {id}",
    "running": "flows jobs cancel {id}",
    "run running": "flows runs cancel {id}",
    "delayed": "flows jobs promote {id}",
    "run delayed": "flows runs explain {id}",
    "paused": "flows queues resume {queue}",
    "held": "flows queues hold {queue} 0",
    "no_workers": "flows run MODULE:FLOW",
    "busy": "flows run MODULE:FLOW",
    "rate_limited": "flows queues set-limit {queue} {limiter} NUMBER",
    "slots": "flows queues set-concurrency {queue} NUMBER",
}
_AGAIN: Final = {"failed", "cancelled"}


def command_for(view: ExplanationView) -> str:
    """Return the command, or nothing where there is none, as for what is done."""
    facts = view.facts
    if view.reason == "ended":
        again = facts.get("status") in _AGAIN and not facts.get("parent")
        return f"flows {'runs' if view.flow == 'run' else 'jobs'} retry {view.id}" if again else ""
    found = _COMMANDS.get(f"{view.flow} {view.reason}") or _COMMANDS.get(view.reason, "")
    limiter = facts.get("limiter") or [""]
    return found.format(id=view.id, queue=facts.get("queue", ""), limiter=limiter[0])
