"""Messages of SNS, signed by a certificate made here."""

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from digest.errors import WebhookRefused
from digest.mail import sns

NOW = datetime(2026, 3, 20, 2, 0, tzinfo=UTC)
TOPIC = "arn:aws:sns:eu-west-1:123456789012:bounces"
URL = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0.pem"
KEY = rsa.generate_private_key(65537, 2048)


def a_certificate(name: str = "sns.amazonaws.com", until: datetime = NOW + timedelta(days=9)) -> bytes:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = (x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(KEY.public_key())
            .serial_number(1).not_valid_before(NOW - timedelta(days=9)).not_valid_after(until)
            .sign(KEY, hashes.SHA256()))
    return made.public_bytes(serialization.Encoding.PEM)


CERTIFICATE = a_certificate()


def a_message(body: str = "{}", *, kind: str = "Notification", at: datetime = NOW) -> dict[str, Any]:
    """A signed message, as SNS posts it."""
    message = {"Type": kind, "MessageId": "1", "TopicArn": TOPIC, "Message": body, "SignatureVersion": "2",
               "Timestamp": f"{at:%Y-%m-%dT%H:%M:%S.000Z}", "SigningCertURL": URL}
    names = ["Message", "MessageId", "Timestamp", "TopicArn", "Type"]
    if kind == "SubscriptionConfirmation":
        message |= {"SubscribeURL": "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription", "Token": "t"}
        names = ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
    text = "".join(f"{name}\n{message[name]}\n" for name in names)
    message["Signature"] = base64.b64encode(KEY.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())).decode()
    return message


@pytest.mark.parametrize("kind", ["Notification", "SubscriptionConfirmation"])
def test_a_signed_message_passes(kind: str) -> None:
    assert sns.check(a_message(kind=kind), CERTIFICATE, topic=TOPIC, now=NOW) == kind


@pytest.mark.parametrize(("change", "reason"), [
    ({"Message": '{"forged": 1}'}, "signature is wrong"),
    ({"Signature": "!!"}, "signature is wrong"),
    ({"Signature": None}, "signature is wrong"),
    ({"SignatureVersion": "1"}, "set SignatureVersion = 2"),
    ({"TopicArn": TOPIC + "x"}, "topic is another"),
    ({"Type": "UnsubscribeConfirmation"}, "type is unknown"),
])
def test_a_changed_message_does_not(change: dict[str, Any], reason: str) -> None:
    with pytest.raises(WebhookRefused, match=reason):
        sns.check({**a_message(), **change}, CERTIFICATE, topic=TOPIC, now=NOW)


@pytest.mark.parametrize("certificate", [
    b"", b"-----BEGIN CERTIFICATE-----", a_certificate("sns.amazonaws.com.evil.example"), a_certificate("evil.example"),
    a_certificate(until=NOW - timedelta(days=1)),
])
def test_another_certificate_does_not(certificate: bytes) -> None:
    with pytest.raises(WebhookRefused, match="signature is wrong"):
        sns.check(a_message(), certificate, topic=TOPIC, now=NOW)


@pytest.mark.parametrize("hours", [-3, 3])
def test_an_old_message_does_not(hours: int) -> None:
    with pytest.raises(WebhookRefused, match="not of now"):
        sns.check(a_message(at=NOW + timedelta(hours=hours)), CERTIFICATE, topic=TOPIC, now=NOW)


@pytest.mark.parametrize("url", [
    "http://sns.eu-west-1.amazonaws.com/x.pem", "https://sns.eu-west-1.amazonaws.com:8443/x.pem",
    "https://a@sns.eu-west-1.amazonaws.com/x.pem", "https://sns.eu-west-1.amazonaws.com.evil.example/x.pem",
    "https://evil.example/sns.eu-west-1.amazonaws.com/x.pem", "https://bucket.s3.amazonaws.com/x.pem",
    "https://sns.eu-west-1.amazonaws.com/x.txt", "https://sns.a.b.amazonaws.com/x.pem", "https://127.0.0.1/x.pem",
    "https://[::1/x.pem", "", "file:///x.pem",
])
def test_a_certificate_from_elsewhere_is_not_even_asked_for(url: str) -> None:
    assert sns.certificate_url({"SigningCertURL": URL}) == URL
    with pytest.raises(WebhookRefused):
        sns.certificate_url({"SigningCertURL": url})
