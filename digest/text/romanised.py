"""Russian in Latin letters, as addresses and file names spell it: one spelling for the many romanisations.

GOST, ISO 9, BGN/PCGN, passports and publishers' own tables differ in a handful of letters («щ» is shch, sch, shh or
ssh; «ю» yu, iu or ju). What they all write alike is kept, the rest becomes one letter. The result is compared,
never shown.
"""

import re

LANGUAGES = frozenset({"ru-Latn", "uk-Latn"})
TRUNCATED = 6  # letters of a folded word that stand for its stem; Snowball does not know romanised endings

_LETTERS = str.maketrans({
    "а": "a", "б": "b", "в": "v", "г": "g", "д": "d", "е": "e", "ж": "zh", "з": "z", "и": "i", "й": "y", "к": "k",
    "л": "l", "м": "m", "н": "n", "о": "o", "п": "p", "р": "r", "с": "s", "т": "t", "у": "u", "ф": "f", "х": "kh",
    "ц": "ts", "ч": "ch", "ш": "sh", "щ": "shch", "ъ": "", "ы": "y", "ь": "", "э": "e", "ю": "yu", "я": "ya",
})
_SPELLINGS = (
    (re.compile("shch|shh|ssh|sch|sh|w"), "s"), (re.compile("zh"), "z"), (re.compile("kh|x"), "h"),
    (re.compile("tch|ch"), "q"), (re.compile("ts|tc|cz"), "c"), (re.compile("[yij]+([aeou])"), r"\1"),
    (re.compile("[yij]+"), "i"), (re.compile("[`']"), ""), (re.compile(r"([a-z])\1+"), r"\1"),
)


def romanised(word: str) -> str:
    """A folded Cyrillic word in Latin letters, in the one spelling of `one_spelling`."""
    return one_spelling(word.translate(_LETTERS))


def one_spelling(word: str) -> str:
    """A lower-case romanised word in the one spelling; a second time it changes nothing."""
    before = ""
    while word != before:
        before = word
        for pattern, letters in _SPELLINGS:
            word = pattern.sub(letters, word)
    return word
