"""DKIM signatures (RFC 6376, RFC 8463) with several keys: header relaxed, body simple, oversigned, without l=.

Our bodies are canonical as they are built: 7-bit, CRLF, no blank line at the end. So the body costs one hash.
"""

import base64
import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa

from digest.mail.headers import Field

RSA_BITS = 2048  # RFC 8301 §3.2
ALGORITHMS = ("rsa", "ed25519")
# Never in our mails, but signed: whoever adds one breaks the signature (RFC 6376 §8.15).
ABSENT = ("reply-to", "cc", "sender", "in-reply-to", "references")
_SELECTOR = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_PADDING, _HASH = padding.PKCS1v15(), hashes.SHA256()


@dataclass(frozen=True, slots=True)
class Key:
    """One private key and the name under which DNS holds its public half."""

    selector: str
    private: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey

    @property
    def algorithm(self) -> str:
        return "rsa" if isinstance(self.private, rsa.RSAPrivateKey) else "ed25519"

    def record(self) -> str:
        """The TXT record of `SELECTOR._domainkey.DOMAIN`."""
        public = self.private.public_key()
        if isinstance(public, rsa.RSAPublicKey):
            raw = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        else:
            raw = public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        return f"v=DKIM1; k={self.algorithm}; p={base64.b64encode(raw).decode('ascii')}"

    def pem(self) -> bytes:
        """The private key as PKCS#8, not encrypted."""
        return self.private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())

    def sign(self, data: bytes) -> bytes:
        """The signature of `data`; RFC 8463 §3 signs its SHA-256 with ed25519."""
        if isinstance(self.private, rsa.RSAPrivateKey):
            return self.private.sign(data, _PADDING, _HASH)
        return self.private.sign(hashlib.sha256(data).digest())


class Signatures:
    """Signs mails for one domain with each of its keys."""

    def __init__(self, domain: str, keys: Iterable[Key]):
        self._domain, self._keys = domain, tuple(keys)

    def sign(self, fields: Sequence[Field], body: Sequence[bytes], at: datetime) -> bytes:
        """One DKIM-Signature field for each key, to stand before the others; b"" without keys.

        Every field is signed and named once more than it occurs, so that none can be added. `body` is in pieces,
        one behind the other; it must end with one CRLF and no blank line.
        """
        if not self._keys:
            return b""
        digest = _begun(body[0]).copy()
        digest.update(b"".join(body[1:]))  # at once: each longer piece lets another thread take the interpreter
        hashed = base64.b64encode(digest.digest())
        names = tuple([field.names for field in fields])
        # Fields of one name are read from the last to the first; a name without a field left adds nothing.
        signed = b"".join([field.relaxed for field in reversed(fields)])
        return b"".join([self._signature(key, names, hashed, signed, int(at.timestamp())) for key in self._keys])

    def _signature(self, key: Key, names: tuple[tuple[str, ...], ...], hashed: bytes, signed: bytes, seconds: int
                   ) -> bytes:
        start, relaxed = _start(key.algorithm, self._domain, key.selector, seconds, names)
        signature = base64.b64encode(key.sign(b"%b%b%b; b=" % (signed, relaxed, hashed)))
        lines = b"\r\n ".join([signature[at : at + 72] for at in range(0, len(signature), 72)])
        return b"%b%b;\r\n b=%b\r\n" % (start, hashed, lines)


@lru_cache(maxsize=64)
def _begun(beginning: bytes) -> "hashlib._Hash":
    """The hash of a body's first piece, which all mails of a message share. To be copied, never changed."""
    return hashlib.sha256(beginning)


@lru_cache(maxsize=64)
def _start(algorithm: str, domain: str, selector: str, seconds: int, names: tuple[tuple[str, ...], ...]
           ) -> tuple[bytes, bytes]:
    """The signature's own field up to the hash of the body: as it is written, and as it is signed."""
    start = (f"v=1; a={algorithm}-sha256; c=relaxed/simple;\r\n d={domain}; s={selector};\r\n"
             f" t={seconds};\r\n h={_signed_names(names)};\r\n bh=")
    relaxed = "dkim-signature:" + start.replace("\r\n ", " ")
    return f"DKIM-Signature: {start}".encode("ascii"), relaxed.encode("ascii")


def _signed_names(of: tuple[tuple[str, ...], ...]) -> str:
    """The h= tag, folded: the fields from the last to the first, then each name once more, then what is absent."""
    names = [name for together in of for name in together]
    once = dict.fromkeys(names)
    listed = [*reversed(names), *once, *(name for name in ABSENT if name not in once)]
    lines, line = [], "h="
    for name in listed:
        if len(line) + len(name) > 74:
            lines.append(line)
            line = ""
        line += f"{name}:"
    return "\r\n ".join([*lines, line.rstrip(":")]).removeprefix("h=")


def new_key(selector: str, algorithm: str) -> Key:
    """A fresh key. Raises ValueError where DNS cannot hold the selector or the algorithm is none of ALGORITHMS."""
    if not _SELECTOR.fullmatch(selector):
        raise ValueError(f"{selector!r} is no selector: letters, digits and hyphens, 63 at most")
    if algorithm == "rsa":
        return Key(selector, rsa.generate_private_key(65537, RSA_BITS))
    if algorithm == "ed25519":
        return Key(selector, ed25519.Ed25519PrivateKey.generate())
    raise ValueError(f"{algorithm!r} is none of {', '.join(ALGORITHMS)}")


def read_key(path: Path) -> Key:
    """The key in a PEM file, whose name is its selector. Raises ValueError where it is none, OSError where unread."""
    private = serialization.load_pem_private_key(path.read_bytes(), None)
    if not isinstance(private, rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey):
        raise ValueError(f"{path} holds neither an RSA nor an ed25519 key")
    return Key(path.stem, private)
