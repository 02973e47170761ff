"""Signed links: what a mail's link may do, signed with the instance's secret key (itsdangerous)."""

import hashlib
import hmac
from datetime import datetime
from functools import cached_property
from typing import Any

import itsdangerous
from itsdangerous import BadData, Serializer, URLSafeSerializer
from itsdangerous.encoding import base64_encode, want_bytes

from digest.errors import TokenError


def id_in(value: str) -> int:
    """The id of a row that a signed value names. Raises TokenError where it is none."""
    if not (value.isascii() and value.isdecimal() and len(value) < 10):
        raise TokenError("not valid")
    return int(value)


class _Signing(itsdangerous.Signer):
    """The same signatures as its parent's, in one call and with the key derived once: each mail has a link."""

    @cached_property
    def _derived(self) -> bytes:
        return self.derive_key()

    def get_signature(self, value: str | bytes) -> bytes:
        return base64_encode(hmac.digest(self._derived, want_bytes(value), "sha1"))


class _Links(URLSafeSerializer):
    """Does not try to compress: what we sign is short, and trying costs more than the signature. Has one signer."""

    @cached_property
    def _signer(self) -> itsdangerous.Signer:
        return super().make_signer()

    def make_signer(self, salt: str | bytes | None = None) -> itsdangerous.Signer:
        return self._signer if salt is None else super().make_signer(salt)

    def dump_payload(self, obj: Any) -> bytes:
        return base64_encode(Serializer.dump_payload(self, obj))


class Signer:
    """Signs and reads the tokens of /u/, /a/ and confirmation links. Each kind has its own salt."""

    def __init__(self, key: bytes):
        self._key = key
        self._links: dict[str, _Links] = {}

    @property
    def secret(self) -> bytes:
        """The instance's key, for what signs by itself, such as return paths."""
        return self._key

    def sign(self, kind: str, value: str, *, expires_at: datetime | None = None) -> str:
        """A URL-safe token. `kind` is "unsubscribe", "confirm", "address", "data" or "alert"."""
        expiry = int(expires_at.timestamp()) if expires_at else 0
        return str(self._serializer(kind).dumps([value, expiry]))

    def read(self, kind: str, token: str, now: datetime) -> str:
        """The value that was signed. Raises TokenError where the token is forged, of another kind or expired."""
        if len(token) > 1024:
            raise TokenError("not valid")
        try:
            loaded: Any = self._serializer(kind).loads(token)
            value, expiry = loaded
        except (BadData, ValueError, TypeError) as error:
            raise TokenError("not valid") from error
        if expiry and now.timestamp() > expiry:
            raise TokenError("expired")
        return str(value)

    def secret_for(self, kind: str, value: str) -> bytes:
        """32 bytes that two parties share about a value, and that tell nothing of the instance's key."""
        return hmac.digest(self._key, f"secret\n{kind}\n{value}".encode(), "sha256")

    def fingerprint(self, kind: str, value: str) -> str:
        """A keyed hash in 64 hex digits: tells whether two values are equal, and nothing else of them."""
        return hmac.new(self._key, f"{kind}\n{value}".encode(), hashlib.sha256).hexdigest()

    def _serializer(self, kind: str) -> URLSafeSerializer:
        if kind not in self._links:
            self._links[kind] = _Links(self._key, salt=f"region-digest.{kind}", signer=_Signing)
        return self._links[kind]
