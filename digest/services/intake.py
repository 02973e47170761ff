"""Where mail comes back to us: the listener for the operator's mail server, and a mailbox that is looked into."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta

import structlog
from sqlalchemy import Engine

from digest.errors import MailboxError
from digest.mail.lmtp import LmtpListener
from digest.mail.mailbox import Letter, open_mailbox
from digest.ports import Clock
from digest.services import returns
from digest.services.returns import Returned, Taken
from digest.settings import Settings
from digest.storage import bounces as storage
from digest.storage.leases import release_lease, take_lease
from digest.tokens import Signer

LEASE, LEASE_FOR = "bounce mailbox", timedelta(minutes=10)
UNDERSTOOD = frozenset({"left", "stored", "known"})  # what may be deleted from a mailbox
# What the mail server is told. Nothing that is not ours vanishes: it goes back to who wrote it.
REPLIES = {
    "forged": "550 5.1.1 no such return path",
    "no report": "550 5.6.0 takes delivery reports and unsubscribe requests alone",
}
TAKEN = "250 2.0.0 taken in"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Intake:
    """Takes in what comes back to one instance. Nothing here is lost: a mail is let go once it is in the database."""

    engine: Engine
    settings: Settings
    signer: Signer
    clock: Clock
    holder: str

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Intake"]:
        """Listens and looks into the mailbox, as the settings say, while the context is open."""
        listener = LmtpListener(self.settings.bounces.lmtp, self.accepts, self.take) if (
            self.settings.bounces.lmtp) else None
        looking = asyncio.create_task(self._look_again_and_again()) if self.settings.imap.host else None
        try:
            if listener is not None:
                await listener.open()
            yield self
        finally:
            if listener is not None:
                await listener.close()
            if looking is not None:
                looking.cancel()
                with suppress(asyncio.CancelledError):
                    await looking

    def accepts(self, recipient: str) -> str:
        """The SMTP reply to a recipient: return paths that we never made are refused."""
        if returns.is_forged(recipient, self.settings, self.signer):
            return REPLIES["forged"]
        return "250 2.1.5 ok"

    async def take(self, sender: str, recipient: str, raw: bytes) -> str:
        """Takes one mail in and returns the SMTP reply to it."""
        taken = await asyncio.to_thread(self._take, Returned(raw, "lmtp", recipient, sender))
        return REPLIES.get(taken.outcome, TAKEN)

    def look(self) -> Counter[str]:
        """Takes in what is new in the mailbox and counts it by outcome. Raises MailboxError; goes on where it ended.

        One process at a time looks; another that comes meanwhile finds nothing.
        """
        if not self._hold():
            return Counter()
        try:
            return self._look()
        finally:
            with self.engine.begin() as conn:
                release_lease(conn, LEASE, self.holder)

    def _look(self) -> Counter[str]:
        settings = self.settings.imap
        counts: Counter[str] = Counter()
        with open_mailbox(settings) as mailbox:
            name = f"imap:{settings.username}@{settings.host}/{settings.folder}/{mailbox.epoch}"
            with self.engine.begin() as conn:
                position = storage.position(conn, name)
            for letter in mailbox.after(position):
                outcome = self._take_letter(letter, name)
                counts[outcome] += 1
                if settings.delete and outcome in UNDERSTOOD:
                    mailbox.delete(letter.uid)
        return counts

    def _take_letter(self, letter: Letter, name: str) -> str:
        now = self.clock.now()
        with self.engine.begin() as conn:
            taken = returns.take_in(conn, Returned(letter.raw, "imap"), settings=self.settings, signer=self.signer,
                                    now=now)
            storage.set_position(conn, name, letter.uid)
        return taken.outcome

    def _take(self, returned: Returned) -> Taken:
        with self.engine.begin() as conn:
            taken = returns.take_in(conn, returned, settings=self.settings, signer=self.signer, now=self.clock.now())
        log.info("mail came back", outcome=taken.outcome, kind=taken.bounce.kind if taken.bounce else None,
                 reason=taken.bounce.reason if taken.bounce else None)
        return taken

    def _hold(self) -> bool:
        now = self.clock.now()
        with self.engine.begin() as conn:
            return take_lease(conn, LEASE, self.holder, now=now, until=now + LEASE_FOR)

    async def _look_again_and_again(self) -> None:
        said = ""
        while True:
            try:
                counts = await asyncio.to_thread(self.look)
                said = ""
                if counts:
                    log.info("mailbox read", **counts)
            except MailboxError as error:
                if str(error) != said:
                    log.error("mailbox cannot be read", error=str(error))
                said = str(error)
            except Exception:  # the other work of the process goes on
                log.exception("mailbox cannot be read")
            await asyncio.sleep(self.settings.imap.minutes * 60)
