"""One script for languages that are written in two: Kazakh in Cyrillic, Uzbek in Latin letters.

The result is compared, never shown. Kazakh Latin is read in the alphabets of 2018 (á ǵ ı ń ó ú ý sh ch) and 2021
(ä ğ ı ñ ö ū ü ş), which a word's own marks tell apart; a word without any is read so that its endings come out right.
As the two disagree on i, ı and u, `merged` makes one letter of those that a Latin word cannot tell. Uzbek Cyrillic has
Latin letters for each of its own; the proposals of 2021 and 2023 (ş ç õ ğ) are read as well.
"""

import re

_KAZAKH = {
    "a": "а", "ä": "ә", "á": "ә", "b": "б", "c": "с", "ç": "ч", "d": "д", "e": "е", "f": "ф", "g": "г",
    "ğ": "ғ", "ǵ": "ғ", "h": "х", "j": "ж", "k": "к", "l": "л", "m": "м", "n": "н", "ñ": "ң", "ń": "ң",
    "ŋ": "ң", "o": "о", "ö": "ө", "ó": "ө", "p": "п", "q": "қ", "r": "р", "s": "с", "ş": "ш", "t": "т",
    "ū": "ұ", "ü": "ү", "ú": "ү", "ý": "у", "v": "в", "w": "у", "x": "кс", "y": "ы", "z": "з",
}
_KAZAKH_PLAIN = str.maketrans({**_KAZAKH, "i": "і", "ı": "и", "u": "у"})
_KAZAKH_2018 = str.maketrans({**_KAZAKH, "i": "і", "ı": "и", "u": "ұ"})
_KAZAKH_2021 = str.maketrans({**_KAZAKH, "i": "и", "ı": "і", "u": "у"})
_SHORT_I = re.compile("ı(?=[^aeiouy]*$)")  # no other vowel follows: an ending in the alphabet of 2021
_KAZAKH_PAIRS = (("sh", "ш"), ("ch", "ч"), ("zh", "ж"), ("gh", "ғ"), ("kh", "х"))
_LATIN = re.compile("[a-zäáçğǵıñńŋöóşūüúý]")
_MARKS_2018, _MARKS_2021 = re.compile("[áǵńóúý]"), re.compile("[äğñöūüş]")
_GLIDE = re.compile("(?<=[аәеоөуұүыі])[иі]")  # the second half of a diphthong
_KAZAKH_MERGED = str.maketrans({
    "ұ": "у", "і": "и", "й": "и", "һ": "х", "ь": "", "ъ": "", "я": "иа", "ю": "иу", "э": "е", "щ": "ш",
    "ц": "тс",
})
_TAJIK_MERGED = str.maketrans("ӣӯ", "иу")  # ӣ is и before an ending, and both are often written plain
_DOUBLE_I = re.compile("и{2,}")

_UZBEK = str.maketrans({
    "а": "a", "б": "b", "в": "v", "г": "g", "ғ": "g'", "д": "d", "е": "e", "ё": "yo", "ж": "j", "з": "z",
    "и": "i", "й": "y", "к": "k", "қ": "q", "л": "l", "м": "m", "н": "n", "о": "o", "п": "p", "р": "r",
    "с": "s", "т": "t", "у": "u", "ў": "o'", "ф": "f", "х": "x", "ҳ": "h", "ч": "ch", "ш": "sh", "щ": "sh",
    "ъ": "", "ы": "i", "ь": "", "э": "e", "ю": "yu", "я": "ya", "ş": "sh", "ç": "ch", "õ": "o'", "ō": "o'",
    "ö": "o'", "ğ": "g'", "ǵ": "g'", "ó": "o'",
})
_UZBEK_E = re.compile("(?:^|(?<=[аеёиоуўэюяъь]))е")  # is read ye
_UZBEK_TS = (re.compile("(?<=[аеёиоуўэюя])ц"), re.compile("ц"))
_CYRILLIC = re.compile("[а-ёғқўҳ]")
_OTHER_APOSTROPHE = re.compile("(?<![og])'")  # ta'kidladi: often left out


def one_script(word: str, language: str) -> str:
    """A folded word in the script in which its language is compared; of another language the word itself."""
    if language == "kk" and _LATIN.search(word):
        return _kazakh_cyrillic(word)
    if language == "uz":
        return _uzbek_latin(word)
    return word


def merged(word: str, language: str) -> str:
    """A word in one script, or a stem, without what its other script, or many writers, do not tell apart."""
    if language == "kk":
        return _DOUBLE_I.sub("и", word.translate(_KAZAKH_MERGED))
    return word.translate(_TAJIK_MERGED) if language == "tg" else word


def _kazakh_cyrillic(word: str) -> str:
    for pair, letter in _KAZAKH_PAIRS:
        word = word.replace(pair, letter)
    if _MARKS_2018.search(word):
        table = _KAZAKH_2018
    else:
        table = _KAZAKH_2021 if _MARKS_2021.search(word) else _KAZAKH_PLAIN
        word = _SHORT_I.sub("і", word)
    return _GLIDE.sub("й", word.translate(table))


def _uzbek_latin(word: str) -> str:
    if _CYRILLIC.search(word):
        word = _UZBEK_E.sub("ye", word)
        word = _UZBEK_TS[1].sub("s", _UZBEK_TS[0].sub("ts", word))
    return _OTHER_APOSTROPHE.sub("", word.translate(_UZBEK))
