"""Text parts encoded once for all readers, but for the places of one personal value.

Quoted-printable is encoded line by line, base64 in lines of 57 bytes. So only the lines round a place are encoded anew
for each reader: in base64 they lie alike for all values of one length, which is kept per length.
"""

import binascii
from collections.abc import Callable, Iterable, Iterator
from email.quoprimime import body_encode
from itertools import groupby

from digest.mail.lines import Lines, checked

COLUMNS = 76  # RFC 2045 §6.7 and §6.8
BASE64_BYTES = COLUMNS // 4 * 3  # that one line of base64 holds
_ENDS = frozenset(bytes([code]) for code in range(33, 127)) - {b"="}
MAX_LAYOUTS = 16  # lengths of values whose base64 layout is kept


class Gap:
    """A stretch whose encoding holds the value: `pieces` are the bytes between its places."""

    def __init__(self, pieces: list[bytes], encode: Callable[[bytes], bytes]):
        self._pieces, self._encode = pieces, encode

    def filled(self, value: bytes) -> Lines:
        return checked(self._encode(value.join(self._pieces)))


Layout = tuple[Lines | Gap, ...]


class Part:
    """A text part whose every `mark` is replaced by one value for each reader.

    `encoding` is the shorter of the two, measured with the marks in place; readable where both are alike. `before` and
    `behind` are whole lines that stand round it as they are.
    """

    def __init__(self, text: str, mark: str):
        self.encoding = encoding_of(text)
        self._lines = text.encode().splitlines()
        self._mark = mark.encode()
        self.before = self.behind = b""
        self._layouts: dict[int, Layout] = {}

    def filled(self, value: str) -> list[Lines]:
        """The encoded part in pieces, with the value in each place, ending with CRLF. `value` must be one line."""
        raw = value.encode()
        key = len(raw) if self.encoding == "base64" else 0
        layout = self._layouts.get(key)
        if layout is None:
            if len(self._layouts) >= MAX_LAYOUTS:
                self._layouts.clear()
            pieces = self._base64(key) if self.encoding == "base64" else self._quoted_printable()
            layout = self._layouts[key] = _layout([self.before, *pieces, self.behind])
        return [piece.filled(raw) if isinstance(piece, Gap) else piece for piece in layout]

    def _quoted_printable(self) -> Iterator[bytes | Gap]:
        fixed: list[bytes] = []
        for line in self._lines or [b""]:
            if self._mark not in line:
                fixed.append(line + b"\n")
                continue
            yield quoted_printable(b"".join(fixed))
            yield Gap((line + b"\n").split(self._mark), quoted_printable)
            fixed = []
        yield quoted_printable(b"".join(fixed))

    def _base64(self, length: int) -> Iterator[bytes | Gap]:
        """Fixed stretches and gaps, each of whole lines of base64, for values of `length` bytes."""
        pieces = (b"\r\n".join(self._lines) + b"\r\n").split(self._mark)
        whole = bytes(length).join(pieces)
        done = 0
        for places in _windows(pieces, length):
            first = places[0] // BASE64_BYTES * BASE64_BYTES
            last = min(-(-(places[-1] + length) // BASE64_BYTES) * BASE64_BYTES, len(whole))
            starts, ends = [first, *(place + length for place in places)], [*places, last]
            yield base64(whole[done:first])
            yield Gap([whole[start:end] for start, end in zip(starts, ends, strict=True)], base64)
            done = last
        yield base64(whole[done:])


def _layout(pieces: Iterable[bytes | Gap]) -> Layout:
    """The pieces with those that stand together joined: each costs every mail a little."""
    layout: list[Lines | Gap] = []
    for gap, together in groupby(pieces, lambda piece: isinstance(piece, Gap)):
        if gap:
            layout += [piece for piece in together if isinstance(piece, Gap)]
        elif fixed := b"".join([piece for piece in together if isinstance(piece, bytes)]):
            layout.append(checked(fixed))
    return tuple(layout)


def encoding_of(text: str) -> str:
    """The shorter of the two encodings, measured over the whole text; readable where both are alike."""
    data = text.encode()
    marked = data.count(b"=") + sum(byte > 126 for byte in data)  # three characters each in quoted-printable
    return "quoted-printable" if marked * 2 <= len(data) / 3 else "base64"


def quoted_printable(lines: bytes) -> bytes:
    """Whole lines, each ending with a line feed, in quoted-printable with CRLF; b"" gives b"".

    As the email package writes it. Of one line that ends with a character that stands for itself binascii does so too,
    in a third of the time.
    """
    if lines[-2:-1] in _ENDS and lines.find(b"\n") == len(lines) - 1 > 1 and b"\0" not in lines and b"\r" not in lines:
        return binascii.b2a_qp(lines).replace(b"\n", b"\r\n")
    return body_encode(lines.decode("latin-1"), COLUMNS, "\r\n").encode("ascii")


def base64(data: bytes) -> bytes:
    """Bytes in lines of base64 with CRLF; b"" gives b""."""
    starts = range(0, len(data), BASE64_BYTES)
    return b"".join(binascii.b2a_base64(data[at : at + BASE64_BYTES], newline=False) + b"\r\n" for at in starts)


def _windows(pieces: list[bytes], length: int) -> Iterator[list[int]]:
    """Where the values begin in the whole, together where a line of base64 holds parts of two of them."""
    at, window = 0, list[int]()
    for piece in pieces[:-1]:
        at += len(piece)
        if window and at // BASE64_BYTES > (window[-1] + max(length, 1) - 1) // BASE64_BYTES:
            yield window
            window = []
        window.append(at)
        at += length
    if window:
        yield window
