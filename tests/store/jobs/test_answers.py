"""What scripts answer: the header, the type in Python and the Python that reads an answer agree.

That each script answers what its header says is checked wherever `tests/world.py` calls one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, get_args

import pytest

from flows import FlowOptions, Job, Limiter, Position, QueueOptions
from flows.errors import JobExists, KeyConflict, StoreError
from flows.model.creation.job_options import Due
from flows.model.declared.description import Description
from flows.model.find.conjunction import Conjunction
from flows.model.find.query import JobQuery
from flows.model.limits.rules import Rules
from flows.model.outcome import NewChild
from flows.model.state import JobState
from flows.store.client.lua_file import ScriptError
from flows.store.client.lua_shape import Shape, read_shape, read_words
from flows.store.client.packed_script import PackedCall
from flows.store.client.scripts import Script, load, names
from flows.store.fleet.apps import sync
from flows.store.fleet.declarations import declare
from flows.store.fleet.heartbeats import Heartbeats, HeartbeatText
from flows.store.fleet.stacks import ask_stacks
from flows.store.jobs import answers
from flows.store.jobs.control import Control, Edits
from flows.store.jobs.creation import Creation
from flows.store.jobs.delayed_creation import DelayedCreation
from flows.store.jobs.drain import Drain
from flows.store.jobs.fetch import Fetch
from flows.store.jobs.flow_settings import FlowSettings
from flows.store.jobs.leases import LeaseRenewal, Rescue
from flows.store.jobs.many import Asked, ManyJobs
from flows.store.jobs.ownership import Undeclared, undeclared
from flows.store.jobs.pausing import resume
from flows.store.jobs.progress import add_line, write_progress
from flows.store.jobs.reconcile import Reconciliation
from flows.store.jobs.turns import Turns
from flows.store.rules.hold import hold_group_of
from flows.store.rules.live import set_share
from flows.store.rules.read_limits import read_limits
from flows.store.services.tenants import change_tenant
from flows.store.streams.text_piece import TextReport
from flows.store.streams.text_stream import write_texts
from flows.store.views.cursor import BEGIN, write_cursor
from flows.store.views.endings import count_endings
from flows.store.views.explain import situation
from flows.store.views.find import Finder, FoundJobs
from flows.store.views.observe import observe
from flows.store.views.position import position
from flows.store.views.source import Source
from tests.answer_shapes import mismatch, sample
from tests.store.schedules.reading import SCHEDULE_READERS, SCHEDULES_TOLD
from tests.store.trees.reading import TREE_READERS, TREES_TOLD
from tests.world import World

#: What answers counts, names and ids.
WORDLESS = {
    "cascade",
    "count_endings",
    "drain",
    "drop_tasks",
    "due_schedules",
    "explain",
    "find",
    "index_instances",
    "locate",
    "mark_indexed",
    "observe",
    "position",
    "read_limits",
    "see_schedules",
    "undeclared",
    "unindex_instances",
}


def type_name(script: str) -> str:
    """Return what the type of a script's answers is called: that of `retry_job` is `RetryJobAnswer`."""
    return f"{script.title().replace('_', '')}Answer"


def has_word(shape: Shape) -> bool:
    """Whether a word is part of the answer."""
    return shape.kind in {"word", "word+"} or any(map(has_word, shape.parts))


def test_each_script_that_answers_words_has_a_type() -> None:
    """And each type a script; those that only count or name things answer none."""
    with_words = {name for name in names() if has_word(load(name).returns)}
    assert {name for name in names() if load(name).words} == with_words == set(names()) - WORDLESS
    assert {name for name in vars(answers) if name.endswith("Answer")} == set(map(type_name, with_words))


@pytest.mark.parametrize("name", sorted(set(names()) - WORDLESS))
def test_the_header_and_the_type_have_the_same_words(name: str) -> None:
    """Neither has one that the other lacks, and none twice."""
    assert sorted(load(name).words) == sorted(get_args(getattr(answers, type_name(name))))


@pytest.mark.parametrize("name", names())
def test_each_word_is_written_in_the_script(name: str) -> None:
    """Or with rules, or of runs. A state may come from the hash of a job, and stand behind `placed_`."""
    script = load(name)
    texts = (script.text, load(name, "rules").text, load(name, "runs").text)
    code = "\n".join(line for text in texts for line in text.split("\n") if not line.startswith("--"))
    for word in script.words:
        assert f"'{word}" in code or word.removeprefix("placed_") in set(JobState), word


