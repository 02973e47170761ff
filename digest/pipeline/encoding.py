"""The encoding of a feed document, where its declaration cannot be trusted."""

import re

DECLARATION = re.compile(rb"""^(\s*<\?xml[^>]{0,200}?)\s+encoding\s*=\s*["']([A-Za-z0-9._:-]{1,40})["']""")
SINGLE_BYTES = re.compile(r"iso-?8859-(?:[1-9]|1[03-6])|latin-?1|(?:windows-|cp)125[0-8]|koi8-[ru]")
SMALL_CYRILLIC = re.compile("[а-я]")  # either encoding of Russian read as the other swaps capitals and small letters
CYRILLIC = ("cp1251", "koi8_r")
MOSTLY_SMALL = 0.7  # share of small letters in Russian that is read in its encoding
EAST_ASIAN = ("gb18030", "big5", "shift_jis", "euc_jp", "euc_kr")
SAMPLE = 64_000  # bytes that are looked at
FOREIGN = 0.1  # share of bytes above 127 in text from which it is hardly in Latin letters
MOSTLY = 0.2  # share of bytes above 127 that may be wrong in text that is UTF-8 all the same


def as_utf8(body: bytes, content_type: str | None) -> tuple[bytes, str | None]:
    """The document in UTF-8 and "utf-8", or the bytes as they are and the charset that the server named (or None).

    1. Bytes above 127 that are valid UTF-8 are UTF-8, whatever the document and the server say.
    2. Another encoding of single bytes that is named and fits is believed.
    3. Bytes that claim to be UTF-8 and mostly are: the wrong ones become U+FFFD.
    4. Bytes that claim to be UTF-8 and are not: windows-1251 or KOI8-R where they look Cyrillic; where a tenth is above
       127, the East Asian encoding that charset-normalizer finds; else windows-1252, from which the other encodings of
       Latin letters differ in too few signs to be told.
    5. Another declared encoding, or UTF-16 and UTF-32 with their mark, is left to the parser.
    """
    charset = _charset(content_type)
    if body[:2] in (b"\xff\xfe", b"\xfe\xff") or body[:4] == b"\0\0\xfe\xff":
        return body, charset
    body = body.removeprefix(b"\xef\xbb\xbf").lstrip()
    if body.isascii():
        return body, charset
    declaration = DECLARATION.match(body)
    declared = declaration.group(2).decode().lower() if declaration else None
    is_valid = _fits(body, "utf-8")
    encoding = "utf-8" if is_valid else _encoding(body, charset, declared)
    if encoding is None:
        return body, charset
    if declaration:
        body = body[: declaration.end(1)] + body[declaration.end():]
    return body if is_valid else body.decode(encoding, errors="replace").encode(), "utf-8"


def _encoding(body: bytes, charset: str | None, declared: str | None) -> str | None:
    """The encoding of bytes that are not all UTF-8; None where the one that is named must be left to the parser."""
    named = charset or declared or ""
    if SINGLE_BYTES.fullmatch(named) and _fits(body, named):
        return named
    if (declared or charset) not in {None, "utf-8", "utf8", "us-ascii", "ascii"}:
        return None
    wrong = body.decode("utf-8", errors="replace").count("\ufffd")
    return "utf-8" if wrong <= MOSTLY * sum(byte > 127 for byte in body) else _guessed(body)


def _fits(body: bytes, encoding: str) -> bool:
    try:
        body.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _guessed(body: bytes) -> str:
    """The likeliest encoding of a document that is not in UTF-8."""
    text = re.sub(rb"<[^<>]{0,2000}>|\s+", b" ", body[:SAMPLE])
    high = sum(byte > 127 for byte in text)
    if _looks_cyrillic(body):
        small = {charset: len(SMALL_CYRILLIC.findall(text.decode(charset, errors="replace"))) for charset in CYRILLIC}
        likely = max(small, key=lambda charset: small[charset])
        if small[likely] >= MOSTLY_SMALL * high:
            return likely
    if high < FOREIGN * len(text):
        return "cp1252"
    from charset_normalizer import from_bytes  # seldom needed
    found = from_bytes(text, cp_isolation=["cp1252", *CYRILLIC, *EAST_ASIAN]).best()
    return found.encoding if found else "cp1252"


def _looks_cyrillic(body: bytes) -> bool:
    """Whether most bytes above 127 stand in runs, as the letters of Cyrillic words do and accents do not."""
    runs = re.findall(rb"[\xa8\xb3\xb8\xba\xbf\xc0-\xff]+", body)
    return sum(len(run) for run in runs if len(run) > 2) > 0.7 * sum(len(run) for run in runs)


def _charset(content_type: str | None) -> str | None:
    found = re.search(r"charset\s*=\s*[\"']?([A-Za-z0-9._:-]{1,40})", content_type or "", re.IGNORECASE)
    return found.group(1).lower() if found else None
