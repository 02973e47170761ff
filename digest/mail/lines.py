"""Lines of a mail as SMTP asks for them: each ends with CRLF, and a dot at its beginning is doubled (RFC 5321)."""

from typing import NamedTuple

_RETURNS, _FEEDS = (bytes(byte == end for byte in range(256)) for end in b"\r\n")


class Lines(NamedTuple):
    """Whole lines twice: as they are, and as SMTP says them. Of a text without dots in question both are one."""

    raw: bytes
    said: bytes


END = Lines(b"", b".\r\n")  # the line that ends a message


def only_crlf(data: bytes) -> bool:
    """Whether an LF stands behind each CR, and nowhere else (RFC 5321 §2.3.8)."""
    return b"\0" + data.translate(_RETURNS) == data.translate(_FEEDS) + b"\0"


def dotted(lines: bytes) -> bytes:
    """Lines with CRLF, with each dot at the beginning of one doubled (§4.5.2)."""
    if b"\n." in lines:
        lines = lines.replace(b"\r\n.", b"\r\n..")
    return b"." + lines if lines.startswith(b".") else lines


def checked(data: bytes) -> Lines:
    """Whole lines, made ready for SMTP. Raises ValueError where they have line ends other than CRLF, or no last one."""
    if data and not (only_crlf(data) and data.endswith(b"\r\n")):
        raise ValueError(f"lines of a mail that do not end with CRLF: {data[:80]!r}")
    return Lines(data, dotted(data))
