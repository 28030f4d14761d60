"""A room reads once for all who watch; what a watcher is sent follows from the revision that it has seen."""

from __future__ import annotations

import asyncio
import json
import random
import time
from typing import Any

import pytest

from flows.api import Caller
from flows.errors import JobGone, NothingThere, StoreUnavailable
from flows.server.live.merge_patch import apply_patch
from flows.server.live.room import Watch
from flows.server.live.rooms import MOST_READING, Rooms
from flows.server.live.topic_room import TopicRoom
from tests.server.live.sources import SetSource, made, since
from tests.waiting import until

VERA = Caller(name="vera")


class Sources:
    """Makes a source for each topic, and remembers them."""

    def __init__(self) -> None:
        self.made: list[tuple[str, SetSource]] = []

    def __call__(self, topic: str, _caller: Caller) -> SetSource:
        """Make one."""
        if topic == "nothing":
            raise NothingThere("there is no topic 'nothing'")
        source = SetSource(n=0)
        self.made.append((topic, source))
        return source


class Client:
    """What a client keeps, by the protocol's one rule."""

    def __init__(self) -> None:
        self.state: dict[str, Any] = {}
        self.cursor: str | None = None

    def take(self, text: str) -> dict[str, Any]:
        """Take a message."""
        message: dict[str, Any] = json.loads(text)
        whole = message["from"] == 0
        self.state = message["state"] if whole else apply_patch(self.state, message["state"])
        self.cursor = message["cursor"]
        return message


def sent(watch: Watch) -> str | None:
    """Return what a watcher is to be sent, and take it as seen."""
    texts = watch.news()
    return texts[0] if texts else None


async def test_all_watchers_of_a_topic_cost_one_reading() -> None:
    """A hundred enter at once: one source, one read, and the same bytes for all."""
    sources = Sources()
    rooms = Rooms(made(sources))
    watches = await asyncio.gather(*(rooms.enter("board/a", VERA, lambda: None) for _ in range(100)))
    assert len(sources.made) == 1
    assert sources.made[0][1].reads == 1
    assert len({id(since(watch.room, 0)) for watch in watches}) == 1
    for watch in watches:
        watch.leave()
        watch.leave()
    await until(lambda: sources.made[0][1].closed)
    assert len(rooms) == 0


async def test_who_sees_less_is_in_another_room() -> None:
    """What is hidden from one is in no patch of the other."""
    sources = Sources()
    rooms = Rooms(made(sources))
    hidden = Caller(name="otto", hide=frozenset({"email"}))
    first, second = [await rooms.enter("board/a", caller, lambda: None) for caller in (VERA, hidden)]
    assert first.room is not second.room
    await rooms.close()
    assert all(source.closed for _topic, source in sources.made)


async def test_a_change_wakes_the_watchers_and_is_sent_as_a_patch() -> None:
    """Each is sent what is new to it: who has seen the last revision the difference, who came later the whole."""
    sources = Sources()
    rooms, woken = Rooms(made(sources)), asyncio.Event()
    watch = await rooms.enter("board/a", VERA, woken.set)
    client = Client()
    assert client.take(sent(watch) or "")["from"] == 0
    assert sent(watch) is None
    sources.made[0][1].change(more={"x": 1})
    await woken.wait()
    assert json.loads(sent(watch) or "")["state"] == {"more": {"x": 1}}
    late = await rooms.enter("board/a", VERA, lambda: None)
    assert json.loads(sent(late) or "")["state"] == {"n": 0, "more": {"x": 1}}
    await rooms.close()


async def test_what_is_as_it_was_is_not_sent() -> None:
    """A hint that brings nothing new wakes nobody."""
    source = SetSource(n=1)
    room = TopicRoom("board/a", source)
    woken: list[int] = []
    await room.open()
    room.enter(lambda: woken.append(1))
    reads = source.reads
    source.hint()
    await until(lambda: source.reads > reads)
    source.change(n=2)
    await until(lambda: woken)
    assert woken == [1]
    await room.close()


async def test_the_state_stays_while_the_server_is_away() -> None:
    """Told once with its age, and told again when the server is back, though nothing has changed."""
    source = SetSource(n=1)
    room, woken = TopicRoom("board/a", source), asyncio.Event()
    await room.open()
    room.enter(woken.set)
    assert since(room, 0) is not None
    source.error = StoreUnavailable("away")
    source.hint()
    await woken.wait()
    away = json.loads(since(room, 1) or "")
    assert away["state"] == {}
    assert away["awaySince"] >= away["at"]
    woken.clear()
    source.error = None
    await woken.wait()  # without a hint: it looks each second
    back = json.loads(since(room, 2) or "")
    assert "awaySince" not in back
    assert back["state"] == {}
    await room.close()


async def test_a_server_that_does_not_answer_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """Though its connection goes on trying: who watches is told, and who comes new is refused."""
    monkeypatch.setattr("flows.server.live.room.AWAY_AFTER", 0.01)
    source = SetSource(n=1)
    room, woken = TopicRoom("board/a", source), asyncio.Event()
    await room.open()
    room.enter(woken.set)
    source.answers = asyncio.Event()
    source.hint()
    await woken.wait()
    assert "awaySince" in json.loads(since(room, 1) or "")
    with pytest.raises(StoreUnavailable):
        await TopicRoom("board/a", source).open()
    await room.close()


