"""dkimpy, whose ed25519 needs PyNaCl: where that is not installed, `cryptography` stands in for its one primitive."""

import base64
import sys
from importlib.util import find_spec
from types import ModuleType

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


class BadSignatureError(Exception):
    """A signature that is not the key's."""


class VerifyKey:
    def __init__(self, key: bytes, encoder: object):
        self._key = Ed25519PublicKey.from_public_bytes(base64.b64decode(key))

    def verify(self, data: bytes, signature: bytes) -> bytes:
        try:
            self._key.verify(signature, data)
        except InvalidSignature as error:
            raise BadSignatureError from error
        return data


def _stand_in() -> None:
    nacl, signing, encoding, exceptions = (
        ModuleType(name) for name in ("nacl", "nacl.signing", "nacl.encoding", "nacl.exceptions"))
    signing.VerifyKey = VerifyKey  # type: ignore[attr-defined]
    encoding.Base64Encoder = None  # type: ignore[attr-defined]
    exceptions.BadSignatureError, exceptions.ValueError = BadSignatureError, ValueError  # type: ignore[attr-defined]
    nacl.signing, nacl.encoding, nacl.exceptions = signing, encoding, exceptions  # type: ignore[attr-defined]
    sys.modules.update({module.__name__: module for module in (nacl, signing, encoding, exceptions)})


if find_spec("nacl") is None:
    _stand_in()

import dkim  # noqa: E402

__all__ = ["dkim"]
