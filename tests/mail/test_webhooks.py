"""Events that providers post, and what proves that they are theirs."""

import hashlib
import hmac
from datetime import UTC, datetime
from typing import Any

import pytest

from digest.errors import WebhookRefused
from digest.mail.webhooks import check, failures
from digest.model import BounceKind
from digest.settings import WebhookSettings

NOW = datetime(2026, 3, 20, 2, 0, tzinfo=UTC)
SECRET = "a secret of sixteen"
POSTMARK = WebhookSettings.model_validate({
    "verify": "secret", "secret": SECRET, "header": "X-Digest-Secret", "type": "RecordType",
    "types": {"Bounce": "bounce", "SpamComplaint": "complaint"}, "address": "Email", "text": "Details"})
SES = WebhookSettings.model_validate({
    "verify": "sns", "topic": "arn:aws:sns:eu-west-1:123456789012:bounces", "type": "notificationType",
    "types": {"Bounce": "bounce", "Complaint": "complaint"},
    "recipients": ["bounce.bouncedRecipients", "complaint.complainedRecipients"],
    "address": "emailAddress", "status": "status", "text": "diagnosticCode"})
OWN = WebhookSettings.model_validate({
    "verify": "hmac", "secret": SECRET, "events": "data.events", "type": "kind", "types": {"failed": "bounce"},
    "address": "to", "text": "reply"})


def ses(kind: str, recipients: list[dict[str, str]], **more: str) -> dict[str, Any]:
    part, name = ("bounce", "bouncedRecipients") if kind == "Bounce" else ("complaint", "complainedRecipients")
    return {"notificationType": kind, part: {**more, name: recipients}, "mail": {"messageId": "0"}}


@pytest.mark.parametrize(("settings", "document", "expected"), [
    (POSTMARK, {"RecordType": "Bounce", "Type": "HardBounce", "Email": "a@x.example",
                "Details": "smtp;550 5.1.1 The email account that you tried to reach does not exist"},
     [("a@x.example", "hard", "user-unknown")]),
    (POSTMARK, {"RecordType": "Bounce", "Type": "HardBounce", "Email": "a@x.example", "Details": "Test bounce details"},
     [("a@x.example", "unclear", "unclear")]),  # the provider's word alone says nothing of the mailbox
    (POSTMARK, {"RecordType": "Bounce", "Type": "SpamNotification", "Email": "a@x.example",
                "Details": "smtp;550 5.7.1 spam"}, [("a@x.example", "policy", "policy")]),
    (POSTMARK, {"RecordType": "SpamComplaint", "Email": "a@x.example"}, [("a@x.example", "complaint", "abuse")]),
    (POSTMARK, {"RecordType": "Open", "Email": "a@x.example"}, []),
    (SES, ses("Bounce", [{"emailAddress": "a@x.example", "status": "5.1.1"},
                         {"emailAddress": "b@x.example", "status": "5.2.2", "diagnosticCode": "smtp; 552 full"}]),
     [("a@x.example", "hard", "user-unknown"), ("b@x.example", "soft", "mailbox-full")]),
    (SES, ses("Bounce", [{"emailAddress": "a@x.example"}], bounceType="Permanent"),
     [("a@x.example", "unclear", "unclear")]),
    (SES, ses("Complaint", [{"emailAddress": "a@x.example"}]), [("a@x.example", "complaint", "abuse")]),
    (SES, {"notificationType": "Delivery", "delivery": {"recipients": ["a@x.example"]}}, []),
    (OWN, {"data": {"events": [{"kind": "failed", "to": "a@x.example", "reply": "550 No such user"},
                               {"kind": "opened", "to": "a@x.example"}]}}, [("a@x.example", "hard", "user-unknown")]),
    *[(settings, noise, []) for settings in (POSTMARK, SES, OWN)
      for noise in (None, [], {}, 7, "x", [[]], {"RecordType": {}}, {"data": {"events": [None, 1, {"kind": []}]}},
                    {"notificationType": "Bounce", "bounce": {"bouncedRecipients": [None, 3, {"emailAddress": []}]}},
                    {"RecordType": "Bounce", "Email": ["a@x.example"]})],
])
def test_events_are_read_by_the_settings_paths(
    settings: WebhookSettings, document: Any, expected: list[tuple[str, str, str]]
) -> None:
    assert [(f.recipient, str(f.kind), f.reason) for _, f in failures(document, settings)] == expected


def test_a_complaint_never_needs_words() -> None:
    [(_, found)] = failures({"RecordType": "SpamComplaint", "Email": "a@x.example"}, POSTMARK)
    assert found.kind is BounceKind.COMPLAINT


def signed(body: bytes, at: datetime = NOW, secret: str = SECRET) -> dict[str, str]:
    stamp = str(int(at.timestamp()))
    mac = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    return {"x-signature": mac, "x-timestamp": stamp}


def test_a_fresh_signature_passes() -> None:
    named = {**signed(b"{}"), "x-signature": "sha256=" + signed(b"{}")["x-signature"].upper()}
    for headers in (signed(b"{}"), named):
        assert check(OWN, headers, b"{}", NOW) is None  # it raises where it refuses


@pytest.mark.parametrize(("headers", "body"), [
    ({}, b"{}"),
    (signed(b"{}"), b"{ }"),  # another body
    (signed(b"{}", secret="another secret of 16"), b"{}"),
    (signed(b"{}", NOW.replace(hour=1, minute=54)), b"{}"),  # replayed
    (signed(b"{}", NOW.replace(minute=6)), b"{}"),  # of the future
    ({**signed(b"{}"), "x-timestamp": str(int(NOW.timestamp()) + 1)}, b"{}"),  # a time that was not signed
    ({"x-signature": "\u00e9", "x-timestamp": "x"}, b"{}"),
    ({**signed(b"{}"), "x-timestamp": "9" * 4000}, b"{}"),
])
def test_any_other_signature_is_refused(headers: dict[str, str], body: bytes) -> None:
    with pytest.raises(WebhookRefused) as refused:
        check(OWN, headers, body, NOW)
    assert refused.value.status == 401


@pytest.mark.parametrize("headers", [{}, {"x-digest-secret": ""}, {"x-digest-secret": SECRET + "x"}])
def test_a_secret_is_asked_for(headers: dict[str, str]) -> None:
    check(POSTMARK, {"x-digest-secret": SECRET}, b"", NOW)
    with pytest.raises(WebhookRefused):
        check(POSTMARK, headers, b"", NOW)


@pytest.mark.parametrize("values", [
    {"verify": "hmac", "types": {}}, {"verify": "secret", "secret": "short", "types": {}},
    {"verify": "sns", "types": {}},
    {"verify": "none", "types": {}}, {"verify": "secret", "secret": SECRET, "types": {"x": "hard"}},
])
def test_a_provider_that_cannot_be_verified_is_no_setting(values: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        WebhookSettings.model_validate(values)
