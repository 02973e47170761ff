"""Addresses a message: the bytes of one mail for one recipient, with everything that a list mail owes its reader."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from html import escape

from digest.model import Message, fill_marks

POLICY = SMTP.clone(cte_type="7bit")
OWN_HEADERS = frozenset({
    "from", "to", "subject", "date", "message-id", "list-id", "list-unsubscribe", "list-unsubscribe-post",
    "auto-submitted", "precedence", "x-auto-response-suppress", "mime-version", "content-type",
    "content-transfer-encoding", "bcc", "cc", "sender", "return-path"})
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


@dataclass(frozen=True, slots=True)
class Addressing:
    """What makes a message personal. `message_id` has no brackets; `sender` is an address or "Name <address>"."""

    recipient: str
    message_id: str
    sender: str
    date: datetime
    unsubscribe_url: str  # absolute; the one-click header is left out where it is no http(s) address
    unsubscribe_mailto: str  # "mailto:…" without brackets
    reason: str  # why the reader gets this, one sentence
    list_id: str = ""  # "kazakhstan.digest.example.org"; "" where the mail is of no list
    list_name: str = ""


def address(message: Message, to: Addressing) -> bytes:
    """The mail as bytes with CRLF line ends, 7-bit clean. Equal arguments give equal bytes.

    Control characters in the subject and in names become spaces, so that no text makes a header of its own.
    Raises ValueError where an address cannot stand in a mail.
    """
    mail = EmailMessage(POLICY)
    mail["From"] = _mailbox(to.sender)
    mail["To"] = _mailbox(to.recipient)
    mail["Subject"] = one_line(message.subject)
    mail["Date"] = format_datetime(to.date)
    text = fill_marks(message.text, unsubscribe=to.unsubscribe_url, reason=to.reason)
    html = fill_marks(message.html, unsubscribe=escape(to.unsubscribe_url), reason=escape(to.reason))
    mail.set_content(text, cte=_encoding(text))
    mail.add_alternative(html, subtype="html", cte=_encoding(html))
    mail.set_boundary(f"=_{hashlib.sha256(to.message_id.encode()).hexdigest()[:32]}")  # "=_" is in no encoded body
    for name, value in _extra_headers(message.headers).items():
        mail[name] = value
    return _list_headers(to) + mail.as_bytes()


def one_line(text: str) -> str:
    """The text with control characters and runs of white space as one space: safe in a header."""
    return " ".join(_CONTROLS.sub(" ", text).split())


def _encoding(text: str) -> str:
    """The shorter of the two encodings, measured over the whole text; readable where both are alike."""
    data = text.encode()
    marked = data.count(b"=") + sum(byte > 126 for byte in data)  # three characters each in quoted-printable
    return "quoted-printable" if marked * 2 <= len(data) / 3 else "base64"


def _mailbox(text: str) -> Address:
    name, spec = parseaddr(one_line(text))
    if "@" not in spec:
        raise ValueError(f"{text!r} is no e-mail address")
    return Address(display_name=name, addr_spec=spec)


def _extra_headers(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: one_line(value) for name, value in headers.items() if name.lower() not in OWN_HEADERS}


def _list_headers(to: Addressing) -> bytes:
    """Headers whose long words the email package would encode and so break, written by hand."""
    lines = [f"Message-ID: <{to.message_id}>"]
    if to.list_id:
        lines += f"List-Id: {_phrase(to.list_name)}<{to.list_id}>".split("\n")
    if to.unsubscribe_url.startswith(("https://", "http://")):
        lines += [f"List-Unsubscribe: <{to.unsubscribe_url}>,", f" <{to.unsubscribe_mailto}>",
                  "List-Unsubscribe-Post: List-Unsubscribe=One-Click"]
    else:
        lines.append(f"List-Unsubscribe: <{to.unsubscribe_mailto}>")
    lines += ["Auto-Submitted: auto-generated", "Precedence: bulk", "X-Auto-Response-Suppress: All"]
    for line in lines:
        if len(line) > 998 or not line.isascii() or not line.isprintable():
            raise ValueError(f"cannot stand in a mail header: {line[:100]!r}")
    return "".join(f"{line}\r\n" for line in lines).encode("ascii")


def _phrase(name: str) -> str:
    """A display name and a space, quoted or encoded as RFC 5322 and 2047 ask; "" for no name."""
    name = one_line(name)[:80]
    if not name:
        return ""
    if name.isascii():
        quoted = name.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{quoted}" '
    return Header(name, "utf-8", header_name="List-Id").encode() + "\n "
