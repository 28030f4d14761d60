"""The mutants: which guards are found in a Lua text, and what becomes of it without each."""

from __future__ import annotations

import pytest

from tests.faults.lua_guards import mutants, read_mutants
from tests.faults.lua_syntax import LuaSyntaxError, parse
from tests.faults.mutants import EQUIVALENT
from tests.faults.script_tests import SCRIPTS, short_name


def changes(text: str) -> list[str]:
    """Return the lines that mutants of a text have in place of their guards."""
    return [mutant.after for mutant in mutants("a.lua", text)]


@pytest.mark.parametrize(
    ("line", "without"),
    [
        ("if a == 1 then return end", ["if false then return end"]),
        ("if a then error('no') end", ["if false then error('no') end"]),
        ("if a then f() end", ["if false then f() end", "if true then f() end"]),
        (
            "if a or b == 2 then return end",
            ["if b == 2 then return end", "if false then return end", "if a then return end"],
        ),
        (
            "if not (a and b) then return end",
            ["if false then return end", "if not (b) then return end", "if not (a) then return end"],
        ),
        ("while a < 1 and b do f() end", ["while b do f() end", "while a < 1 do f() end"]),
        ("local a = b or 'c'", ["local a = 'c'", "local a = b"]),
        ("local a = b and c", ["local a = c"]),
        ("local a = b and c or d", ["local a = c", "local a = d"]),
        ("redis.call('ZADD', key, 'XX', 1, id)", ["redis.call('ZADD', key, 1, id)"]),
        ("redis.pcall('LLEN', key)", ["redis.call('LLEN', key)"]),
        (
            "redis.call('ZRANGE', key, 0, 'LIMIT', 0, 100)",
            ["redis.call('ZRANGE', key, 0, 'LIMIT', 0, 100000000)"],
        ),
        ("local MOST, FEW = 10, 1", ["local MOST, FEW = 100000000, 1"]),
        ("for _ = 1, 10 do f() end", ["for _ = 1, 100000000 do f() end"]),
        ("for i = 1, #rest, 2 do f() end", []),
        ("expect('list', key)", [""]),
        ("local a = math.max(0, b)", ["local a = b"]),
        (
            "local a = f(function(b) if b then return end end)",
            ["local a = f(function(b) if false then return end end)"],
        ),
        ("local a = { [b or c] = d }", ["local a = { [c] = d }", "local a = { [b] = d }"]),
        ("local a = 'if b or c then'", []),
        ("-- if a then return end", []),
    ],
)
def test_each_guard_can_go(line: str, without: list[str]) -> None:
    """What stands in the place of each guard, in the order of their places."""
    assert sorted(changes(line)) == sorted(without)


def test_branches_of_a_chain_have_both_directions() -> None:
    """Where another branch follows, a condition refuses nothing: it chooses."""
    text = "if a then\n  return 1\nelseif b then\n  f()\nelse\n  g()\nend"
    assert changes(text) == ["if false then", "if true then", "elseif false then", "elseif true then"]


def test_every_script_is_read() -> None:
    """The reader knows all the Lua that there is, and finds no mutant twice."""
    found = read_mutants(SCRIPTS)
    assert len({(mutant.file, mutant.text) for mutant in found}) == len(found) > 100
    assert {short_name(mutant.file) for mutant in found} >= {"turn.lua", "include/owned.lua", "transition/claim.lua"}


def test_every_excuse_is_still_needed() -> None:
    """A guard that has gone or has changed needs no excuse any more."""
    found = {(short_name(mutant.file), mutant.guard, mutant.after) for mutant in read_mutants(SCRIPTS)}
    assert EQUIVALENT.keys() - found == set()


@pytest.mark.parametrize("text", ["if a then", "local = 1", "x = = 1", "a:b()", "goto there"])
def test_other_lua_is_refused(text: str) -> None:
    """Rather an error than a guard that is overlooked."""
    with pytest.raises(LuaSyntaxError):
        parse(text)
