"""Adds feeds to the sources of an instance, takes them out, and exchanges lists of them in OPML.

Each change is an edit of config/sources/*.toml with its comments kept, checked as a whole before it is written, and
imported as a new version.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from itertools import count

from sqlalchemy import Engine

from digest.documents import Configuration, read_configuration
from digest.errors import NotFound
from digest.model import Feed
from digest.pipeline.discover import slug_of, slug_of_host
from digest.pipeline.hosts import host_of
from digest.pipeline.opml import FeedList
from digest.pipeline.source_documents import NewFeed, with_feeds, without_feed
from digest.services import config
from digest.settings import Instance

FEED_SERVICES = frozenset({"feedburner.com", "feedblitz.com", "rss.app", "google.com", "youtube.com", "medium.com"})

SLUG_WORDS = 3  # of a title that stands in for a site


@dataclass(frozen=True, slots=True)
class Added:
    """What adding feeds did: those that are new, and the addresses that were known before."""

    configuration: Configuration
    new: tuple[NewFeed, ...]
    known: tuple[str, ...]


def add(engine: Engine, instance: Instance, feeds: Iterable[NewFeed], *, now: datetime, author: str) -> Added:
    """Adds feeds to their sources' documents and imports them, all or none. Idempotent by address.

    Raises ConfigError where a document would be wrong or the files do not agree with the database; nothing is written
    then.
    """
    known = {feed.url for feed in config.sync(engine, instance, now).feeds}
    wanted = {feed.url: feed for feed in feeds}
    new = tuple(feed for url, feed in wanted.items() if url not in known)
    configuration = _write(engine, instance, with_feeds(config.read_files(instance), new), now, author)
    return Added(configuration, new, tuple(url for url in wanted if url in known))


def remove(engine: Engine, instance: Instance, url: str, *, now: datetime, author: str) -> Configuration:
    """Takes a feed out of its source's document; its items stay. Raises NotFound for a feed that no document names."""
    known = [feed.url for feed in config.sync(engine, instance, now).feeds]
    changed = without_feed(config.read_files(instance), url)
    if not changed:
        raise NotFound("feed", url, tuple(get_close_matches(url, known, n=3)), hint="see: digest feeds list")
    return _write(engine, instance, changed, now, author)


def from_list(listed: FeedList, region: str | None, language: str | None, known: Iterable[Feed]) -> list[NewFeed]:
    """The feeds of a list as entries; feeds of one site share a source, named as the list names its first feed."""
    slugs = Slugs(known)
    return [NewFeed(feed.url, slugs.of(feed.url, feed.title, feed.site), feed.title or feed.url, region, language)
            for feed in listed.feeds]


class Slugs:
    """Which source a feed belongs to: the known one of its site, else a new one with a slug that is free."""

    def __init__(self, known: Iterable[Feed]):
        self._of_site: dict[str, str] = {}
        self._taken: set[str] = set()
        for feed in known:
            self._of_site.setdefault(_site(feed.url, feed.source.slug), feed.source.slug)
            self._taken.add(feed.source.slug)

    def of(self, url: str, title: str = "", page: str = "") -> str:
        """The slug for a feed at `url` whose site is `page` ("" where that is not known)."""
        address = page or url
        site = _site(address, title)
        if site not in self._of_site:
            own = slug_of(" ".join(title.split()[:SLUG_WORDS])) if site != host_of(address).name else ""
            short = own or slug_of_host(address)
            long = slug_of(f"{short} {site}")
            self._of_site[site] = next(slug for slug in _candidates(short, long) if slug not in self._taken)
            self._taken.add(self._of_site[site])
        return self._of_site[site]


def _site(url: str, title: str) -> str:
    """What tells publishers apart: the registrable domain; for a service that carries many, the title too."""
    name = host_of(url).name
    return f"{name} {title}" if name in FEED_SERVICES else name


def _candidates(short: str, long: str) -> Iterator[str]:
    yield short
    yield long
    yield from (f"{long[:50]}-{number}" for number in count(2))


def _write(engine: Engine, instance: Instance, changed: dict[str, str], now: datetime, author: str) -> Configuration:
    """Checks the documents with their changes, writes those, and imports them as one version."""
    if changed:
        read_configuration({**config.read_files(instance), **changed}, config.packaged_gazetteer())
        config.write_files(instance, changed)
    return config.sync(engine, instance, now, author=author)
