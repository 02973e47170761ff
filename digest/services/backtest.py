"""Backtest: the editions of past days as other settings would have made them, beside those that were made.

    each day: inputs as of its release ─▶ compose, with the memory of this side's own days before ─▶ compare
"""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date as Date
from datetime import datetime, timedelta
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Connection

from digest.documents import Configuration, Newsletter
from digest.errors import NotFound
from digest.mistakes import toml_error, validation_error
from digest.pipeline.arrange import REST
from digest.pipeline.comparison import DayComparison, Edition, compare, told_in
from digest.pipeline.compose import Composed, compose
from digest.pipeline.pool import EditionInputs, Mailed
from digest.pipeline.slots import appears_on, release_of
from digest.services import archive, editions
from digest.services.editions import Memory
from digest.settings import Settings
from digest.storage.editions import resolved_ids

DAY = timedelta(days=1)


@dataclass
class Side:
    """The days of one newsletter's settings, made in order, each remembering those before it."""

    newsletter: Newsletter
    first: Date  # before it, storage tells what was mailed
    since: datetime | None = None  # cut-off of this side's last edition; None: as storage knows it
    mailed: dict[str, Mailed] = field(default_factory=dict)  # by this side, since `first`

    def memory(self, conn: Connection, at: datetime) -> Memory:
        """What an edition cut off at `at` knows of those before it; stories under the ids they have by then."""
        stored = editions.memory_of(conn, self.newsletter, self.first, at)
        mailed = dict(stored.mailed)
        ids = resolved_ids(conn, self.mailed, at)
        for story_id, told in self.mailed.items():
            known = mailed.get(ids[story_id])
            mailed[ids[story_id]] = replace(told, families=told.families | known.families) if known else told
        return Memory(self.since or stored.since, mailed)

    def remember(self, composed: Composed, day: Date, at: datetime) -> None:
        """Knows the stories of an edition's mail as mailed from now on."""
        self.since = at
        for story in editions.placed(composed.view, composed.families):
            if story.section != REST:
                known = self.mailed.get(story.story_id)
                families = story.families | (known.families if known else frozenset())
                self.mailed[story.story_id] = Mailed(day.isoformat(), families, at)


def days_between(newsletter: Newsletter, first: Date, last: Date) -> list[Date]:
    """The days from `first` to `last` on which the newsletter appears."""
    return [day for day in (first + number * DAY for number in range((last - first).days + 1))
            if appears_on(newsletter, day)]


def backtest(
    conn: Connection, configuration: Configuration, newsletter: Newsletter, other: Newsletter | None,
    settings: Settings, templates: Mapping[str, str], *, first: Date, last: Date, now: datetime,
    on_day: Callable[[Date], None] = lambda _day: None,
) -> list[DayComparison]:
    """Each day's edition under the settings in force beside the one under `other`. Stores nothing.

    Without `other`, the editions as they were released beside what the settings in force make of the same days.
    Before `first` both sides remember the stored editions. Raises NotFound where none of the days has been released.
    """
    days = [day for day in days_between(newsletter, first, last) if release_of(newsletter, day) <= now]
    if not days:
        raise NotFound("released day", f"{first} to {last}", hint=f"{newsletter.name} appears on other days")
    left, right = Side(newsletter, first), Side(other or newsletter, first)
    compared = []
    for day in days:
        after = _made(conn, configuration, right, settings, templates, day)
        before = (_made(conn, configuration, left, settings, templates, day) if other
                  else _released(conn, newsletter, day))
        compared.append(compare(before, after))
        on_day(day)
    return compared


def changed(newsletter: Newsletter, path: str, text: str) -> Newsletter:
    """The newsletter with the keys of a TOML document; what that leaves out stays, a list is replaced whole.

    Raises ConfigError with file, line and key where the document is wrong.
    """
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise toml_error(path, text, error) from error
    try:
        return Newsletter.model_validate({**_merged(newsletter.model_dump(), values), "slug": newsletter.slug})
    except ValidationError as error:
        raise validation_error(path, text, error) from error


def _merged(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(old)
    for key, value in new.items():
        known = old.get(key)
        merged[key] = _merged(known, value) if isinstance(known, dict) and isinstance(value, dict) else value
    return merged


def _made(
    conn: Connection, configuration: Configuration, side: Side, settings: Settings, templates: Mapping[str, str],
    day: Date,
) -> Edition:
    """The edition that a side makes of a day, which it remembers from then on."""
    news, at = side.newsletter, release_of(side.newsletter, day)
    own = replace(configuration, newsletters={**configuration.newsletters, news.slug: news})
    memory = side.memory(conn, at)
    inputs = editions.inputs_of(conn, own, news, settings.site, now=at, date=day, memory=memory)
    composed = editions.within_budget(compose(inputs), settings, templates)
    if composed.view.empty_reason is None:
        side.remember(composed, day, at)
    return Edition(day, told_in(composed.view, memory.mailed), _why_not(composed, inputs), composed.view.empty_reason)


def _released(conn: Connection, newsletter: Newsletter, day: Date) -> Edition:
    """The edition that was released on a day; one without stories where there was none."""
    edition = archive.archived(conn, newsletter.slug, day)
    if edition is None:
        return Edition(day, (), {}, "no edition was released")
    memory = editions.memory_of(conn, newsletter, day, edition.cutoff_at)
    return Edition(day, told_in(edition.view, memory.mailed), {})


def _why_not(composed: Composed, inputs: EditionInputs) -> dict[str, str]:
    """Each considered story's reason, that of the item which came furthest: a story's gate, else its items'."""
    reasons: dict[str, str] = {}
    for story in inputs.stories:
        fates = [composed.fates[item.id] for item in story.items if item.id in composed.fates]
        offered = [fate for fate in fates if fate.gate != "not offered"] or fates
        if offered:
            reasons[story.id] = f"{offered[-1].gate}: {offered[-1].why}" if offered[-1].gate else offered[-1].why
    return reasons
