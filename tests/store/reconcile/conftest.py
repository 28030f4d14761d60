"""The reconciler looks through a whole database: its tests have one to themselves, so that each step is theirs."""

from tests.own_database import own_sweeper, own_url

__all__ = ["own_sweeper", "own_url"]
