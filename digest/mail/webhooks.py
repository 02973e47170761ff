"""Bounces that a provider posts as JSON: proves who posted them, and reads them by the settings' paths."""

import hashlib
import hmac
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from digest.errors import WebhookRefused
from digest.mail.failures import Failure, failure
from digest.model import BounceKind
from digest.settings import WebhookSettings

FRESH = timedelta(minutes=5)  # how far a signed time may be from ours: an old request is no new one
MAX_EVENTS = 1000  # of one request


def check(settings: WebhookSettings, headers: Mapping[str, str], body: bytes, now: datetime) -> None:
    """Raises WebhookRefused unless the request carries the secret, or a fresh HMAC-SHA256 of "TIMESTAMP.BODY" in hex.

    `headers` has names in lower case.
    """
    given = headers.get(settings.header.lower(), "").encode()
    secret = settings.secret.get_secret_value().encode()
    if settings.verify == "secret":
        if not hmac.compare_digest(given, secret):
            raise WebhookRefused("the secret is missing or wrong", 401)
        return
    timestamp = headers.get(settings.timestamp_header.lower(), "")
    expected = hmac.new(secret, f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest().encode()
    if not hmac.compare_digest(given.removeprefix(b"sha256=").lower(), expected):
        raise WebhookRefused("the signature is missing or wrong", 401)
    if not timestamp.isdecimal() or abs(int(now.timestamp()) - int(timestamp[:15])) > FRESH.total_seconds():
        raise WebhookRefused("the signature is not of now", 401)


def failures(document: Any, settings: WebhookSettings) -> list[tuple[Any, Failure]]:
    """The bounces and complaints of a document, each with the event that it stands in; others are left out.

    A bounce is judged by status and reply alone: the word "permanent" of a provider counts for nothing.
    """
    found = []
    events = _at(document, settings.events)
    for event in (events if isinstance(events, list) else [events])[:MAX_EVENTS]:
        kind = settings.types.get(str(_at(event, settings.type)))
        for recipient in _recipients(event, settings) if kind else ():
            address = _text(recipient, event, settings.address)
            if "@" in address:
                found.append((event, _failure(kind, address, recipient, event, settings)))
    return found


def _failure(kind: str | None, address: str, recipient: Any, event: Any, settings: WebhookSettings) -> Failure:
    status = _text(recipient, event, settings.status) if settings.status else ""
    text = _text(recipient, event, settings.text) if settings.text else ""
    if kind == "complaint":
        return Failure(address, BounceKind.COMPLAINT, "abuse", False, text=text)
    return failure(address, status=status, diagnostic=text)


def _recipients(event: Any, settings: WebhookSettings) -> Iterator[Any]:
    """The recipients of the first list that is there; the event itself where it names one."""
    for path in settings.recipients:
        found = _at(event, path)
        if isinstance(found, list):
            yield from found[:MAX_EVENTS]
            return
    if not settings.recipients:
        yield event


def _text(recipient: Any, event: Any, path: str) -> str:
    value = _at(recipient, path)
    value = _at(event, path) if value is None else value
    return str(value) if isinstance(value, str | int) else ""


def _at(value: Any, path: str) -> Any:
    """What stands at a path of names in a JSON value; None where nothing does."""
    for name in path.split(".") if path else ():
        value = value.get(name) if isinstance(value, dict) else None
    return value
