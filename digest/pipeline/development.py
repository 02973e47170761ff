"""What is new in a story that comes back: sources, figures and names told since it was last mailed.

Heuristics for one short sentence, made to say too little rather than something false. A figure is a number with its
unit or noun ("12 dead", "54.2 %", "$3 billion") whose number nobody had written before; dates, times and spans of time
are none. A name is a run of capitalised words, or an acronym, whose last word had not been written before, in English
prose only: elsewhere it would be shown in the wrong case. Both count where two new sources have them, or the copy
that is shown.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date as Date
from gettext import NullTranslations

from babel.dates import format_date, format_skeleton

from digest.locale import translator
from digest.model import Item
from digest.pipeline.pool import Candidate, earliest
from digest.pipeline.wording import locale_of
from digest.text.sentences import sentence_texts
from digest.text.stems import stem
from digest.text.stopwords import STOPWORDS
from digest.text.tokens import fold, words

SOURCES, FIGURES, NAMES = 3, 2, 2  # most of each in the sentence
WEEK_DAYS = 6  # days back to which a day is named by its weekday

_NUMBER = r"\d{1,3}(?:[,.\u00a0\u202f ]\d{3})+(?!\d)|\d+(?:[.,]\d+)?"
_WORD = r"[^\W\d_]{3,}"
_FIGURE = re.compile(rf"(?<![\w.,:/№#-])([$€£₸]\s?)?({_NUMBER})(?:\s?(%)|[ \u00a0]({_WORD})(?: ({_WORD}))?)")
_ANY_NUMBER = re.compile(_NUMBER)
_MULTIPLES = re.compile(r"(?:m|b|tr)illion|thousand|тыс|тысяч\w*|млн|млрд|миллион\w*|миллиард\w*|мың|миллион|миллиард")
_TIME = re.compile(
    r"(?:second|minute|hour|day|week|month|year|season|centur|o'clock|percentage)\w*|"
    r"(?:секунд|минут|час|сут|дн|ден|недел|месяц|год|лет|январ|феврал|март|апрел|ма[яй]|июн|июл|август|сентябр|октябр"
    r"|ноябр|декабр)\w*|"
    r"(?:минут|сағат|күн|апта|ай|жыл|қаңтар|ақпан|наурыз|сәуір|мамыр|маусым|шілде|тамыз|қыркүйек|қазан|қараша|желтоқсан)\w*")
_DAYS = frozenset("""monday tuesday wednesday thursday friday saturday sunday january february march april may june july
    august september october november december""".split())
_CAPITALISED = r"[A-Z][\w’'-]+"
_NAME = re.compile(
    rf"\b{_CAPITALISED} (?:of|for|of the) {_CAPITALISED}(?: {_CAPITALISED})*|\b{_CAPITALISED}(?: {_CAPITALISED})+|"
    r"\b[A-Z]{3,6}\b")
_DAYS = frozenset("""monday tuesday wednesday thursday friday saturday sunday january february march april may june july
    august september october november december""".split())
_CAPITALISED = r"[A-Z][\w’'-]+"
_FIRST = rf"\b(?!(?:{'|'.join(sorted(word.capitalize() for word in STOPWORDS['en'] | _DAYS))})\b){_CAPITALISED}"
_NAME = re.compile(
    rf"{_FIRST} (?:of|for|of the) {_CAPITALISED}(?: {_CAPITALISED})*|{_FIRST}(?: {_CAPITALISED})+|\b[A-Z]{{3,6}}\b")


def whats_new(candidate: Candidate, today: Date, language: str) -> str:
    """One sentence on what was told since the story was last mailed, in the interface's language; "" where it is new.

    "New since Tuesday: 3 more sources (Herald, Courier, Post); 12 dead; Ministry of Energy."
    """
    mailed = candidate.mailed
    if mailed is None:
        return ""
    wording = translator(language)
    parts = [_sources(candidate, wording)] if candidate.new_families else []
    if mailed.cutoff is not None:
        told = [item for item in candidate.own_items if item.language == candidate.shown.language]
        since = [item for item in told if item.first_seen_at > mailed.cutoff]
        before = [item for item in candidate.story.items if item.first_seen_at <= mailed.cutoff]
        parts += _common(since, candidate.shown, lambda item: figures(item, before), FIGURES)
        if candidate.shown.language == "en":
            parts += _common(since, candidate.shown, lambda item: names(item, before), NAMES)
    since_day = wording.gettext("New since {day}: {news}.")
    return since_day.format(day=_day(mailed.date, today, language), news="; ".join(parts)) if parts else ""


def figures(item: Item, before: Iterable[Item]) -> Iterator[tuple[str, str]]:
    """The new figures of an item, each with what makes two of them one: its unit."""
    known = {_digits(number) for old in before for number in _ANY_NUMBER.findall(_whole_text(old))}
    for match in _FIGURE.finditer(item.summary):  # in a title the next word may be a verb: "1 million download"
        sign, number, percent, word, following = match.groups()
        if _digits(number) in known or _is_year(number):
            continue
        shown = f"{sign or ''}{number}"
        if percent:
            yield "%", f"{shown}\u00a0%" if match.group()[-2].isspace() else f"{shown}%"
        elif unit := _unit(word, following, bool(sign), item.language):
            yield stem(fold(unit.split()[-1], item.language), item.language), f"{shown} {unit}"


def names(item: Item, before: Sequence[Item]) -> Iterator[tuple[str, str]]:
    """The new names of an item's prose, each with what makes two of them one."""
    known = {fold(word) for old in before for word in re.findall(_CAPITALISED + "|[A-Z]{2,}", _whole_text(old))}
    known |= {word for old in (*before, item) for word in words(old.feed.source.name)}
    for sentence in sentence_texts(item.summary, item.language):
        for run in _NAME.findall(sentence):
            own = [fold(word) for word in run.split() if word[0].isupper()]
            if own[-1] not in known and not _DAYS.intersection(own):
                yield " ".join(own), run


