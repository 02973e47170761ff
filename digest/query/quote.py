"""The sentence that shows why a query matched, and its words marked."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from digest.query.match import MatchText, Span
from digest.query.texts import SEPARATOR
from digest.text.sentences import sentences

LONGEST = 400  # characters of a sentence that are shown
BEFORE = 120  # of them before the first word that matched
ELLIPSIS = "…"


@dataclass(frozen=True, slots=True)
class Quote:
    """A sentence as plain text, and the words of the whole text that matched, as they are written there."""

    sentence: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a sentence; `marked` where it is a word that matched."""

    text: str
    marked: bool


def quote(text: MatchText, spans: Sequence[Span], *, title_only: bool = False) -> Quote:
    """The sentence with most of the spans: rather one of the text than the title, rather an earlier one.

    `title_only` quotes the title, for feeds whose texts may not be shown.
    """
    title = Span(0, _title_end(text))
    ranges = [] if title_only else [s for s in _sentences(text) if s.start > title.end]
    best = max(ranges, key=lambda s: len(_words(text, _inside(s, spans))), default=title)
    if len(_words(text, _inside(best, spans))) < max(1, len(_words(text, _inside(title, spans)))):
        best = title
    inside = _inside(best, spans)
    return Quote(_shown(text, best, inside), tuple(_words(text, (*inside, *spans)).values()))


def marked(sentence: str, words: Sequence[str]) -> tuple[Piece, ...]:
    """The sentence in pieces, the words of `words` marked wherever they stand in it as whole words."""
    alternatives = "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))
    if not alternatives:
        return (Piece(sentence, False),)
    pieces = re.split(rf"(?<!\w)({alternatives})(?!\w)", sentence, flags=re.IGNORECASE)
    return tuple(Piece(piece, index % 2 == 1) for index, piece in enumerate(pieces) if piece)


def _title_end(text: MatchText) -> int:
    end = text.text.find(SEPARATOR)
    return len(text.text) if end < 0 else end


def _sentences(text: MatchText) -> list[Span]:
    return [Span(start, end) for start, end in sentences(text.text, text.language)]


def _inside(sentence: Span, spans: Sequence[Span]) -> list[Span]:
    return [span for span in spans if sentence.start <= span.start < sentence.end]


def _words(text: MatchText, spans: Sequence[Span]) -> dict[str, str]:
    """The words at the spans by their folded form, each once, as first written."""
    words: dict[str, str] = {}
    for start, end in spans:
        word = " ".join(text.text[start:end].split())
        words.setdefault(word.casefold(), word)
    return words


def _shown(text: MatchText, sentence: Span, spans: Sequence[Span]) -> str:
    """The sentence on one line; a long one is cut at words, round the first span."""
    start, end = sentence
    if end - start > LONGEST:
        first = spans[0].start if spans else start
        start = max(start, first - BEFORE)
        end = min(end, start + LONGEST)
        if start > sentence.start:
            start = text.text.find(" ", start, first) + 1 or first
        if end < sentence.end:
            end = max(text.text.rfind(" ", start, end), spans[0].end if spans else start + 1)
    shown = " ".join(text.text[start:end].split())
    return f"{ELLIPSIS if start > sentence.start else ''}{shown}{ELLIPSIS if end < sentence.end else ''}"
