"""Which test files belong to a file of Lua: its own first, then those of what includes it, the nearest first.

`x.lua` belongs to `test_x.py`, in whatever folder either stands, and the rest follows from the lines `--@ include:`.
Only what has a test file of another name is listed here.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Final

from flows.store.client.lua_file import OVERLAYS

ROOT: Final = Path(__file__).resolve().parents[2]
#: The folder of all Lua.
SCRIPTS: Final = ROOT / "flows" / "store" / "lua"
#: Whose name an include line means first where several files share it, by the folder that the file stands in.
_ROOMS: Final = ("include", "transition")
#: Includes that no test file is named after, and the file that asks most of them: `test_lua_guards.py` holds the names.
NAMED_OTHERWISE: Final = {
    "arrivals": "retry_jobs",
    "attempt": "claim",
    "attend": "shared_attend",
    "batch": "report",
    "cut": "cancel",
    "child": "children",
    "count": "path_and_counts",
    "ending": "finish",
    "child_result": "children",
    "declared_by": "see_schedules",
    "departures": "delete_jobs",
    "drop_records": "change_instance",
    "each_job": "retry_jobs",
    "begin_one": "begin_execution",
    "each_part": "delete_instance",
    "families": "cancel_jobs",
    "family": "explain",
    "find_job": "position",
    "fits": "find",
    "forget_schedule": "see_schedules",
    "history": "retry",
    "holder": "unique",
    "instance_record": "write_tasks",
    "leave": "report",
    "life": "claim",
    "listed": "shared_listed",
    "member": "shared_member",
    "new_children": "children",
    "newest": "explain",
    "outbox_of": "mark_indexed",
    "owned": "report",
    "place_in_list": "position",
    "reconcile_lookups": "lookups",
    "remove": "cancel",
    "route": "shared_route",
    "ruled_fair": "ruled_bands",
    "ruled_freed": "ruled_slots",
    "ruled_heads": "ruled_pick",
    "ruled_ruled": "ruled_pick",
    "rules_free": "ruled_slots",
    "rules_freed": "ruled_slots",
    "rules_leave": "ruled_slots",
    "rules_sharing": "ruled_slots",
    "rules_push": "rules_place",
    "rules_reconcile_groups": "rules_reconcile",
    "rules_reconcile_layouts": "rules_reconcile",
    "rules_remember_layouts": "rules_reconcile",
    "rules_reconcile_rules": "rules_reconcile",
    "rules_reconcile_slots": "rules_reconcile",
    "rules_rules": "rules_place",
    "rules_spots": "rules_place",
    "runs_deliver": "runs_send_event",
    "runs_event_waits": "runs_suspend",
    "runs_events": "runs_send_event",
    "runs_queue_behind": "runs_fire",
    "runs_start_run": "runs_start",
    "runs_start_slot": "runs_fire",
    "runs_take_run": "runs_start",
    "since": "position",
    "status": "scripts",
    "take_out": "cancel",
    "tell_tree": "write_tasks",
    "waiting": "position",
    "wake": "wakeups",
    "workforce": "explain",
}
#: What holds of queues with rules in whatever order things happen: asked last of their overlays' files.
PROOF_OF_RULES: Final = ("fairness", "loads", "storm")
_INCLUDE: Final = re.compile(r"^--@ include:(.*)$", re.MULTILINE)


def name_of(test: str) -> str:
    """Return what a test file is called among all: those of the overlay `runs` stand in a folder of its name."""
    path = PurePosixPath(test)
    return f"runs_{path.stem.removeprefix('test_')}" if path.parent.name == "runs" else path.stem.removeprefix("test_")


def own_name(file: str) -> str:
    """Return what the test file of a file of Lua is named after: `rules/include/x.lua` has `test_rules_x.py`."""
    path = PurePosixPath(file)
    return f"{path.parts[0]}_{path.stem}" if path.parts[0] in OVERLAYS else path.stem


def lua_files(folder: Path) -> list[str]:
    """Return all files of Lua below a folder, however deep, by their paths from there."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.lua"))


def short_name(file: str) -> str:
    """Return `include/x.lua`, `transition/x.lua` or `x.lua`, wherever those rooms stand; of an overlay, all of it."""
    path = PurePosixPath(file)
    if path.parts[0] in OVERLAYS:
        return file
    return f"{path.parent.name}/{path.name}" if path.parent.name in _ROOMS else path.name


@cache
def includers(folder: Path) -> dict[str, set[str]]:
    """Return for each file of Lua the files that include it; an include line means a file of an overlay too."""
    files = lua_files(folder)
    by_name: dict[str, list[str]] = defaultdict(list)
    for file in files:
        room, _, rest = file.partition("/")
        by_name[rest if room in OVERLAYS else short_name(file)].append(file)
    found: dict[str, set[str]] = defaultdict(set)
    for file in files:
        for line in _INCLUDE.findall((folder / file).read_text("utf-8")):
            for name in line.split():
                meant = [other for room in _ROOMS for other in by_name[f"{room}/{name}.lua"]]
                plain = [other for other in meant if other.partition("/")[0] not in OVERLAYS]
                for other in {*plain[:1], *(set(meant) - set(plain))}:
                    found[other].add(file)
    return found


def nearest_tests(folder: Path, file: str, tests: Iterable[str]) -> list[list[str]]:
    """Return those of the test files that belong to a file of Lua, in two groups: the nearest, and the others."""
    by_name = {name_of(test): test for test in tests}
    above = includers(folder)
    stem = own_name(file)
    found: list[list[str]] = []
    level, seen = {file}, {file}
    names = {stem, NAMED_OTHERWISE.get(stem, stem)}
    while level:
        used = [test for group in found for test in group]
        group = sorted({by_name[name] for name in names if name in by_name}.difference(used))
        found += [group] if group else []
        level = {upper for each in level for upper in above.get(each, ())} - seen
        seen |= level
        names = {own_name(each) for each in level}
    others = [test for group in found[1:] for test in group]
    if PurePosixPath(file).parts[0] in OVERLAYS:
        others += [by_name[name] for name in PROOF_OF_RULES if name in by_name]
    return [*found[:1], *([others] if others else [])]
