"""The loader: names, includes, the state table, and sending by digest."""

from __future__ import annotations

from pathlib import Path

import pytest
from redis import Redis

from flows.model.state import TRANSITIONS, JobState
from flows.store import scripts
from flows.store.connection import Connection
from flows.store.lua_chunk import TABLES
from flows.store.lua_file import ScriptError
from flows.store.scripts import load, names
from tests.world import World


def test_keys_and_arguments_are_bound_by_name() -> None:
    """A header's names become locals, in the header's order; what is more is ignored, the rest follows."""
    script = load("renew")
    assert script.keys == ("processing",)
    named = dict.fromkeys(script.args, "x") | {"processing": "key", "lease": 5, "unknown": 1}
    command = script.command(named, ["a", 1])
    assert command == ("EVALSHA", script.sha, 1, "key", *["x"] * (len(script.args) - 1), 5, "a", 1)
    assert f"local {', '.join(script.args)} = ARGV[1], ARGV[2]" in script.text
    assert f"local rest, at = ARGV, {len(script.args) + 1}" in script.text
    assert script.in_full(command) == ("EVAL", script.text, *command[2:])


@pytest.mark.parametrize("name", names())
def test_a_missing_name_is_an_error_before_the_server_is_asked(name: str) -> None:
    """Each name of each header is needed."""
    script = load(name)
    everything = dict.fromkeys((*script.keys, *script.args), "")
    for missing in everything:
        with pytest.raises(KeyError, match=missing):
            script.command({key: value for key, value in everything.items() if key != missing})


@pytest.mark.parametrize("name", names())
def test_every_script_compiles(name: str, redis: Redis) -> None:
    """The server takes it, and its digest is the server's own."""
    script = load(name)
    assert redis.script_load(script.text) == script.sha
    assert len(script.text) < 64 * 1024


def test_names_are_unique_over_rooms() -> None:
    """A script is loaded by its name alone, whatever room it lies in."""
    assert len(set(names())) == len(names())
    with pytest.raises(ScriptError, match="no script is called 'nothing'; there are audit, build"):
        load("nothing")


def test_the_state_table_is_that_of_the_model() -> None:
    """Lua has the same edges and states as model/state.py, each between two spaces."""
    moves = {f"{source}>{target}" for source, targets in TRANSITIONS.items() for target in targets}
    assert sorted(TABLES["MOVES"].split(" ")) == sorted(moves)
    assert sorted(TABLES["STATES"].split(" ")) == sorted(JobState)
    assert f"local STATES = ' {TABLES['STATES']} '" in load("turn").text


def status_script(body: str) -> str:
    """Return a text in which `move` and `is_state` are known."""
    tables = [f"local {table} = ' {text} '" for table, text in TABLES.items()]
    file = Path(str(scripts._folder())) / "jobs" / "include" / "status.lua"
    return "\n".join([*tables, file.read_text(), body])


@pytest.mark.parametrize("source", JobState)
def test_the_one_writer_refuses_every_other_edge(source: JobState, world: World) -> None:
    """`move` raises for a move that is not in the table, also after one that is, and writes nothing."""
    code = status_script(
        "local last\nfor i = 1, #KEYS do last = pcall(move, KEYS[i], ARGV[1], ARGV[i + 1]) and 1 or 0 end\nreturn last"
    )
    for target in JobState:
        allowed = target in TRANSITIONS[source]
        for before in {*TRANSITIONS[source], target}:
            keys = [world.keys.job("shop", f"{source}-{before}-{target}-{number}") for number in (1, 2)]
            assert world.redis.eval(code, 2, *keys, source, before, target) == int(allowed)
            assert world.redis.hgetall(keys[1]) == ({"_status": target} if allowed else {})


def test_a_move_from_or_to_nowhere_is_refused(world: World) -> None:
    """Neither nothing nor a part of an edge gets by the table."""
    key = world.keys.job("shop", "1")
    for arguments in ("nil, 'waiting'", "'waiting', nil", "nil, nil", "'', 'waiting'", "'elayed', 'waiting'"):
        assert world.redis.eval(status_script(f"return pcall(move, KEYS[1], {arguments}) and 1 or 0"), 1, key) == 0
        assert not world.redis.exists(key)


def test_a_state_is_known_by_its_whole_name(world: World) -> None:
    """A hash that was edited may name anything."""
    code = status_script("return is_state(ARGV[1]) and 1 or 0")
    assert all(world.redis.eval(code, 0, state) for state in JobState)
    for word in ("", " ", "wait", "waiting delayed", "waiting ", "WAITING", "%a+", "children\n"):
        assert not world.redis.eval(code, 0, word), word


def test_only_what_frees_memory_runs_on_a_full_server() -> None:
    """The flags of the headers, as DESIGN says; a script that creates is refused when memory is out."""
    frees = {name for name in names() if load(name).text.startswith("#!lua flags=allow-oom\n")}
    assert frees == {"audit", "report", "renew", "rescue", "cancel", "cascade", "delete", "withdraw"}


async def test_a_server_that_forgot_the_scripts_gets_the_text(world: World, redis_url: str) -> None:
    """NOSCRIPT is answered by EVAL, after which the digest is known again."""
    connection = Connection(redis_url, "test")
    named = {**world.terms.named(), "id": "1", "call": world.terms.new_call()}
    try:
        world.redis.script_flush()
        assert await connection.run(load("retry_job"), named) == b"gone"
        assert world.redis.script_exists(load("retry_job").sha) == [True]
        assert await connection.run(load("retry_job"), named) == b"gone"
    finally:
        await connection.close()
