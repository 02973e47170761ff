"""Return paths that name their delivery (VERP): a bounce says which mail it is of, whatever else it says.

"b+TOKEN@bounce.example.org": the token holds the name of the delivery and an HMAC of it, in base32, so that a bounce
cannot be forged for a delivery that somebody guesses, and so that servers that change the case do no harm. What stands
before the plus is one mailbox for all (RFC 5233 calls the rest "detail").
"""

import base64
import hmac
import re

NAME_BYTES, MAC_BYTES = 16, 9  # 25 bytes are 40 letters without padding; 72 bits are out of reach of guessing by mail
USER = "b"
_NAME = re.compile(r"[0-9a-f]{32}")
_TOKEN = re.compile(r"[a-z2-7]{40}")


def return_path(mail_id: str, key: bytes, domain: str, user: str = USER) -> str:
    """The address that bounces of one delivery come back to; 42 characters before the "@" with the usual user.

    `mail_id` is the ledger's: 32 hexadecimal digits, with or without "@host" behind them. Equal arguments, equal
    address. Raises ValueError where it is no such id.
    """
    name = mail_id.partition("@")[0]
    if not _NAME.fullmatch(name):
        raise ValueError(f"{mail_id!r} is no mail id of the ledger")
    raw = bytes.fromhex(name)
    token = base64.b32encode(raw + _mac(raw, key)).decode("ascii").lower()
    return f"{user}+{token}@{domain}"


def read_return_path(address: str, key: bytes) -> str | None:
    """The mail id in a return path: its 32 digits without a host. None where the address is another or forged.

    Takes any user, any domain and any case: what counts is the HMAC. Never raises.
    """
    local = address.strip().strip("<>").rpartition("@")[0]
    token = local.rpartition("+")[2].lower()
    if not _TOKEN.fullmatch(token):
        return None
    raw = base64.b32decode(token.upper())
    name, mac = raw[:NAME_BYTES], raw[NAME_BYTES:]
    return name.hex() if hmac.compare_digest(mac, _mac(name, key)) else None


def _mac(name: bytes, key: bytes) -> bytes:
    return hmac.digest(key, b"region-digest.verp:" + name, "sha256")[:MAC_BYTES]
