"""What a refusal says of its reader: the enhanced status code (RFC 3463) first, then the wording.

Only a code or wording that names the mailbox or its host speaks against a reader. X.7 (security or policy) and wording
about spam, lists or authentication speak against our mail, whatever the code before them says. So does a mailbox that
is "unknown" only once the whole mail was handed over: RCPT is where a server knows its mailboxes.
"""

import re
from dataclasses import dataclass, replace

from digest.model import BounceKind

_HARD, _SOFT, _POLICY = BounceKind.HARD, BounceKind.SOFT, BounceKind.POLICY
_TEMPORARY, _UNCLEAR = BounceKind.TEMPORARY, BounceKind.UNCLEAR


@dataclass(frozen=True, slots=True)
class Verdict:
    """The kind of a bounce, why in one stable word, and the code or words that it rests on ("" for none)."""

    kind: BounceKind
    reason: str
    because: str = ""


# The registry of enhanced status codes (RFC 3463, 7505, 7504), without the class.
_STATUS = {
    "1.1": Verdict(_HARD, "user-unknown"), "1.2": Verdict(_HARD, "host-unknown"),
    "1.3": Verdict(_HARD, "user-unknown"), "1.6": Verdict(_HARD, "moved"), "1.10": Verdict(_HARD, "host-unknown"),
    "1.7": Verdict(_POLICY, "sender-refused"), "1.8": Verdict(_POLICY, "sender-refused"),
    "2.1": Verdict(_SOFT, "mailbox-disabled"), "2.2": Verdict(_SOFT, "mailbox-full"),
    "2.3": Verdict(_UNCLEAR, "too-large"), "3.4": Verdict(_UNCLEAR, "too-large"),
    "4.1": Verdict(_TEMPORARY, "network"), "4.2": Verdict(_TEMPORARY, "network"),
    "4.4": Verdict(_HARD, "host-unknown"), "4.6": Verdict(_TEMPORARY, "loop"), "4.7": Verdict(_TEMPORARY, "expired"),
}
_NO_MAIL_HERE = 556  # RFC 7504: the host accepts no mail, ever
_THING = r"(user|recipient|mailbox|e-?mail|address|account|addressee|local.?part)"
# Verdicts by wording, the first that is found: the phrases of many servers, or of one that many run. Addresses and
# links are taken out of the text first: they hold words of their own.
WORDING: tuple[tuple[Verdict, tuple[str, ...]], ...] = (
    (Verdict(_POLICY, "policy"), (
        r"\b(anti)?spam", r"(black|block)[ -]?list", r"\bblocked\b", r"\b(dnsbl|rbl|spf|dkim|dmarc)\b", r"reputation",
        r"\bpolicy\b", r"(authenticat|authori[sz]ed\b)", r"\b(open|to) relay\b|\brelay(ing)? (access )?(denied|not)",
        r"\bbanned\b", r"\bvirus", r"\brate[ -]?limit|too many (connections|messages)",
    )),
    (Verdict(_TEMPORARY, "network"), (  # a name server that does not answer says nothing of the name
        r"host not found, try again|host ?name lookup failure|unexpected name server reply",
    )),
    (Verdict(_SOFT, "mailbox-full"), (
        r"\bquota\b", r"(mailbox|inbox|mail box|account|folder) (is |size )?(full|exceed)",
    )),
    (Verdict(_HARD, "host-unknown"), (
        r"\b(host|domain)( name)?( not| is un| un)[ ]?(known|found)",
        r"\b(unknown|no such|non-?existent) (host|domain)", r"\b(host|domain)( \S+)? does(n.t| not) exist",
        r"unrout(e)?able (mail )?(domain|address)",  # Exim
        r"null ?mx|(host|domain) .{0,40}not accept (any )?mail",  # RFC 7505
    )),
    (Verdict(_HARD, "user-unknown"), (
        rf"\b{_THING}s?\b(.{{0,40}}\b(is|was))? (unknown|not (known|found|exist))",
        rf"\b{_THING}\b.{{0,40}} does(n.t| not) exist", r"does(n.t| not) have an? .{0,30}account",
        rf"\b(unknown|no such|non-?existent|invalid) (local )?{_THING}\b", r"\buser .{0,30}(not listed|unknown)\b",
        r"no (mailbox|account|user) (here )?by that name",  # qmail
        r"recipient address rejected: access denied",  # Exchange Online: the directory has no such recipient
    )),
    (Verdict(_SOFT, "mailbox-disabled"), (
        rf"\b{_THING}( \S+)?( is| has been)?( temporar\w+| currently| no longer)? (disabled|suspended|inactive|locked)",
        rf"\b(disabled|suspended|inactive|locked) {_THING}\b",
    )),
    (Verdict(_TEMPORARY, "expired"), (
        r"retry (timeout|time) (not reached|exceeded)",
        r"\b(delivery|message|envelope|queue\w*) (time )?(has )?expired",
        r"connection (timed out|refused|reset)", r"(timed|time) ?out\b", r"not accept .{0,20}connect",
        r"(unable|failed|could not|cannot) (to )?connect", r"warning message only",
        r"not .{0,20}delivered (for|after) ", r"for more than \d",
    )),
)
_NO_WORDS = re.compile(r"https?://\S+|[^\s<>()\"',;:]+@[^\s<>()\"',;:]+", re.I)
_WORDS = tuple((verdict, re.compile("|".join(patterns), re.I)) for verdict, patterns in WORDING)
# Our own sessions write "(after DATA)", Postfix, Exim and Sendmail as here; 503 answers a DATA that RCPT let down.
_AFTER_DATA = re.compile(r"in reply to (end of )?data|after (end of )?data\b|after data\)|>>> \.\s*<<< 5", re.I)


