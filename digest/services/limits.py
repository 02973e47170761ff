"""How often visitors' forms may do something, counted by mailbox and by network, in every process alike.

Whom a limit counts is stored as a keyed hash and forgotten with its window. What is refused does not count, so who
waits gets through.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address, ip_network

from sqlalchemy import Connection

from digest.errors import LimitReached
from digest.services.addresses import mailbox_key
from digest.settings import SignUpSettings
from digest.storage import form_posts as storage
from digest.tokens import Signer

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
PREFIX = {4: 24, 6: 56}  # bits of an address that one household or office has


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `most` within `window`, of what `kind` names."""

    kind: str
    most: int
    window: timedelta


def of_network(settings: SignUpSettings) -> Limit:
    """How many forms one network may post."""
    return Limit("network", settings.posts_per_network, HOUR)


def of_mailbox(settings: SignUpSettings) -> Limit:
    """How many mails visitors may have sent to one mailbox."""
    return Limit("mailbox", settings.mails_per_address, DAY)


def is_full(conn: Connection, limit: Limit, who: str, signer: Signer, now: datetime) -> bool:
    """Whether `who` has used a limit up."""
    key = signer.fingerprint(limit.kind, who)
    return storage.count_since(conn, key, now - limit.window) >= limit.most


def count(conn: Connection, limit: Limit, who: str, signer: Signer, now: datetime) -> None:
    """Counts one use of a limit."""
    key = signer.fingerprint(limit.kind, who)
    storage.forget_before(conn, key, now - limit.window)
    storage.add(conn, key, now)


def admit_network(conn: Connection, client: str, settings: SignUpSettings, signer: Signer, now: datetime) -> None:
    """Counts a form that a client at an IP address posts. Raises LimitReached where its network has posted enough."""
    limit, network = of_network(settings), network_of(client)
    if is_full(conn, limit, network, signer, now):
        raise LimitReached(limit.window)
    count(conn, limit, network, signer, now)


def mailbox_is_full(conn: Connection, address: str, settings: SignUpSettings, signer: Signer, now: datetime) -> bool:
    """Whether a normalised address got as many mails as visitors may have sent to its mailbox."""
    return is_full(conn, of_mailbox(settings), mailbox_key(address), signer, now)


def count_mail(conn: Connection, address: str, settings: SignUpSettings, signer: Signer, now: datetime) -> None:
    """Counts a mail that a visitor had sent to a normalised address."""
    count(conn, of_mailbox(settings), mailbox_key(address), signer, now)


def network_of(client: str) -> str:
    """The network of an IP address, such as "203.0.113.0/24"; what is no address is a network of its own."""
    try:
        address = ip_address(client)
    except ValueError:
        return client[:45]
    if isinstance(address, IPv6Address):
        address = address.ipv4_mapped or address
    return str(ip_network(f"{address}/{PREFIX[address.version]}", strict=False))
