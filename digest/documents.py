"""Configuration documents: newsletters, sources and gazetteer, as typed values read from TOML text.

Pure: text in, values out. `digest.services.config` versions the texts and mirrors them as rows.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time
from difflib import get_close_matches
from typing import Annotated, Any, Literal, TypeVar
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, ValidationError, field_validator, model_validator

from digest.alert_rules import AlertEntry, AlertsDocument, alert_mistake
from digest.errors import ConfigError, QueryError
from digest.gazetteer import Gazetteer as Gazetteer
from digest.gazetteer import GazetteerDocument, PlacedName, check_names
from digest.gazetteer import Region as Region
from digest.mistakes import find_line, toml_error, validation_error, validation_errors
from digest.model import Feed, Period, Source
from digest.query import parse_query, story_conditions
from digest.sources import Document, FamilyEntry, LanguageTag, Slug, SourcesDocument, with_owners
from digest.text.languages import USUAL
from digest.text.names import NO_NAMES, Names
from digest.theme import Theme

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

DAYS_A_WEEK = 7

# First parts of addresses that a newsletter's page would hide.
RESERVED_SLUGS = frozenset({
    "a", "alerts", "api", "docs", "feeds", "healthz", "metrics", "openapi", "outbox", "preview", "sign-up", "static",
    "stories", "u",
})


def _query_text(value: Any) -> Any:
    """Refuses a query that cannot be read, where it is written."""
    if isinstance(value, str):
        try:
            query = parse_query(value, names=None)
        except QueryError as error:
            raise ValueError(str(error)) from error
        if story_conditions(query)[1]:
            raise ValueError("conditions on the story are for alert rules")
    return value


def _clock_time(value: Any) -> Any:
    """Refuses what pydantic would read as seconds or as a time of another zone."""
    if isinstance(value, time) and value.tzinfo is None:
        return value
    if not isinstance(value, str) or not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", value):
        raise ValueError('must be a time of day in the newsletter\'s zone, such as "07:00"')
    return value


QueryText = Annotated[str, BeforeValidator(_query_text)]


class Topic(Document):
    """A named query with a weight: a section of the digest."""

    slug: Slug
    title: str
    query: QueryText
    weight: float = Field(1.0, ge=-3, le=3)
    limit: int = Field(4, ge=0, le=50)  # stories shown in its section; 0 ranks without a section
    titles: dict[LanguageTag, str] = Field(default_factory=dict)  # in interface languages other than the newsletter's
    cap: int = Field(0, ge=0)  # the most stories of one mail that are about it; 0: `caps.topic`
    floor: int = Field(0, ge=0, le=50)  # so many of its section are placed before other stories fill the caps

    @model_validator(mode="after")
    def _floor_below_limit(self) -> "Topic":
        if self.floor > self.limit:
            raise ValueError(f"floor is {self.floor} and limit {self.limit}: a section shows no more than its limit")
        return self

    def title_in(self, language: str) -> str:
        """The title of its section in an interface language."""
        return self.titles.get(language, self.title)


class SectionCounts(Document):
    """How many stories each part of an edition shows."""

    latest: int = Field(5, ge=0, le=50)  # stories of the newsletter's region that no topic claims
    brief: int = Field(5, ge=0, le=50)  # headlines of the region that found no place in topics and latest
    more: int = Field(6, ge=0, le=50)  # "More <parent region> News"


class Caps(Document):
    """The most stories of one mail that one source, family, topic or other country may have; 0 means no cap."""

    source: int = Field(3, ge=0)
    family: int = Field(4, ge=0)
    topic: int = Field(6, ge=0)
    country: int = Field(4, ge=0)  # of each country that is not the newsletter's own


class Thin(Document):
    """What becomes of a day with few stories."""

    stories: int = Field(3, ge=0, le=50)  # a mail with fewer is thin
    policy: Literal["send", "merge", "skip"] = "send"  # send it short; send it with the next one; or not at all


class Weights(Document):
    """Parameters of the score (docs/design.md). Hours are hours; the rest are points."""

    coverage: float = 1.0
    volume: float = 1.0
    velocity: float = 0.25
    velocity_hours: float = Field(12.0, gt=0)
    freshness_hours: float = Field(24.0, gt=0)  # one point is lost in so many hours
    region: float = 1.0
    quality: float = 0.1
    novelty: float = 2.0  # lost by a story of an earlier edition that has not developed
    reprint: float = Field(0.3, ge=0, le=1)  # what a reprint counts as a source


class Weekly(Document):
    """The weekly edition of a newsletter: the best of seven days, with a draft and an approval of its own."""

    day: Weekday = "sun"
    send_time: Annotated[time, BeforeValidator(_clock_time)] = time(8, 0)
    tagline: str = ""  # in place of the daily editions' tagline


class Desk(Document):
    """Whether an editor sees an edition before it goes, and what happens when nobody has approved it in time."""

    minutes: int = Field(0, ge=0, le=1440)  # a draft is built so long before release; 0: no draft, sent as built
    on_timeout: Literal["send", "hold"] = "send"  # send what nobody approved by its release, or hold it


class Newsletter(Document):
    """A product that readers sign up to."""

    slug: Slug
    name: str = Field(min_length=1, max_length=80)
    tagline: str = ""
    region: str
    zone: str = "UTC"
    send_time: Annotated[time, BeforeValidator(_clock_time)] = time(7, 0)
    days: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    language: LanguageTag = "en"  # of the interface
    read: tuple[LanguageTag, ...] = ("en",)  # languages whose copy may be shown; () shows all
    count: tuple[LanguageTag, ...] = ()  # languages that count for coverage; () counts all
    unreadable: Literal["omit", "list"] = "omit"
    regions: tuple[str, ...] = ()  # feeds of these regions and of the regions inside them
    sources: tuple[Slug, ...] = ()  # and feeds of these sources
    sender: str = ""  # From address; "" uses mail.sender of digest.toml
    max_lateness_hours: int = Field(12, ge=0, le=48)  # a missed edition is still sent within so many hours
    weekly: Weekly | None = None  # None: daily editions alone
    desk: Desk = Desk()
    sections: SectionCounts = SectionCounts()
    caps: Caps = Caps()
    thin: Thin = Thin()
    byte_budget: int = Field(90_000, ge=20_000)  # most bytes of a mail's HTML; mail readers clip at about 100,000
    weights: Weights = Weights()
    theme: Theme = Theme()
    topics: tuple[Topic, ...] = ()

    @field_validator("slug")
    @classmethod
    def _free_slug(cls, value: str) -> str:
        if value in RESERVED_SLUGS:
            raise ValueError("an address of the program itself; name the file otherwise")
        return value

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

    def for_period(self, period: Period) -> "Newsletter":
        """The newsletter as an edition of this period sees it: a week has its own tagline and ages slower."""
        if period is Period.DAILY or self.weekly is None:
            return self
        hours = {name: getattr(self.weights, name) * DAYS_A_WEEK for name in ("freshness_hours", "velocity_hours")}
        return self.model_copy(update={
            "tagline": self.weekly.tagline, "weights": self.weights.model_copy(update=hours)})

    def takes(self, feed: Feed, gazetteer: "Gazetteer") -> bool:
        """Whether the feed's items are offered to this newsletter."""
        if feed.source.slug in self.sources:
            return True
        return feed.region is not None and any(gazetteer.inside(feed.region, region) for region in self.regions)


