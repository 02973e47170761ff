"""One failure of one recipient, put together from codes and words."""

import re
from dataclasses import dataclass

from digest.mail.reasons import Verdict, judge
from digest.model import BounceKind

_REPLY = re.compile(r"(?<![\d.\-/:])([245]\d\d)(?=[ -]\D|[ -][245]\.\d|[ -]\d?$)", re.M)
_ENHANCED = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.])")
_NAMES_NOTHING = frozenset({BounceKind.UNCLEAR, BounceKind.TEMPORARY})


@dataclass(frozen=True, slots=True)
class Failure:
    """What one report says of one recipient; `recipient` is None where it does not name one."""

    recipient: str | None
    kind: BounceKind
    reason: str
    permanent: bool  # the server will not try again
    code: int | None = None  # SMTP reply code
    enhanced: str | None = None  # RFC 3463 status
    text: str = ""
    because: str = ""  # the code or the words that the kind rests on


def failure(recipient: str | None, *, status: str = "", diagnostic: str = "", human: str = "",
            permanent: bool = True) -> Failure:
    """The failure that a report's status, diagnostic and plain words make.

    The diagnostic is the refusing server's own answer and goes before the reporting server's summary, unless either
    says X.7. The words for people count only where both say nothing of the mailbox.
    """
    code = reply_code(diagnostic)
    own, summary = enhanced_status(diagnostic), enhanced_status(status)
    enhanced = next((s for s in (own, summary) if s and s[1:].startswith(".7.")), None) or _specific(own, summary)
    verdict = judge(code, enhanced, diagnostic, around=human)
    if verdict.kind in _NAMES_NOTHING and human:
        verdict = _from_words(verdict, human, permanent)
    return Failure(recipient, verdict.kind, verdict.reason, permanent, code, enhanced, diagnostic or human,
                   verdict.because)


def reply_code(text: str) -> int | None:
    """The first SMTP reply code of a failure in a text; None where there is none."""
    found = [int(match) for match in _REPLY.findall(text) if match[0] != "2"]
    return found[0] if found else None


def enhanced_status(text: str) -> str | None:
    """The first enhanced status of a failure in a text, the specific before the general; None where there is none."""
    found = [match for match in _ENHANCED.findall(text) if match[0] != "2"]
    return next((status for status in found if not _is_general(status)), found[0] if found else None)


def _from_words(verdict: Verdict, human: str, permanent: bool) -> Verdict:
    """What the words for people add to a verdict that names nothing."""
    code, enhanced = reply_code(human), enhanced_status(human)
    worded = judge(code, enhanced, human)
    if not permanent and worded.kind is BounceKind.HARD:
        return verdict
    return worded if worded.kind not in _NAMES_NOTHING else verdict


def _specific(own: str | None, summary: str | None) -> str | None:
    if own and not (_is_general(own) and summary and not _is_general(summary)):
        return own
    return summary or own


def _is_general(status: str) -> bool:
    """Whether a status says no more than its class or subject: 5.0.0, 5.1.0."""
    return status.endswith(".0")
