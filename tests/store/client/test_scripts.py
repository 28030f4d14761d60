"""The loader: names, includes, the state table, and sending by digest."""

from __future__ import annotations

from pathlib import Path

import pytest
from redis import Redis

from flows.errors import StoreError, StoreUnavailable
from flows.model.limits.rules import Rules
from flows.model.state import TRANSITIONS, JobState
from flows.store.client import scripts
from flows.store.client.connection import Connection
from flows.store.client.lua_chunk import TABLES
from flows.store.client.lua_file import OVERLAYS, ScriptError
from flows.store.client.scripts import compositions, load, names
from flows.store.jobs.flow_settings import FlowSettings
from flows.store.jobs.leases import LeaseRenewal
from flows.store.jobs.reconcile import Repair, _repair
from flows.store.keys.jobs import JobKeys
from tests.world import World


def test_keys_and_arguments_are_bound_by_name() -> None:
    """A header's names become locals, in the header's order; what is more is ignored, the rest follows."""
    script = load("renew")
    assert script.keys == ("processing", "call", "never_a", "never_b")
    named = dict.fromkeys((*script.keys, *script.args), "x") | {"processing": "key", "lease": 5, "unknown": 1}
    command = script.command(named, ["a", 1])
    bound = [5 if name == "lease" else "x" for name in script.args]
    assert command == ("EVALSHA", script.sha, 4, "key", "x", "x", "x", *bound, "a", 1)
    assert f"local {', '.join(script.args)} = ARGV[1], ARGV[2]" in script.text
    assert f"local rest, at = ARGV, {len(script.args) + 1}" in script.text
    assert script.in_full(command) == ("EVAL", script.text, *command[2:])


@pytest.mark.parametrize("composed", compositions(), ids=" ".join)
def test_a_missing_name_is_an_error_before_the_server_is_asked(composed: tuple[str, ...]) -> None:
    """Each name of each header is needed."""
    script = load(*composed)
    everything = dict.fromkeys((*script.keys, *script.args), "")
    for missing in everything:
        with pytest.raises(KeyError, match=missing):
            script.command({key: value for key, value in everything.items() if key != missing})


@pytest.mark.parametrize("composed", compositions(), ids=" ".join)
def test_every_script_compiles(composed: tuple[str, ...], redis: Redis) -> None:
    """The server takes it, and its digest is the server's own; a text that is sent once may be some pages long.

    Each overlay brings a few pages more: what runs of a queue with rules need is the longest.
    """
    script = load(*composed)
    assert redis.script_load(script.text) == script.sha
    assert len(script.text) < (72 + 12 * len(script.overlays)) * 1024


def test_a_flow_without_rules_sends_scripts_without_a_trace_of_overlays() -> None:
    """Its settings compose each script with none, whatever queue it is for; a composition is listed once."""
    settings = FlowSettings("shop", "pick", JobKeys(), 0, (0, 0, 0), 1, 1, 1)
    listed = compositions()
    assert len(set(listed)) == len({load(*one).sha for one in listed}) == len(listed)
    for name in names():
        script = settings.script(name, "pick")
        assert script is load(name)
        assert not {place.partition("/")[0] for place in script.places} & set(OVERLAYS)


def test_a_flow_with_rules_sends_what_the_overlays_change() -> None:
    """Turns of a ruled queue go by both overlays, all else by one."""
    rules = {"pack": Rules(priorities=3), "pack:box": Rules(group="user")}
    settings = FlowSettings("shop", "pick", JobKeys(), 0, (0, 0, 0), 1, 1, 1, rules=rules)
    assert settings.script("turn", "pack") is settings.script("turn", "pack:box") is load("turn", "ruled", "rules")
    for queue in ("pick", "pac", "pack:", "box", ""):
        assert settings.script("turn", queue) is load("turn", "rules")
    for name in names():
        if name != "turn":
            assert settings.script(name, "pack") is load(name, "rules")


def test_names_are_unique_over_rooms() -> None:
    """A script is loaded by its name alone, whatever room it lies in."""
    assert len(set(names())) == len(names())
    with pytest.raises(ScriptError, match=r"no script is called 'nothing'; there are .*build, cancel"):
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
    file = scripts._folder().joinpath("jobs", "include", "status.lua")
    return "\n".join([*tables, "local unheard = true", file.read_text("utf-8"), body])


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


