"""Whose server an address is on, for politeness: hosts of one registrable domain are one publisher's."""

from dataclasses import dataclass
from functools import cache
from ipaddress import ip_address
from urllib.parse import urlsplit

from publicsuffixlist import PublicSuffixList


@dataclass(frozen=True, slots=True)
class Host:
    """Who is asked: `name` is the registrable domain, else the host itself.

    `is_ours` says that it stands inside our own walls (a name without a dot, a private address): it is asked one thing
    at a time, but without pauses.
    """

    name: str
    is_ours: bool = False


def host_of(url: str) -> Host:
    """The host of an address; the whole address where it has none."""
    try:
        name = (urlsplit(url).hostname or url).rstrip(".")
    except ValueError:
        return Host(url)
    return _host(name)


@cache
def _host(name: str) -> Host:
    try:
        return Host(name, is_ours=not ip_address(name).is_global)
    except ValueError:
        registrable = _suffixes().privatesuffix(name)
    return Host(registrable or name, is_ours="." not in name)


@cache
def _suffixes() -> PublicSuffixList:
    """The snapshot that the package carries; nothing is fetched."""
    return PublicSuffixList()
