"""The connection of our own session: replies read in order, and waits that end when they should."""

import asyncio
import socket
from collections.abc import Awaitable, Callable

import pytest

from digest.mail.transaction import Reply, SessionRefused
from digest.mail.wire import MAX_REPLY_BYTES, Wire


def with_wire(story: Callable[[Wire, socket.socket], Awaitable[None]]) -> None:
    async def run() -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            _, wire = await asyncio.get_running_loop().create_connection(Wire, sock=ours)
            await story(wire, theirs)
            wire.end("done")
            await asyncio.sleep(0)  # the loop closes the connection

    asyncio.run(asyncio.wait_for(run(), 20))


@pytest.mark.parametrize(("first", "second"), [(0.02, 0.1), (15.0, 0.05)], ids=["longer", "shorter"])
def test_a_wait_ends_after_its_own_time_whatever_the_one_before_it_was(first: float, second: float) -> None:
    async def story(wire: Wire, server: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        server.sendall(b"220 here\r\n")
        assert await wire.replies(1, first) == [Reply(220, "here")]
        began = loop.time()
        wire.write(b"NOOP\r\n")
        assert await wire.replies(1, second) == []
        assert second <= loop.time() - began + 0.001 < 10
        assert wire.broken == f"no answer in {second:g} s"

    with_wire(story)


def test_replies_are_read_in_order_however_they_are_cut() -> None:
    async def story(wire: Wire, server: socket.socket) -> None:
        server.sendall(b"220-one\r\n220 two\r\n")
        assert await wire.ask(b"", 220, 5) == Reply(220, "one\ntwo")
        wire.write(b"MAIL\r\nRCPT\r\nDATA\r\n", 3)
        for part in (b"250 2.1.0 O", b"k\r\n250 2.1.0 Ok\r", b"\n354\r\n"):
            server.sendall(part)
            await asyncio.sleep(0)
        assert await wire.replies(3, 5) == [Reply(250, "2.1.0 Ok"), Reply(250, "2.1.0 Ok"), Reply(354, "")]

    with_wire(story)


@pytest.mark.parametrize(("said", "why"), [
    (b"hello\r\n", "no SMTP reply"), (b"220-" + b"x" * MAX_REPLY_BYTES + b"\r\n220-y\r\n", "endless reply"),
    (b"220 one\r\n220 two\r\n", "nobody asked for"), (b"220 one\r\n22", "nobody asked for"),
], ids=["no reply", "endless", "one too many", "begun too early"])
def test_what_cannot_be_trusted_ends_the_connection(said: bytes, why: str) -> None:
    async def story(wire: Wire, server: socket.socket) -> None:
        server.sendall(said)
        with pytest.raises(SessionRefused):
            await wire.ask(b"", 220, 5)
            await wire.ask(b"NOOP", 250, 5)
        assert why in wire.broken

    with_wire(story)