def test_only_what_frees_memory_or_reads_runs_on_a_full_server() -> None:
    """The flags of the headers, as DESIGN says; a script that creates is refused when memory is out.

    A queue has to go on for its jobs to end, and so `pause` is one of them; so is a small heartbeat.
    """
    frees = {name for name in names() if load(name).text.startswith("#!lua flags=allow-oom\n")}
    assert frees == {
        "introduce",
        "reconcile",
        "report",
        "renew",
        "rescue",
        "heartbeat",
        "cancel",
        "cascade",
        "delete",
        "delete_instance",
        "drop_tasks",
        "delete_schedule",
        "pause_schedule",
        "change_tenant",
        "cancel_jobs",
        "delete_jobs",
        "withdraw",
        "greet",
        "drain",
        "locate",
        "mark_indexed",
        "pause",
        "hold",
        "unindex_instances",
    }


async def test_a_server_that_forgot_the_scripts_gets_the_text(world: World, redis_url: str) -> None:
    """NOSCRIPT is answered by EVAL, after which the digest is known again."""
    connection = Connection(redis_url, "test")
    named = {**world.settings.named(), "id": "1", "call": world.settings.new_call(), "states": "", "ended_before": 0}
    try:
        world.redis.script_flush()
        assert await connection.run(load("retry_job"), named) == b"gone"
        assert world.redis.script_exists(load("retry_job").sha) == [True]
        assert await connection.run(load("retry_job"), named) == b"gone"
    finally:
        await connection.close()


@pytest.mark.parametrize(
    ("told", "located"),
    [
        # Redis 7 and later, Valkey
        ("user_script:{}: no move script: f0d2, on @user_script:{}.", "{0}: no move script: f0d2, on {0}."),
        ("user_script:{}: no move script: on @user_script:{}.", "{0}: no move script: on {0}."),
        # Redis 6
        ("ERR Error running script (call to f_f0d2): @user_script:{}: user_script:{}: no", "{0}: {0}: no"),
        ("FLOWSCONFLICT a holds a set script: on @user_script:1.", "FLOWSCONFLICT a holds a set script: on turn:1."),
        ("user_script:99999: no", "turn:99999: no"),
        ("another error", "another error"),
    ],
)
def test_a_line_of_a_script_is_told_by_its_file(told: str, located: str) -> None:
    """Whatever form the server has for it; a line of the loader's own is told by the script's name."""
    script = load("turn")
    number = script.text.split("\n").index("function move(key, from, to, ...)") + 1
    file = (Path(str(scripts._folder())) / "jobs/include/status.lua").read_text().splitlines()
    place = f"jobs/include/status.lua:{file.index('local function move(key, from, to, ...)') + 1}"
    assert script.located(told.format(number, number)).endswith(located.format(place))


async def test_an_error_of_a_script_names_the_file_and_the_line(world: World, redis_url: str) -> None:
    """Of the include in which it is, on the way to the caller, sent by digest or in full."""
    connection = Connection(redis_url, "test")
    named = {**world.settings.named(), "now": "noon", "processing": world.keys.processing("pick"), "worker_id": "w"}
    named |= {"call": world.keys.call("w"), "number": 0}
    try:
        for _ in range(2):
            with pytest.raises(StoreError, match=r"jobs/include/clock\.lua:\d+: attempt to compare"):
                await connection.run(load("renew"), named)
            world.redis.script_flush()
    finally:
        await connection.close()


def test_an_error_of_the_renewal_names_the_file_and_the_line(world: World, redis_url: str) -> None:
    """It has a connection of its own, and tells of errors in the same way."""
    renewal = LeaseRenewal(redis_url, world.settings)
    world.redis.set(world.keys.processing("pick"), "no set")
    try:
        with pytest.raises(StoreUnavailable, match=r"FLOWSCONFLICT .* on jobs/include/type\.lua:\d+\."):
            renewal.renew("pick", "w", [("1", 1)])
    finally:
        renewal.close()


def test_an_error_that_the_audit_met_names_the_file_and_the_line() -> None:
    """It is no error of the call: the script goes on, and reports it among the repairs."""
    places = load("reconcile").places
    number = places.index("jobs/include/keys.lua:10") + 1
    repair = _repair(load("reconcile"), b"pick", b"1", f"error user_script:{number}: no key".encode())
    assert repair == Repair("pick", "1", "error", "jobs/include/keys.lua:10: no key")
