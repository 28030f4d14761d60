"""Where the searches of the small model begin, and how many accidents of which kind may come together in each.

All of them at once are too many for every day: `FLOWS_FAULTS_DEPTH=1` lets them, and takes many minutes.
"""

from __future__ import annotations

import os
from typing import Any, Final

from flows.model.outcome import VERBS
from tests.faults.small_model import CHILD_QUEUE, GONE, PARENT, Job, Rules, State, Worker
from tests.faults.small_steps import KINDS, Case

DEPTH: Final = int(os.environ.get("FLOWS_FAULTS_DEPTH", "0"))
_WORKERS: Final = (Worker("a"), Worker("b"))
#: Verbs that other queues of the cases end by, and the one that says where the job goes.
ELSEWHERE: Final = frozenset({"advance", "finish", "await_children"})
_ALL: Final = ("cancel", "retry_job", "delete")


def _left(*accidents: str) -> tuple[int, ...]:
    return tuple(accidents.count(kind) for kind in KINDS)


def _name(kind: str, accidents: tuple[str, ...]) -> str:
    return f"{kind}: {', '.join(accidents)}"


def _crowd(*accidents: str) -> Case:
    """Three jobs of one queue: who runs what beside what, and who is blamed when workers die."""
    start = State((Job(),) * 3, (("pick", (0, 1, 2)),), workers=_WORKERS, left=_left(*accidents))
    verbs = {"pick": (("finish",), ("release",))}
    return Case(_name("crowd", accidents), start, Rules(), verbs, wants=(1, 2), alike=((0, 1, 2),))


def _road(*accidents: str) -> Case:
    """One job on its way through two queues, with all that can befall it."""
    verbs: dict[str, tuple[tuple[Any, ...], ...]] = {
        "pick": (("advance", "ship"), *((verb,) for verb in VERBS if verb not in ELSEWHERE)),
        "ship": (("finish",), ("release",)),
    }
    start = State((Job(),), (("pick", (0,)), ("ship", ())), workers=_WORKERS, left=_left(*accidents))
    damages = ("lose", "copy", "stray_lease", "stray_delayed")
    return Case(_name("road", accidents), start, Rules(), verbs, clients=(*_ALL, "create_again"), damages=damages)


def _family(
    *accidents: str,
    built: bool = False,
    policy: str = "continue",
    following: str = "",
    clients: tuple[str, ...] = _ALL,
) -> Case:
    """A parent with two children, which it creates at once, or builds one by one."""
    left = _left(*accidents)
    # Two children for each life that the parent can have.
    lives = 1 + left[KINDS.index("client")]
    create = ("build", 0), ("build", 1), ("publish",), ("await_children",)
    verbs: dict[str, tuple[tuple[Any, ...], ...]] = {
        "pack": (*(create if built else (("await_children", 0, 1), ("await_children",))), ("fail",)),
        CHILD_QUEUE: (("finish",), ("fail",), ("retry",)),
        "ship": (("finish",),),
    }
    queues = sorted(filter(None, ("pack", CHILD_QUEUE, following)))
    start = State(
        (Job("waiting", "pack"), *[Job(GONE)] * 2 * lives),
        tuple((queue, (PARENT,) if queue == "pack" else ()) for queue in queues),
        workers=_WORKERS,
        left=left,
    )
    return Case(
        _name("built family" if built else f"family that may {policy}", accidents),
        start,
        Rules(first="pack", next=following, policy=policy),
        verbs,
        alike=() if built else tuple((2 * life + 1, 2 * life + 2) for life in range(lives)),
        clients=clients,
        damages=("lose",),
    )


_COMMON: Final = ("crash", "stall", "lost", "again")
#: Each of these takes many minutes and much memory to search through.
ALL_AT_ONCE: Final = (
    _crowd(*_COMMON, "crash"),
    _road(*_COMMON, "client", "client", "damage"),
    _family(*_COMMON, "client", "damage", following="ship"),
    _family(*_COMMON, "client", "client", "damage", policy="fail"),
    _family(*_COMMON, "client", "damage", policy="fail", built=True),
)
#: Each of these takes seconds.
EVERY_DAY: Final = (
    _crowd("crash", "crash", "crash"),
    _crowd("crash", "stall"),
    _crowd("crash", "lost"),
    _crowd("lost", "again"),
    _road("crash", "stall", "client", "damage"),
    _road("lost", "again", "client", "client"),
    _road("again", "damage"),
    _family("crash", "client", following="ship"),
    _family("stall", "damage", following="ship"),
    _family("stall", "damage", policy="fail"),
    _family("client", "client", clients=("cancel", "retry_job")),
    _family("crash", policy="fail", built=True),
    _family("lost", policy="fail", built=True),
    _family("client", policy="fail", built=True, clients=("retry_job",)),
)


CASES: Final = ALL_AT_ONCE if DEPTH else EVERY_DAY
