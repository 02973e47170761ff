"""Reads the machine-readable part of a delivery report (message/delivery-status, RFC 3464)."""

import re
from collections.abc import Iterator
from email.message import Message

from digest.mail.failures import Failure, failure
from digest.model import BounceKind

_PASSED = frozenset({"delivered", "relayed", "expanded"})


def failures(parts: list[Message], human: str) -> list[Failure]:
    """One failure for each recipient of the first delivery status among the parts of a mail; [] where it has none.

    `human` are the words for people beside it.
    """
    for part in parts:
        if part.get_content_type() in {"message/delivery-status", "message/global-delivery-status"}:
            blocks = list(_recipients(part))
            words = human if len(blocks) == 1 else ""  # of several recipients they may be about another
            if blocks:
                return [_failure(fields, words) for fields in blocks]
    return []


def _recipients(part: Message) -> Iterator[Message]:
    """The groups of fields of a delivery status that are about a recipient (RFC 3464 §2.3)."""
    blocks = part.get_payload()
    for block in blocks if isinstance(blocks, list) else []:
        if isinstance(block, Message) and any(name in block for name in ("Action", "Status", "Final-Recipient")):
            yield block


def _failure(fields: Message, human: str) -> Failure:
    recipient = _address(fields.get("Original-Recipient")) or _address(fields.get("Final-Recipient"))
    action = str(fields.get("Action", "")).partition(";")[0].strip().lower().split("(")[0].strip()
    status, diagnostic = str(fields.get("Status", "")), _flat(fields.get("Diagnostic-Code"))
    diagnostic = re.sub(r"^\s*[\w.-]+\s*;\s*", "", diagnostic)
    if action in _PASSED or status.startswith("2."):
        return Failure(recipient, BounceKind.NONE, "delivered", False, enhanced=status.split()[0] if status else None,
                       text=diagnostic)
    delayed = action == "delayed"
    made = failure(recipient, status=status, diagnostic=diagnostic, human=human, permanent=not delayed)
    if delayed and made.kind is not BounceKind.SOFT:
        return Failure(recipient, BounceKind.TEMPORARY, "delayed", False, made.code, made.enhanced, made.text)
    return made


def _address(value: object) -> str | None:
    """The address of "rfc822; user@example.org"; None where the field names none."""
    if value is None:
        return None
    kind, _, address = _flat(value).rpartition(";")
    address = address.strip().strip("<>").strip()
    return address if "@" in address and kind.strip().lower() in {"", "rfc822", "utf-8", "smtp"} else None


def _flat(value: object) -> str:
    """A folded header as one line; "" for None."""
    return " ".join(str(value).split()) if value is not None else ""
