"""Typography at render: quotes, apostrophes, dashes and no-break spaces, as a text's own language writes them.

Nothing but these marks changes: words, numbers and addresses stay as they are, and marks that are already
typographic are kept. Setting a text twice is setting it once. Feeds, JSON and comparisons see the text unset.
"""

import re
from dataclasses import dataclass

NBSP = "\u00a0"
_QUOTES = frozenset("\"'«»“”„‘’‚‹›")
_BEFORE = _QUOTES | frozenset("([{-–—/")  # what may stand before an opening mark, beside white space
_AFTER = _QUOTES | frozenset(")]}-–—/.,;:!?…")  # what may stand after a closing one
_ADDRESS = re.compile(r"\S*(?:://|@|www\.)\S*")


@dataclass(frozen=True, slots=True)
class Style:
    """How a language writes: its outer and inner quotation marks, its dash between words.

    `singles`: straight single marks may be quotation marks too; else they are apostrophes alone.
    """

    outer: str
    inner: str
    dash: str
    singles: bool = False
    units: str = ""  # words that stay on the line of their number, a pattern
    clitics: str = ""  # words that stay on the line of the next word, a pattern


_COMMON = "%|‰|°C|km|kg|km²|m²|m³"
_RUSSIAN = f"{_COMMON}|км|кг|км²|м²|м³|млн|млрд|трлн|тыс|тг|тенге|руб|сом|сомов"
STYLES = {
    "en": Style("“”", "‘’", "–", singles=True, units=f"{_COMMON}|percent|million|billion|trillion|thousand"),
    "ru": Style("«»", "„“", "—", units=_RUSSIAN, clitics="[ВвКкСсУуОоИиАаЯя]|[Нн]е|[Нн]а|[Вв]о|[Сс]о|[Пп]о|[Ии]з"),
    "kk": Style("«»", "“”", "–", units=f"{_RUSSIAN}|мың|теңге"),
    "ky": Style("«»", "„“", "–", units=f"{_RUSSIAN}|миң"),
    "tg": Style("«»", "„“", "–", units=f"{_RUSSIAN}|ҳазор|сомонӣ|дирам"),
    "uz": Style("“”", "‘’", "–", units=f"{_COMMON}|mln|mlrd|trln|ming|soʻm|so'm|so‘m"),
}


def typeset(text: str, language: str) -> str:
    """The text as its language writes it; unchanged in a language that we have no rules for."""
    style = STYLES.get(language)
    if style is None or not text:
        return text
    return _spaced(_quoted(_dashed(text, style), style, language), style)


def _dashed(text: str, style: Style) -> str:
    """A hyphen that stands between words for a dash becomes one; each dash is held to the word before it."""
    text = re.sub(r"(?<=\S)[ \u00a0]--?(?= \S)", f"{NBSP}{style.dash}", text)
    return re.sub(r"(?<=\S) (?=[–—] \S)", NBSP, text)


def _spaced(text: str, style: Style) -> str:
    """Spaces inside of a long number, before a unit, after № and after little words break no line."""
    text = re.sub(r"(?<![\d.,])(\d{1,3}(?: \d{3})+)(?!\d)", lambda m: m[1].replace(" ", NBSP), text)
    text = re.sub(r"([№§]) (?=\d)", rf"\1{NBSP}", text)
    if style.units:
        text = re.sub(rf"(?<=\d) (?=(?:{style.units})(?!\w))", NBSP, text)
    if style.clitics:
        text = re.sub(rf"(?<![\w-])({style.clitics}) (?=\w)", rf"\1{NBSP}", text)
    return text


def _quoted(text: str, style: Style, language: str) -> str:
    marks = list(text)
    held = {position for match in _ADDRESS.finditer(text) for position in range(*match.span())}
    pairs = _pairs(text, '"', held)
    for start, end in pairs:
        depth = sum(outer < start and end < closed for outer, closed in pairs)
        marks[start], marks[end] = tuple(style.inner if depth % 2 else style.outer)
    for start, end in _pairs(text, "'", held) if style.singles else ():
        marks[start], marks[end] = tuple(style.inner)
    for position, mark in enumerate(marks):
        if mark == "'" and position not in held:
            marks[position] = _apostrophe(text, position, style, language)
    return "".join(marks)


def _apostrophe(text: str, position: int, style: Style, language: str) -> str:
    before, after = _around(text, position)
    if language == "uz" and before in "oOgG":
        return "ʻ"  # part of the letter
    if (before.isalpha() and (after.isalpha() or style.singles)) or (before.isalnum() and after.isalpha()):
        return "’"
    return "’" if style.singles and after.isalnum() and not before.isalnum() else "'"


def _pairs(text: str, mark: str, held: set[int]) -> list[tuple[int, int]]:
    """Places of opening and closing straight marks that belong together; an ending may follow a double one."""
    pairs: list[tuple[int, int]] = []
    opened: list[int] = []
    for position, character in enumerate(text):
        if character != mark or position in held:
            continue
        before, after = _around(text, position)
        ends = after.isspace() or after in _AFTER or (mark == '"' and before not in _BEFORE)
        if opened and not before.isspace() and ends:
            pairs.append((opened.pop(), position))
        elif not after.isspace() and (before.isspace() or before in _BEFORE):
            opened.append(position)
    return pairs


def _around(text: str, position: int) -> tuple[str, str]:
    """The characters before and after a place; a space at the ends."""
    padded = f" {text} "
    return padded[position], padded[position + 2]