@dataclass(frozen=True, slots=True)
class Configuration:
    """Everything that the documents say, in the order of their paths. `version` is 0 where unversioned."""

    newsletters: Mapping[str, Newsletter]
    sources: Mapping[str, Source]
    feeds: tuple[Feed, ...]
    gazetteer: Gazetteer
    version: int = 0
    names: Names = NO_NAMES
    alerts: Mapping[str, tuple[AlertEntry, ...]] = field(default_factory=dict)  # the desk's rules, by document
    agencies: Mapping[str, str] = field(default_factory=dict)  # name under which it is credited -> family

    def feeds_of(self, newsletter: Newsletter) -> tuple[Feed, ...]:
        return tuple(feed for feed in self.feeds if newsletter.takes(feed, self.gazetteer))


D = TypeVar("D", bound=Document)


def read_document(path: str, text: str, kind: type[D], **extra: Any) -> D:
    """A document of one kind. Raises ConfigError with file, line, key and what would be right."""
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise toml_error(path, text, error) from error
    for key in extra.keys() & values.keys():
        raise ConfigError(path, "unknown key", line=find_line(text, (key,)), key=key,
                          hint=f"it is {extra[key]!r}, from the name of the file")
    try:
        return kind.model_validate({**values, **extra})
    except ValidationError as error:
        raise validation_error(path, text, error) from error


