"""Header fields of a mail: as they are written, and as DKIM reads them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime, parseaddr
from functools import lru_cache
from textwrap import wrap
from typing import Any, NamedTuple

LINE = 76  # columns; RFC 2045 §6.7: encoded lines have so many at most
MAX_LINE_BYTES = 998  # RFC 5322 §2.1.1
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_SPACES = re.compile(rb"[ \t]+")
_PLAIN = re.compile(r"[A-Za-z0-9_+-]+(\.[A-Za-z0-9_+-]+)*@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")
_PLAIN_COLUMNS = 70  # an address up to here stands on the line of its header


class _Policy(EmailPolicy):
    """The email package's, but a subject in ASCII begins on the line of its name, where some programs look for it."""

    def fold_binary(self, name: str, value: Any) -> bytes:
        if name.lower() == "subject" and str(value).isascii():
            lines = wrap(f"{name}: {value}", LINE, break_long_words=False, break_on_hyphens=False)
            if max(map(len, lines)) <= LINE:
                return "\r\n ".join(lines).encode("ascii") + b"\r\n"
        return super().fold_binary(name, value)


POLICY = _Policy(linesep="\r\n", cte_type="7bit", max_line_length=LINE)


class Field(NamedTuple):
    """A header field, or several that stand together (`joined`).

    `names` in lower case, `raw` as written, and `relaxed` as RFC 6376 §3.4.2 signs them: from the last to the first.
    """

    names: tuple[str, ...]
    raw: bytes
    relaxed: bytes


@dataclass(frozen=True, slots=True)
class MailingList:
    """What a mail says of the list that it is of (RFC 2369, RFC 2919). "" leaves a field out."""

    id: str = ""  # "kazakhstan.digest.example.org"
    name: str = ""
    owner: str = ""  # address of the people who run it
    archive_url: str = ""
    sign_up_url: str = ""
    feedback_id: str = ""  # "campaign:list:kind:sender": nothing in it is one reader's


def written(name: str, *lines: str, encoding: str = "ascii") -> Field:
    """A field written as it stands; lines after the first continue it and begin with a space.

    Raises ValueError where a line is too long for a mail or holds what a header may not hold.
    """
    value, most = "\r\n".join(lines), MAX_LINE_BYTES - len(name) - 2
    for line in lines:
        if len(line) > most or not line.isprintable() or (encoding == "ascii" and not line.isascii()):
            raise ValueError(f"cannot stand in a mail header: {line[:100]!r}")
    return _field(name, f"{name}: {value}\r\n".encode(encoding))


def folded(mail: EmailMessage) -> list[Field]:
    """The fields of a mail that the email package encodes and folds, in their order."""
    return [_field(name, mail.policy.fold_binary(name, value)) for name, value in mail.items()]


def joined(fields: Sequence[Field]) -> Field:
    """Fields that stand together, as one piece: of those that all mails of a message share."""
    return Field(tuple([name for field in fields for name in field.names]), b"".join([field.raw for field in fields]),
                 b"".join([field.relaxed for field in reversed(fields)]))


def to(address: str) -> Field:
    """The "To" of one reader. An address outside ASCII stands in UTF-8 (RFC 6532). Raises ValueError for no address."""
    if len(address) <= _PLAIN_COLUMNS and _PLAIN.fullmatch(address):
        raw = f"To: {address}\r\n".encode("ascii")
        return Field(("to",), raw, b"to:" + raw[4:])
    if not address.isascii():
        if one_line(address) != address or address.count("@") != 1 or " " in address:
            raise ValueError(f"{address!r} is no e-mail address")
        return written("To", address, encoding="utf-8")
    mail = EmailMessage(POLICY)
    mail["To"] = mailbox(address)
    return folded(mail)[0]


@lru_cache(maxsize=8)
def date(at: datetime) -> Field:
    """The "Date" of an aware instant."""
    raw = f"Date: {format_datetime(at)}\r\n".encode("ascii")
    return Field(("date",), raw, b"date:" + raw[6:])


def mailbox(text: str) -> Address:
    """An address with its display name, from "Name <address>". Raises ValueError where it is none."""
    name, spec = parseaddr(one_line(text))
    if "@" not in spec:
        raise ValueError(f"{text!r} is no e-mail address")
    return Address(display_name=name, addr_spec=spec)


def leaving(url: str, mailto: str) -> list[Field]:
    """How a mail program unsubscribes its reader: one click where there is a web address (RFC 8058), else by mail."""
    if not url.startswith(("https://", "http://")):
        return [written("List-Unsubscribe", f"<{mailto}>")]
    return [written("List-Unsubscribe", f"<{url}>,", f" <{mailto}>"),
            written("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")]


def list_fields(of: MailingList) -> list[Field]:
    """What every mail of a list and of ours says of itself; addresses are too long for the email package to keep."""
    fields = []
    if of.id:
        fields.append(written("List-Id", *f"{_phrase(of.name)}<{of.id}>".split("\n")))
    if of.owner:
        fields += [written("List-Help", f"<mailto:{of.owner}?subject=help>"),
                   written("List-Owner", f"<mailto:{of.owner}>")]
    if of.archive_url:
        fields.append(written("List-Archive", f"<{of.archive_url}>"))
    if of.sign_up_url:
        fields.append(written("List-Subscribe", f"<{of.sign_up_url}>"))
    if of.feedback_id:
        fields.append(written("Feedback-ID", of.feedback_id))
    return [*fields, written("Auto-Submitted", "auto-generated"), written("Precedence", "bulk"),
            written("X-Auto-Response-Suppress", "All")]


def one_line(text: str) -> str:
    """The text with control characters and runs of white space as one space: safe in a header."""
    return " ".join(_CONTROLS.sub(" ", text).split())


def _field(name: str, raw: bytes) -> Field:
    value = raw[len(name) + 1 :].replace(b"\r\n", b"").strip(b" ")
    if b"  " in value or b"\t" in value:
        value = _SPACES.sub(b" ", value).strip(b" ")
    names, start = _lowered(name)
    return Field(names, raw, b"%b:%b\r\n" % (start, value))


@lru_cache(maxsize=64)
def _lowered(name: str) -> tuple[tuple[str, ...], bytes]:
    return (name.lower(),), name.lower().encode("ascii")


def _phrase(name: str) -> str:
    """A display name and a space, quoted or encoded as RFC 5322 and 2047 ask; "" for no name."""
    name = one_line(name)[:80]
    if not name:
        return ""
    if name.isascii():
        quoted = name.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{quoted}" '
    return Header(name, "utf-8", header_name="List-Id").encode() + "\n "
