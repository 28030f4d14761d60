"""Decides which addresses may be called: by default none but those of the public internet.

A target may stand in a tenant's record, so whoever can write that must not be able to reach this machine, its network,
or the metadata service of its cloud. The name is looked up once, and the connection goes to what was checked.
"""

from __future__ import annotations

import asyncio
import socket
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING, Final, TypeAlias

from flows.errors import DeclarationError
from flows.model.option_checks import check_list
from flows.service.transports.not_sent import NotSent

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network

_6TO4: Final = IPv6Network("2002::/16")
#: Both prefixes of NAT64 and the IPv4-compatible one have the hidden address in their last 32 bits.
_LAST_BITS: Final = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"), IPv6Network("::/96"))
#: ISATAP: `…:0:5efe:<address>` and `…:200:5efe:<address>`.
_ISATAP: Final = (0x00005EFE, 0x02005EFE)
#: Public by its number, but Azure's machines reach their host's services there.
_CLOUD: Final = IPv4Network("168.63.129.16/32")


def parse_networks(texts: Sequence[str]) -> tuple[Network, ...]:
    """Return the networks that texts such as "10.0.0.0/8" or "192.0.2.7" stand for.

    Raises:
        DeclarationError: one of them is no network.
    """
    check_list("allow_networks", texts)
    try:
        return tuple(ip_network(text) for text in texts)
    except ValueError as error:
        raise DeclarationError(f"allow_networks: {error}; give networks such as '10.0.0.0/8'") from None


def refused(address: Address, allowed: Sequence[Network]) -> str:
    """Return why an address may not be called; empty: it may."""
    if any(address in network for network in allowed):
        return ""
    if not _is_public(address):
        return f"{address} is not a public address"
    for hidden in _hidden(address):
        if not _is_public(hidden) and not any(hidden in network for network in allowed):
            return f"{address} leads to {hidden}, which is not a public address"
    return ""


async def resolve(host: str, port: int, allowed: Sequence[Network]) -> list[str]:
    """Return the addresses of a host, in the system's order; all of them may be called.

    Raises:
        NotSent: the name is not known now, or one of its addresses may not be called.
    """
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:  # a label may be too long for IDNA
        raise NotSent(f"the name {host} cannot be looked up: {error}") from None
    texts = dict.fromkeys(str(entry[4][0]) for entry in found)
    for text in texts:
        if why := refused(ip_address(text.partition("%")[0]), allowed):
            raise NotSent(f"{host} may not be called: {why}; allow_networks=[…] allows it", for_good=True)
    return list(texts)


def _is_public(address: Address) -> bool:
    return address.is_global and not address.is_multicast and address not in _CLOUD


def _hidden(address: Address) -> Iterator[IPv4Address]:
    """Yield the addresses to which a gateway or the system may take a packet to this one."""
    if isinstance(address, IPv4Address):
        return
    number = int(address)
    if address.ipv4_mapped is not None:
        yield address.ipv4_mapped
    if address in _6TO4:
        yield IPv4Address(number >> 80 & 0xFFFFFFFF)
    if address.teredo is not None:
        yield from address.teredo
    if any(address in network for network in _LAST_BITS) or number >> 32 & 0xFFFFFFFF in _ISATAP:
        yield IPv4Address(number & 0xFFFFFFFF)
