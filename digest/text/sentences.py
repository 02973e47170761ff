"""Where sentences begin and end, in English and the languages of Central Asia.

A full stop ends a sentence unless it belongs to an abbreviation, an initial, a number or a domain name. Rules of
thumb, made for news prose of a few hundred words; text of another kind only gets longer sentences.
"""

import re
from collections.abc import Iterator

ABBREVIATIONS = {
    "en": """mr mrs ms dr prof gen col lt maj sgt capt cpl rev hon gov sen rep st jr sr vs etc inc ltd co corp no nos
        vol fig dept univ assn bros approx est jan feb mar apr jun jul aug sep sept oct nov dec mt ft""",
    "ru": """г гг в вв н э т д п пр др рис ул пл просп бул обл р-н им проф акад доц тыс млн млрд трлн руб коп тг долл
        см ст стр чел напр сокр изд ред мин сек ч кв км кг га мес нояб дек янв февр авг сент окт гос зам пом ген полк
        подп гр гос-во тел""",
    "kk": """т б ж жж ғ ғғ обл ауд қ мыс млн млрд трлн тг теңг проф акад ст көш даң т.б т.с.с""",
    "ky": """ж жж к б обл р-н млн млрд проф""",
    "uz": """y yy b h k vil tum mln mlrd prof ko'ch""",
}
# A name follows them.
TITLES = frozenset("mr mrs ms dr prof gen col lt sgt capt gov sen rep st ул пл им проф акад рис".split())
STARTERS = frozenset("""a after an and as at but by during for he her his i if in it its many more on one our she
    since some that the their there these they this those we when while with you""".split())

_BOUNDARY = re.compile(r"([.!?…。]+)([\"'»”’)\]]*)(\s+|$)|\n\s*\n|\n(?=\s*[-–—•*] )")
_BEFORE_WORD = frozenset("(«\"“„'‘")
_NEXT_WORD = re.compile(r"[^\w\n]*(\w+)")
_ABBREVIATIONS = {language: frozenset(table.split()) for language, table in ABBREVIATIONS.items()}
_ALL_ABBREVIATIONS = frozenset().union(*_ABBREVIATIONS.values())


def sentences(text: str, language: str = "und") -> list[tuple[int, int]]:
    """The (start, end) of each sentence, without the white space between them; [] for blank text."""
    return list(each_sentence(text, language))


def each_sentence(text: str, language: str = "und") -> Iterator[tuple[int, int]]:
    """`sentences`, one at a time: who wants the first does not pay for the others."""
    start = 0
    for match in _BOUNDARY.finditer(text):
        if match.group(1) and not _ends_sentence(text, start, match, language):
            continue
        yield from _bare(text, start, match.end(2) if match.group(1) else match.start())
        start = match.end()
    yield from _bare(text, start, len(text))


def sentence_texts(text: str, language: str = "und") -> list[str]:
    """The sentences themselves, with runs of white space as one space."""
    return [" ".join(text[start:end].split()) for start, end in sentences(text, language)]


def _bare(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The span without the white space at its ends; nothing where there is nothing else."""
    piece = text[start:end]
    if stripped := piece.strip():
        begin = start + len(piece) - len(piece.lstrip())
        yield begin, begin + len(stripped)


def _ends_sentence(text: str, start: int, match: re.Match[str], language: str) -> bool:
    """Whether the mark at `match` ends the sentence that began at `start`."""
    following = _NEXT_WORD.match(text, match.end())
    if following is None:
        return True
    if following.group(1)[0].islower():
        return False
    last = _last_word(text, start, match.start()) if match.group(1) == "." else ""
    if not last:
        return match.group(1) != "." or match.start() > start
    after_number = text[start:match.start() - len(last)].rstrip()[-1:].isdigit()
    return not _is_abbreviated(last, following.group(1), language, after_number)


def _last_word(text: str, start: int, end: int) -> str:
    """What stands between the last space, bracket or quotation mark of `text[start:end]` and its end."""
    first = end
    while first > start and text[first - 1] not in _BEFORE_WORD and not text[first - 1].isspace():
        first -= 1
    return text[first:end]


def _is_abbreviated(word: str, following: str, language: str, after_number: bool) -> bool:
    """Whether the full stop after `word`, before the capital or digit of `following`, only shortens the word."""
    folded = word.casefold()
    if len(folded) == 1 and folded.isalpha():
        return not after_number or following[0].isdigit()  # "J. Smith", "г. Алматы"; but "в 2020 г. Казахстан"
    if folded in TITLES:
        return True
    if "." not in folded and folded not in _ABBREVIATIONS.get(language, _ALL_ABBREVIATIONS):
        return False
    return following[0].isdigit() or (folded.isascii() and following.casefold() not in STARTERS)
