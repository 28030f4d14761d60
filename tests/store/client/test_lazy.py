"""What stands below `--@ lazy`: made when it is first needed, once, with all that only it uses."""

from __future__ import annotations

from pathlib import Path

import pytest
from redis import Redis

from flows.model.outcome import VERBS
from flows.store.client.lua_chunk import compose
from flows.store.client.lua_files import LuaFiles
from flows.store.client.scripts import load

PARTS = {
    "part": (
        "--@ exports: made bump twice\n--@ include: deep\n"
        "local made = { n = 0 }\n"
        "--@ lazy\n"
        "made.n = made.n + 1\n"
        "local n = deep()\n"
        "local function bump() n = n + 1 return n end\n"
        "local function twice() return bump() + bump() end\n"
    ),
    "deep": "--@ exports: deep more\n--@ include: floor\nlocal function deep() return floor() end\n--@ lazy\n"
    "local function more() return floor() end\n",
    "floor": "--@ exports: floor\nlocal function floor() return 10 end\n",
}


def run(folder: Path, redis: Redis, main: str) -> list[int]:
    """Compose a script of these parts, and run it."""
    include = folder / "jobs" / "include"
    include.mkdir(parents=True, exist_ok=True)
    for name, text in PARTS.items():
        (include / f"{name}.lua").write_text(text)
    (folder / "jobs" / "main.lua").write_text(main)
    answer: list[int] = redis.eval(compose(LuaFiles(folder), "main").text, 0)
    return answer


def test_it_is_made_once_when_it_is_first_called(tmp_path: Path, redis: Redis) -> None:
    """Not before; a function that was kept before it was made is the same one, with the same state."""
    main = (
        "--@ include: part\nlocal kept, before = bump, made.n\n"
        "return { before, kept(), bump(), twice(), kept(), made.n }\n"
    )
    assert run(tmp_path, redis, main) == [0, 11, 12, 27, 15, 1]


def test_it_may_be_needed_by_another_first(tmp_path: Path, redis: Redis) -> None:
    """Whichever of its exports is called first makes them all."""
    assert run(tmp_path, redis, "--@ include: part\nreturn { twice(), bump(), made.n }\n") == [23, 13, 1]


@pytest.mark.parametrize(
    ("main", "places"),
    [
        ("--@ include: part\nreturn { bump() }\n", ["part", "make", "floor", "deep"]),
        ("--@ include: part deep\nreturn { bump(), deep() }\n", ["floor", "deep", "part", "make"]),
        ("--@ include: part floor\nreturn { bump(), floor() }\n", ["floor", "part", "make", "deep"]),
        ("--@ include: deep\nreturn { more() }\n", ["floor", "deep", "make"]),
        ("--@ include: part\nreturn { 10, made.n }\n", ["part"]),
        (
            "--@ include: part deep\nlocal t = { deep = 1 }\nreturn { bump(), t.deep, 'deep' } -- deep\n",
            ["part", "make", "floor", "deep"],
        ),
    ],
)
def test_what_only_lazy_code_uses_is_made_with_it(main: str, places: list[str], tmp_path: Path, redis: Redis) -> None:
    """And what anything else uses stands before it, for both; what nobody uses is left out."""
    assert run(tmp_path, redis, main)[0] in {10, 11}
    chunk = compose(LuaFiles(tmp_path), "main")
    order: list[str] = []
    for line, place in zip(chunk.text.split("\n"), chunk.places, strict=True):
        part = place.rpartition("/")[2].partition(".")[0] or ("make" if line.startswith("function make_") else "")
        if part not in {"", "main", *order}:
            order.append(part)
    assert order == places


def test_a_turn_makes_only_what_a_drain_needs() -> None:
    """The seldom ways in which an attempt ends are made when one of them is reported, with all that they use."""
    script = load("turn")
    first = script.text.index("function make_0()\nmake_0 = nil", script.text.index("function end_attempts("))
    for name in (*(set(VERBS) - {"advance", "finish"}), "take_children", "publish_children"):
        assert script.text.index(f"function {name}(") > first, name
    for name in ("advance", "finish", "claim", "owned", "end_job"):
        assert f"function {name}(" in script.text, name
        assert f"function {name}(...)" not in script.text, name