class Answering:
    """A connection on which each script answers with its shape, one word everywhere, and lists that end."""

    def __init__(self, word: str) -> None:
        self.word = word
        self.asked: list[str] = []

    async def run(self, script: Script, *_: Any, **__: Any) -> Any:
        """Answer; no children are left to be written when they are to be let out."""
        word = "built" if script.name == "build" and self.word == "ok" else self.word
        length = int(script.name not in self.asked)
        self.asked.append(script.name)
        return sample(script.returns, word, length)

    async def call_packed(self, call: PackedCall) -> Any:
        """Answer as `run` does."""
        return await self.run(call.script)


Reader = Callable[[Any, FlowSettings], Coroutine[Any, Any, Any]]


def turns(connection: Any, settings: FlowSettings) -> Turns:
    """Return the turns of a worker."""
    return Turns(connection, settings, "pick", "w1", [])


async def renew(connection: Answering, settings: FlowSettings) -> Any:
    """Renew over the connection of this test."""
    renewal = LeaseRenewal("redis://127.0.0.1:1", settings)
    connection.asked.append("renew")
    renewal._send = lambda _: sample(load("renew").returns, connection.word)  # type: ignore[method-assign]
    return renewal.renew("pick", "w1", [("1", 1)])


async def greet(connection: Answering, _settings: FlowSettings) -> Any:
    """Nobody reads the answer: it is for whoever looks at what is sent."""
    return (await connection.run(load("greet"))).decode()


async def create_delayed(connection: Any, settings: FlowSettings) -> Any:
    """Create a delayed job; return its word, by what comes of it."""
    creation = DelayedCreation(connection, settings)
    try:
        return await creation.create(Due(1), [creation.prepare("1", {}, [])])
    except (KeyConflict, JobExists) as error:
        return str(error)


async def find(connection: Any, settings: FlowSettings) -> FoundJobs:
    """Read the one list of a flow of which a cursor says that it is not read to its end."""
    query = JobQuery((Conjunction(lookups=frozenset({("a", "1")})),))
    finder = Finder(connection, settings, ["pick"])
    source = Source("lookup", "", "a:1", settings.keys.lookup("shop", "a", "1"))
    connection.together = _each(connection)
    cursor = write_cursor(query, [(0, source, BEGIN)], newest_first=False)
    return await finder.page(query, cursor=cursor, newest_first=False)


def _each(connection: Any) -> Callable[[list[Any]], Coroutine[Any, Any, list[Any]]]:
    """Answer each of several calls of `find`."""

    async def together(commands: list[Any]) -> list[Any]:
        return [await connection.run(load("find")) for _command in commands]

    return together


async def heartbeat(connection: Answering, settings: FlowSettings) -> Any:
    """Send a heartbeat over the connection of this test, and the declaration again where that is gone."""
    connection.asked.append("heartbeat")
    renewal = SimpleNamespace(run=lambda script, *_: sample(script.returns, connection.word))
    beats = Heartbeats(settings, "p1", Description("ab", "{}"))
    return beats.send(renewal, HeartbeatText(1, "{}", 1, []))  # type: ignore[arg-type]


async def tell_stacks(connection: Answering, settings: FlowSettings) -> Any:
    """Tell the stacks of a process over the connection of this test."""
    connection.asked.append("tell_stacks")
    renewal = SimpleNamespace(run=lambda script, *_: sample(script.returns, connection.word))
    return Heartbeats(settings, "p1", Description("ab", "{}")).tell_stacks(renewal, "{}")  # type: ignore[arg-type]


def create_children(connection: Any, settings: FlowSettings) -> Coroutine[Any, Any, str]:
    """Create a child in parts."""
    job = SimpleNamespace(id="1", member=b"1", flow=b"", fence=1)
    return turns(connection, settings).create_children(job, [NewChild("label", "1", {})])  # type: ignore[arg-type]


def act_on(verb: str) -> Reader:
    """Return what acts on many jobs, of which there is one, without children."""

    async def act(connection: Any, settings: FlowSettings) -> Any:
        script = settings.script(f"{verb}_jobs")
        word = connection.word.encode()

        async def run(*_: Any) -> Any:
            connection.asked.append(script.name)
            return [[word], [], [b"ERR no"] if word == b"error" else []]

        connection.run = run
        return await ManyJobs(Control(connection, settings), Asked(verb, frozenset(), 0)).act([("shop", "1")])

    return act


def told_of_many(told: Any, word: str) -> bool:
    """Whether the word of the one job arrived, or its error."""
    return isinstance(told[0], StoreError) if word == "error" else told == [word]


#: A flow of one queue.
OPTIONS: Any = FlowOptions("shop", [QueueOptions("pick", Job)])

