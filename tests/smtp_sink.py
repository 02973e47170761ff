"""A real SMTP server on loopback, in a thread of its own, that keeps what it gets and can be told to misbehave."""

import asyncio
import threading
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP


class Sink:
    """Set the fields before mail comes; read `recipients` and `contents` of the mails that it accepted."""

    def __init__(self, **options: Any) -> None:
        """`options` are those of aiosmtpd's controller and server, such as tls_context and authenticator."""
        self.recipients: list[str] = []
        self.contents: list[bytes] = []
        self.taken = threading.Event()  # the first mail is here
        self.sessions = 0
        self.rcpt: dict[str, str] = {}  # recipient -> reply instead of 250
        self.mail = "250 2.1.0 ok"
        self.data = "250 2.0.0 taken"
        self.drop_after_data = False  # takes the mail, then closes without an answer
        self.data_delay_seconds = 0.0
        self._controller = _OneLoopbackController(self, hostname="127.0.0.1", port=0, **options)

    @property
    def port(self) -> int:
        port: int = self._controller.server.sockets[0].getsockname()[1]
        return port

    def start(self) -> None:
        self._controller.start()

    def stop(self) -> None:
        self._controller.stop()

    async def handle_EHLO(self, server: SMTP, session: Any, envelope: Any, hostname: str,
                          responses: list[str]) -> list[str]:
        self.sessions += 1
        session.host_name = hostname
        return responses

    async def handle_MAIL(self, server: SMTP, session: Any, envelope: Any, address: str, options: list[str]) -> str:
        if self.mail.startswith("250"):
            envelope.mail_from = address
        return self.mail

    async def handle_RCPT(self, server: SMTP, session: Any, envelope: Any, address: str, options: list[str]) -> str:
        reply = self.rcpt.get(address, "250 2.1.5 ok")
        if reply.startswith("250"):
            envelope.rcpt_tos.append(address)
        if reply.startswith("421"):
            asyncio.get_running_loop().call_later(0.05, server.transport.close)
        return reply

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:
        await asyncio.sleep(self.data_delay_seconds)
        if self.data.startswith("250"):
            self.recipients += envelope.rcpt_tos
            self.contents.append(envelope.original_content)
            self.taken.set()
        if self.drop_after_data:
            server.transport.abort()
            await asyncio.sleep(60)  # cancelled when the connection is seen to be lost
        return self.data


class _OneLoopbackController(Controller):
    """aiosmtpd's controller on a port that the system chooses."""

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()
