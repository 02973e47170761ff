"""What templates ask for in one interface language: dates, times, names of languages, direction, lang attributes."""

from datetime import date, datetime
from functools import lru_cache
from gettext import NullTranslations

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_skeleton
from markupsafe import Markup

from digest.locale import ENGLISH
from digest.pipeline.typography import typeset
from digest.pipeline.view import StoryView

RIGHT_TO_LEFT = frozenset({"ar", "dv", "fa", "he", "ps", "sd", "ug", "ur", "yi"})
_STORY_DAY = "MMMEd"
_STORY_DAYS = {"en": "EEE d MMM"}  # languages whose own pattern reads badly after a time
_LONG_DATES = {"tg": "EEEE, d MMMM y"}  # the locale data writes 03 for the 3rd


class Wording:
    """Dates, times and attributes in one interface language."""

    def __init__(self, language: str, translations: NullTranslations = ENGLISH):
        self.language = language
        self._translations = translations
        self._locale = locale_of(language)

    def long_date(self, day: str) -> str:
        """ "Monday, March 20, 2023" in the language's own long form, of an ISO day."""
        form = _LONG_DATES.get(self.language, "full")
        text = format_date(date.fromisoformat(day), format=form, locale=self._locale)
        return text[:1].upper() + text[1:]

    def story_time(self, story: StoryView) -> str:
        """ "04:06 UTC+6, Mon 20 Mar"; only the day where no time is known, "seen …" where it is undated."""
        return self.clock_time(story.time, story.time_kind)

    def clock_time(self, iso: str, kind: str = "published") -> str:
        """An ISO 8601 time with its offset, in words; `kind` as in StoryView.time_kind."""
        when = datetime.fromisoformat(iso)
        day = self.short_day(when.date())
        if kind == "day":
            return day
        text = f"{when:%H:%M} {offset_name(when)}, {day}"
        return self._translations.gettext("seen {time}").format(time=text) if kind == "seen" else text

    def short_day(self, day: date) -> str:
        """ "Mon 20 Mar" """
        if pattern := _STORY_DAYS.get(self.language):
            return format_date(day, format=pattern, locale=self._locale)
        return format_skeleton(_STORY_DAY, day, locale=self._locale)

    def day(self, iso: str) -> str:
        """ "Mon 20 Mar", of an ISO day."""
        return self.short_day(date.fromisoformat(iso))

    def language_name(self, code: str) -> str:
        """The name of a language, with a capital; its code where the locale data know none."""
        name = str(self._locale.languages.get(code, code))
        return name[:1].upper() + name[1:]

    def direction(self, language: str) -> str:
        return "rtl" if language in RIGHT_TO_LEFT else "ltr"

    def attributes(self, story: StoryView) -> Markup:
        """`language_attributes` of a story's own language."""
        return self.language_attributes(story.language)

    def language_attributes(self, language: str) -> Markup:
        """A lang attribute (and dir where it turns) for text in another language than the interface; else ""."""
        if language in {self.language, "und", ""}:
            return Markup("")
        turn = self.direction(language)
        extra = Markup("") if turn == self.direction(self.language) else Markup(' dir="{}"').format(turn)
        return Markup(' lang="{}"').format(language) + extra

    def typeset(self, text: str) -> str:
        """Text in the interface language with its own quotes and dashes."""
        return typeset(text, self.language)



def offset_name(when: datetime) -> str:
    """ "UTC+6", "UTC+5:30", "UTC": the offset of an aware datetime."""
    delta = when.utcoffset()
    minutes = int(delta.total_seconds()) // 60 if delta else 0
    if minutes == 0:
        return "UTC"
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'+' if minutes > 0 else '−'}{hours}" + (f":{rest:02}" if rest else "")


@lru_cache(maxsize=64)
def locale_of(language: str) -> Locale:
    """The locale data of a language; English where there are none."""
    try:
        return Locale.parse(language)
    except (UnknownLocaleError, ValueError):
        return Locale.parse("en")