READERS: dict[str, Reader] = {
    "build": create_children,
    "publish": create_children,
    "create": create_delayed,
    "delete": lambda connection, settings: Control(connection, settings).delete("shop", "1"),
    "turn": lambda connection, settings: turns(connection, settings).turn([], 1, busy=False),
    "report": lambda connection, settings: turns(connection, settings).report([]),
    "renew": renew,
    "rescue": lambda connection, settings: Rescue(connection, settings, "pick").rescue(1),
    "reconcile": lambda connection, settings: Reconciliation(connection, settings, ["pick"]).step(),
    "cancel": lambda connection, settings: Control(connection, settings).cancel("shop", "1", ""),
    "cancel_jobs": act_on("cancel"),
    "delete_jobs": act_on("delete"),
    "move_jobs": act_on("move"),
    "retry_jobs": act_on("retry"),
    "cascade": lambda connection, settings: Control(connection, settings).cascade(),
    "move": lambda connection, settings: Control(connection, settings).move("shop", "1", "ship"),
    "move_edited": lambda connection, settings: Control(connection, settings).move("shop", "1", "ship", Edits({})),
    "retry_job": lambda connection, settings: Control(connection, settings).retry_job("shop", "1"),
    "withdraw": lambda connection, settings: Creation(connection, settings)._withdraw(
        SimpleNamespace(id="1", waiting="", lookups=[])
    ),  # type: ignore[arg-type]
    "greet": greet,
    "introduce": lambda connection, settings: Reconciliation(connection, settings, ["pick"]).introduce(),
    "declare": lambda connection, settings: declare(connection, settings, Description("ab", "{}")),
    "sync": lambda connection, settings: sync(
        connection, settings, "shop", Description("shop:ab", "{}"), written=False
    ),
    "heartbeat": heartbeat,
    "tell_stacks": tell_stacks,
    "ask_stacks": lambda connection, settings: ask_stacks(connection, settings, "shop", "p1"),
    "drain": lambda connection, settings: Drain(connection, settings, "pick", "old").drain(),
    "find": find,
    "add_line": lambda connection, settings: add_line(connection, settings, "shop", "1", "{}"),
    "count_endings": lambda connection, settings: count_endings(connection, settings, "done", [0, 1, 2]),
    "locate": lambda connection, settings: Fetch(connection, settings)._locate(["1"]),
    "explain": lambda connection, settings: situation(connection, settings, {}, "1"),
    "observe": lambda connection, settings: observe(connection, settings, ["pick"]),
    "pause": lambda connection, settings: resume(connection, settings, "pick"),
    "position": lambda connection, settings: position(connection, settings, ["pick"], "1"),
    "undeclared": lambda connection, settings: undeclared(connection, settings, OPTIONS),
    "hold": lambda connection, settings: hold_group_of(connection, settings, "pick", Due(1), "1"),
    "set_live": lambda connection, settings: set_share(connection, settings, "pick", "1", 2),
    "read_limits": lambda connection, settings: read_limits(
        connection, replace(settings, rules={"pick": Rules(slots=3, limiters=(Limiter(5, 1),))}), "pick", None
    ),
    "set_priority": lambda connection, settings: Control(connection, settings).set_priority("shop", "1", 2),
    "progress": lambda connection, settings: write_progress(connection, settings, "pick", "w1", {}),
    "stream": lambda connection, settings: write_texts(connection, settings, "pick", "w1", {("1", 1): TextReport()}),
    "change_tenant": lambda connection, settings: change_tenant(connection, settings, "acme", 0, "{}"),
    **SCHEDULE_READERS,
    **TREE_READERS,
}
#: Of `create`: words that an id comes of, and what the others say.
IS_THERE = {"created", "existing", "debounced"}
REFUSED = {
    "conflict": "1: delete or rename that key",
    "different": "job 1 was created with idempotency_key",
    "duplicate": "job 1 has the unique key",
}
#: What Python makes of an answer in which each word is `word`.
TOLD: dict[str, Callable[[Any, str], bool]] = {
    "build": lambda told, word: told == word,
    "publish": lambda told, word: told == word,
    "create": lambda told, word: told == ["1"] if word in IS_THERE else told.startswith(REFUSED[word]),
    "delete": lambda told, word: told is (word == "deleted"),
    "turn": lambda turn, word: turn.words == [word] and turn.jobs == [[b"1"]] and turn.expired == turn.misplaced == 0,
    "report": lambda words, word: words == [word],
    "renew": lambda words, word: words == [word],
    "rescue": lambda pairs, word: pairs == [("1", word)],
    "reconcile": lambda step, word: [(repair.job_id, repair.word) for repair in step.repairs] == [("1", word)],
    "cancel": lambda told, word: told == word,
    "cancel_jobs": told_of_many,
    "delete_jobs": told_of_many,
    "move_jobs": told_of_many,
    "retry_jobs": told_of_many,
    "cascade": lambda done, _: (done.parent, done.more, done.parents) == ("1", False, ["1"]),
    "move": lambda told, word: told == word,
    "move_edited": lambda told, word: told == word,
    "retry_job": lambda told, word: told == word,
    "withdraw": lambda told, word: told == word,
    "greet": lambda told, word: told == word,
    "introduce": lambda told, _: told is None,
    "declare": lambda told, word: told == word,
    "sync": lambda told, word: told == word,
    "heartbeat": lambda told, word: told == word,
    "tell_stacks": lambda told, word: told == word,
    "ask_stacks": lambda told, word: told[0] == word,
    "drain": lambda told, _: told == (0, 0),
    # The id of a sample is none of a job, so it is not told.
    "find": lambda told, _: (told.jobs, told.cursor, told.looked_through) == ([], "", 0),
    "locate": lambda told, _: told == [b"1"],
    "add_line": lambda told, word: told == word,
    "count_endings": lambda told, _: told == [{"1": 0}, {}],
    "explain": lambda told, _: (told.now_ms, told.job_id, told.kind) == (0, "1", "none"),
    "observe": lambda told, _: [*told] == ["1"] and told["1"].next_due == datetime.fromtimestamp(0.001, UTC),
    "pause": lambda told, word: told == word,
    "position": lambda told, _: (
        told == Position(0, exact=False, delayed_until=datetime.fromtimestamp(0.001, UTC), in_group=0)
    ),
    "undeclared": lambda told, _: told == [Undeclared("1", 0, 0, 0, 0)],
    "hold": lambda told, word: told == word,
    "set_live": lambda told, _: told is None,
    "read_limits": lambda told, _: (
        [(one.id, one.live, one.used) for one in told] == [("pick:1", 5, 0), ("slots", 1, 0)]
    ),
    "set_priority": lambda told, word: told == word,
    "progress": lambda told, word: told == [word],
    "stream": lambda told, word: told == [word],
    "change_tenant": lambda told, word: told == (word, 0),
    **SCHEDULES_TOLD,
    **TREES_TOLD,
}


