"""Words of a text with their places, folded so that spelling habits do not matter.

Folding is NFKC and casefold, with one apostrophe for all and ё as е but in `YO`. A word is a run of letters and digits;
Uzbek and the other languages of `JOINED` spell letters with an apostrophe, which stays inside the word there.
"""

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

from digest.text import romanised

APOSTROPHES = "'`´‘’‛ʹʻʼʽʾʿˈ′＇"  # the first is the one that the others become
JOINED = frozenset({"uz", "uk", "kaa", "be"})  # languages whose words have apostrophes inside
YO = frozenset({"uz"})  # languages in which ё is always written, and another letter than е
DOTTED = frozenset({"tr", "az"})  # languages where I is the capital of ı, and İ of i

_LETTERS = r"[^\W_ʰ-˿]+(?:[\u0300-\u036f\u00ad]+[^\W_ʰ-˿]*)*"  # with combining marks and soft hyphens
_WORD = re.compile(_LETTERS)
_JOINED_WORD = re.compile(rf"{_LETTERS}(?:[{APOSTROPHES}]{_LETTERS})*")
_PLAIN_WORD = re.compile(r"[A-Za-z0-9]+")  # the same as _WORD in plain ASCII, but faster
_SPELLING = str.maketrans({**dict.fromkeys(APOSTROPHES, "'"), "ё": "е", "\u00ad": None, "\u0301": None, "\u0307": None})
_WITH_YO = {letter: other for letter, other in _SPELLING.items() if letter != ord("ё")}
_DOTTED_CAPITALS = str.maketrans("Iİ", "ıi")


class Token(NamedTuple):
    """A folded word and its place: `text[start:end]` is what was written."""

    word: str
    start: int
    end: int


def tokens(text: str, language: str = "und") -> list[Token]:
    """The words of a text in order; positions count characters of `text` as it was given."""
    return [Token(fold(match.group(), language), match.start(), match.end())
            for match in word_pattern(language).finditer(text)]


def words(text: str, language: str = "und") -> list[str]:
    """The folded words of a text in order, without their places: `[t.word for t in tokens(...)]`, but faster."""
    return [fold(word, language) for word in written_words(text, language)]


def written_words(text: str, language: str = "und") -> list[str]:
    """The words of a text in order as they are written, unfolded."""
    is_plain = text.isascii() and language not in JOINED
    return (_PLAIN_WORD if is_plain else word_pattern(language)).findall(text)


@lru_cache(maxsize=200_000)
def fold(word: str, language: str = "und") -> str:
    """One word in the form in which words are compared; folding twice changes nothing."""
    if language in romanised.LANGUAGES:
        return romanised.one_spelling(word.lower())
    if word.isascii() and language not in DOTTED:
        return word.lower() if "`" not in word else word.lower().replace("`", "'")
    if language in DOTTED:
        word = word.translate(_DOTTED_CAPITALS)
    spelling = _WITH_YO if language in YO else _SPELLING
    folded = unicodedata.normalize("NFKC", word.translate(spelling)).casefold()
    return unicodedata.normalize("NFKC", folded.translate(spelling))


def word_pattern(language: str) -> re.Pattern[str]:
    """What finds the words of a language, unfolded."""
    return _JOINED_WORD if language in JOINED else _WORD
