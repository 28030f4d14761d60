"""How an attempt at a run leaves it: see `flows/model/outcome.py`."""

from flows.model.outcome import ContinueAsNew, EventWait, Suspend

__all__ = ["ContinueAsNew", "EventWait", "Suspend"]
