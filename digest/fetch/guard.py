"""The address guard: feeds come from the public internet, never from the network that we stand in.

It looks at the address that a socket is about to connect to, after every name has been resolved, so that neither an
IP literal nor a name that resolves to something else the second time gets round it.
"""

import socket
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

from digest.settings import parse_allowed

PORTS = frozenset({80, 443, 8080, 8443})
NAT64 = (ip_network("64:ff9b::/96"), ip_network("64:ff9b:1::/48"))
REFUSAL = "refused by the address guard"
SHARED = ip_network("100.64.0.0/10")  # carriers' own networks (RFC 6598)


class AddressRefused(OSError):
    """The guard let no connection through; `address` is what was asked for."""

    def __init__(self, address: str, port: int, reason: str):
        self.address, self.port = address, port
        super().__init__(f"{REFUSAL}: {address} port {port} is {reason}")


class AddressGuard:
    """Makes sockets for public addresses, and for those that the operator allows.

    `allow` holds "CIDR" or "CIDR:port" of the settings; `exempt` holds (address, port) that names were mapped to on
    purpose. Both may be on any port; other addresses are public and on 80, 443, 8080 or 8443.
    """

    def __init__(self, allow: Iterable[str] = (), exempt: Iterable[tuple[str, int]] = ()):
        self._allowed = [parse_allowed(entry) for entry in allow]
        self._exempt = {(str(ip_address(address)), port) for address, port in exempt}

    def check(self, address: str, port: int) -> None:
        """Raises AddressRefused unless a connection to `address` (an IP address) and `port` may be made."""
        literal = ip_address(address.partition("%")[0])
        if (str(literal), port) in self._exempt:
            return
        real = unwrapped(literal)
        if any(_holds(network, real) and wanted in {None, port} for network, wanted in self._allowed):
            return
        if not is_public(real):
            raise AddressRefused(address, port, "no public address")
        if port not in PORTS:
            raise AddressRefused(address, port, "no port that feeds are served on")

    def check_name(self, host: str, port: int | None) -> None:
        """Raises AddressRefused where an address that a proxy is to be asked for names our own network or an odd port.

        A name is not resolved: that is done, and answered for, by the proxy.
        """
        try:
            address = str(ip_address(host.partition("%")[0]))
        except ValueError:
            if host == "localhost" or host.endswith(".localhost"):
                raise AddressRefused(host, port or 80, "no public address") from None
            address = "1.1.1.1"  # stands for any public one
        self.check(address, port or 80)

    def make_socket(self, info: tuple[Any, ...]) -> socket.socket:
        """A socket for one result of getaddrinfo, as aiohttp's connector asks for; raises AddressRefused."""
        family, kind, protocol, _, address = info
        self.check(address[0], address[1])
        made = socket.socket(family, kind, protocol)
        made.setblocking(False)
        return made


def unwrapped(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 address inside an IPv4-mapped, NAT64, 6to4 or Teredo address; else the address itself."""
    if isinstance(address, IPv4Address):
        return address
    if address.ipv4_mapped:
        return address.ipv4_mapped
    if any(address in network for network in NAT64):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    if address.sixtofour:
        return address.sixtofour
    return address.teredo[1] if address.teredo else address


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether the internet at large routes to `address`, and to one host."""
    if address.version == 4 and address in SHARED:
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def _holds(network: IPv4Network | IPv6Network, address: IPv4Address | IPv6Address) -> bool:
    return network.version == address.version and address in network
