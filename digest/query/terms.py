"""How a term of a query is found in a text: by which forms of its words, in a text of which language.

Words are compared by their stems in the text's language; what that language's stemmer does not know (names in another
script) is compared as folded words. Numbers are found however their thousands are set apart: 5,000, 5 000 and 5000.
"""

import re
from functools import lru_cache

from digest.text import agglutinative, romanised
from digest.text.script import merged, one_script
from digest.text.stems import stem
from digest.text.tokens import APOSTROPHES, DOTTED, JOINED, fold, word_pattern

Run = tuple[tuple[str, ...], ...]  # words in a row; for each the forms of which a word of the text has one

_LIGHT_ENDINGS = {
    "ru": re.compile("[аяоеыиуюйь]$"),
    "kk": re.compile("(?<=..)(?:[дт]ың|[дт]ің|ның|нің|[дт]ан|[дт]ен|нан|нен|[дтн]ы|[дтн]і|[дт]а|[дт]е|[ғқ]а|[гк]е)$"),
}
UNFOLDED = frozenset(DOTTED | JOINED | romanised.LANGUAGES)  # languages with words or letters of their own
_DIGIT = re.compile(r"\d")
_GENITIVE = rf"(?!(?<=[^\W_][{APOSTROPHES}])[sS](?![^\W_]))"  # no word begins at the s of "Kazakhstan's"
_GROUPED = re.compile(r"(?<![\w.,])[1-9]\d{0,2}(?:([.,'’\s])\d{3})(?:\1\d{3})*(?!\w|[.,]\d)")
_UNGROUPED = re.compile(r"(?<![\w.,])(?!(?:19|20)\d\d(?!\d))[1-9]\d{3,14}(?!\w|[.,]\d)")  # years are never grouped


@lru_cache
def text_word_pattern(language: str) -> re.Pattern[str]:
    """What finds the words of a text, unfolded: "Kazakhstan's parliament" is two words in a row."""
    return re.compile(_GENITIVE + word_pattern(language).pattern)


@lru_cache(maxsize=50_000)
def runs_of(text: str, exact: bool, language: str) -> tuple[Run, ...]:
    """The ways in which a term is found in a text of a language, one at least; further ones for numbers alone."""
    return runs(text, exact, language)


def runs(text: str, exact: bool, language: str) -> tuple[Run, ...]:
    """`runs_of`, for those who ask once."""
    if exact or not _DIGIT.search(text):
        return (forms_of(text, exact, language),)
    ungrouped = _GROUPED.sub(lambda number: re.sub(r"\D", "", number.group()), text)
    grouped = _UNGROUPED.sub(lambda number: f"{int(number.group()):,}".replace(",", " "), ungrouped)
    return tuple(dict.fromkeys(forms_of(way, exact, language) for way in (text, ungrouped, grouped)))


def forms_of(text: str, exact: bool, language: str) -> Run:
    """For each word of a term as it is written, never none, the forms under which it is found."""
    words = folded_words(text, language) or (fold(text, language),)
    return tuple([(word,) for word in words] if exact else [stems_of(word, language) for word in words])


def folded_words(text: str, language: str) -> list[str]:
    """The folded words of a text in order, without the s of a genitive."""
    found = text_word_pattern(language).findall
    if text.isascii() and language not in UNFOLDED:
        return found(text.lower())
    return [fold(word, language) for word in found(text)]


def folding_of(language: str) -> str:
    """A language that finds and folds words as this one does."""
    return language if language in UNFOLDED else "und"


@lru_cache(maxsize=50_000)
def written_words(text: str, language: str) -> tuple[str, ...]:
    """The words of a term with their capitals."""
    return tuple(text_word_pattern(language).findall(text)) or (text,)


@lru_cache(maxsize=400_000)
def stems_of(word: str, language: str) -> tuple[str, ...]:
    """The stem of a folded word, and in some languages the word with no or one light ending taken off.

    Stemmers cut a short name in the nominative further than in other cases: Snowball makes "тока" of Токаев but
    "токаев" of Токаева, "аста" of Астана but "астан" of Астане; Kyrgyz "депутат" looks like a word with two endings.
    Two words are one where they share a form.
    """
    form = stem(word, language)
    if language in agglutinative.LANGUAGES:
        ending = _LIGHT_ENDINGS.get(language)
        whole = one_script(word, language)
        light = merged(ending.sub("", whole, count=1) if ending else whole, language)
        return (form,) if light == form else (form, light)
    if language != "ru":
        return (form,)
    light = _LIGHT_ENDINGS["ru"].sub("", word, count=1)
    return (form,) if len(light) <= len(form) else (form, light)
