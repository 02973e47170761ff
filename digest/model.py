"""The product's values: frozen dataclasses, one per word of the glossary.

All datetimes are aware and in UTC. Local time appears only where an edition is composed or shown.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any


def short_id(*parts: str) -> str:
    """Sixteen hex digits of SHA-256 over the parts: the same on every database and in every rebuild."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


class BodyPolicy(StrEnum):
    """How much of an item's text may be shown to readers; a decision of the operator, per feed."""

    HEADLINE = "headline"
    EXCERPT = "excerpt"
    FULL = "full"


class ArticleText(StrEnum):
    """Whether an item's page is fetched for its text; a decision of the operator, per feed."""

    OFF = "off"
    SHORT = "short"  # where the feed gives less than 60 words
    ALWAYS = "always"


class Period(StrEnum):
    """What an edition looks back on: the day or the week."""

    DAILY = "daily"
    WEEKLY = "weekly"


class DateQuality(StrEnum):
    """How far an item's publication time can be trusted."""

    EXACT = "exact"
    DATE_ONLY = "date-only"  # the feed gave a day without a time of day
    NONE = "none"  # missing or unreadable: published_at is None
    FUTURE = "future"  # later than the clock: dropped, published_at is None
    IMPLAUSIBLE = "implausible"  # before 1995 or a stamp shared by the whole document: published_at is None


@dataclass(frozen=True, slots=True)
class Source:
    """The publisher shown to readers; sources of one owner share a family."""

    slug: str
    name: str
    family: str
    tier: float = 1.0  # weight in coverage, 0 to 3


@dataclass(frozen=True, slots=True)
class Access:
    """How a feed's server is asked, beyond what all are: headers of its own, a log-in, a proxy ("" for none)."""

    headers: tuple[tuple[str, str], ...] = ()
    username: str = ""
    password: str = field(default="", repr=False)
    proxy: str = ""  # http://[user:password@]host:port


@dataclass(frozen=True, slots=True)
class Feed:
    """One address that we poll; belongs to a source. `id` is `short_id(url)` of its first address.

    How it is polled and read (`interval_minutes`, `access`, `article_text`, `languages`) stands in the documents alone:
    a feed read from the database has the defaults, and is equal.
    """

    id: str
    url: str
    source: Source
    region: str | None = None
    language: str | None = None  # BCP 47 primary subtag; None: as declared by the document
    body: BodyPolicy = BodyPolicy.EXCERPT
    interval_minutes: int | None = field(default=None, compare=False)  # None: as its rhythm and its server say
    access: Access = field(default=Access(), compare=False)
    article_text: ArticleText = field(default=ArticleText.SHORT, compare=False)
    languages: tuple[str, ...] = field(default=(), compare=False)  # what its items may be in, where `language` is open


REPEATED = "repeated"  # kind of a block that stands on other pages of the feed too: stored, never part of a text


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph ("p") or a subhead ("h2") of an item's text, as plain text."""

    kind: str
    text: str

    def __reduce__(self) -> tuple[type["Block"], tuple[str, str]]:
        """On the way between processes, in a fraction of the time that frozen dataclasses take of themselves."""
        return Block, (self.kind, self.text)


@dataclass(frozen=True, slots=True)
class Item:
    """One entry of one feed, normalised. `id` is `short_id(feed.id, key)`."""

    id: str
    feed: Feed
    key: str  # identity inside its feed
    url: str  # absolute http(s) link with tracking removed; "" where the entry has none
    canonical_url: str  # compared, never shown
    title: str  # plain text, never empty
    summary: str  # plain text without boilerplate, dateline and subheads; may be ""
    body: tuple[Block, ...]  # the entry's text in blocks; () where the feed carries no more than a summary
    agency: str | None  # originating agency, where it is not the source ("Voice of America")
    place: str | None  # dateline place, in title case ("Almaty")
    language: str  # BCP 47 primary subtag; "und" where unknown
    published_at: datetime | None
    published_offset_minutes: int | None  # offset east of UTC as the feed gave it
    date_quality: DateQuality
    first_seen_at: datetime
    backlog: bool = False  # old or undated at its feed's first poll: stored as seen, never news
    image_url: str | None = None
    tags: tuple[str, ...] = ()
    link: str = ""  # as the feed gave it, before tracking was removed; for exports, never shown
    article: tuple[Block, ...] = ()  # the text of its page; () where that was not fetched or told nothing

    def __reduce__(self) -> tuple[type["Item"], tuple[Any, ...]]:
        """As for blocks."""
        return Item, tuple(getattr(self, name) for name in Item.__slots__)

    @property
    def text(self) -> tuple[Block, ...]:
        """Its fullest text in blocks: that of its page, or of the feed where that is longer."""
        return max(self.body, self.article, key=lambda blocks: sum(len(block.text) for block in blocks))

    @property
    def sorted_at(self) -> datetime:
        """The publication time where known, else the time of first sight."""
        return self.published_at or self.first_seen_at


