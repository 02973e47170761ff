"""Mail that comes back: what it is, whose it is of, and what is done about it.

Anybody can write to the address that bounces go to, so a report counts for the reader alone whose mail it provably is
of: it names a return path with our HMAC (VERP), or it brings back an unsubscribe link that we signed. Without either it
is stored and counts for nobody. Nothing is ever answered.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from email.message import Message
from email.parser import BytesHeaderParser
from email.utils import getaddresses

from sqlalchemy import Connection

from digest.errors import NotFound, TokenError
from digest.mail.bounces import MAX_BYTES, read
from digest.mail.failures import Failure
from digest.mail.report_text import header_text
from digest.mail.verp import read_return_path
from digest.model import Bounce, BounceKind
from digest.services import bounces, leaving
from digest.services.envelopes import host
from digest.settings import Settings
from digest.storage import alert_rules as alerts
from digest.storage import bounces as storage
from digest.storage import subscribers
from digest.tokens import Signer

MAX_PROOFS = 20  # tokens of each sort that are tried in one mail
_RETURN_PATH = re.compile(r"[\w.=-]{1,64}\+[a-z2-7]{40}@[\w.-]{1,255}", re.I)
_LINK = re.compile(r"/[ua]/([\w.-]{20,1024})")
_UNSUBSCRIBE = re.compile(r"\bunsubscribe\s+([\w.\s-]{20,1200})", re.I)
# Of several failures in one report the mildest stands, where none names the reader's address.
_MILDNESS = (BounceKind.NONE, BounceKind.AUTO_REPLY, BounceKind.TEMPORARY, BounceKind.POLICY, BounceKind.UNCLEAR,
             BounceKind.SOFT, BounceKind.HARD, BounceKind.COMPLAINT)


@dataclass(frozen=True, slots=True)
class Returned:
    """One mail as it came. `recipient` and `sender` are those of its envelope, None where they are not known."""

    raw: bytes
    origin: str  # "lmtp", "imap" or "command"
    recipient: str | None = None
    sender: str | None = None  # "" is the null sender of reports


@dataclass(frozen=True, slots=True)
class Proof:
    """Whose mail a report is of, and what proves it."""

    target: str  # normalised address
    subject: str | None  # of the delivery, where it is known
    by: str  # "return path" or "unsubscribe link"


@dataclass(frozen=True, slots=True)
class Understood:
    """What a mail says, before anything is done. `mark` is set where it asks to unsubscribe."""

    failures: tuple[Failure, ...] = ()
    proof: Proof | None = None
    mark: str | None = None
    forged: bool = False  # sent to a return path that we never made


@dataclass(frozen=True, slots=True)
class Taken:
    """What was done. `outcome`: left, stored, known (was taken in before), unproven, forged or "no report"."""

    outcome: str
    bounce: Bounce | None = None
    what: str = ""  # that was left


def understand(conn: Connection, returned: Returned, *, settings: Settings, signer: Signer, now: datetime
               ) -> Understood:
    """What a mail that came says and whose it is; changes nothing and never raises for what stands in it."""
    header = BytesHeaderParser().parsebytes(returned.raw[:MAX_BYTES])
    if mark := _mark(header, signer, now):
        return Understood(mark=mark)
    addressed = [returned.recipient] if returned.recipient else _addressed(header)
    if any(is_forged(address, settings, signer) for address in addressed):
        return Understood(forged=True)
    raw = returned.raw if returned.sender is None else f"Return-Path: <{returned.sender}>\r\n".encode() + returned.raw
    failures = read(raw)
    return Understood(failures, _proof(conn, returned, settings, signer, now) if failures else None)


def take_in(conn: Connection, returned: Returned, *, settings: Settings, signer: Signer, now: datetime) -> Taken:
    """Does what a mail that came asks for, or stores what it reports. Idempotent: the same mail counts once."""
    found = understand(conn, returned, settings=settings, signer=signer, now=now)
    if found.mark is not None:
        return _leave(conn, found.mark, now)
    if found.forged:
        return Taken("forged")
    if not found.failures:
        return Taken("no report")
    target = found.proof.target if found.proof else None
    subject = found.proof.subject if found.proof else None
    failure = chosen(found.failures, target)
    bounce = Bounce(now, returned.origin, failure.kind, failure.reason, target, subject, failure.code,
                    failure.enhanced, described(failure, target))
    if not bounces.note(conn, digest_of(returned.raw, target), bounce):
        return Taken("known", bounce)
    return Taken("stored" if target else "unproven", bounce)


def is_forged(address: str, settings: Settings, signer: Signer) -> bool:
    """Whether an address has the form of a return path of ours and is none that we made."""
    local, _, domain = address.strip("<> ").rpartition("@")
    mail = settings.mail
    if not mail.bounce_domain or domain.lower() != mail.bounce_domain.lower():
        return False
    return local.lower().startswith(f"{mail.bounce_user}+".lower()) and (
        read_return_path(address, signer.secret) is None)


def chosen(failures: tuple[Failure, ...], target: str | None) -> Failure:
    """The failure that counts: the reader's own where the report names it, else the mildest."""
    own = [failure for failure in failures if target and (failure.recipient or "").lower() == target]
    return min(own or failures, key=lambda failure: _MILDNESS.index(failure.kind))


