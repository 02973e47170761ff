"""Configuration documents: newsletters, sources and gazetteer, as typed values read from TOML text.

Pure: text in, values out. `digest.services.config` versions the texts and mirrors them as rows.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator, model_validator

from digest.errors import ConfigError, QueryError
from digest.model import BodyPolicy, Feed, Source, short_id
from digest.query import parse_query
from digest.settings import find_line, toml_error, validation_error

Slug = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)]
LanguageTag = Annotated[str, Field(pattern=r"^[a-z]{2,3}$")]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


class Document(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _query_text(value: Any) -> Any:
    """Refuses a query that cannot be read, where it is written."""
    if isinstance(value, str):
        try:
            parse_query(value)
        except QueryError as error:
            raise ValueError(str(error)) from error
    return value


QueryText = Annotated[str, BeforeValidator(_query_text)]


class Topic(Document):
    """A named query with a weight: a section of the digest."""

    slug: Slug
    title: str
    query: QueryText
    weight: float = Field(1.0, ge=-3, le=3)
    limit: int = Field(4, ge=0, le=50)  # stories shown in its section; 0 ranks without a section


class SectionCounts(Document):
    """How many stories each part of an edition shows."""

    latest: int = Field(5, ge=0, le=50)  # stories of the newsletter's region that no topic claims
    more: int = Field(6, ge=0, le=50)  # "More <parent region> News"


class Caps(Document):
    """The most stories of one edition that one source or one family may lead; 0 means no cap."""

    source: int = Field(3, ge=0)
    family: int = Field(4, ge=0)


class Weights(Document):
    """Parameters of the score (docs/design.md). Hours are hours; the rest are points."""

    coverage: float = 1.0
    velocity: float = 0.5
    velocity_hours: float = Field(3.0, gt=0)
    freshness_hours: float = Field(12.0, gt=0)  # one point is lost in so many hours
    region: float = 1.0
    quality: float = 0.3
    novelty: float = 2.0  # lost by a story of an earlier edition that has not developed
    reprint: float = Field(0.3, ge=0, le=1)  # what a reprint counts as a source


class Newsletter(Document):
    """A product that readers sign up to."""

    slug: Slug
    name: str = Field(min_length=1, max_length=80)
    tagline: str = ""
    region: str
    zone: str = "UTC"
    send_time: time = time(7, 0)
    days: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    language: LanguageTag = "en"  # of the interface
    read: tuple[LanguageTag, ...] = ("en",)  # languages whose copy may be shown
    count: tuple[LanguageTag, ...] = ()  # languages that count for coverage; () counts all
    unreadable: Literal["omit", "list"] = "omit"
    regions: tuple[str, ...] = ()  # feeds of these regions and of the regions inside them
    sources: tuple[Slug, ...] = ()  # and feeds of these sources
    sender: str = ""  # From address; "" uses mail.sender of digest.toml
    max_lateness_hours: int = Field(12, ge=0, le=48)  # a missed edition is still sent within so many hours
    sections: SectionCounts = SectionCounts()
    caps: Caps = Caps()
    weights: Weights = Weights()
    topics: tuple[Topic, ...] = ()

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError) as error:
            raise ValueError("unknown time zone; use an IANA name such as Asia/Almaty") from error
        return value

    @model_validator(mode="after")
    def _has_feeds(self) -> "Newsletter":
        if not self.regions and not self.sources:
            raise ValueError("has no feeds: give regions or sources")
        slugs = [topic.slug for topic in self.topics]
        if len(slugs) != len(set(slugs)):
            raise ValueError("two topics have one slug")
        return self

    def takes(self, feed: Feed, gazetteer: "Gazetteer") -> bool:
        """Whether the feed's items are offered to this newsletter."""
        if feed.source.slug in self.sources:
            return True
        return feed.region is not None and any(gazetteer.inside(feed.region, region) for region in self.regions)