def judge(code: int | None, enhanced: str | None, text: str, *, around: str = "") -> Verdict:
    """What an SMTP reply code, an enhanced status ("5.1.1") and a reply's text say. Any of them may be missing.

    `around` is the text about the reply, which tells after which command it came.
    """
    status_class, _, detail = (enhanced or "").partition(".")
    if detail.startswith("7."):
        return Verdict(_POLICY, "policy", str(enhanced))
    worded = _worded(text)
    if worded is not None and worded.kind is _POLICY:
        return worded
    if status_class == "4" or (not status_class and code is not None and 400 <= code < 500):
        if worded is not None and worded.kind is _SOFT:
            return worded
        return Verdict(_TEMPORARY, "temporary", enhanced or str(code))
    verdict = _weighed(_coded(code, enhanced, detail), worded)
    if verdict.kind is _HARD and (after := _AFTER_DATA.search(f"{text}\n{around}")):
        return Verdict(_UNCLEAR, "refused-after-data", after[0])
    return verdict


def _worded(text: str) -> Verdict | None:
    """The first verdict that the wording gives; None for words that say nothing."""
    words = " ".join(_NO_WORDS.sub("@", text).split())
    for verdict, pattern in _WORDS:
        if found := pattern.search(words):
            return replace(verdict, because=" ".join(found[0].split()))
    return None


def _coded(code: int | None, enhanced: str | None, detail: str) -> Verdict | None:
    """The verdict that the codes give; None where they say nothing."""
    if code == _NO_MAIL_HERE:
        return Verdict(_HARD, "host-unknown", str(code))
    status = _STATUS.get(detail)
    return replace(status, because=str(enhanced)) if status else None


def _weighed(status: Verdict | None, worded: Verdict | None) -> Verdict:
    """The status, unless the words contradict it.

    A full mailbox exists; an unknown one is not disabled; a name that could not be asked for may be known.
    """
    if status is None or worded is None:
        return status or worded or Verdict(_UNCLEAR, "unclear")
    full = worded.reason == "mailbox-full" and status.kind is _HARD
    unknown = worded.reason == "user-unknown" and status.reason != "mailbox-full" and status.kind is not _POLICY
    unasked = worded.reason == "network" and status.reason == "host-unknown"
    return worded if full or unknown or unasked else status
