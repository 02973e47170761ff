"""What a refusal says of its reader: the enhanced status code (RFC 3463) first, then the wording.

Only a code or wording that names the mailbox or its host speaks against a reader. X.7 (security or policy) and wording
about spam, lists or authentication speak against our mail, whatever the code before them says.
"""

import re
from dataclasses import dataclass

from digest.model import BounceKind

_HARD, _SOFT, _POLICY = BounceKind.HARD, BounceKind.SOFT, BounceKind.POLICY
_TEMPORARY, _UNCLEAR = BounceKind.TEMPORARY, BounceKind.UNCLEAR


@dataclass(frozen=True, slots=True)
class Verdict:
    """The kind of a bounce, and why in one stable word."""

    kind: BounceKind
    reason: str


# RFC 3463 and the IANA registry of enhanced status codes, without the class.
_STATUS = {
    "1.1": Verdict(_HARD, "user-unknown"), "1.2": Verdict(_HARD, "host-unknown"),
    "1.3": Verdict(_HARD, "user-unknown"), "1.6": Verdict(_HARD, "moved"), "1.10": Verdict(_HARD, "host-unknown"),
    "1.7": Verdict(_POLICY, "sender-refused"), "1.8": Verdict(_POLICY, "sender-refused"),
    "2.1": Verdict(_SOFT, "mailbox-disabled"), "2.2": Verdict(_SOFT, "mailbox-full"),
    "2.3": Verdict(_UNCLEAR, "too-large"), "3.4": Verdict(_UNCLEAR, "too-large"),
    "4.4": Verdict(_HARD, "host-unknown"), "4.6": Verdict(_TEMPORARY, "loop"), "4.7": Verdict(_TEMPORARY, "expired"),
}
_WORDING = (
    (Verdict(_POLICY, "policy"), re.compile(
        r"spam|blacklist|blocklist|block list|black list|blocked|\bdnsbl\b|\brbl\b|reputation|policy|\bspf\b|\bdkim\b"
        r"|\bdmarc\b|authenticat|relay|banned|virus|not authorized|unauthorized|content reject", re.I)),
    (Verdict(_SOFT, "mailbox-full"), re.compile(
        r"(mailbox|inbox|account|user|recipient).{0,40}\b(full|quota)|\b(over|exceed\w*|out of)\b.{0,30}\bquota"
        r"|quota.{0,30}(exceed|full)", re.I)),
    (Verdict(_HARD, "host-unknown"), re.compile(
        r"(host|domain)( name)?( or domain name)?( is)? (unknown|not found|does ?n.t exist)|unknown (host|domain)"
        r"|(no such|non-?existent) (host|domain)|unrouteable mail domain|domain .{1,80} does not exist", re.I)),
    (Verdict(_HARD, "user-unknown"), re.compile(
        r"\b(user|recipient|mailbox|address|account|addressee)( account| address)?( is)? "
        r"(unknown|not found|does not exist|does ?n.t exist)"
        r"|\b(unknown|invalid|no such|non-?existent) (local )?(user|recipient|mailbox|address|account|local.?part)"
        r"|no (mailbox|such person|account) (here|by that name)|not a valid (user|mailbox|recipient)", re.I)),
)


def judge(code: int | None, enhanced: str | None, text: str) -> Verdict:
    """What an SMTP reply code, an enhanced status ("5.1.1") and a reply's text say. Any of them may be missing."""
    status_class, _, detail = (enhanced or "").partition(".")
    if detail.startswith("7."):
        return Verdict(_POLICY, "policy")
    worded = next((verdict for verdict, pattern in _WORDING if pattern.search(text)), None)
    if worded is not None and worded.kind is _POLICY:
        return worded
    if status_class == "4" or (not status_class and code is not None and 400 <= code < 500):
        return worded if worded is not None and worded.kind is _SOFT else Verdict(_TEMPORARY, "temporary")
    return _STATUS.get(detail) or worded or Verdict(_UNCLEAR, "unclear")
