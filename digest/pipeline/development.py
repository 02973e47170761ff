"""What is new in a story since a time: owners, languages, figures and names. Editions and alerts share it.

Heuristics made to say too little rather than something false. A figure is a number with its unit or noun ("12 dead",
"54.2 %", "$3 billion") whose number nobody had written before; dates, times and spans of time are none. A name is a run
of capitalised words, or an acronym, whose last word had not been written before, in English prose only: elsewhere it
would be shown in the wrong case. An edition names both where two new sources have them, or the copy that is shown.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date as Date
from datetime import datetime
from gettext import NullTranslations

from babel.dates import format_date, format_skeleton

from digest.locale import translator
from digest.model import Item, Story
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
_FIRST = rf"\b(?!(?:{'|'.join(sorted(word.capitalize() for word in STOPWORDS['en'] | _DAYS))})\b){_CAPITALISED}"
_NAME = re.compile(
    rf"{_FIRST} (?:of|for|of the) {_CAPITALISED}(?: {_CAPITALISED})*|{_FIRST}(?: {_CAPITALISED})+|\b[A-Z]{{3,6}}\b")


@dataclass(frozen=True, slots=True)
class News:
    """A figure or a name that nobody had written before: as it is written, and the owners that write it since."""

    form: str
    families: frozenset[str]
    shown: bool = False  # whether the copy that readers see has it

    @property
    def is_firm(self) -> bool:
        """Whether two owners have it, or the copy that is shown."""
        return self.shown or len(self.families) > 1


@dataclass(frozen=True, slots=True)
class Development:
    """What is new in a story since a time; reprints of other items tell nothing new."""

    items: tuple[Item, ...] = ()  # that tell it, in order of (first_seen_at, id)
    families: tuple[str, ...] = ()  # owners that had not told the story, in order of telling
    languages: tuple[str, ...] = ()  # in which it had not been told, in order of telling
    figures: tuple[News, ...] = ()  # as most owners write them first
    names: tuple[News, ...] = ()  # of English prose, in the same order

    def __bool__(self) -> bool:
        return bool(self.families or self.languages or self.figures or self.names)


def development(story: Story, since: datetime, *, shown: Item | None = None) -> Development:
    """What the items first seen after `since` tell that those before do not; what `shown` says goes first."""
    before = [item for item in story.items if item.first_seen_at <= since]
    fresh = [item for item in story.items if item.first_seen_at > since and item.id not in story.reprints]
    fresh.sort(key=lambda item: (item.first_seen_at, item.id))
    known = {item.feed.source.family for item in before}
    spoken = {item.language for item in before}
    reading = sorted(fresh, key=lambda item: item is not shown)
    return Development(
        items=tuple(fresh),
        families=tuple(dict.fromkeys(i.feed.source.family for i in fresh if i.feed.source.family not in known)),
        languages=tuple(dict.fromkeys(item.language for item in fresh if item.language not in spoken)),
        figures=_told(((item, figures(item, before)) for item in reading), shown),
        names=_told(((item, names(item, before)) for item in reading if item.language == "en"), shown))


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
        fresh = development(_as_read(candidate, mailed.cutoff), mailed.cutoff, shown=candidate.shown)
        parts += [news.form for news in fresh.figures if news.is_firm][:FIGURES]
        parts += [news.form for news in fresh.names if news.is_firm][:NAMES]
    since_day = wording.gettext("New since {day}: {news}.")
    return since_day.format(day=_day(mailed.date, today, language), news="; ".join(parts)) if parts else ""


def _as_read(candidate: Candidate, since: datetime) -> Story:
    """The story as readers follow it: all that was told before, and since then the copies in the shown language."""
    before = [item for item in candidate.story.items if item.first_seen_at <= since]
    after = [item for item in candidate.own_items
             if item.first_seen_at > since and item.language == candidate.shown.language]
    return Story(candidate.story.id, (*before, *after))


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


def _told(found: Iterable[tuple[Item, Iterator[tuple[str, str]]]], shown: Item | None) -> tuple[News, ...]:
    """What the items tell, by key; what most owners tell goes first, the shown copy counting as one more."""
    families: dict[str, set[str]] = {}
    forms: dict[str, str] = {}
    in_shown: set[str] = set()
    for item, pairs in found:
        for key, form in pairs:
            families.setdefault(key, set()).add(item.feed.source.family)
            forms.setdefault(key, form)
            if item is shown:
                in_shown.add(key)
    ordered = sorted(families, key=lambda key: -len(families[key]) - (key in in_shown))
    return tuple(News(forms[key], frozenset(families[key]), key in in_shown) for key in ordered)


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
