"""Chat services by apprise: Telegram, Slack, Matrix, Teams, ntfy and others, each named by apprise's own address.

A service on a server that its address names passes the address guard before each try, with all addresses that the name
has then. The try itself resolves the name once more, so that a name which changes between the two gets round the guard:
operators alone add such addresses.
"""

import asyncio
import logging
import re
import socket
import warnings
from collections.abc import Awaitable, Callable, Iterable
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from digest.alert_rules import CHAT as KIND
from digest.errors import ChannelRefused, DeliveryError
from digest.fetch.guard import AddressGuard, AddressRefused
from digest.ports import Parcel

SERVICES = frozenset({"tgram", "slack", "discord", "msteams", "workflows", "pover", "zulip", "webexteams", "gchat"})
HOSTED = frozenset({"ntfy", "ntfys", "matrix", "matrixs", "mmost", "mmosts", "rocket", "rockets", "gotify", "gotifys"})
SECONDS = 30.0  # a whole try
LONGEST = 2000  # characters of an address
_UNREACHED = re.compile(r"NewConnectionError|NameResolutionError|ConnectTimeout|ConnectionRefused|Failed to establish")
_LOST = re.compile(r"Socket Exception")


def check(url: str) -> str:
    """The address of a chat service as it is stored. Raises ChannelRefused."""
    scheme = urlsplit(url.strip()).scheme.lower()
    if scheme not in SERVICES | HOSTED:
        known = ", ".join(f"{name}://" for name in sorted(SERVICES | HOSTED))
        raise ChannelRefused(KIND, f"is of no service that is known here: {known}")
    if len(url) > LONGEST or _plugin(url.strip()) is None:
        raise ChannelRefused(KIND, f"is no address as apprise has them for {scheme}://")
    return url.strip()


def masked(url: str) -> str:
    """The address without its secrets, to be shown."""
    plugin = _plugin(url)
    shown = plugin.url(privacy=True) if plugin else urlsplit(url).scheme + "://…"
    return str(shown).partition("?")[0]


class Chats:
    """Tells bundles to chat services, each try in a thread."""

    def __init__(self, allow: Iterable[str]):
        self._guard = AddressGuard(allow)
        self._one = asyncio.Lock()  # what apprise says of a try is caught for the whole process

    async def send(self, parcel: Parcel, before_data: Callable[[], Awaitable[None]]) -> None:
        """Hands one bundle over, as `ports.Notifier` says."""
        plugin = _plugin(parcel.target)
        if plugin is None:
            raise DeliveryError(parcel.shown, "is no address that apprise knows any more", permanent=True)
        try:
            await asyncio.to_thread(self._look, plugin)
        except (AddressRefused, OSError) as error:
            raise DeliveryError(parcel.shown, str(error)[:300], code=503) from error
        await before_data()
        try:
            async with self._one:
                told, log = await asyncio.wait_for(asyncio.to_thread(_tell, plugin, parcel), SECONDS)
        except TimeoutError as error:
            raise DeliveryError(parcel.shown, f"no answer within {SECONDS:g} s") from error
        if not told:
            why = _why(log, parcel.target)
            lost = _LOST.search(log) and not _UNREACHED.search(log)
            raise DeliveryError(parcel.shown, why, code=None if lost else 500)

    async def close(self) -> None:
        """Nothing stays open."""

    def _look(self, plugin: Any) -> None:
        """Raises AddressRefused where the service is on a server that we may not ask, OSError where it has none."""
        if plugin.schema not in HOSTED or "mode=cloud" in plugin.url():
            return
        port = plugin.port or (443 if plugin.secure else 80)
        for *_, address in socket.getaddrinfo(plugin.host, port, type=socket.SOCK_STREAM):
            self._guard.check(str(address[0]), port)


def _plugin(url: str) -> Any:
    """apprise's own object for an address; None where it knows none."""
    plugin = _apprise().Apprise.instantiate(url)
    if plugin is not None:
        plugin.schema = urlsplit(url).scheme.lower()
    return plugin


@cache
def _apprise() -> Any:
    """The library, loaded when it is first needed: that takes a moment. Its own use of old modules is no news."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        import apprise
        apprise.Apprise.instantiate("ntfy://loads-all-services")
    logging.getLogger("apprise").propagate = False  # what it says holds secrets
    return apprise


def _tell(plugin: Any, parcel: Parcel) -> tuple[bool, str]:
    with _apprise().LogCapture(level=logging.DEBUG) as log:
        told = bool(plugin.notify(body=parcel.text, title=parcel.title))
        return told, str(log.getvalue())


def _why(log: str, target: str) -> str:
    """What apprise said went wrong, on one line, without what the address keeps secret."""
    said = [line.partition(" - WARNING - ")[2] for line in log.splitlines() if " - WARNING - " in line]
    why = said[-1] if said else "was not told"
    parts = urlsplit(target)
    for secret in re.findall(r"[\w-]{4,}", f"{parts.netloc.rpartition('@')[0]} {parts.path} {parts.query}"):
        why = why.replace(secret, "…")
    return why[:300]