@dataclass
class _Parts:
    """What the documents read so far say."""

    newsletters: dict[str, Newsletter] = field(default_factory=dict)
    sources: dict[str, Source] = field(default_factory=dict)
    feeds: dict[str, Feed] = field(default_factory=dict)
    families: dict[str, FamilyEntry] = field(default_factory=dict)
    regions: dict[str, Region] = field(default_factory=dict)
    names: dict[str, PlacedName] = field(default_factory=dict)
    alerts: dict[str, tuple[AlertEntry, ...]] = field(default_factory=dict)

    def add(self, path: str, text: str) -> None:
        if path.startswith("newsletters/"):
            slug = path.removeprefix("newsletters/").removesuffix(".toml")
            self.newsletters[slug] = read_document(path, text, Newsletter, slug=slug)
        elif path.startswith("sources/"):
            self._add_sources(path, text)
        elif path.startswith("gazetteer/"):
            document = read_document(path, text, GazetteerDocument)
            self._add_regions(path, text, document)
            self._add_names(path, text, document)
        elif path.startswith("alerts/"):
            self._add_alerts(path, read_document(path, text, AlertsDocument).alerts, text)

    def _add_alerts(self, path: str, entries: tuple[AlertEntry, ...], text: str) -> None:
        names = {entry.name for known in self.alerts.values() for entry in known}
        for index, entry in enumerate(entries):
            if entry.name in names:
                raise ConfigError(path, f"alert {entry.name!r} stands twice",
                                  line=find_line(text, ("alerts", index, "name")), key=f"alerts.{index}.name",
                                  hint="names are unique in all files of config/alerts/")
            names.add(entry.name)
        self.alerts[path] = entries

    def _add_sources(self, path: str, text: str) -> None:
        document = read_document(path, text, SourcesDocument)
        self.families |= {family.slug: family for family in document.families}
        for index, entry in enumerate(document.sources):
            if entry.slug in self.sources:
                raise ConfigError(path, f"source {entry.slug!r} stands twice",
                                  line=find_line(text, ("sources", index, "slug")), key=f"sources.{index}.slug",
                                  hint="slugs are unique in all files of config/sources/")
            source = Source(entry.slug, entry.name, entry.family or "", entry.tier)  # "": as its sites say
            self.sources[entry.slug] = source
            for number, feed in enumerate(entry.feeds):
                place = ("sources", index, "feeds", number, "url")
                if feed.url in self.feeds:
                    raise ConfigError(path, f"feed {feed.url} stands twice", line=find_line(text, place),
                                      key=".".join(map(str, place)),
                                      hint=f"it belongs to {self.feeds[feed.url].source.slug} already")
                self.feeds[feed.url] = feed.of(source)

    def _add_regions(self, path: str, text: str, document: GazetteerDocument) -> None:
        names: set[str] = set()
        for index, region in enumerate(document.regions):
            if region.name in names:
                raise ConfigError(path, f"region {region.name!r} stands twice",
                                  line=find_line(text, ("regions", index, "name")), key=f"regions.{index}.name")
            names.add(region.name)
            self.regions[region.name] = region

    def _add_names(self, path: str, text: str, document: GazetteerDocument) -> None:
        slugs: set[str] = set()
        for index, entry in enumerate(document.names):
            if entry.slug in slugs:
                raise ConfigError(path, f"name {entry.slug!r} stands twice",
                                  line=find_line(text, ("names", index, "slug")), key=f"names.{index}.slug")
            slugs.add(entry.slug)
            self.names.pop(entry.slug, None)  # stands where it was read last, which is where its mistakes are
            self.names[entry.slug] = PlacedName(entry.named(), path, index)


