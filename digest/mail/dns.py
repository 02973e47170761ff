"""What DNS says of a domain that sends mail (dnspython)."""

import ipaddress
from collections.abc import Iterable
from typing import Any, Protocol

from dns import exception, resolver, reversename

from digest.errors import DnsFailure

TIMEOUT_SECONDS = 5.0


class Lookup(Protocol):
    """Questions to DNS. Each answers () where name or record do not exist, and raises DnsFailure without an answer."""

    def txt(self, name: str) -> tuple[str, ...]:
        """The TXT records of a name, the strings of each joined."""
        ...

    def addresses(self, name: str) -> tuple[str, ...]:
        """The IPv4 and IPv6 addresses of a host, in order."""
        ...

    def mx(self, name: str) -> tuple[str, ...]:
        """The hosts that take the mail of a domain, best first."""
        ...

    def names(self, address: str) -> tuple[str, ...]:
        """The host names of an address (PTR)."""
        ...


class Dns:
    """Asks the system's name servers, or `nameserver` ("ADDRESS" or "ADDRESS:PORT", an IPv6 one in brackets)."""

    def __init__(self, nameserver: str = "", timeout_seconds: float = TIMEOUT_SECONDS):
        self._resolver = resolver.Resolver(configure=not nameserver)
        self._resolver.lifetime = timeout_seconds
        self._silent = False  # it did not answer at all: further questions would wait as long
        if nameserver:
            address, port = _server(nameserver)
            self._resolver.nameservers, self._resolver.port = [address], port

    def txt(self, name: str) -> tuple[str, ...]:
        return tuple(sorted(b"".join(record.strings).decode("utf-8", "replace") for record in self._ask(name, "TXT")))

    def addresses(self, name: str) -> tuple[str, ...]:
        return tuple(sorted(record.address for kind in ("A", "AAAA") for record in self._ask(name, kind)))

    def mx(self, name: str) -> tuple[str, ...]:
        records = sorted((record.preference, _host(record.exchange)) for record in self._ask(name, "MX"))
        return tuple(host for _, host in records if host)

    def names(self, address: str) -> tuple[str, ...]:
        name = str(reversename.from_address(address))
        return tuple(sorted(_host(record.target) for record in self._ask(name, "PTR")))

    def _ask(self, name: str, kind: str) -> Iterable[Any]:
        if self._silent:
            raise DnsFailure(name, kind, "not asked: the name server did not answer before")
        try:
            return self._resolver.resolve(f"{name.rstrip('.')}.", kind)
        except (resolver.NXDOMAIN, resolver.NoAnswer):
            return ()
        except exception.Timeout as error:
            self._silent = True
            raise DnsFailure(name, kind, f"no answer within {self._resolver.lifetime:.0f} seconds") from error
        except (exception.DNSException, OSError, ValueError) as error:
            raise DnsFailure(name, kind, str(error) or type(error).__name__) from error


def _host(name: object) -> str:
    return str(name).rstrip(".").lower()


def _server(text: str) -> tuple[str, int]:
    """Raises ValueError where it is no address."""
    address, port = text, ""
    if text.startswith("["):
        address, closed, port = text[1:].partition("]")
        if not closed:
            raise ValueError(f"{text!r} lacks a bracket")
        port = port.removeprefix(":")
    elif text.count(":") == 1:
        address, _, port = text.partition(":")
    return str(ipaddress.ip_address(address)), int(port or 53)