def _common(
    since: Sequence[Item], shown: Item, found_in: Callable[[Item], Iterator[tuple[str, str]]], most: int
) -> list[str]:
    """What two new sources tell, or the shown copy; what most of them tell goes first, then the shown copy's own."""
    told: dict[str, set[str]] = {}  # by whom
    forms: dict[str, str] = {}
    for item in sorted(since, key=lambda i: (i is not shown, i.first_seen_at, i.id)):
        for key, form in found_in(item):
            told.setdefault(key, set()).add(item.feed.source.family)
            if item is shown:
                told[key].add("the shown copy")  # counts like a second source
            forms.setdefault(key, form)
    firm = sorted((key for key in told if len(told[key]) > 1), key=lambda key: -len(told[key]))
    return [forms[key] for key in firm[:most]]


def _sources(candidate: Candidate, wording: NullTranslations) -> str:
    """ "3 more sources (Herald, Courier, Post)": the first copy of each new owner names it."""
    first = [earliest(item for item in candidate.own_items if item.feed.source.family == family)
             for family in candidate.new_families]
    told = [item.feed.source.name for item in sorted(first, key=lambda i: (i.sorted_at, i.id))]
    listed = ", ".join(told[:SOURCES]) + (" …" if len(told) > SOURCES else "")
    return wording.ngettext("{count} more source ({names})", "{count} more sources ({names})", len(told)).format(
        count=len(told), names=listed)


def _unit(word: str | None, following: str | None, money: bool, language: str) -> str:
    """The unit or noun of a number; "" where the word after it is none."""
    if not word or not word.islower() or _TIME.fullmatch(word) or word in STOPWORDS.get(language, ()):
        return ""
    if not _MULTIPLES.fullmatch(word):
        return word
    counts = following and following.islower() and following not in STOPWORDS.get(language, ()) and not money
    return f"{word} {following}" if counts else word


def _whole_text(item: Item) -> str:
    return "\n".join((item.title, item.summary, *(block.text for block in item.text)))


def _digits(number: str) -> str:
    """A number as it is compared: "3,000" and "3 000" are one, "54.2" and "54,2" too."""
    return re.sub(r"\D", "", number)


def _is_year(number: str) -> bool:
    return bool(re.fullmatch(r"(?:19|20)\d\d", number))


def _day(day: str, today: Date, language: str) -> str:
    mailed = Date.fromisoformat(day)
    if language == "en" and (today - mailed).days <= WEEK_DAYS:
        return format_date(mailed, "EEEE", locale="en")
    return format_skeleton("MMMMd", mailed, locale=locale_of(language))
