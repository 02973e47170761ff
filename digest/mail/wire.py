"""What goes over the connection of our own SMTP session: commands as bytes, and bytes read as replies.

Careful in this: each command has exactly one reply, read in order. A reply that nobody waits for, one that is no
reply, or a wait that ended makes the connection useless for good, for a later reply could be taken for another's.
"""

import asyncio
from collections import deque
from functools import lru_cache
from typing import Any

from digest.mail.transaction import Reply, SessionRefused

USUAL_REPLY_BYTES = 512  # of a line (RFC 5321 §4.5.3.1.5); longer ones are not remembered
MAX_REPLY_BYTES = 65_536


class Wire(asyncio.Protocol):
    """Bytes to replies. `broken` says why no further reply can be trusted; "" while they can."""

    def __init__(self) -> None:
        self.transport: Any = None  # asyncio.Transport, or that of TLS
        self.broken = ""
        self.early: Reply | None = None  # a reply that came before it was asked for
        self._buffer = b""
        self._lines: list[str] = []
        self._expected = 1  # the greeting
        self._replies: deque[Reply] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._awaited = 0  # replies that it waits for
        self._until = self._patience = 0.0  # the wait's end in the loop's time (0: none waits), and its seconds
        self._timer: asyncio.TimerHandle | None = None  # one for all waits

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        self.end(f"connection lost: {exc}" if exc else "connection closed by the server")

    def data_received(self, data: bytes) -> None:
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        for line in lines:
            self._read(line)
        if self._buffer or self._lines:
            self._check_rest()
        if len(self._replies) >= self._awaited:
            self._wake()

    def write(self, data: bytes, replies: int = 1) -> None:
        """Writes; so many more replies are expected."""
        self._expected += replies
        if not self.broken:
            self.transport.write(data)

    async def replies(self, count: int, seconds: float) -> list[Reply]:
        """The next replies: fewer than `count` where the session ends before, as it does after so long a wait."""
        loop = asyncio.get_running_loop()
        self._awaited, self._patience, self._until = count, seconds, loop.time() + seconds
        if self._timer is None or self._timer.when() > self._until:
            self._look_at(self._until, loop)
        try:
            while len(self._replies) < count and not self.broken:
                self._waiter = loop.create_future()
                await self._waiter
        finally:
            self._until = 0.0
        return [self._replies.popleft() for _ in range(min(count, len(self._replies)))]

    async def ask(self, command: bytes, code: int, seconds: float) -> Reply:
        """The reply to a command (none: the greeting). Raises SessionRefused where it has another code, or none."""
        if command:
            self.write(command + b"\r\n")
        replies = await self.replies(1, seconds)
        if not replies:
            raise SessionRefused(self.broken)
        if replies[0].code != code:
            raise SessionRefused(f"{replies[0].code} {replies[0].text}", replies[0])
        return replies[0]

    def end(self, why: str) -> None:
        """Ends the connection at once; the first reason stays."""
        self.broken = self.broken or why
        if self.transport is not None:
            self.transport.abort()
        if self._timer is not None:
            self._timer.cancel()
        self._wake()

    def _check_rest(self) -> None:
        """Ends a connection where the reply that has begun is none that is waited for."""
        if len(self._buffer) + sum(map(len, self._lines)) > MAX_REPLY_BYTES:
            self.end("endless reply")
        elif self._buffer and not self._expected:
            self.end("bytes that nobody asked for")

    def _look_at(self, when: float, loop: asyncio.AbstractEventLoop) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = loop.call_at(when, self._look, loop)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        """Ends a wait that is over; looks again where another began meanwhile."""
        self._timer = None
        if self._until > loop.time():
            self._look_at(self._until, loop)
        elif self._until:
            self.end(f"no answer in {self._patience:g} s")

    def _read(self, line: bytes) -> None:
        reply, goes_on = _parsed(line) if len(line) <= USUAL_REPLY_BYTES else _parsed.__wrapped__(line)
        if reply is None:
            self.end(f"no SMTP reply: {line[:80].decode('utf-8', 'replace')!r}")
        if reply is None or self.broken:
            return
        if goes_on or self._lines:
            self._lines.append(reply.text)
            if goes_on:
                return
            reply = Reply(reply.code, "\n".join(self._lines))
            self._lines = []
        if self._expected:
            self._expected -= 1
            self._replies.append(reply)
        else:
            self.early = reply
            self.end(f"a reply that nobody asked for: {reply.code} {reply.text[:80]}")

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


@lru_cache(maxsize=64)
def _parsed(line: bytes) -> tuple[Reply | None, bool]:
    """A line as a reply of its own, and whether the reply goes on behind it; None for what is none.

    Remembered, for a server says the same to most mails.
    """
    text = line.rstrip(b"\r").decode("utf-8", "replace")
    if not (text[:3].isascii() and text[:3].isdigit() and text[3:4] in ("", " ", "-")):
        return None, False
    return Reply(int(text[:3]), text[4:]), text[3:4] == "-"