@dataclass(frozen=True, slots=True)
class Join:
    """Why an item is in its story: the linear score and its named features (they sum to `score`)."""

    item_id: str
    story_id: str
    at: datetime
    score: float
    features: Mapping[str, float] = field(default_factory=dict)
    reprint_of: str | None = None  # item whose text this one repeats


@dataclass(frozen=True, slots=True)
class Story:
    """Items of one event; `id` is its founding item's. Items stand in order of (first_seen_at, id)."""

    id: str
    items: tuple[Item, ...]
    reprints: frozenset[str] = frozenset()  # ids of items that repeat another item's text

    @property
    def families(self) -> frozenset[str]:
        """Independent owners that told the story; a reprint does not add one."""
        own = frozenset(i.feed.source.family for i in self.items if i.id not in self.reprints)
        return own or frozenset(i.feed.source.family for i in self.items)


class StoryEventKind(StrEnum):
    NEW_STORY = "new-story"
    ITEM_JOINED = "item-joined"
    STORIES_MERGED = "stories-merged"
    FLAGGED = "flagged"  # an editor says that it develops
    STORY_SPLIT = "story-split"  # by an editor: `story_id` is the new story, of items that another one had
    STORY_REBUILT = "story-rebuilt"  # it has other items than before


@dataclass(frozen=True, slots=True)
class StoryEvent:
    """What happened to a story. `number` is the place in the database's log of events, from 1."""

    number: int
    kind: StoryEventKind
    story_id: str
    item_id: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Part:
    """One named term of a score, with the reason in words."""

    name: str
    value: float
    why: str


@dataclass(frozen=True, slots=True)
class Score:
    """A sum of named parts."""

    parts: tuple[Part, ...]

    @property
    def total(self) -> float:
        return sum(part.value for part in self.parts)


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of an item in an edition: exactly one for each item considered.

    `gate` is "chosen" or the gate at which it fell ("no link", "backlog", "outside the window",
    "already sent", "not readable", "another region", "source cap", "below the cut", ...); `why` says
    it in a sentence.
    """

    gate: str
    why: str
    section: str | None = None


UNSUBSCRIBE_MARK, REASON_MARK = "%%unsubscribe%%", "%%reason%%"


@dataclass(frozen=True, slots=True)
class Message:
    """Rendered subject, html, text and headers: not yet addressed.

    Personal places are UNSUBSCRIBE_MARK and REASON_MARK, filled when it is addressed.
    """

    subject: str
    html: str  # "": the mail is its text alone
    text: str
    headers: Mapping[str, str] = field(default_factory=dict)


def fill_marks(text: str, *, unsubscribe: str, reason: str) -> str:
    """The text of a message with its personal places filled; both values must be escaped as the text needs."""
    return text.replace(UNSUBSCRIBE_MARK, unsubscribe).replace(REASON_MARK, reason)


class DeliveryState(StrEnum):
    QUEUED = "queued"
    SENDING = "sending"  # claimed by a process that holds the lease
    SENT = "sent"
    DEFERRED = "deferred"  # will be tried again at next_attempt_at
    FAILED = "failed"
    UNCERTAIN = "uncertain"  # the answer to the final dot was lost: never re-sent by itself (RFC 1047)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message for one recipient: the ledger row. UNIQUE(subject, channel, target)."""

    id: int
    subject: str  # edition:SLUG/DATE, bundle:ID, notice:KIND:KEY or test:...
    channel: str  # "mail"
    target: str  # normalised address
    state: DeliveryState
    phase: str | None  # None, "claimed" or "data" (the final dot may have been written)
    message_id: str  # RFC 5322 Message-ID without brackets, stable over retries
    message: Message
    unsubscribe: str  # what leaving means: "subscription:ID", "alert:ID" or "test"
    due_at: datetime
    attempts: int
    last_error: str | None
    view_sha256: str | None = None  # of an edition: the approved hash of what is mailed


