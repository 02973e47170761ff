"""Reads what comes back of a mail: reports of failure (RFC 3464), complaints (RFC 5965), vacation notices (RFC 3834).

Machine-readable parts are asked first. Where a mail server sent plain words, flufl.bounce finds who they are about, and
`reasons.judge` what they say. Nothing here trusts a report: whose mail it is of, `services.bounces` proves.
"""

import email
import email.policy
import re
from email.message import Message
from email.utils import getaddresses

import structlog
from flufl.bounce import all_failures

from digest.mail import delivery_status
from digest.mail.failures import Failure, failure
from digest.mail.report_text import about_each, header_text, human_text
from digest.model import BounceKind

MAX_BYTES = 512 * 1024  # of a report that are read; what a server returns of our mail comes last
_COMPLAINTS = frozenset({"abuse", "fraud", "opt-out", "opt-out-list"})  # RFC 5965, 6430
_AUTO_SUBJECT = re.compile(
    r"^\W*(auto(mat(ic|ed|isch\w*))?\W?(reply|respon|antwort)|out of( the)? office|vacation)", re.I)
_DAEMON = re.compile(r"mailer-daemon|mail ?delivery|postmaster|mail administrator|mail system", re.I)
_BOUNCE_SUBJECT = re.compile(
    r"undeliver|deliver\w* (status|failure|report|problem|notif\w*)|returned|failure|mail error|"
    r"(could ?n.t|could not|cannot|unable to) be? ?(deliver|sent)|not delivered", re.I)

log = structlog.get_logger(__name__)


def read(raw: bytes) -> tuple[Failure, ...]:
    """What a mail that came back says of each recipient; () where it is no report, or cannot be read. Never raises."""
    try:
        message = email.message_from_bytes(raw[:MAX_BYTES], policy=email.policy.compat32)
        return tuple(_failures(message, list(message.walk())))
    except (ValueError, LookupError, AttributeError, TypeError, RecursionError) as error:
        log.warning("a report cannot be read", error=f"{type(error).__name__}: {error}")
        return ()


def _failures(message: Message, parts: list[Message]) -> list[Failure]:
    """The first reading that finds something: complaint, delivery status, auto-reply, words."""
    human = human_text(message)
    return (_complaints(parts, human) or delivery_status.failures(parts, human) or _auto_reply(message, human)
            or _worded(message, human))


def _complaints(parts: list[Message], human: str) -> list[Failure]:
    """The recipients of a feedback report (RFC 5965); one without a name where they are redacted."""
    for part in parts:
        if part.get_content_type() == "message/feedback-report":
            fields = part.get_payload(0) if part.is_multipart() else part
            assert isinstance(fields, Message)
            kind = str(fields.get("Feedback-Type", "")).strip().lower()
            if not kind:
                continue
            reason = BounceKind.COMPLAINT if kind in _COMPLAINTS else BounceKind.NONE
            named = [value.strip("<> ") for value in fields.get_all("Original-Rcpt-To", [])]
            return [Failure(name, reason, kind, False, text=human.strip()) for name in named or [None]]
        reporter = part.get("X-HmXmrOriginalRecipient")  # Outlook.com returns the mail without a feedback report
        if reporter:
            return [Failure(reporter.strip("<> "), BounceKind.COMPLAINT, "abuse", False, text=human.strip())]
    return []


def _auto_reply(message: Message, human: str) -> list[Failure]:
    """A vacation notice or another answer of a program (RFC 3834 §5)."""
    submitted = re.split(r"[;(\s]", str(message.get("Auto-Submitted", "")).strip().lower())[0]
    is_marked = any(name in message for name in ("X-Autoreply", "X-Autorespond", "X-Auto-Response", "X-Vacation"))
    is_auto = is_marked or str(message.get("Precedence", "")).lower() == "auto_reply"
    is_auto = is_auto or (submitted == "auto-replied" and not _is_daemon(message))
    if is_auto or _AUTO_SUBJECT.match(header_text(message.get("Subject", ""))):
        return [Failure(None, BounceKind.AUTO_REPLY, "auto-reply", False, text=human.strip())]
    return []


def _worded(message: Message, human: str) -> list[Failure]:
    """What a server said in words alone, of recipients that flufl.bounce or a header finds."""
    try:
        temporary, permanent = all_failures(message)
    except Exception as error:  # its detectors raise whatever a strange mail provokes
        log.warning("flufl.bounce failed", error=f"{type(error).__name__}: {error}")
        temporary, permanent = frozenset(), frozenset()
    lasting, passing = sorted(map(_decoded, permanent)), sorted(map(_decoded, temporary))
    words = about_each([*lasting, *passing], human)
    found = [_said(name, words[name], name in lasting) for name in (*lasting, *passing)]
    if found:
        return found
    named = [address for _, address in getaddresses(message.get_all("X-Failed-Recipients", [])) if "@" in address]
    if named:
        return [_said(name, human, True) for name in named]
    return [_said(None, human, True)] if _is_daemon(message) else []


def _said(recipient: str | None, human: str, permanent: bool) -> Failure:
    made = failure(recipient, diagnostic=human, permanent=permanent)
    if permanent or made.kind is BounceKind.SOFT:
        return made
    return Failure(recipient, BounceKind.TEMPORARY, "delayed", False, made.code, made.enhanced, made.text)


def _is_daemon(message: Message) -> bool:
    """Whether a mail server wrote a mail, as far as its sender and subject tell."""
    if str(message.get("Return-Path", "")).strip() == "<>":
        return True
    sender = header_text(message.get("From", ""))
    return bool(_DAEMON.search(sender) or _BOUNCE_SUBJECT.search(header_text(message.get("Subject", ""))))


def _decoded(name: bytes | str) -> str:
    return name.decode("utf-8", "replace") if isinstance(name, bytes) else name
