"""The loader: names, includes, the state table, and sending by digest."""

from __future__ import annotations

import re

import pytest
from redis import Redis

from flows.model.state import TRANSITIONS, JobState
from flows.store import scripts
from flows.store.connection import Connection
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


@pytest.mark.parametrize("name", names())
def test_every_include_stands_once_and_after_what_it_includes(name: str) -> None:
    """Lua reads from the top: what a part uses has to come before it."""
    lines = load(name).text.splitlines()
    defined: dict[str, int] = {}
    for number, line in enumerate(lines):
        if found := re.match(r"(?:local )?function (\w+)\(", line):
            assert found[1] not in defined, f"{found[1]} stands twice"
            defined[found[1]] = number
    for number, line in enumerate(lines):
        code = line.partition("--")[0]
        for function in re.findall(r"(?<![\w.:])(\w+)\(", code):
            if function in defined and not re.match(r"\s*(local )?function ", line):
                forward = f"local {function}" in lines
                assert defined[function] < number or forward, f"{function} is used in line {number} before it is there"


def test_an_unknown_include_is_an_error() -> None:
    """A typing error in a header is found when the script is loaded."""
    with pytest.raises(FileNotFoundError, match="no include or transition is called 'nothing'"):
        scripts._included(scripts._room_of("turn"), ["nothing"], [])


def test_names_are_unique_over_rooms() -> None:
    """A script is loaded by its name alone, whatever room it lies in."""
    assert len(set(names())) == len(names())
    with pytest.raises(FileNotFoundError, match="no script is called 'nothing'"):
        load("nothing")


def test_the_state_table_is_that_of_the_model(redis: Redis) -> None:
    """Lua has the same edges as model/state.py, by running the very line that the loader writes."""
    code = (
        scripts._edges()
        + """
        local found = {}
        for from, targets in pairs(EDGES) do
            found[#found + 1] = from
            for target in pairs(targets) do found[#found + 1] = from .. '>' .. target end
        end
        return found
    """
    )
    found = set(redis.eval(code, 0))
    wanted = {str(state) for state in JobState}
    wanted |= {f"{source}>{target}" for source, targets in TRANSITIONS.items() for target in targets}
    assert found == wanted


@pytest.mark.parametrize("source", JobState)
def test_the_one_writer_refuses_every_other_edge(source: JobState, world: World) -> None:
    """`move` raises for a move that is not in the table, and writes nothing."""
    parts = scripts._included(scripts._room_of("turn"), ["status"], [])
    code = "\n".join([scripts._edges(), *parts, "return pcall(move, KEYS[1], ARGV[1], ARGV[2]) and 1 or 0"])
    for target in JobState:
        key = world.keys.job("shop", f"{source}-{target}")
        allowed = target in TRANSITIONS[source]
        assert world.redis.eval(code, 1, key, source, target) == int(allowed)
        assert world.redis.hgetall(key) == ({"_status": target} if allowed else {})


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