def test_every_answer_is_read_here() -> None:
    """But that of `register`, which `tests/store/jobs/test_register.py` reads."""
    assert READERS.keys() == TOLD.keys() == set(names()) - {"register"}


@pytest.mark.parametrize("name", sorted(READERS))
async def test_python_reads_what_the_header_says(name: str, world: World) -> None:
    """Each answer of the header's shape, with each of its words, arrives as it was meant."""
    for word in load(name).words or ("",):
        connection = Answering(word)
        if word in {"cancelling", "later"} or (name == "publish" and word != "ok"):
            continue  # the ones are asked until they answer something else, the other is not asked when `build` fails
        told = await asyncio.wait_for(READERS[name](connection, world.settings), 5)
        assert name in connection.asked
        assert TOLD[name](told, word), told


@pytest.mark.parametrize(
    ("text", "fitting", "other"),
    [
        ("left:int", [0, 1], ["1", [1], None]),
        ("name:text", ["", b"a", None], [1, ["a"]]),
        ("word:word", ["ok", b"too late"], ["too", "late", 1, None]),
        ("word:word+", ["ok", "ok because"], ["because ok", ""]),
        ("words:list<word>", [[], ["ok", b"ok"]], ["ok", ["no"], ["ok", "no"]]),
        ("word:word left:int", [["ok", 1]], [["ok"], ["ok", 1, 1], ["no", 1], [1, "ok"]]),
        ("pairs:list<[id:text word:word]>", [[], [["1", "ok"]]], [[["1"]], [["1", "no"]], ["1", "ok"]]),
        ("answer:[word:word what?:text]", [["ok"], ["ok", "a"]], [[], ["ok", "a", "b"], ["ok", 1]]),
        ("jobs:list<list<any>>", [[], [[1, "a", None]]], [[1]]),
    ],
)
def test_a_shape_is_what_it_says(text: str, fitting: list[Any], other: list[Any]) -> None:
    """What fits and what does not, for each kind of a shape."""
    shape, words = read_shape(text), read_words(["ok", "|", "too", "late"])
    assert words == ("ok", "too late")
    assert [value for value in fitting if mismatch(shape, words, value)] == []
    assert [value for value in other if not mismatch(shape, words, value)] == []
    assert mismatch(shape, words, sample(shape, "ok")) == ""


@pytest.mark.parametrize("text", ["", "word", "a:", "a:float", "a:list<int", "a:list int", "a:[]", "a:[int", "a:int>"])
def test_what_is_no_shape_is_refused(text: str) -> None:
    """A typing error in a header is found when the script is loaded."""
    if text == "word":
        assert read_shape(text) == Shape("word")
        return
    with pytest.raises(ScriptError, match="no shape of an answer"):
        read_shape(text)
