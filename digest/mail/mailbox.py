"""Reads a mailbox in which bounces arrive, over IMAP (RFC 3501). Blocks: call it in a thread."""

import imaplib
import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from digest.errors import MailboxError
from digest.settings import ImapSettings

TIMEOUT_SECONDS = 60.0
MAX_MAIL_BYTES = 1024 * 1024  # of each mail that are read: a report's own words come first
BATCH = 200  # mails a look


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail; `uid` grows with every mail of the folder."""

    uid: int
    raw: bytes


class Mailbox:
    """An open folder. What is read stays unread to others, and nothing but `delete` changes anything."""

    def __init__(self, session: imaplib.IMAP4, epoch: int):
        self._session, self.epoch = session, epoch  # UIDVALIDITY: numbers mean nothing under another one

    def after(self, uid: int) -> Iterator[Letter]:
        """The first 200 mails with a higher number, in order. Raises MailboxError."""
        with _wrapped():
            found = self._checked(self._session.uid("SEARCH", f"UID {uid + 1}:*"))
            numbers = sorted(int(word) for word in b" ".join(p for p in found if isinstance(p, bytes)).split())
            for number in [n for n in numbers if n > uid][:BATCH]:  # "n:*" names the last one in any case
                parts = self._checked(self._session.uid("FETCH", str(number), f"(BODY.PEEK[]<0.{MAX_MAIL_BYTES}>)"))
                raw = next((part[1] for part in parts if isinstance(part, tuple)), None)
                if raw is not None:  # gone meanwhile
                    yield Letter(number, raw)

    def delete(self, uid: int) -> None:
        """Removes one mail; where the server cannot remove it alone (UIDPLUS), it is marked and no more."""
        with _wrapped():
            self._checked(self._session.uid("STORE", str(uid), "+FLAGS.SILENT", r"(\Deleted)"))
            offers = b" ".join(part for part in self._checked(self._session.capability()) if isinstance(part, bytes))
            if b"UIDPLUS" in offers.upper().split():  # of a session that has logged in: the first list is shorter
                self._checked(self._session.uid("EXPUNGE", str(uid)))

    def _checked(self, answer: tuple[str, list[object]]) -> list[object]:
        status, data = answer
        if status != "OK":
            raise MailboxError(f"the server answered {status} {data!r}"[:300])
        return data


@contextmanager
def open_mailbox(settings: ImapSettings) -> Iterator[Mailbox]:
    """The folder of the settings; certificates are verified. Raises MailboxError."""
    with _wrapped():
        session = _connect(settings)
    try:
        with _wrapped():
            session.login(settings.username, settings.password.get_secret_value())
            folder = '"' + settings.folder.replace("\\", "\\\\").replace('"', '\\"') + '"'
            status, data = session.select(folder, readonly=not settings.delete)
            if status != "OK":
                raise MailboxError(f"folder {settings.folder!r} cannot be opened: {data!r}"[:300])
            epoch = re.search(rb"\d+", (session.response("UIDVALIDITY")[1] or [b""])[0] or b"")
        yield Mailbox(session, int(epoch[0]) if epoch else 0)
    finally:
        try:
            session.logout()
        except (imaplib.IMAP4.error, OSError):
            session.shutdown()


def _connect(settings: ImapSettings) -> imaplib.IMAP4:
    context = ssl.create_default_context()
    if settings.tls_ca_file:
        context.load_verify_locations(settings.tls_ca_file)
    if settings.tls == "tls":
        return imaplib.IMAP4_SSL(settings.host, settings.port, ssl_context=context, timeout=TIMEOUT_SECONDS)
    session = imaplib.IMAP4(settings.host, settings.port, timeout=TIMEOUT_SECONDS)
    if settings.tls == "starttls":
        session.starttls(context)
    return session


@contextmanager
def _wrapped() -> Iterator[None]:
    try:
        yield
    except (imaplib.IMAP4.error, OSError, ValueError) as error:
        raise MailboxError(str(error)[:300]) from error
