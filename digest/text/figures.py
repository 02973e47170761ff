"""Numbers and dates of a text in a form that does not depend on its language.

"3,000" and «3 000» differ in spelling alone; "1.2 billion" is «1,2 млрд», and "five miners" are «пятеро горняков».
Years and times of day are no numbers here, for everything of a year or an hour shares them.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from digest.text.script import one_script
from digest.text.tokens import fold, words


class Figures(NamedTuple):
    """Numbers as text ("5", "1.2e+09", "5.1%") and dates as (month, day)."""

    numbers: frozenset[str]
    dates: frozenset[tuple[int, int]]


# Beginnings of the months' names in English, Russian, Kazakh, Uzbek, Turkmen; Kyrgyz and Tajik use the Russian ones.
MONTHS = """january январ қаңтар yanvar ýanwar | february феврал ақпан fevral fewral | march март наурыз mart
    | april апрел сәуір aprel | may май мая мамыр maý | june июн маусым iyun iýun | july июл шілде iyul iýul
    | august август тамыз avgust awgust | september сентябр қыркүйек sentabr sentyabr sentýabr
    | october октябр қазан oktabr oktyabr oktýabr | november ноябр қараша noyabr noýabr
    | december декабр желтоқсан dekabr"""
LONGEST_CASE = 5  # letters of an ending after them
# What multiplies the number before it, and what makes it a share, by beginnings of words.
SCALES = {
    1e3: "thousand тыс мың ming минг миң ҳазор müň", 1e6: "million mln млн миллион",
    1e9: "billion bn млрд миллиард milliard mlrd", 1e12: "trillion trln трлн триллион",
}
SHARES = "percent процент пайыз foiz фоиз дарсад göterim"
# Words for two, three and so on; "one" is too often an article or a pronoun.
SMALL = {
    "en": "two three four five six seven eight nine ten eleven twelve",
    "ru": """два|две|двух|двое|двоих три|трех|трое|троих четыре|четырех|четверо|четверых пять|пяти|пятеро|пятерых
        шесть|шести|шестеро|шестерых семь|семи|семеро|семерых восемь|восьми|восьмерых девять|девяти десять|десяти
        одиннадцать|одиннадцати двенадцать|двенадцати""",
    "kk": "екі|екеу үш|үшеу төрт|төртеу бес|бесеу алты жеті сегіз тоғыз", "ky": "эки үч төрт беш алты жети сегиз тогуз",
    "uz": "ikki uch to'rt besh olti yetti sakkiz to'qqiz o'n", "tg": "ду се чаҳор|чор панҷ шаш ҳафт ҳашт нӯҳ даҳ",
    "tk": "iki üç dört bäş alty ýedi sekiz dokuz on", "tr": "iki üç dört beş altı yedi sekiz dokuz on",
}

_LAST_DAY = 31
_DIGITS = r"\d{1,3}(?:[ \u00a0\u202f]\d{3})+(?!\d)|\d+(?:[.,]\d+)*"
_FIGURE = re.compile(rf"(?<![\w.,:])({_DIGITS})(?![\d:])(?:[ \u00a0-]?(%|[^\W\d_]+)(?:[ \u00a0](%|[^\W\d_]+))?)?")
_DAY_FIRST = re.compile(r"(?<![\w.,:])(\d{1,2})(?:st|nd|rd|th|-?го)?[ \u00a0-](?:of )?([^\W\d_]{3,})")
_MONTH_FIRST = re.compile(r"(?<!\w)([^\W\d_]{3,}),? (\d{1,2})(?:st|nd|rd|th)?(?!\d|[.,:]\d|\w)")
_YEAR = re.compile("(?:19|20)\\d\\d")
_MONTHS = tuple((beginning, number) for number, names in enumerate(MONTHS.split("|"), 1) for beginning in names.split())
_SCALES = tuple((beginning, scale) for scale, table in SCALES.items() for beginning in table.split())
_SMALL = {language: {form: str(number) for number, forms in enumerate(table.split(), 2) for form in forms.split("|")}
          for language, table in SMALL.items()}


def figures(text: str, language: str) -> Figures:
    """The numbers and dates of a text; the five of "5 May" is no number."""
    dates: set[tuple[int, int]] = set()
    told: set[int] = set()  # where the words of dates begin
    for day_at, month_at, pattern in ((1, 2, _DAY_FIRST), (2, 1, _MONTH_FIRST)):
        for match in pattern.finditer(text):
            month, day = _month(match.group(month_at), language), int(match.group(day_at))
            if month and 1 <= day <= _LAST_DAY and match.start(month_at) not in told:
                dates.add((month, day))
                told.update((match.start(day_at), match.start(month_at)))
    numbers = {number for match in _FIGURE.finditer(text) if match.start(1) not in told
               for number in _numbers(match, language)}
    if small := _SMALL.get(language):
        numbers.update(small[word] for word in (one_script(word, language) for word in words(text, language))
                       if word in small)
    return Figures(frozenset(numbers), frozenset(dates))


def _month(word: str, language: str) -> int:
    """1 to 12; 0 for a word that is no month."""
    if word == "may" and language == "en":
        return 0
    folded = fold(word)
    return next((number for beginning, number in _MONTHS
                 if folded.startswith(beginning) and len(folded) <= len(beginning) + LONGEST_CASE), 0)


def _numbers(match: re.Match[str], language: str) -> Iterator[str]:
    digits, *units = match.groups(default="")
    value = _value(digits, language)
    if value is None:
        return
    following = [fold(unit) for unit in units]
    scale = next((scale for beginning, scale in _SCALES if following[0].startswith(beginning)), 1.0)
    is_share = following[0].startswith(("%", *SHARES.split())) or following == ["per", "cent"]
    if scale == 1.0 and not is_share and _YEAR.fullmatch(digits):
        return
    yield f"{value * scale:.6g}{'%' if is_share else ''}"


def _value(digits: str, language: str) -> float | None:
    """What digits with separators are worth; None for what is a version or an address rather than a number."""
    plain = re.sub(r"\s", "", digits)
    if language == "en" and re.fullmatch(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?", plain):
        plain = plain.replace(",", "")
    plain = plain.replace(",", ".")
    return float(plain) if plain.count(".") <= 1 else None
