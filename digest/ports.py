"""Protocols for the outside world: what fetches, what mails, what tells the time.

Each has two real implementations: one for production, one for recorded archives, the outbox or replay.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from digest.model import Access
from digest.settings import Limits


@dataclass(frozen=True, slots=True)
class FetchRequest:
    """A conditional GET; validators are sent byte for byte as they were received (RFC 9110 §13).

    `max_bytes` is the most of the decoded body, where it is less than for feeds.
    """

    url: str
    etag: str | None = None
    last_modified: str | None = None
    access: Access = field(default_factory=Access)
    max_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class FetchResponse:
    """An answer of 200 or 304. `url` is the address after redirects; `body` is decoded and empty on 304.

    `headers` has lower-case names; of one that came twice, the first. `moved_to` is the address after redirects where
    every one of them said that it is permanent (301, 308); None where there was none or one that did not.
    """

    status: int
    url: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    moved_to: str | None = None


class Fetcher(Protocol):
    async def fetch(self, request: FetchRequest) -> FetchResponse:
        """The answer, or raises FetchError; never another exception. May be called concurrently."""
        ...

    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Envelope:
    """One addressed mail; `message_id` names it for good.

    `pieces` are its bytes one behind the other, with CRLF line ends: mails of one message share most of theirs.
    `spoken` is the same as SMTP writes it, dots doubled and the final dot behind, where its maker saw to its line ends.
    """

    sender: str
    recipient: str
    message_id: str
    pieces: tuple[bytes, ...]
    spoken: tuple[bytes, ...] | None = None

    @property
    def data(self) -> bytes:
        """The mail as one."""
        return b"".join(self.pieces)

    @property
    def size(self) -> int:
        """In bytes."""
        return sum(map(len, self.pieces))


@dataclass(frozen=True, slots=True)
class Parcel:
    """One bundle of alerts for a channel that is no mail. `id` names it for good.

    `shown` is its target without secrets.
    """

    channel: str
    target: str
    shown: str
    id: str
    title: str
    text: str


class Notifier(Protocol):
    async def send(self, parcel: Parcel, before_data: Callable[[], Awaitable[None]]) -> None:
        """Hands one bundle over, or raises DeliveryError; `before_data` as with `Mailer.send`.

        `code` is then that of an HTTP answer, 500 or 503 where nothing can have been taken in. May be called
        concurrently.
        """
        ...

    async def close(self) -> None: ...


class Mailer(Protocol):
    @property
    def capacity(self) -> int:
        """How many mails may usefully be in flight now; 0 while no server can take one, and none need be tried."""
        ...

    async def send(self, envelope: Envelope, before_data: Callable[[], Awaitable[None]]) -> None:
        """Hands one mail over, or raises DeliveryError.

        Awaits `before_data` when the next thing written may complete the hand-over: what fails before
        it can be tried again without risk; what fails after it without an answer raises
        `DeliveryError(code=None)` and is uncertain. It is awaited once at most. May be called concurrently; a mail
        whose turn comes soon waits for it here, a later one is refused with `retry_at`.
        """
        ...

    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Wait:
    """No mail may go now: `scope` has used up its rate, and something of it is free again in `seconds`."""

    scope: str
    seconds: float


class RateStore(Protocol):
    """Remembers how many mails went when, over restarts and for all processes of an instance. Calls may block."""

    def take(self, scopes: Mapping[str, Limits]) -> Wait | None:
        """Counts one mail in all scopes and returns None; where one of them has no room, counts it in none."""
        ...

    def turn(self, scope: str, limits: Limits) -> datetime:
        """When a mail that must wait should come back: later ones get later turns, as far apart as the rate asks."""
        ...


class Clock(Protocol):
    def now(self) -> datetime:
        """The present instant, aware, in UTC."""
        ...
