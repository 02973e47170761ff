"""How a reader wants one newsletter: what there is to choose from, and choices in words turned into preferences.

Pages, the command line and imports all come here, with the same names for the same things.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from sqlalchemy import Connection

from digest.documents import Configuration, Newsletter
from digest.errors import PreferenceRefused
from digest.locale import LANGUAGES, N_, translator
from digest.model import Frequency, Preferences, Subscription
from digest.services.subscribers import find
from digest.storage import subscribers as storage

NAMES = ("frequency", "paused_until", "hour", "zone", "language", "read", "hidden_sections", "format")
FORMATS = ("html", "text")
LONGEST_PAUSE = timedelta(days=366)
_HOUR = re.compile(r"([01]\d|2[0-3]):[0-5]\d")

NOT_OFFERED = N_("Choose one of those offered.")
NO_HOUR = N_("Write the hour like 07:30.")
NO_DAY = N_("Choose a day within the next year, written like 2030-12-31.")
NO_ZONE = N_("Choose a zone by its name, such as Asia/Almaty.")


@dataclass(frozen=True, slots=True)
class Choices:
    """What a reader of a newsletter may choose from, beside what is the same for all newsletters.

    `read` is () where its copy is of one language alone; `sections` are keys with their titles, in the mail's order.
    """

    newsletter: Newsletter
    read: tuple[str, ...]
    sections: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Preferences, and the sections that are not wanted."""

    preferences: Preferences
    hidden_sections: tuple[str, ...]


def choices(newsletter: Newsletter, configuration: Configuration, language: str) -> Choices:
    """What readers of a newsletter may choose from, in words of a language."""
    read = newsletter.read or tuple(sorted({f.language for f in configuration.feeds_of(newsletter) if f.language}))
    return Choices(newsletter, read if len(read) > 1 else (), _sections(newsletter, configuration, language))


def wanted(of: Subscription) -> Wanted:
    """What a subscription has now."""
    return Wanted(of.preferences, of.hidden_sections)


def changed(current: Wanted, words: Mapping[str, str], offered: Choices, today: date) -> Wanted:
    """What is wanted after a change in words, by `NAMES`; a name that is missing changes nothing.

    "" takes the newsletter's own. Lists (`read`, `hidden_sections`) are parted by spaces or commas. Raises
    PreferenceRefused.
    """
    if unknown := sorted(set(words) - set(NAMES)):
        raise PreferenceRefused(unknown[0], words[unknown[0]], NOT_OFFERED)
    values = {name: text.strip() for name, text in words.items()}
    readers = _readers(offered, today)
    fields: dict[str, Any] = {name: readers[name](values[name]) for name in readers.keys() & values.keys()}
    hidden = _hidden(values["hidden_sections"], offered) if "hidden_sections" in values else current.hidden_sections
    return Wanted(replace(current.preferences, **fields), hidden)


def _readers(offered: Choices, today: date) -> dict[str, Callable[[str], object]]:
    """What makes a preference of words, by its name."""
    own = offered.newsletter
    languages, frequencies = (*LANGUAGES, own.language), tuple(frequency.value for frequency in Frequency)
    return {
        "frequency": lambda text: Frequency(_one("frequency", text or "daily", frequencies)),
        "paused_until": lambda text: _day(text, today),
        "hour": _hour,
        "zone": lambda text: _open(_zone(text), own.zone),
        "language": lambda text: _open(_one("language", text or own.language, languages), own.language),
        "read": lambda text: _read(text, offered),
        "format": lambda text: _one("format", text or "html", FORMATS),
    }


def store(conn: Connection, subscription_id: int, wanted: Wanted) -> Subscription:
    """Stores what a reader wants of a newsletter. Idempotent; raises NotFound."""
    storage.set_preferences(conn, subscription_id, wanted.preferences, wanted.hidden_sections)
    return find(conn, subscription_id)


def in_words(of: Subscription) -> dict[str, str]:
    """A subscription's preferences in words, by `NAMES`: what `changed` reads."""
    own = of.preferences
    return {
        "frequency": own.frequency.value, "paused_until": own.paused_until.isoformat() if own.paused_until else "",
        "hour": own.hour or "", "zone": own.zone or "", "language": own.language or "", "read": " ".join(own.read),
        "hidden_sections": " ".join(of.hidden_sections), "format": own.format}


def language_of(subscription: Subscription, newsletter: Newsletter | None, otherwise: str) -> str:
    """The interface language of a reader: chosen, else the newsletter's, else another."""
    return subscription.preferences.language or (newsletter.language if newsletter else otherwise)


@lru_cache(maxsize=1)
def zones() -> tuple[str, ...]:
    """The names of zones that are places, and UTC, in order."""
    return ("UTC", *sorted(name for name in available_timezones() if "/" in name and not name.startswith("Etc/")))


def _sections(newsletter: Newsletter, configuration: Configuration, language: str) -> tuple[tuple[str, str], ...]:
    words, gazetteer = translator(language), configuration.gazetteer
    region, parent = newsletter.region, gazetteer.parent(newsletter.region)
    more = words.gettext("More {region} News").format(region=gazetteer.name_in(parent, language)) if parent else ""
    rows = [(f"topic-{topic.slug}", topic.title_in(language), topic.limit) for topic in newsletter.topics]
    counts = newsletter.sections
    rows += [
        ("latest", words.gettext("Latest from {region}").format(region=gazetteer.name_in(region, language)),
         counts.latest),
        ("brief", words.gettext("In brief"), counts.brief),
        ("more", more or words.gettext("More news"), counts.more)]
    return tuple((key, title) for key, title, limit in rows if limit)


def _one(name: str, value: str, known: tuple[str, ...]) -> str:
    if value not in known:
        raise PreferenceRefused(name, value[:60], NOT_OFFERED)
    return value


def _open(value: str | None, own: str) -> str | None:
    """None for the newsletter's own, so that a reader follows it."""
    return None if value == own else value


def _hour(text: str) -> str | None:
    if text and not _HOUR.fullmatch(text):
        raise PreferenceRefused("hour", text[:60], NO_HOUR)
    return text or None


def _zone(text: str) -> str | None:
    if not text:
        return None
    try:
        ZoneInfo(text)
    except (KeyError, ValueError, OSError) as error:
        raise PreferenceRefused("zone", text[:60], NO_ZONE) from error
    return text


def _day(text: str, today: date) -> date | None:
    """The end of a pause; None where there is none or it is over."""
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise PreferenceRefused("paused_until", text[:60], NO_DAY) from error
    if day > today + LONGEST_PAUSE:
        raise PreferenceRefused("paused_until", text, NO_DAY)
    return day if day > today else None


def _read(text: str, offered: Choices) -> tuple[str, ...]:
    """The languages that are read; () for all, which is also what none at all means."""
    ticked = {_one("read", code, offered.read) for code in _list(text)}
    return tuple(code for code in offered.read if code in ticked) if ticked != set(offered.read) else ()


def _hidden(text: str, offered: Choices) -> tuple[str, ...]:
    known = tuple(key for key, _ in offered.sections)
    given = {_one("hidden_sections", key, known) for key in _list(text)}
    return tuple(key for key in known if key in given)


def _list(text: str) -> list[str]:
    return text.replace(",", " ").split()
