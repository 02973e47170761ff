"""Alert rules: what one says, the documents of config/alerts/ that hold them, and what one firing of it is."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, time
from difflib import get_close_matches
from enum import StrEnum
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator, model_validator

from digest.errors import QueryError
from digest.model import Subscriber
from digest.query import parse_query
from digest.sources import Document, LanguageTag, Slug
from digest.text.names import Names

MAIL = "mail"  # kind of a channel whose target is a normalised address
WEBHOOK = "webhook"  # one whose target is an http address that bundles are POSTed to
CHAT = "chat"  # one whose target is an address of a chat service, as apprise has them
FEED = "feed"  # one whose target is the key of an Atom feed, which is asked for
DESK = "desk"  # who owns a rule that is no subscriber's
COMMAND = "command"  # where a rule comes from that no document holds
WEB = "web"  # where one comes from that a visitor made


class Cadence(StrEnum):
    """When what a rule finds is told."""

    NOW = "now"
    HOURLY = "hourly"  # one bundle at the full hour
    DAILY = "daily"  # one bundle a day, at `hour`
    DIGEST = "digest"  # one bundle when the owner's next edition is due


class StoryPolicy(StrEnum):
    """How often a rule may fire for one story."""

    ONCE = "once"
    DEVELOPS = "develops"  # again when one of the stated triggers says that it developed
    EVERY_ITEM = "every-item"


def _clock_time(value: Any) -> Any:
    """A time of day as "HH:MM"; pydantic alone would read numbers as seconds."""
    if isinstance(value, time) and value.tzinfo is None:
        return value
    if not isinstance(value, str) or not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d(:00)?", value):
        raise ValueError('must be a time of day, such as "07:00"')
    return time.fromisoformat(value)


ClockTime = Annotated[time, BeforeValidator(_clock_time)]
Address = Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s.]+(\.[^@\s.]+)+$")]


STORED = {"stored": True}  # context for what was checked when it was stored: a language that grew must not lose rules


def readable(query: str, info: ValidationInfo) -> str:
    """The query, where it can be read. Raises ValueError, which documents show with file and line."""
    if query and not (info.context or {}).get("stored"):
        try:
            parse_query(query, names=None)
        except QueryError as error:
            raise ValueError(str(error)) from error
    return query


class QuietHours(Document):
    """A span of the day, on the clock of the rule's zone, in which nothing is told; it may go over midnight.

    What is found in it is held and told in one bundle at its end.
    """

    start: ClockTime
    end: ClockTime
    passes: str = ""  # a query: stories that match it are told all the same; "" lets nothing pass

    _readable = field_validator("passes")(readable)

    @model_validator(mode="after")
    def _is_span(self) -> "QuietHours":
        if self.start == self.end:
            raise ValueError("start and end are the same time: leave quiet hours out, or pause the rule")
        return self


class AlertSpec(Document):
    """What a rule says. A change of any of it is a new version of the rule."""

    query: str = Field(min_length=1)
    regions: tuple[str, ...] = ()  # items of these regions and of the regions inside them; () all
    newsletters: tuple[Slug, ...] = ()  # items that are offered to one of these newsletters; () all
    sources: tuple[Slug, ...] = ()  # items of these sources; () all
    languages: tuple[LanguageTag, ...] = ()  # items in one of these; () all
    cadence: Cadence = Cadence.NOW
    hour: ClockTime = time(7, 0)  # of the daily bundle, and of a digest bundle whose owner reads no newsletter
    zone: str = ""  # of hours, days and times shown; "" the instance's
    quiet: QuietHours | None = None
    cool_down_minutes: int = Field(0, ge=0, le=10_080)  # least time between two bundles of the rule
    ceiling: int = Field(50, ge=0, le=10_000)  # most alerts told at once a day; 0: no ceiling
    story: StoryPolicy = StoryPolicy.ONCE
    families: int = Field(3, ge=1, le=50)  # so many more independent owners make a story develop

    _readable = field_validator("query")(readable)

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            return value if not value else ZoneInfo(value).key
        except (KeyError, ValueError, OSError) as error:
            raise ValueError("unknown time zone; use an IANA name such as Asia/Almaty") from error

    @property
    def asked(self) -> tuple[object, ...]:
        """What decides which items match; a version that changes it starts afresh, as a new rule does."""
        return self.query, self.regions, self.newsletters, self.sources, self.languages


class AlertEntry(AlertSpec):
    """A rule of the desk, as a document of config/alerts/ holds it."""

    name: str = Field(min_length=1, max_length=80)
    to: tuple[Address, ...] = ()  # addresses of people who agreed to get it

    @property
    def spec(self) -> AlertSpec:
        return AlertSpec.model_validate({name: getattr(self, name) for name in AlertSpec.model_fields})


class AlertsDocument(Document):
    alerts: tuple[AlertEntry, ...] = ()


@dataclass(frozen=True, slots=True)
class AlertRule:
    """Somebody's query with its policy; never fires on an item first seen before `since`.

    `since` is when it was made, was resumed, or got another query or scope, whichever was last.
    """

    id: int
    name: str
    owner: Subscriber | None  # None: the desk
    spec: AlertSpec
    version: int
    created_at: datetime
    since: datetime
    state: str = "active"  # active, paused, removed, or pending until its owner confirms it
    origin: str = COMMAND  # or the path of the document that holds it, or "web"

    @property
    def query(self) -> str:
        return self.spec.query

    @property
    def owner_name(self) -> str:
        return self.owner.email if self.owner else DESK


@dataclass(frozen=True, slots=True)
class RuleVersion:
    """What a rule said from `at` on, until its next version."""

    rule_id: int
    number: int
    at: datetime
    author: str
    spec: AlertSpec


@dataclass(frozen=True, slots=True)
class Channel:
    """Where a rule's alerts go. `kind` "mail" has a normalised address as its target."""

    id: int
    rule_id: int
    kind: str
    target: str
    state: str = "active"  # active, stopped by its reader, or paused


