"""One mail as SMTP says it, and what the server's answers mean for it. Pure: reads and writes no connection.

Sources: RFC 5321 (SMTP), RFC 3463 and 2034 (enhanced status codes), RFC 1870 (SIZE), RFC 6152 (8BITMIME),
RFC 6531 (SMTPUTF8).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import ip_address

from digest.errors import DeliveryError
from digest.mail.lines import END, dotted, only_crlf
from digest.ports import Envelope

START_MESSAGE = 354
CLOSING = 421  # the reply of a server that ends the session (RFC 5321 §3.8)
LOST = 451  # what a session lost before the message counts as (RFC 5321 §3.8)
LOG_IN_FIRST = frozenset({530, 534, 535, 538})  # RFC 4954 §6
_ENHANCED = re.compile(r"([245])\.\d{1,3}\.\d{1,3}(?=[ \n]|$)")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")


class Stage(StrEnum):
    """What was answered. At END, and only there, silence means that the mail may have been taken (RFC 1047)."""

    SESSION = "session"
    MAIL = "MAIL"
    RCPT = "RCPT"
    DATA = "DATA"
    END = "message"


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer; `text` has its lines without the codes."""

    code: int
    text: str

    @property
    def good(self) -> bool:
        return 200 <= self.code < 300

    @property
    def goes_on(self) -> bool:
        """Whether the session can go on behind it: a yes or a no, and no farewell."""
        return self.code != CLOSING and (self.good or 400 <= self.code < 600)

    @property
    def enhanced(self) -> str | None:
        """The enhanced status code at the beginning of the text (RFC 2034 §4); None where its class is another."""
        found = _ENHANCED.match(self.text)
        return found.group() if found and found.group(1) == str(self.code)[0] else None


class SessionRefused(ConnectionError):
    """A session could not be opened; `reply` is the server's, None where it was no reply that refused."""

    def __init__(self, message: str, reply: Reply | None = None):
        self.reply = reply
        super().__init__(message)


def check_log_in(peer: str, *, encrypted: bool) -> None:
    """Raises SessionRefused where a password would go to the address `peer` over the net unencrypted."""
    if not encrypted and not ip_address(peer.partition("%")[0]).is_loopback:
        raise SessionRefused(f"not logged in: the password would go to {peer} without TLS (set tls to starttls or tls)")


def refusal(recipient: str, server: str, stage: Stage, reply: Reply) -> DeliveryError:
    """What a reply other than the one hoped for means.

    - 4yz and 5yz are definite, at END too: the server has not taken the mail (RFC 5321 §4.2.1).
    - 5yz is permanent to RCPT, DATA and the message. To MAIL or before it, it is about us and may pass.
    - 421 at any stage, a session refused, a log-in asked for, and a status X.3.z (mail system) to MAIL are about the
      server: other mail would fail as well.
    - Any other code is no answer at all: `code` is None, which after the message is uncertain.
    """
    definite = 400 <= reply.code < 600
    to_us = stage is Stage.MAIL and (reply.code in LOG_IN_FIRST or (reply.enhanced or "")[1:3] == ".3")
    text = " ".join(reply.text.split())
    return DeliveryError(
        recipient, f"{reply.code} {text} ({server}, to {stage})", code=reply.code if definite else None,
        enhanced=reply.enhanced, permanent=reply.code >= 500 and definite and stage not in (Stage.SESSION, Stage.MAIL),
        server=stage is Stage.SESSION or reply.code == CLOSING or to_us)


def silence(recipient: str, server: str, stage: Stage, why: str) -> DeliveryError:
    """No answer came: a lost session, or a wait that ended. After the message it is uncertain."""
    return DeliveryError(recipient, f"{why} ({server}, after {stage})", server=stage is Stage.SESSION)


def lost_before_message(recipient: str, server: str, why: str) -> DeliveryError:
    """The session ended after the server asked for the message, and before a byte of it was written: not uncertain."""
    return DeliveryError(recipient, f"{why} ({server}, before the message)", code=LOST)


@dataclass(frozen=True, slots=True)
class Commands:
    """MAIL and RCPT of one mail, with parameters and without line ends."""

    mail: bytes
    rcpt: bytes


def commands(envelope: Envelope, offers: Mapping[str, str], server: str) -> Commands:
    """How the mail is announced to a server with these EHLO keywords (in capitals, with their parameters).

    Raises DeliveryError, permanent, where the mail cannot be said to this server: an address with control characters,
    bare line ends (RFC 5321 §2.3.8), or a mail too large or of characters that the server does not take.
    """
    if _CONTROLS.search(envelope.sender + envelope.recipient):
        raise _unfit(envelope, server, 501, "5.1.3", "an address has control characters")
    size = envelope.size
    if envelope.spoken is None and not only_crlf(envelope.data):
        raise _unfit(envelope, server, 554, "5.6.0", "the mail has line ends other than CRLF")
    limit = offers.get("SIZE", "")
    if limit.isdigit() and 0 < int(limit) < size:
        raise _unfit(envelope, server, 552, "5.3.4", f"the mail has {size} bytes, the server takes {limit}")
    parameters = [f" SIZE={size}"] if "SIZE" in offers else []
    wide = not (envelope.sender + envelope.recipient).isascii()
    if not all(map(bytes.isascii, envelope.pieces)):
        if "8BITMIME" not in offers:
            raise _unfit(envelope, server, 554, "5.6.3", "the mail has 8-bit characters, the server has no 8BITMIME")
        parameters.append(" BODY=8BITMIME")
        wide = wide or not envelope.data.partition(b"\r\n\r\n")[0].isascii()
    if wide:
        if "SMTPUTF8" not in offers:
            raise _unfit(envelope, server, 553, "5.6.7", "an address is not in ASCII, the server has no SMTPUTF8")
        parameters.append(" SMTPUTF8")
    return Commands(f"MAIL FROM:<{envelope.sender}>{''.join(parameters)}".encode(),
                    f"RCPT TO:<{envelope.recipient}>".encode())


def written(envelope: Envelope) -> bytes:
    """The message as it goes over the line: dots doubled, the final dot behind (RFC 5321 §4.5.2)."""
    if envelope.spoken is not None:
        return b"".join(envelope.spoken)
    data = envelope.data
    return dotted(data if data.endswith(b"\r\n") else data + b"\r\n") + END.said


def offered(ehlo: str) -> dict[str, str]:
    """Keywords of an EHLO answer, in capitals, with their parameters; the first line is a greeting (RFC 5321 §4.1.1.1).

    The old form AUTH=LOGIN is read as AUTH.
    """
    offers: dict[str, str] = {}
    for line in filter(str.strip, ehlo.split("\n")[1:]):
        keyword, _, parameters = line.strip().replace("AUTH=", "AUTH ", 1).partition(" ")
        key = keyword.upper()
        offers[key] = f"{offers[key]} {parameters}".strip() if key in offers else parameters.strip()
    return offers


def _unfit(envelope: Envelope, server: str, code: int, enhanced: str, why: str) -> DeliveryError:
    return DeliveryError(envelope.recipient, f"{why} ({server})", code=code, enhanced=enhanced, permanent=True)
