"""Which server `flows demo` takes, and what it leaves: other commands find it, and nothing of the user's is touched."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel
from redis import Redis
from redis.exceptions import TimeoutError as NoAnswer

from flows import Flow, FlowOptions, Job, QueueOptions
from flows.cli.demo import server as demo_server_module
from flows.cli.demo.server import demo_server
from flows.cli.demo.shop import Order, make_shop
from flows.config import choose_server
from flows.errors import ValidationError
from flows.store.embedded import EmbeddedServer


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Name a data directory of the test's own, and no server."""
    path = tmp_path / "data"
    monkeypatch.setenv("FLOWS_DATA_DIR", str(path))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    for name in ("FLOWS_REDIS_URL", "REDIS_URL"):
        monkeypatch.delenv(name, raising=False)
    yield path
    for left in (path, path.with_name("data-demo")):
        EmbeddedServer(left).stop()


class Given(BaseModel):
    """What a job of the user's is created with."""

    number: int


class Work(Job):
    """The same, as a worker would see it."""

    number: int


def use(url: str, name: str, namespace: str = "") -> None:
    """Create a job of a flow on a server."""

    async def create() -> None:
        queues = [QueueOptions(f"{name}-work", job=Work)]
        flow = Flow[Work, Given, str](FlowOptions(name, queues, redis_url=url, namespace=namespace))
        await flow.create_job(Given(number=1))
        await flow.stop_all()

    asyncio.run(create())


def serve(url: str) -> None:
    """Run the shop for a moment."""

    async def run() -> None:
        shop = make_shop(url, "")
        async with shop.orders, shop.mails, shop.billing:
            await shop.orders.create_job(Order(customer=1, cents=1))

    asyncio.run(run())


def files(data: Path) -> list[str]:
    """Return what stands in a data directory."""
    return sorted(file.name for file in data.iterdir())


def test_it_is_where_the_other_commands_look(data: Path) -> None:
    """Without any option; when it ends, its server and its jobs are gone; so it is after one that was killed."""
    with demo_server() as (url, options):
        assert choose_server(None).url is None
        assert (url, options) == (EmbeddedServer().start(), [])
        serve(url)
    assert files(data) == ["server.lock"]
    url = EmbeddedServer().start()
    serve(url)
    (data / "demo").touch()
    with demo_server() as found:
        assert found == (url, [])
        with pytest.raises(ValidationError, match="already"), demo_server():
            pass
    assert files(data) == ["server.lock"]


@pytest.mark.parametrize("state", ["stopped", "running"])
def test_what_the_user_has_is_left_alone(data: Path, state: str, capsys: pytest.CaptureFixture[str]) -> None:
    """It takes a server of its own then, and says so; the other one runs afterwards where it ran before."""
    mine = EmbeddedServer()
    use(mine.start(), "mine")
    keys = mine.status().keys
    if state == "stopped":
        mine.stop()
    with demo_server() as (url, options):
        assert options == ["--redis-url", url]
        assert "has jobs of yours, and is left alone" in capsys.readouterr().err
        assert mine.status().running is (state == "running")
        serve(url)
    assert files(data.with_name("data-demo")) == ["server.lock"]
    mine.start()
    assert mine.status().keys == keys


def test_a_server_that_the_environment_names_is_left_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Other commands would look there, so it says by which option they look here."""
    monkeypatch.setenv("REDIS_URL", "redis://production.example.org")
    with demo_server() as (url, options):
        assert (url, options) == (EmbeddedServer().start(), ["--redis-url", "embedded"])
        assert "redis://production.example.org:6379/0 from REDIS_URL is left alone" in capsys.readouterr().err


@pytest.mark.parametrize("flow", [("mine", ""), ("shop", ""), ("shop", "x:")])
def test_who_has_begun_to_use_its_server_keeps_it(
    data: Path, flow: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    """A flow that has connected meanwhile, by whatever name and namespace, loses nothing."""
    with demo_server() as (url, _options):
        serve(url)
        use(url, *flow)
    assert "others use its server" in capsys.readouterr().err
    assert EmbeddedServer().status().keys > 0
    assert not (data / "demo").exists()


def test_who_comes_in_the_end_is_not_deleted(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who writes once it was looked who has written waits, and is told that the server has gone: nothing is lost."""
    looked, told = demo_server_module._is_of_the_demo_alone, list[bool]()

    async def look(url: str) -> bool:
        alone = await looked(url)
        if told:
            with Redis.from_url(url, socket_timeout=0.2) as redis, pytest.raises(NoAnswer):
                redis.eval("return redis.call('SET', 'late', 1)", 0)
        told.append(alone)
        return alone

    monkeypatch.setattr(demo_server_module, "_is_of_the_demo_alone", look)
    (data / "demo").parent.mkdir()
    (data / "demo").touch()
    serve(EmbeddedServer().start())
    with demo_server():
        pass
    assert told == [True, True]
    assert files(data) == ["server.lock"]
