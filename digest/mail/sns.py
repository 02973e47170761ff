"""Messages of Amazon SNS, through which SES posts bounces: where their certificate is, and whether they are signed.

Only signature version 2 (SHA-256) is taken: version 1 signs a SHA-1 hash.
"""

import base64
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from digest.errors import WebhookRefused

FRESH = timedelta(hours=2)  # SNS tries for one; a repeated message changes nothing in any case
NOTIFICATION, CONFIRMATION = "Notification", "SubscriptionConfirmation"
_HOST = re.compile(r"sns\.[a-z0-9-]{1,40}\.amazonaws\.com(\.cn)?")
_SIGNER = re.compile(r"sns(\.[a-z0-9-]{1,40})?\.amazonaws\.com(\.cn)?")
_SIGNED = {
    NOTIFICATION: ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    CONFIRMATION: ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
}


def is_of_sns(url: str) -> bool:
    """Whether an address is one of SNS itself: https, a host that Amazon alone can name, no port, no log-in."""
    try:
        parts = urlsplit(url)
        return parts.scheme == "https" and parts.netloc == parts.hostname and bool(_HOST.fullmatch(parts.netloc))
    except ValueError:
        return False


def certificate_url(message: Mapping[str, object]) -> str:
    """Where the certificate of a message is. Raises WebhookRefused where that is not a place of SNS."""
    url = str(message.get("SigningCertURL", ""))
    if not is_of_sns(url) or not urlsplit(url).path.endswith(".pem"):
        raise WebhookRefused("the certificate is not from SNS", 401)
    return url


def check(message: Mapping[str, object], certificate: bytes, *, topic: str, now: datetime) -> str:
    """The type of a message that SNS signed for our topic and lately. Raises WebhookRefused for any other.

    `certificate` is the PEM from `certificate_url`.
    """
    if message.get("TopicArn") != topic:
        raise WebhookRefused("the topic is another", 401)
    if message.get("SignatureVersion") != "2":
        raise WebhookRefused("signature version 1: set SignatureVersion = 2 on the topic", 401)
    kind = str(message.get("Type"))
    names = _SIGNED.get(kind)
    if names is None:
        raise WebhookRefused("the type is unknown", 400)
    text = "".join(f"{name}\n{message[name]}\n" for name in names if name in message)
    try:
        signature = base64.b64decode(str(message.get("Signature")), validate=True)
        _key(certificate, now).verify(signature, text.encode(), padding.PKCS1v15(), hashes.SHA256())
        sent = datetime.fromisoformat(str(message.get("Timestamp")))
    except (ValueError, InvalidSignature) as error:
        raise WebhookRefused("the signature is wrong", 401) from error
    if sent.tzinfo is None or abs(now - sent) > FRESH:
        raise WebhookRefused("the message is not of now", 401)
    return kind


def _key(pem: bytes, now: datetime) -> rsa.RSAPublicKey:
    """The key of a certificate of SNS that is valid now. Raises ValueError."""
    certificate = x509.load_pem_x509_certificate(pem)
    names = [str(one.value) for one in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
        raise ValueError("the certificate is not valid now")
    if not any(_SIGNER.fullmatch(name) for name in names):
        raise ValueError("the certificate is not of SNS")
    key = certificate.public_key()
    if not isinstance(key, rsa.RSAPublicKey):
        raise ValueError("the certificate holds no RSA key")
    return key