async def test_what_one_room_finds_all_that_wait_are_told() -> None:
    """A server that is away costs one second of waiting, and not one for each room of a hundred."""
    sources, told = Sources(), set[int]()
    rooms = Rooms(made(sources))
    for number in range(20):
        await rooms.enter(f"board/{number}", VERA, lambda number=number: told.add(number))  # type: ignore[misc]
    answers = asyncio.Event()
    for _topic, source in sources.made:
        source.error, source.answers, source.reads = StoreUnavailable("away"), answers, 0
        source.hint()
    await until(lambda: sum(source.reads for _topic, source in sources.made) == MOST_READING)
    answers.set()
    await until(lambda: len(told) == 20)
    assert sum(source.reads for _topic, source in sources.made) < 20
    await rooms.close()


async def test_a_room_of_what_is_gone_ends() -> None:
    """And says why; another that enters opens it anew."""
    sources = Sources()
    rooms, woken = Rooms(made(sources)), asyncio.Event()
    watch = await rooms.enter("job/a/1", VERA, woken.set)
    sources.made[0][1].error = JobGone("1")
    sources.made[0][1].hint()
    await woken.wait()
    assert isinstance(watch.room.error, JobGone)
    again = await rooms.enter("job/a/1", VERA, woken.set)
    assert again.room is not watch.room
    await rooms.close()


async def test_a_room_that_cannot_open_is_none() -> None:
    """Whoever waited for it is told, and nothing stays behind."""
    rooms = Rooms(made(Sources()))
    for _ in range(2):
        with pytest.raises(NothingThere):
            await rooms.enter("nothing", VERA, lambda: None)
    assert len(rooms) == 0


async def test_who_goes_while_a_room_opens_leaves_nothing() -> None:
    """A socket that closes at once does not keep a room that nobody watches."""
    sources = Sources()
    rooms = Rooms(made(sources))
    entering = asyncio.create_task(rooms.enter("board/a", VERA, lambda: None))
    await asyncio.sleep(0)
    entering.cancel()
    with pytest.raises(asyncio.CancelledError):
        await entering
    await rooms.close()
    assert len(rooms) == 0
    assert all(source.closed for _topic, source in sources.made)


@pytest.mark.parametrize(
    "cursor", ["", "x", "0.0", ".1", "abc.99", "{epoch}.99", "{epoch}.-1", "{epoch}.1x", "{epoch}.²"]
)
async def test_a_cursor_of_elsewhere_gets_the_whole(cursor: str) -> None:
    """Of another replica, of a room that has ended, or made up."""
    room = TopicRoom("board/a", SetSource(n=1))
    await room.open()
    assert room.seen(cursor.format(epoch=room.cursor.partition(".")[0])) == 0
    assert room.seen(room.cursor) == 1
    await room.close()


class History:
    """A random one: a state that changes, two replicas that hear of it or not, a client that is cut off at times."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.source = SetSource(n=0)
        self.replicas = [TopicRoom("board/a", self.source) for _ in range(2)]
        self.room = self.replicas[0]
        self.client = Client()
        self.seen = 0

    async def change(self) -> None:
        """Change a member; a replica that does not hear of it looks later."""
        chance = self.chance
        self.source.state[chance.choice("abc")] = chance.choice([None, chance.randrange(5), {"x": chance.randrange(3)}])
        for one in self.replicas:
            if chance.random() < 0.7:
                await one._read()

    async def send(self) -> None:
        """Send what is new; now and then the socket is cut while it is on its way."""
        if (text := since(self.room, self.seen)) is not None:
            self.seen = json.loads(text)["rev"]
            if self.chance.random() < 0.8:
                self.client.take(text)
            else:
                await self.come_back()

    async def come_back(self) -> None:
        """Open another socket, to any replica, with the last cursor."""
        self.room = self.chance.choice(self.replicas)
        self.seen = self.room.seen(self.client.cursor)


@pytest.mark.parametrize("seed", range(30))
async def test_what_a_client_holds_in_the_end_is_the_state(seed: int) -> None:
    """Whatever was lost with a socket that was cut, and whatever replica it comes back to."""
    chance = random.Random(seed)  # noqa: S311 - a history that can be had again
    history = History(chance)
    for room in history.replicas:
        await room.open()
    for _ in range(chance.randint(5, 60)):
        await chance.choice([history.change, history.change, history.send, history.come_back])()
    for room in history.replicas:
        await room._read()
    await history.come_back()
    if (text := since(history.room, history.seen)) is not None:
        history.client.take(text)
    assert history.client.state == {name: value for name, value in history.source.state.items() if value is not None}
    for room in history.replicas:
        await room.close()


async def test_what_is_dear_to_read_is_read_less_often() -> None:
    """After a read that took long a room rests four times as long, ten seconds at most."""
    source = SetSource(n=0)
    source.answers = asyncio.Event()
    room = TopicRoom("jobs?q=error:x", source)
    opening = asyncio.create_task(room.open())
    await until(lambda: source.reads == 1)
    time.sleep(0.1)  # noqa: ASYNC251 - what a read takes, and nothing that is waited for
    source.answers.set()
    await opening
    assert 0.4 <= room._rest() <= 10
    room._took = 60.0
    assert room._rest() == 10
    room._took = 0.001
    assert room._rest() == 0.05
    await room.close()
