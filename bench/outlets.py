"""Loopback outlets for the benches of polling: many made-up hosts, served by one small process of its own.

It answers by Host header and counts, for each domain (NAME.example), how many requests it saw at one time. It is no web
server: it reads requests without bodies and knows GET, ETag and a delay.
"""

import asyncio
import hashlib
import multiprocessing
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection


@dataclass(frozen=True, slots=True)
class Outlet:
    """One host. `delay_seconds` passes before each answer; without `validators` every answer is the whole document."""

    body: bytes
    validators: bool = True
    delay_seconds: float = 0.0


@dataclass
class Seen:
    """What the outlets saw: requests in all, answers of 304, bytes, and the most requests at one time by domain."""

    requests: int = 0
    unchanged: int = 0
    sent: int = 0
    most_at_once: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Street:
    """The running outlets: all hosts are served at `port` of 127.0.0.1."""

    port: int
    hosts: tuple[str, ...]
    pipe: Connection

    @property
    def resolve(self) -> dict[str, tuple[str, int]]:
        """The hosts as `HttpFetcher` maps them."""
        return {host: ("127.0.0.1", self.port) for host in self.hosts}

    def seen(self) -> Seen:
        """What was seen since the last call."""
        self.pipe.send("seen")
        found: Seen = self.pipe.recv()
        return found


@contextmanager
def serving(outlets: Mapping[str, Outlet]) -> Iterator[Street]:
    """The outlets by host, in a process of their own while the context is open."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, dict(outlets)), daemon=True)
    process.start()
    theirs.close()
    try:
        yield Street(ours.recv(), tuple(outlets), ours)
    finally:
        process.kill()
        process.join()


def _serve(pipe: Connection, outlets: dict[str, Outlet]) -> None:
    asyncio.run(_Server(pipe, outlets).run())


class _Server:
    def __init__(self, pipe: Connection, outlets: Mapping[str, Outlet]):
        self._pipe, self._outlets = pipe, outlets
        self._tags = {host: f'"{hashlib.md5(outlet.body).hexdigest()}"' for host, outlet in outlets.items()}
        self._open: Counter[str] = Counter()
        self._seen = Seen()

    async def run(self) -> None:
        server = await asyncio.start_server(self._talk, "127.0.0.1", 0, backlog=1024)
        loop = asyncio.get_running_loop()
        loop.add_reader(self._pipe.fileno(), self._report)
        self._pipe.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    def _report(self) -> None:
        self._pipe.recv()
        self._pipe.send(self._seen)
        self._seen = Seen()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(await self._answer(head.decode("latin-1")))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def _answer(self, head: str) -> bytes:
        headers = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
        host = headers["host"].partition(":")[0]
        outlet = self._outlets[host]
        domain = ".".join(host.split(".")[-2:])
        self._open[domain] += 1
        self._seen.most_at_once[domain] = max(self._seen.most_at_once.get(domain, 0), self._open[domain])
        if outlet.delay_seconds:
            await asyncio.sleep(outlet.delay_seconds)
        self._open[domain] -= 1
        self._seen.requests += 1
        if outlet.validators and headers.get("if-none-match") == self._tags[host]:
            self._seen.unchanged += 1
            return f"HTTP/1.1 304 Not Modified\r\nETag: {self._tags[host]}\r\n\r\n".encode()
        self._seen.sent += len(outlet.body)
        tag = f"ETag: {self._tags[host]}\r\n" if outlet.validators else ""
        start = f"HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\nContent-Length: {len(outlet.body)}\r\n{tag}\r\n"
        return start.encode() + outlet.body