class FeedEntry(Document):
    url: str
    region: str | None = None
    language: LanguageTag | None = None
    body: BodyPolicy = BodyPolicy.EXCERPT

    @field_validator("url")
    @classmethod
    def _address(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https", "archive"} or not parts.netloc:
            raise ValueError("must be an absolute http(s) address (or archive://OUTLET in a replay)")
        return value


class SourceEntry(Document):
    slug: Slug
    name: str
    family: Slug | None = None  # None: the source stands alone
    tier: float = Field(1.0, ge=0, le=3)
    feeds: tuple[FeedEntry, ...] = ()


class SourcesDocument(Document):
    sources: tuple[SourceEntry, ...] = ()


class Region(Document):
    """A place with a parent; `places` are names in any language that say an item is of it."""

    name: str
    parent: str | None = None
    places: tuple[str, ...] = ()


class GazetteerDocument(Document):
    regions: tuple[Region, ...] = ()


@dataclass(frozen=True, slots=True)
class Gazetteer:
    """Regions by name. A name that is not listed is a region without parent and places."""

    regions: Mapping[str, Region]

    def parent(self, name: str) -> str | None:
        region = self.regions.get(name)
        return region.parent if region else None

    def inside(self, name: str, outer: str) -> bool:
        """Whether `name` is `outer` or lies in it."""
        seen: set[str] = set()
        current: str | None = name
        while current is not None and current not in seen:
            if current == outer:
                return True
            seen.add(current)
            current = self.parent(current)
        return False


@dataclass(frozen=True, slots=True)
class Configuration:
    """Everything that the documents say, in the order of their paths. `version` is 0 where unversioned."""

    newsletters: Mapping[str, Newsletter]
    sources: Mapping[str, Source]
    feeds: tuple[Feed, ...]
    gazetteer: Gazetteer
    version: int = 0

    def feeds_of(self, newsletter: Newsletter) -> tuple[Feed, ...]:
        return tuple(feed for feed in self.feeds if newsletter.takes(feed, self.gazetteer))


D = TypeVar("D", bound=Document)


def read_document(path: str, text: str, kind: type[D], **extra: Any) -> D:
    """A document of one kind. Raises ConfigError with file, line, key and what would be right."""
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise toml_error(path, error) from error
    try:
        return kind.model_validate({**values, **extra})
    except ValidationError as error:
        raise validation_error(path, text, error) from error


def read_configuration(texts: Mapping[str, str], base: Mapping[str, str] | None = None, version: int = 0) -> Configuration:
    """The configuration that documents make together. Keys are paths such as "newsletters/kazakhstan.toml".

    `base` holds gazetteer documents that the package ships; documents of the instance win by name.
    Raises ConfigError where a document is wrong or two documents disagree.
    """
    newsletters: dict[str, Newsletter] = {}
    sources: dict[str, Source] = {}
    feeds: dict[str, Feed] = {}
    regions: dict[str, Region] = {}
    for path, text in [*sorted((base or {}).items()), *sorted(texts.items())]:
        if path.startswith("newsletters/"):
            slug = re.sub(r"^newsletters/|\.toml$", "", path)
            newsletters[slug] = read_document(path, text, Newsletter, slug=slug)
        elif path.startswith("sources/"):
            _add_sources(path, text, sources, feeds)
        elif path.startswith("gazetteer/"):
            regions.update({r.name: r for r in read_document(path, text, GazetteerDocument).regions})
    configuration = Configuration(newsletters, sources, tuple(feeds.values()), Gazetteer(regions), version)
    for newsletter in newsletters.values():
        _check_sources(newsletter, configuration, texts)
    return configuration


def _add_sources(path: str, text: str, sources: dict[str, Source], feeds: dict[str, Feed]) -> None:
    for index, entry in enumerate(read_document(path, text, SourcesDocument).sources):
        if entry.slug in sources:
            raise ConfigError(path, f"source {entry.slug!r} stands twice",
                              line=find_line(text, ("sources", index, "slug")), key="slug", hint="slugs are unique")
        source = Source(entry.slug, entry.name, entry.family or entry.slug, entry.tier)
        sources[entry.slug] = source
        for number, feed in enumerate(entry.feeds):
            if feed.url in feeds:
                raise ConfigError(path, f"feed {feed.url} stands twice",
                                  line=find_line(text, ("sources", index, "feeds", number, "url")), key="url",
                                  hint=f"it belongs to {feeds[feed.url].source.slug} already")
            feeds[feed.url] = Feed(short_id(feed.url), feed.url, source, feed.region, feed.language, feed.body)


def _check_sources(newsletter: Newsletter, configuration: Configuration, texts: Mapping[str, str]) -> None:
    path = f"newsletters/{newsletter.slug}.toml"
    for slug in newsletter.sources:
        if slug not in configuration.sources:
            raise ConfigError(path, f"unknown source {slug!r}", line=find_line(texts[path], ("sources",)),
                              key="sources", hint="add it to a file in config/sources/")