def read_configuration(
    texts: Mapping[str, str], base: Mapping[str, str] | None = None, version: int = 0
) -> Configuration:
    """The configuration that documents make together. Keys are paths such as "newsletters/kazakhstan.toml".

    `base` holds documents that the package ships (gazetteer, families); those of the instance win by name.
    Raises ConfigError where a document is wrong or two documents disagree.
    """
    parts = _Parts()
    for path, text in [*sorted((base or {}).items()), *sorted(texts.items())]:
        parts.add(path, text)
    languages = _languages(parts)
    sources, feeds = with_owners(parts.sources, parts.feeds.values(), parts.families.values(), languages)
    agencies = {name: family.slug for family in parts.families.values() for name in family.agencies}
    check_names(parts.names.values(), parts.regions, {**(base or {}), **texts})
    configuration = Configuration(parts.newsletters, sources, feeds, Gazetteer(parts.regions), version,
                                  Names(placed.name for placed in parts.names.values()), parts.alerts, agencies)
    for newsletter in parts.newsletters.values():
        _check_sources(newsletter, configuration, texts)
        _check_topics(newsletter, configuration, texts)
    _check_alerts(configuration, texts)
    return configuration


def _check_alerts(configuration: Configuration, texts: Mapping[str, str]) -> None:
    """Queries of alerts whose @names the gazetteer does not have, and scopes that name no newsletter or source."""
    for path, entries in configuration.alerts.items():
        for index, entry in enumerate(entries):
            wrong = alert_mistake(entry.spec, configuration.names, configuration.newsletters, configuration.sources)
            if wrong is not None:
                key, message, hint = wrong
                raise ConfigError(path, message, line=find_line(texts[path], ("alerts", index, key)),
                                  key=f"alerts.{index}.{key}", hint=hint)


def _languages(parts: _Parts) -> tuple[str, ...]:
    """What items may be in: the languages of feeds and newsletters; where one counts all, the usual ones too."""
    newsletters = parts.newsletters.values()
    named = {feed.language for feed in parts.feeds.values() if feed.language}
    named |= {tag for newsletter in newsletters for tag in (*newsletter.read, *newsletter.count)}
    is_open = not all(newsletter.count for newsletter in newsletters)
    return tuple(sorted({tag.partition("-")[0] for tag in named} | set(USUAL if is_open else ())))


def _check_sources(newsletter: Newsletter, configuration: Configuration, texts: Mapping[str, str]) -> None:
    path = f"newsletters/{newsletter.slug}.toml"
    for index, slug in enumerate(newsletter.sources):
        if slug not in configuration.sources:
            near = get_close_matches(slug, configuration.sources, n=1)
            raise ConfigError(path, f"unknown source {slug!r}", line=find_line(texts[path], ("sources", index)),
                              key=f"sources.{index}",
                              hint=f"did you mean {near[0]!r}?" if near else "add it to a file in config/sources/")


def _check_topics(newsletter: Newsletter, configuration: Configuration, texts: Mapping[str, str]) -> None:
    """Queries of topics whose @names the gazetteer does not have."""
    path = f"newsletters/{newsletter.slug}.toml"
    for index, topic in enumerate(newsletter.topics):
        try:
            parse_query(topic.query, names=configuration.names)
        except QueryError as error:
            raise ConfigError(path, str(error), line=find_line(texts[path], ("topics", index, "query")),
                              key=f"topics.{index}.query") from error


def find_mistakes(texts: Mapping[str, str], base: Mapping[str, str] | None = None) -> list[ConfigError]:
    """Every mistake in the documents; where each document is right by itself, the first between two of them."""
    found: list[ConfigError] = []
    for path, text in sorted(texts.items()):
        try:
            _Parts().add(path, text)
        except ConfigError as error:
            cause = error.__cause__
            found += validation_errors(path, text, cause) if isinstance(cause, ValidationError) else [error]
    if not found:
        try:
            read_configuration(texts, base)
        except ConfigError as error:
            found.append(error)
    return found
