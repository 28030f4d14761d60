"""No script stops half way for want of a right: it writes nothing at all, or, where it lacks only a hint, everything.

Each script is run once for each command that it may send, by an account that may send all but that one; then by
accounts that may not write to some of our keys, and on a server that has renamed commands.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from redis import Redis
from redis.exceptions import NoPermissionError

from flows import StoreUnavailable
from flows.store.client import scripts
from flows.store.client.lua_chunk import HINTS
from flows.store.client.lua_files import LuaFiles
from flows.store.client.scripts import _folder, compositions, load, names
from flows.testing import private_server
from tests.kernel.parts import number_flow
from tests.scenes import READ_ONLY, SCENES, Scene, clear, everything
from tests.world import World

FILES: Final = sorted(Path(str(scripts._folder())).rglob("*.lua"))


class Account:
    """An account of our own on the server, whose rights change."""

    def __init__(self, admin: Redis, url: str, name: str) -> None:
        self._admin = admin
        self._name = name
        self.allow("~*", "+@all")
        self.client = Redis.from_url(url, decode_responses=True, username=name, password="pw")  # noqa: S106

    def allow(self, *rules: str) -> None:
        """Let it do this and nothing else."""
        self._admin.execute_command("ACL", "SETUSER", self._name, "reset", "on", ">pw", "allchannels", *rules)

    def close(self) -> None:
        """Delete it."""
        self.client.close()
        self._admin.execute_command("ACL", "DELUSER", self._name)


@pytest.fixture
def account(redis: Redis, redis_url: str, namespace: str) -> Iterator[Account]:
    """Make an account."""
    account = Account(redis, redis_url, namespace.rstrip(":"))
    yield account
    account.close()


def outcomes(world: World, limited: World, scene: Scene) -> tuple[bool, dict[str, Any], dict[str, Any]]:
    """Run a scene with few rights; return whether it was refused, what there was before, and what there is after."""
    seed, call = scene
    clear(world)
    seed(world)
    before = everything(world)
    try:
        call(limited)
    except NoPermissionError:
        return True, before, everything(world)
    return False, before, everything(world)


def test_each_script_has_a_scene() -> None:
    """In which it writes, if it ever does."""
    assert sorted(SCENES) == names()


@pytest.mark.parametrize("name", names())
def test_without_a_command_nothing_is_written_or_everything(
    name: str, redis: Redis, namespace: str, account: Account
) -> None:
    """Whichever command the account may not send; only a hint may be left out."""
    world, limited = World(redis, namespace), World(account.client, namespace)
    for scene in SCENES[name]:
        account.allow("~*", "+@all")
        refused, before, whole = outcomes(world, limited, scene)
        assert not refused
        assert (before == whole) == (name in READ_ONLY)
        for command in load(name).commands:
            account.allow("~*", "+@all", f"-{command}")
            refused, before, after = outcomes(world, limited, scene)
            # Of a server that does not say which history it has, nothing is to be noted.
            nothing = refused or command == "INFO"
            assert after == (before if nothing else whole), f"{name} without {command}"
            assert refused or command in HINTS or name in READ_ONLY, f"{name} without {command}"


async def test_a_flow_says_at_once_what_its_account_may_not(redis: Redis, redis_url: str, namespace: str) -> None:
    """Whichever script would need it: else workers would start, and take no job."""
    needed = sorted({command for one in compositions() for command in load(*one).commands} - HINTS)
    register = LuaFiles(_folder()).script("register")
    assert register.header["asks"] == needed
    user = namespace.rstrip(":")
    url = f"{redis_url}{'&' if '?' in redis_url else '?'}username={user}&password=pw"
    try:
        for command in needed:
            rules = ("reset", "on", ">pw", "~*", "allchannels", "+@all", f"-{command}")
            redis.execute_command("ACL", "SETUSER", user, *rules)
            with pytest.raises(StoreUnavailable, match=f"this account may not run {command}$"):
                await number_flow(url, namespace).start_all()
    finally:
        redis.execute_command("ACL", "DELUSER", user)


@pytest.mark.parametrize("name", names())
def test_without_some_of_the_keys_nothing_is_written(name: str, redis: Redis, namespace: str, account: Account) -> None:
    """An account that may write to some of our keys, or only read them, is refused as a whole."""
    world, limited = World(redis, namespace), World(account.client, namespace)
    rules = {kind: f"~{namespace}{kind}:*" for kind in ("job", "queue", "flows")}
    for scene in SCENES[name]:
        for missing, rule in rules.items():
            others = [other for other in rules.values() if other != rule]
            for more in ([], [f"%R{rule}"]):
                account.allow("+@all", *others, *more)
                refused, before, after = outcomes(world, limited, scene)
                assert (refused, after) == (True, before), f"{name} without {missing}"
        account.allow("+@all", *rules.values())
        assert not outcomes(world, limited, scene)[0]


def test_a_command_that_is_renamed_is_one_that_may_not_be_sent() -> None:
    """The refusal names it; what is only a hint is done without."""
    renamed = {"rename-command": "PEXPIRE secret"}
    with private_server(settings=renamed) as url, Redis.from_url(url, decode_responses=True) as redis:
        world = World(redis, "")
        redis.hset("job:shop:1", "a", "1")
        redis.rpush("queue:pick:waiting", "1")
        before = everything(world)
        with pytest.raises(NoPermissionError, match="may not run PEXPIRE"):
            world.claim()
        assert everything(world) == before


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_hint_is_sent_by_pcall(file: Path) -> None:
    """Where it is refused, the script goes on."""
    for command in HINTS:
        assert not re.search(rf"redis\.call\(\s*['\"]{command}", file.read_text(), re.IGNORECASE)
