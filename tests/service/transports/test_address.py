"""Which addresses may be called, and that what was checked is what is called."""

from __future__ import annotations

import asyncio
import socket
from ipaddress import ip_address
from typing import Any

import pytest

from flows.service.transports.address import parse_networks, refused, resolve
from flows.service.transports.not_sent import NotSent
from flows.service.transports.webhook import Webhook
from tests.service.receivers import HERE, an_ending, web_server
from tests.service.transports.test_webhook import SECRET

NOT_PUBLIC = [
    "127.0.0.1",
    "127.8.8.8",
    "0.0.0.0",  # noqa: S104 - an address that must not be called
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",  # the metadata of clouds
    "100.100.100.200",  # the same, of Alibaba
    "168.63.129.16",  # the same, of Azure
    "192.0.0.1",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "fe80::1",
    "fc00::1",
    "fd00:ec2::254",  # the metadata of AWS
    "ff02::1",
    "ff0e::1",  # multicast, and global at that
    "2001:db8::1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "::7f00:1",
    "64:ff9b::7f00:1",
    "64:ff9b:1::a00:1",
    "2002:7f00:1::",
    "2002:a9fe:a9fe::1",
    "2001:0:4136:e378:8000:63bf:80ff:fffe",  # Teredo of 127.0.0.1
    "2606:4700::5efe:7f00:1",  # ISATAP
    "2606:4700::200:5efe:a00:1",
]
PUBLIC = ["1.1.1.1", "93.184.216.34", "2606:4700:4700::1111", "64:ff9b::101:101", "2002:101:101::1"]


@pytest.mark.parametrize("text", NOT_PUBLIC)
def test_addresses_that_are_not_public_are_refused(text: str) -> None:
    """Also where another one is hidden in it, to which a gateway would take the packet."""
    assert "not a public address" in refused(ip_address(text), ())


@pytest.mark.parametrize("text", PUBLIC)
def test_public_addresses_may_be_called(text: str) -> None:
    """Also by a gateway."""
    assert refused(ip_address(text), ()) == ""


def test_networks_may_be_allowed() -> None:
    """A network of one's own, and nothing beside it."""
    allowed = parse_networks(["10.0.0.0/8", "fd00::/8"])
    assert refused(ip_address("10.1.2.3"), allowed) == ""
    assert refused(ip_address("64:ff9b::a01:203"), allowed) == ""
    assert refused(ip_address("fd00::1"), allowed) == ""
    assert refused(ip_address("192.168.1.1"), allowed) != ""


@pytest.mark.parametrize("host", ["127.1", "2130706433", "0x7f000001", "localhost", "::1"])
async def test_other_ways_to_write_this_machine_are_refused(host: str) -> None:
    """What counts is what the system makes of a name."""
    with pytest.raises(NotSent) as told:
        await resolve(host, 443, ())
    assert told.value.for_good


async def test_one_address_that_may_not_be_called_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name with a public and a private address is somebody's try: neither is called."""
    answers(monkeypatch, [["1.1.1.1", "10.0.0.1"]])
    with pytest.raises(NotSent, match=r"10\.0\.0\.1 is not a public address"):
        await resolve("two.example", 443, ())


async def test_a_name_that_is_not_known_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The name server may be down, and a name may come back."""
    answers(monkeypatch, [])
    with pytest.raises(NotSent, match=r"gone\.example cannot be looked up") as told:
        await resolve("gone.example", 443, ())
    assert not told.value.for_good
    with pytest.raises(NotSent, match="cannot be looked up"):
        await resolve("a" * 64 + ".example", 443, ())


async def test_a_name_is_looked_up_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name server that answers otherwise the second time leads nowhere: the connection goes to what was checked."""
    async with web_server() as server:
        looked = answers(monkeypatch, [["127.0.0.1"], ["127.0.0.2"]])
        url = server.url.replace("127.0.0.1", "changes.example")
        await Webhook("orders", url=url, secret=SECRET, **HERE).send([an_ending()])
    assert looked == ["changes.example"]
    assert server.requests[0].headers["host"] == f"changes.example:{server.port}"


def answers(monkeypatch: pytest.MonkeyPatch, found: list[list[str]]) -> list[str]:
    """Have names looked up here, one answer after the other; return the list of what was asked."""
    asked: list[str] = []

    async def look_up(host: str, port: int, **_options: Any) -> list[Any]:
        asked.append(host)
        if len(host) > 63 + len(".example"):
            raise UnicodeError("label too long")
        if not found:
            raise socket.gaierror(-2, "Name or service not known")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found.pop(0)]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", look_up)
    return asked
