"""Who may see /preview and /outbox: people at the machine itself, or holders of the printed token."""

import secrets
from collections.abc import Sequence
from ipaddress import ip_address, ip_network

from starlette.requests import Request

LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})
PROXY_HEADERS = frozenset({"forwarded", "via", "x-real-ip"})


class Denied(Exception):
    """The request may not see an operator's page; answered with 403."""


class Access:
    """Guards operators' pages.

    A request is let in from a loopback address when it names a local host (a page elsewhere whose name
    was made to point at this machine does not) and passed no proxy; or with the token in `?token=`.
    """

    def __init__(self, token: str):
        self._token = token.encode()

    def check(self, request: Request) -> None:
        """Raises Denied where the request may not see the page. A FastAPI dependency."""
        if not self.allows(request):
            raise Denied

    def allows(self, request: Request) -> bool:
        """Whether the request may see operators' pages."""
        return self._has_token(request) or is_local(request)

    def _has_token(self, request: Request) -> bool:
        given = request.query_params.get("token", "").encode()
        return bool(self._token) and secrets.compare_digest(given, self._token)


def is_local(request: Request) -> bool:
    """Whether the request comes straight from this machine and is meant for it."""
    if request.client is None or not _is_loopback(request.client.host):
        return False
    if any(name in PROXY_HEADERS or name.startswith("x-forwarded-") for name in request.headers):
        return False
    hosts = request.headers.getlist("host")
    return len(hosts) == 1 and host_name(hosts[0]) in LOCAL_NAMES


def client_of(request: Request, proxies: Sequence[str]) -> str:
    """The address that a request comes from: the last of X-Forwarded-For that is none of our proxies.

    Who is no proxy cannot pass for somebody else: its header is not read. "" where it is unknown.
    """
    client = request.client.host if request.client else ""
    forwarded = [part.strip() for line in request.headers.getlist("x-forwarded-for") for part in line.split(",")]
    while forwarded and _is_in(client, proxies) and _is_address(forwarded[-1]):
        client = forwarded.pop()
    return client


def host_name(host: str) -> str:
    """The name of a Host header without its port, in lower case; an IPv6 address keeps its brackets."""
    if host.startswith("["):
        return host.partition("]")[0].lower() + "]"
    return host.partition(":")[0].lower()


def token_query(request: Request) -> str:
    """ "?token=…" for links between operators' pages, where the request came with a token; else ""."""
    token = request.query_params.get("token")
    return f"?token={token}" if token else ""


def _is_in(host: str, networks: Sequence[str]) -> bool:
    return _is_address(host) and any(ip_address(host) in ip_network(network) for network in networks)


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
