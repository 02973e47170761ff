"""Newsletters by name, and when their next editions are due."""

from datetime import date as Date
from datetime import datetime, timedelta

from digest.documents import Configuration, Newsletter
from digest.errors import NotFound
from digest.model import Period
from digest.pipeline.slots import due_slot, local_date, next_release


def chosen(configuration: Configuration, slug: str | None) -> Newsletter:
    """The newsletter named `slug`; without a name the only one. Raises NotFound, naming those there are."""
    known = tuple(configuration.newsletters)
    if slug is not None:
        if slug not in configuration.newsletters:
            raise NotFound("newsletter", slug, known, hint="newsletters are the files of config/newsletters/")
        return configuration.newsletters[slug]
    if len(known) == 1:
        return configuration.newsletters[known[0]]
    if not known:
        raise NotFound("newsletter", "", hint="make one with: digest init")
    raise NotFound("newsletter", "", known, hint="there are several: name one")


def upcoming(newsletter: Newsletter, now: datetime, count: int = 5) -> tuple[datetime, ...]:
    """The next releases in UTC, in order."""
    releases: list[datetime] = []
    while len(releases) < count:
        releases.append(next_release(newsletter, releases[-1] if releases else now))
    return tuple(releases)


def week_at_hand(newsletter: Newsletter, now: datetime) -> Date:
    """The day of the weekly edition that is next, or today's where it is out already."""
    newest, _ = due_slot(newsletter, now, Period.WEEKLY)
    if newest == local_date(newsletter, now):
        return newest
    return local_date(newsletter, next_release(newsletter, now, Period.WEEKLY))


def is_late(newsletter: Newsletter, release_at: datetime, now: datetime) -> bool:
    """Whether it is too late to send the edition of this release."""
    return now - release_at > timedelta(hours=newsletter.max_lateness_hours)
