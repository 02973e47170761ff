"""The instance's DKIM keys: files var/dkim/SELECTOR.pem, readable by their owner alone."""

import os
from collections.abc import Iterable
from pathlib import Path

from digest.errors import ConfigError, NameTaken
from digest.mail.dkim import Key, new_key, read_key

TXT_BYTES = 255  # of one string in a TXT record (RFC 1035 §3.3.14)


def load_keys(folder: Path, selectors: Iterable[str]) -> tuple[Key, ...]:
    """The keys of `dkim.selectors`. Raises ConfigError where one is missing or is no key."""
    return tuple(_load(folder, selector) for selector in selectors)


def known_keys(folder: Path) -> tuple[Key, ...]:
    """Every key of the folder, by selector, whether it signs or not. Raises ConfigError."""
    return load_keys(folder, sorted(path.stem for path in folder.glob("*.pem")))


def make_key(folder: Path, selector: str, algorithm: str) -> Key:
    """Writes a fresh key. Raises NameTaken where the selector has one, ValueError where DNS could not hold it."""
    key = new_key(selector, algorithm)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        descriptor = os.open(folder / f"{selector}.pem", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise NameTaken("DKIM key", selector, "choose another with --selector") from error
    with os.fdopen(descriptor, "wb") as file:
        file.write(key.pem())
    return key


def zone_line(name: str, text: str) -> str:
    """A TXT record as a line of a zone file, in strings of at most 255 bytes."""
    parts = [text[at : at + TXT_BYTES] for at in range(0, len(text), TXT_BYTES)]
    quoted = " ".join('"' + part.replace("\\", "\\\\").replace('"', '\\"') + '"' for part in parts)
    return f"{name}. IN TXT {quoted}"


def record_name(selector: str, domain: str) -> str:
    """Where DNS holds a key (RFC 6376 §3.6.2.1)."""
    return f"{selector}._domainkey.{domain}"


def _load(folder: Path, selector: str) -> Key:
    path = folder / f"{selector}.pem"
    try:
        return read_key(path)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise ConfigError(str(path), f"no DKIM key can be read: {reason}", key="dkim.selectors",
                          hint=f"make one with: digest dkim new --selector {selector}") from error