def described(failure: Failure, target: str | None) -> str:
    """The words of a failure; the address that it names first, where that is another than the reader's."""
    words = " ".join(failure.text.split())
    named = failure.recipient or ""
    return f"{named}: {words}" if named and named.lower() != target else words


def digest_of(raw: bytes, target: str | None) -> str:
    """Names a report and its reader: the same for another copy of it, whatever servers wrote on top."""
    head, _, body = raw.replace(b"\r\n", b"\n").partition(b"\n\n")
    header = BytesHeaderParser().parsebytes(head + b"\n\n")
    named = "\n".join(str(header.get(name, "")) for name in ("Message-ID", "Date", "From", "Subject"))
    return hashlib.sha256(b"\n".join((named.encode("utf-8", "replace"), body, (target or "").encode()))).hexdigest()


def _leave(conn: Connection, mark: str, now: datetime) -> Taken:
    try:
        return Taken("left", what=leaving.leave(conn, mark, now).what)
    except NotFound:
        return Taken("left")  # what it was for does not exist any more


def _mark(header: Message, signer: Signer, now: datetime) -> str | None:
    """What a mail asks to unsubscribe from, by the signed token in its subject (RFC 2369 §3.2)."""
    found = _UNSUBSCRIBE.search(header_text(header.get("Subject", "")))
    return _read(signer, "".join(found[1].split()), now) if found else None


def _proof(conn: Connection, returned: Returned, settings: Settings, signer: Signer, now: datetime
           ) -> Proof | None:
    text = returned.raw[:MAX_BYTES].decode("latin-1").replace("=\r\n", "").replace("=\n", "")  # quoted-printable
    for address in _first([*filter(None, [returned.recipient]), *_RETURN_PATH.findall(text)]):
        name = read_return_path(address, signer.secret)
        if name and (found := storage.delivery_named(conn, name, host(settings))):
            return Proof(*found, "return path")
    for token in _first(_LINK.findall(text)):
        mark = _read(signer, token, now)
        if mark and (target := _reader(conn, mark)):
            return Proof(target, None, "unsubscribe link")
    return None


def _reader(conn: Connection, mark: str) -> str | None:
    """The address of whom a mark belongs to; None where it names nobody."""
    try:
        kind, number = leaving.split(mark)
    except NotFound:
        return None
    if kind == "subscription":
        subscription = subscribers.subscription_by_id(conn, number)
        return subscription.subscriber.email if subscription else None
    if kind == "alert":
        rule = alerts.rule_by_id(conn, number)
        return rule.owner.email if rule and rule.owner else None
    if kind == "channel":
        channel = alerts.channel_by_id(conn, number)
        return channel.target if channel else None
    owner = subscribers.subscriber_by_id(conn, number) if kind == "alerts" else None
    return owner.email if owner else None


def _read(signer: Signer, token: str, now: datetime) -> str | None:
    try:
        return signer.read("unsubscribe", token, now)
    except TokenError:
        return None


def _addressed(header: Message) -> list[str]:
    """Whom a mail was sent to, as far as its header tells."""
    fields = [value for name in ("Delivered-To", "X-Original-To", "Envelope-To", "To")
              for value in header.get_all(name, [])]
    return [address for _, address in getaddresses([str(field) for field in fields])]


def _first(found: list[str]) -> Iterator[str]:
    yield from list(dict.fromkeys(found))[:MAX_PROOFS]
