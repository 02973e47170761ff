"""The bytes of one mail: built once for all readers of a message, and made personal by splicing.

    message + what all its mails share ─▶ Prepared ─▶ for each reader: header fields, body ─▶ signed ─▶ bytes

What differs from reader to reader is To, Date, Message-ID, List-Unsubscribe and the unsubscribe address in the body.
The rest is encoded, folded and canonicalised for DKIM once. Equal arguments give equal bytes.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage
from html import escape
from typing import Protocol

from digest.mail import headers
from digest.mail.bodies import Part
from digest.mail.headers import POLICY, Field, MailingList, one_line
from digest.mail.lines import END, Lines, checked
from digest.model import REASON_MARK, UNSUBSCRIBE_MARK, Message

__all__ = ["MailingList", "Personal", "Prepared", "Shared", "one_line"]

DEFUSED_MARK = "\u2060%".join(UNSUBSCRIBE_MARK.split("%"))  # looks alike and is no mark
OWN_HEADERS = frozenset({
    "from", "to", "subject", "date", "message-id", "list-id", "list-unsubscribe", "list-unsubscribe-post", "list-help",
    "list-owner", "list-archive", "list-subscribe", "feedback-id", "dkim-signature", "auto-submitted", "precedence",
    "x-auto-response-suppress", "mime-version", "content-type", "content-transfer-encoding", "bcc", "cc", "sender",
    "return-path"})


@dataclass(frozen=True, slots=True)
class Shared:
    """What all mails of one message have in common. `sender` is an address or "Name <address>"."""

    sender: str
    reason: str  # why the reader gets this, one sentence
    list: MailingList = field(default_factory=MailingList)


@dataclass(frozen=True, slots=True)
class Personal:
    """What makes a mail one reader's. `message_id` has no brackets."""

    recipient: str
    message_id: str
    date: datetime
    unsubscribe_url: str  # absolute; the one-click header is left out where it is no http(s) address
    unsubscribe_mailto: str  # "mailto:…" without brackets


class Signing(Protocol):
    """What signs a mail: `digest.mail.dkim`."""

    def sign(self, fields: Sequence[Field], body: Sequence[bytes], at: datetime) -> bytes:
        """Header fields to stand before the others; b"" where nothing signs. The body is in pieces."""
        ...


class Prepared:
    """One message with what its mails share, ready to be made personal.

    Control characters in the subject and in names become spaces, so that no text makes a header of its own.
    Raises ValueError where an address cannot stand in a mail.
    """

    def __init__(self, message: Message, shared: Shared):
        self._html = bool(message.html)
        reason = shared.reason.replace(UNSUBSCRIBE_MARK, DEFUSED_MARK)  # an alert may have any name
        self._text_part = Part(message.text.replace(REASON_MARK, reason), UNSUBSCRIBE_MARK)
        self._html_part = Part(message.html.replace(REASON_MARK, escape(reason)), UNSUBSCRIBE_MARK)
        self._boundary = _boundary(message)
        self._frame()
        sender, *fields = self._folded(message, shared)
        self._list_fields = headers.joined([*headers.list_fields(shared.list), sender])
        self._fields = headers.joined(fields)

    def write(self, to: Personal, signing: Signing | None = None) -> list[Lines]:
        """The mail in pieces, of which SMTP says the final dot too; 7-bit clean but for a recipient outside ASCII.

        Raises ValueError where an address cannot stand in a mail.
        """
        fields = [
            headers.written("Message-ID", f"<{to.message_id}>"),
            *headers.leaving(to.unsubscribe_url, to.unsubscribe_mailto), self._list_fields,
            headers.to(to.recipient), headers.date(to.date), self._fields]
        body = self._body(to.unsubscribe_url)
        signature = signing.sign(fields, [lines.raw for lines in body], to.date) if signing else b""
        return [checked(b"".join((signature, *[f.raw for f in fields], b"\r\n"))), *body, END]

    def _body(self, url: str) -> list[Lines]:
        text = self._text_part.filled(url)
        return [*text, *self._html_part.filled(escape(url))] if self._html else text

    def _frame(self) -> None:
        """Has the two parts stand in what separates them."""
        if not self._html:
            return
        fence = f"--{self._boundary}".encode("ascii")
        self._text_part.before = fence + _part_head("plain", self._text_part.encoding)
        self._text_part.behind = (
            b"\r\n" + fence + _part_head("html", self._html_part.encoding) + b"MIME-Version: 1.0\r\n\r\n")
        self._html_part.behind = b"\r\n" + fence + b"--\r\n"

    def _folded(self, message: Message, shared: Shared) -> list[Field]:
        """From, Subject, the message's own headers and those of MIME, as the email package encodes and folds them."""
        mail = EmailMessage(POLICY)
        mail["From"] = headers.mailbox(shared.sender)
        mail["Subject"] = one_line(message.subject)
        for name, value in _extra_headers(message.headers).items():
            mail[name] = value
        mail["MIME-Version"] = "1.0"
        if self._html:
            mail["Content-Type"] = f'multipart/alternative; boundary="{self._boundary}"'
        else:
            mail["Content-Type"] = 'text/plain; charset="utf-8"'
            mail["Content-Transfer-Encoding"] = self._text_part.encoding
        return headers.folded(mail)


def _boundary(message: Message) -> str:
    """A boundary that is in no encoded body, for "=_" is in none (RFC 2045 §6.7)."""
    content = f"{message.subject}\0{message.html}\0{message.text}"
    return f"=_{hashlib.sha256(content.encode()).hexdigest()[:32]}"


def _part_head(subtype: str, encoding: str) -> bytes:
    end = "\r\n" if subtype == "plain" else ""
    return (f'\r\nContent-Type: text/{subtype}; charset="utf-8"\r\n'
            f"Content-Transfer-Encoding: {encoding}\r\n{end}").encode("ascii")


def _extra_headers(fields: Mapping[str, str]) -> dict[str, str]:
    return {name: one_line(value) for name, value in fields.items() if name.lower() not in OWN_HEADERS}
