"""An SMTP server on loopback that answers as it is told, right or wrong, and remembers what it was told."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from digest.settings import SmtpServer

OFFERS = "250-here\r\n250-PIPELINING\r\n250-SIZE 100000\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-ENHANCEDSTATUSCODES\r\n"
ANSWERS = {"greeting": "220 here", "EHLO": OFFERS + "250 HELP", "MAIL": "250 2.1.0 ok", "RCPT": "250 2.1.5 ok",
           "DATA": "354 go on", ".": "250 2.0.0 taken", "RSET": "250 2.0.0 ok", "QUIT": "221 bye",
           "STARTTLS": "220 go on", "AUTH": "235 2.7.0 ok"}
HANG_UP = "hang up"  # instead of an answer
SILENCE = "silence"


@dataclass
class Scripted:
    """`answers` by command ("." is the end of a message), without the last line end; a list is used up one by one.

    `sessions` are what each client said, line by line; `mails` what was taken.
    """

    answers: dict[str, str | list[str]] = field(default_factory=dict)
    tls: ssl.SSLContext | None = None
    port: int = 0
    sessions: list[list[str]] = field(default_factory=list)
    read_whole_after: str = ""  # behind this command the next piece is read as it comes, and the session ends
    piece: bytes = b""
    mails: list[bytes] = field(default_factory=list)
    on_message: Callable[[], None] = lambda: None  # called when the first byte of a message came

    _writers: list[asyncio.StreamWriter] = field(default_factory=list)
    _done: list[asyncio.Event] = field(default_factory=list)

    def abort(self) -> None:
        """Ends all sessions at once."""
        for writer in self._writers:
            writer.transport.abort()

    async def ended(self) -> None:
        """Ends all sessions and returns when they have."""
        self.abort()
        for done in self._done:
            await done.wait()

    def settings(self, **options: object) -> SmtpServer:
        return SmtpServer.model_validate({"host": "127.0.0.1", "port": self.port, "tls": "none", "timeout_seconds": 2,
                                          "data_timeout_seconds": 2, **options})

    def answer(self, command: str) -> str:
        told = self.answers.get(command, ANSWERS.get(command, "502 5.5.2 unknown"))
        if isinstance(told, list):
            return told.pop(0) if told else ANSWERS[command]
        return told

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        said: list[str] = []
        self.sessions.append(said)
        self._writers.append(writer)
        self._done.append(done := asyncio.Event())
        try:
            await self._say(writer, "greeting")
            while line := await reader.readline():
                text = line.decode().rstrip("\r\n")
                said.append(text)
                verb = text.split(" ")[0].upper()
                answer = await self._say(writer, verb)
                if verb == self.read_whole_after:
                    self.piece = await reader.read(65_536)
                    return
                if verb == "STARTTLS" and answer.startswith("220") and self.tls is not None:
                    await writer.start_tls(self.tls)
                if verb == "DATA" and answer.startswith("354"):
                    await self._message(reader)
                    await self._say(writer, ".")
        except (OSError, EOFError):
            pass
        finally:
            done.set()
            writer.close()

    async def _message(self, reader: asyncio.StreamReader) -> None:
        lines = []
        while (line := await reader.readline()) != b".\r\n":
            if not line:
                raise EOFError
            if not lines:
                self.on_message()
            lines.append(line)
        self.mails.append(b"".join(lines))

    async def _say(self, writer: asyncio.StreamWriter, command: str) -> str:
        answer = self.answer(command)
        if answer == HANG_UP:
            raise EOFError
        if answer != SILENCE:
            writer.write(f"{answer}\r\n".encode())
            await writer.drain()
        return answer


@asynccontextmanager
async def scripted(tls: ssl.SSLContext | None = None, **answers: str | list[str]) -> AsyncIterator[Scripted]:
    """A running server; `DOT` and `greeting` stand for "." and the first line."""
    own = {"." if name == "DOT" else name: list(answer) if isinstance(answer, list) else answer
           for name, answer in answers.items()}
    server = Scripted(own, tls)
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()
        await server.ended()
        await listening.wait_closed()
