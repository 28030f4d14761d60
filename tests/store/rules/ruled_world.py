"""A flow of which some queues have rules: `pick` has three priorities and groups by user, `pack` two priorities."""

from __future__ import annotations

from typing import Final

from redis import Redis

from flows.model.limits.rules import Rules
from flows.store.keys.rules import RuleKeys
from tests.world import World

#: `ship`, `pack:box` and `pack:label` have none.
RULES: Final = {"pick": Rules(priorities=3, group="user"), "pack": Rules(priorities=2)}


def ruled_world(redis: Redis, namespace: str, **rules: Rules) -> World:
    """Return a world with these rules, or the usual ones."""
    return World(redis, namespace, rules=rules or RULES)


def rule_keys(world: World) -> RuleKeys:
    """Return the keys of its rules."""
    return RuleKeys(world.namespace)
