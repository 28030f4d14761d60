"""StatsD and DogStatsD, read from real UDP sockets."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from flows import DeclarationError
from flows.monitor import Measured, StatsD
from tests.monitor.parts import queue, reading

DATADOG: dict[str, Any] = {"dialect": "dogstatsd"}


@pytest.fixture
def receiver() -> Iterator[socket.socket]:
    """Listen where StatsD would."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.settimeout(10)
        yield listening


@pytest.fixture
def url(receiver: socket.socket) -> str:
    """Return the receiver's URL."""
    return f"udp://127.0.0.1:{receiver.getsockname()[1]}"


def lines(receiver: socket.socket, until: Callable[[str], bool]) -> list[str]:
    """Return all lines up to one by which a test knows that the last packet has come."""
    found: list[str] = []
    while not any(map(until, found)):
        packet = receiver.recv(65_536)
        assert len(packet) <= 1432
        found += packet.decode().split("\n")
    return found


async def test_names_say_all(url: str, receiver: socket.socket) -> None:
    """Plain StatsD: flow, queue and state are parts of each name; what would end a part is replaced."""
    sink = StatsD(url)
    await sink.open("shop")
    await sink.show(reading(price__eu=queue()))
    await sink.close("shop")
    found = lines(receiver, lambda line: ".failed:" in line)
    assert found[0] == "flows.shop.up:1|g"
    assert {
        "flows.shop.price__eu.queue.jobs.waiting:3|g",
        "flows.shop.price__eu.queue.jobs.delayed:0|g",
        "flows.shop.price__eu.queue.oldest_seconds:1.5|g",
        "flows.shop.price__eu.jobs.total.done:70|g",
    } <= set(found)


async def test_datadog_has_tags(url: str, receiver: socket.socket) -> None:
    """DogStatsD: one name a metric; the sink's own tags stand in each line, without what would end them."""
    sink = StatsD(url, dialect="dogstatsd", tags={"env": "prod,eu|1"}, prefix="our.flows")
    await sink.open("shop")
    await sink.show(reading(price=queue()))
    await sink.close("shop")
    found = lines(receiver, lambda line: "verb:failed" in line)
    assert "our.flows.up:1|g|#flow:shop,env:prod_eu_1" in found
    assert "our.flows.queue.jobs:2|g|#flow:shop,queue:price,state:processing,env:prod_eu_1" in found
    assert "our.flows.jobs.total:70|g|#flow:shop,queue:price,verb:done,env:prod_eu_1" in found


async def test_attempts_are_timings(url: str, receiver: socket.socket) -> None:
    """Milliseconds; what is not known of an attempt has no line."""
    sink = StatsD(url, **DATADOG)
    await sink.open("shop")
    await sink.show(reading(up=False))
    sink.measure(Measured("shop", "price", "failed", "KeyError", waited=0.25, ran=1.0))
    sink.measure(Measured("shop", "price", "cancel"))
    await sink.close("shop")
    assert lines(receiver, lambda line: "job.run" in line) == [
        "flows.up:0|g|#flow:shop",
        "flows.job.start:250|ms|#flow:shop,queue:price",
        "flows.job.run:1000|ms|#flow:shop,queue:price,outcome:failed",
    ]


async def test_packets_are_small(url: str, receiver: socket.socket) -> None:
    """A hundred queues are many packets, each of which the network takes in one piece; no line is cut."""
    sink = StatsD(url, **DATADOG)
    await sink.open("shop")
    await sink.show(reading(**{f"queue{number}": queue() for number in range(100)}))
    found = lines(receiver, lambda line: "queue99,verb:failed" in line)
    await sink.close("shop")
    assert len([line for line in found if "state:waiting" in line]) == 100
    assert all("|g|#flow:shop" in line for line in found)


async def test_an_unknown_figure_has_no_line(url: str, receiver: socket.socket) -> None:
    """What could not be read is left out: a 0 would be a lie."""
    sink = StatsD(url)
    await sink.open("shop")
    await sink.show(reading(price=queue(oldest_age=None)))
    found = lines(receiver, lambda line: ".failed:" in line)
    await sink.close("shop")
    assert [line for line in found if "oldest" in line] == []


async def test_a_missing_receiver_breaks_nothing(receiver: socket.socket, url: str) -> None:
    """Nobody listens, for as long as that may be: nothing raises, and who comes later gets what comes then."""
    address = receiver.getsockname()
    receiver.close()
    sink = StatsD(url)
    await sink.open("shop")
    for _ in range(20):
        await sink.show(reading(price=queue()))
        sink.measure(Measured("shop", "price", "done", waited=0.1, ran=0.1))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as late:
        late.bind(address)
        late.settimeout(10)
        await sink.show(reading(price=queue()))
        assert late.recv(65_536)
    await sink.close("shop")


async def test_a_host_that_is_not_found_is_told() -> None:
    """What is shown meanwhile is lost, and `show` says so: the monitor tells it once a minute."""
    sink = StatsD("udp://nowhere.invalid")
    await sink.open("shop")
    with pytest.raises(OSError, match=r"nowhere\.invalid"):
        await sink.show(reading(price=queue()))
    await sink.close("shop")


async def test_a_packet_that_cannot_be_sent_is_told() -> None:
    """Attempts are measured all the same; `show` says so once, and the sink is not broken by it."""
    sink = StatsD("udp://255.255.255.255:9")  # which no socket may send to that has not asked for it
    await sink.open("shop")
    with pytest.raises(OSError, match=r"denied|unreachable"):
        await sink.show(reading(price=queue()))
    for _ in range(50):
        sink.measure(Measured("shop", "price", "done", waited=0.1, ran=0.1))
    await sink.close("shop")


async def test_one_sink_serves_two_flows(url: str, receiver: socket.socket) -> None:
    """The socket closes with the last of them."""
    sink = StatsD(url)
    await sink.open("shop")
    await sink.open("mail")
    await sink.close("shop")
    await sink.show(reading("mail"))
    await sink.close("mail")
    assert lines(receiver, lambda line: "mail" in line) == ["flows.mail.up:1|g"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"url": "redis://user:secret@host"}, r"udp://host:port"),
        ({"url": "udp://:secret@host:1"}, r"udp://host:port"),
        ({"url": "udp://host:99999"}, r"udp://host:port"),
        ({"url": None}, r"udp://host:port"),
        ({"dialect": "graphite"}, r"'statsd' or 'dogstatsd'"),
        ({"tags": {"env": "prod"}}, r"no tags: give dialect='dogstatsd'"),
        ({**DATADOG, "tags": {"env": 1}}, r"dict of texts"),
        ({**DATADOG, "tags": ["env:prod"]}, r"dict of texts"),
        ({**DATADOG, "tags": {"long": "x" * 600}}, r"at most 512"),
        ({"prefix": "a|b"}, r"prefix='a\|b'"),
        ({"prefix": ""}, r"prefix=''"),
    ],
)
def test_a_wrong_argument_is_refused(arguments: dict[str, Any], message: str) -> None:
    """When the sink is made, and without a word of what may be a password."""
    with pytest.raises(DeclarationError, match=message) as caught:
        StatsD(**arguments)
    assert "secret" not in str(caught.value)
