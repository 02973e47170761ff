"""Parts the words of a report from the mail of ours that it brings back."""

import re
from collections.abc import Iterator, Sequence
from email.header import decode_header, make_header
from email.message import Message

MAX_WORDS = 8000  # characters of a report's words that are judged
_TAG = re.compile(r"<(style|script|head)\b.*?</\1>|<[^>@]*>", re.I | re.S)
# What servers write above our own mail, and a block of headers as such.
_RETURNED = re.compile(
    r"^[^\w\n]*(this is a copy of|below (this line|is) |(original|returned|unsent|undelivered) message\b"
    r"|(message|mail) (headers?|text|contents?|transcript) follows?|headers? of (the|your) (original )?message"
    r"|(the|your) original (message|mail) |the header (text )?of|return-path:|received: (from|by))", re.I | re.M)


def human_text(message: Message) -> str:
    """The words that a server wrote for people: its text before what it returns of our mail, at most 8,000 characters.
    """
    texts = list(_own_texts(message))
    plain = [text for kind, text in texts if kind == "text/plain" and text.strip()]
    chosen = plain or [_TAG.sub(" ", text) for kind, text in texts if kind == "text/html"]
    return "\n".join(before_returned(text) for text in chosen)[:MAX_WORDS]


def before_returned(text: str) -> str:
    """A text up to where the returned mail begins."""
    found = _RETURNED.search(text, 1)
    return text[: found.start()] if found else text


def about_each(names: Sequence[str], text: str) -> dict[str, str]:
    """What a text says of each of some addresses: all of it to one, else from its first mention to the next one's."""
    if len(names) < 2:
        return dict.fromkeys(names, text)
    lower = text.lower()
    starts = {name: lower.find(name.lower()) for name in names}
    ends = sorted(start for start in starts.values() if start >= 0)
    return {name: "" if start < 0 else text[start: next((end for end in ends if end > start), len(text))]
            for name, start in starts.items()}


def part_text(part: Message) -> str:
    """The decoded text of a leaf part; what is not of its charset is replaced."""
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes):
        return ""
    try:
        return payload.decode(part.get_content_charset() or "utf-8", "replace")
    except LookupError:
        return payload.decode("latin-1")


def header_text(value: object) -> str:
    """A header's value with its encoded words decoded, on one line."""
    try:
        return " ".join(str(make_header(decode_header(str(value)))).split())
    except (ValueError, LookupError):
        return " ".join(str(value).split())


def _own_texts(message: Message) -> Iterator[tuple[str, str]]:
    """Text parts in order, up to the first part that is no text: the machine's, or our mail."""
    if not message.is_multipart():
        yield message.get_content_type(), part_text(message)
        return
    for part in message.get_payload():
        assert isinstance(part, Message)
        kind = part.get_content_type()
        if kind.startswith("multipart/"):
            yield from _own_texts(part)
        elif kind in {"text/plain", "text/html"}:
            yield kind, part_text(part)
        elif kind.startswith("message/") or kind == "text/rfc822-headers":
            return