UNCONFIRMED = "unconfirmed"  # consent source of who was entered at a sign-up page and did not confirm


@dataclass(frozen=True, slots=True)
class Subscriber:
    id: int
    email: str  # normalised, unique; "erased-ID" of who was erased
    consent_source: str  # "operator", "double-opt-in", "demo", "erased", UNCONFIRMED, or the words of an import
    created_at: datetime

    @property
    def erased(self) -> bool:
        """Whether nothing is known of them any more: the row keeps its ids from new use."""
        return "@" not in self.email


class Frequency(StrEnum):
    """How often a subscription's editions come."""

    DAILY = "daily"
    WEEKDAYS = "weekdays"  # Monday to Friday
    WEEKLY = "weekly"  # the weekly edition alone


@dataclass(frozen=True, slots=True)
class Preferences:
    """How a reader wants one newsletter. What is left open is the newsletter's own."""

    frequency: Frequency = Frequency.DAILY
    paused_until: date | None = None  # no edition of a day before it; None: not paused
    hour: str | None = None  # "HH:MM" on the clock of `zone`; None: at release
    zone: str | None = None  # IANA name; None: the newsletter's
    language: str | None = None  # of the interface; None: the newsletter's
    read: tuple[str, ...] = ()  # BCP 47 primary subtags of what the reader reads; (): all that the newsletter shows
    format: str = "html"  # "html" (with a text part) or "text" alone


@dataclass(frozen=True, slots=True)
class Subscription:
    """A person's preferences for one newsletter. state: pending, active or left."""

    id: int
    subscriber: Subscriber
    newsletter: str
    state: str
    created_at: datetime
    hidden_sections: tuple[str, ...] = ()
    preferences: Preferences = Preferences()


@dataclass(frozen=True, slots=True)
class AddressChange:
    """A subscriber's wish for another address: done when both mailboxes confirmed it. state: open, done, cancelled."""

    id: int
    subscriber_id: int
    email: str  # normalised: the new one
    language: str  # of its mails and pages
    asked_at: datetime
    old_confirmed_at: datetime | None
    new_confirmed_at: datetime | None
    state: str


class BounceKind(StrEnum):
    """What a returned mail says of its reader."""

    HARD = "hard"  # the mailbox or its host does not exist
    SOFT = "soft"  # the mailbox exists and takes nothing now: full or disabled
    TEMPORARY = "temporary"  # a delay or a failure of servers or the network: says nothing of the mailbox
    POLICY = "policy"  # our mail or our server was turned away (RFC 3463 X.7): never counts against a reader
    UNCLEAR = "unclear"  # refused for good without a reason that names the mailbox: never counts either
    COMPLAINT = "complaint"  # the reader called it spam (RFC 5965)
    AUTO_REPLY = "auto-reply"  # a vacation notice (RFC 3834) or a receipt
    NONE = "none"  # no report at all


@dataclass(frozen=True, slots=True)
class Bounce:
    """One report on one mail, as it is stored. `target` is None where nothing proves whose mail it was."""

    at: datetime
    origin: str  # "smtp", "lmtp", "imap", "webhook:NAME" or "command"
    kind: BounceKind
    reason: str  # "user-unknown", "mailbox-full", ...
    target: str | None  # normalised address
    subject: str | None  # of the delivery
    code: int | None  # SMTP reply code
    enhanced: str | None  # RFC 3463 status
    text: str
    points: float = 0.0  # towards suppression, before decay


@dataclass(frozen=True, slots=True)
class Suppression:
    """An address that gets no mail. `reason`: "bounced", "complaint" or "operator"."""

    target: str
    reason: str
    note: str
    at: datetime