@dataclass(frozen=True, slots=True)
class Trigger:
    """Why an alert was given: "first", or what made a story that was told before develop; `detail` names it."""

    name: str
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.name}: {self.detail}" if self.detail else self.name


@dataclass(frozen=True, slots=True)
class Alert:
    """One firing of a rule for one story. UNIQUE(rule, story, occasion)."""

    id: int
    rule_id: int
    version: int
    story_id: str
    item_id: str
    occasion: str  # "first", or the id of the item that made it fire again
    sentence: str  # the matched sentence, plain text
    words: tuple[str, ...]  # the words that matched, as they stand in the text
    why: tuple[Trigger, ...]
    at: datetime
    release_at: datetime  # when it is told
    held_by: str = ""  # "cadence", "cool-down", "ceiling" or "quiet hours": what kept it from being told at once


def changes(old: AlertSpec, new: AlertSpec) -> Mapping[str, tuple[object, object]]:
    """What differs between two versions, by key."""
    return {key: (getattr(old, key), getattr(new, key)) for key in AlertSpec.model_fields
            if getattr(old, key) != getattr(new, key)}


def alert_mistake(spec: AlertSpec, names: Names, newsletters: Iterable[str],
                  sources: Iterable[str]) -> tuple[str, str, str] | None:
    """What a rule says that this instance does not have, as (key, message, hint); None where all is there."""
    for key, query in (("query", spec.query), ("quiet", spec.quiet.passes if spec.quiet else "")):
        try:
            if query:
                parse_query(query, names=names)
        except QueryError as error:
            return key, str(error), ""
    for key, wanted, known in (("newsletters", spec.newsletters, tuple(newsletters)),
                               ("sources", spec.sources, tuple(sources))):
        for slug in wanted:
            if slug not in known:
                near = get_close_matches(slug, known, n=1)
                return key, f"there is no {slug!r} among the {key}", f"did you mean {near[0]!r}?" if near else ""
    return None
