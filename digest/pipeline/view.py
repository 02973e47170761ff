"""The view model of an edition: every value that is shown, in one frozen tree with a canonical JSON form.

HTML, text, JSON and the web pages are all made from it and from nothing else. Its SHA-256 is what an
approval binds.
"""

import dataclasses
import hashlib
import json
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from digest.model import Block


@dataclass(frozen=True, slots=True)
class Credit:
    """A publisher named at a story, with the address of its copy."""

    name: str
    url: str


@dataclass(frozen=True, slots=True)
class PartView:
    name: str
    value: float  # rounded to 3 decimals
    why: str


@dataclass(frozen=True, slots=True)
class StoryView:
    """One story as shown. Times are ISO 8601 with the offset of the newsletter's zone at that instant."""

    id: str
    headline: str
    language: str
    url: str
    credit: str  # originating agency, else the source
    via: str | None  # the source, where the credit names an agency
    place: str | None
    time: str
    time_kind: str  # "published", "day" (date-only: show no time of day) or "seen" (undated)
    excerpt: str  # whole sentences; "" under policy headline
    body: tuple[Block, ...]  # full text; () unless the feed's policy is full
    also_in: tuple[Credit, ...]  # one copy per other independent family
    sources: int  # independent families
    developing: bool
    whats_new: str  # what a developing story has that its last mailed telling had not; "" where it is new
    note: str  # the editor's note to readers; ""
    original_headline: str | None  # as its source wrote it, where an editor changed it
    region: str | None
    topics: tuple[str, ...]  # topic titles
    image_url: str | None
    score: float
    parts: tuple[PartView, ...]


@dataclass(frozen=True, slots=True)
class SectionView:
    """A titled list of stories; never empty. `key` is stable.

    `kind` is topic, latest, more, unreadable or brief (headlines alone).
    """

    key: str
    kind: str
    title: str
    stories: tuple[StoryView, ...]


@dataclass(frozen=True, slots=True)
class ThemeView:
    """The few tokens of look that a newsletter may set; "" keeps the templates' own."""

    accent: str = ""  # "#8a2a1c"
    accent_dark: str = ""  # the same on dark ground
    font: str = "serif"  # of headlines and text: serif or sans
    logo_url: str = ""  # on the newsletter's own site; the masthead stays text where images are off


@dataclass(frozen=True, slots=True)
class TitleView:
    """The title of a section, by its key."""

    key: str
    title: str


@dataclass(frozen=True, slots=True)
class InterfaceView:
    """What an edition says of its own in another interface language: titles of sections that are no topics, notice."""

    language: str
    titles: tuple[TitleView, ...]
    notice: str | None


@dataclass(frozen=True, slots=True)
class EditionView:
    newsletter: str  # slug
    period: str  # daily or weekly
    name: str
    tagline: str
    date: str  # ISO day in the newsletter's zone
    zone: str
    language: str
    region: str
    parent_region: str | None
    subject: str
    preheader: str
    lead: StoryView | None
    sections: tuple[SectionView, ...]
    rest: tuple[StoryView, ...]  # further stories of the "All N stories" page, in rank order
    minutes: int  # to read what the mail shows, at 220 words a minute, at least 1
    cutoff: str  # ISO 8601 UTC: nothing seen later is in it
    rule: str  # the inclusion rule in one sentence
    empty_reason: str | None  # why there is no story; None where there is one
    notice: str | None  # said aloud at the top: a short edition, or one merged with the day before
    trimmed: int  # stories moved from the mail to the page of all stories to keep it in its byte budget
    missing_sources: tuple[str, ...]  # sources whose feeds failed when the edition was built
    theme: ThemeView
    site_url: str  # public address without trailing slash; "" where not set
    postal_address: str
    interfaces: tuple[InterfaceView, ...] = ()  # for readers who chose another interface language
    written_in: str = ""  # of a variant in another language: the newsletter's own, of topics, tagline and notes
    byte_budget: int = 0  # most bytes of the mail's HTML before it is addressed; 0: no limit
    source_count: int = 0  # sources that the edition draws on, missing ones too; 0: not known

    @property
    def path(self) -> str:
        """The permanent page, below the site's address."""
        return f"/{self.newsletter}/{self.date}/" + ("weekly/" if self.period == "weekly" else "")

    @property
    def mailed(self) -> tuple[StoryView, ...]:
        """The stories of the mail, in its order: lead, sections."""
        lead = (self.lead,) if self.lead else ()
        return (*lead, *(story for section in self.sections for story in section.stories))

    @property
    def all_stories(self) -> tuple[StoryView, ...]:
        """Every story once: lead, sections, rest."""
        return (*self.mailed, *self.rest)


@dataclass(frozen=True, slots=True)
class MissedView:
    """An edition that a reader did not get: its ISO day and its permanent page."""

    date: str
    path: str


@dataclass(frozen=True, slots=True)
class SinceView:
    """What a variant tells a reader of the editions since their last one. Both newest first."""

    stories: tuple[StoryView, ...]
    editions: tuple[MissedView, ...]


def to_json(view: EditionView) -> str:
    """Canonical JSON: sorted keys, no spaces, UTF-8 as it is; equal views give equal bytes."""
    return json.dumps(dataclasses.asdict(view), ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def sha256(view: EditionView) -> str:
    return hashlib.sha256(to_json(view).encode()).hexdigest()


def from_json(text: str) -> EditionView:
    """The view that `to_json` wrote: from_json(to_json(v)) == v. Raises KeyError or ValueError on other text.

    What an older version did not know has its default.
    """
    value: EditionView = build(EditionView, json.loads(text))
    return value


@lru_cache
def _hints(kind: Any) -> Mapping[str, Any]:
    return typing.get_type_hints(kind)


def build(kind: Any, value: Any) -> Any:
    """A frozen dataclass, with all that it holds, from what `dataclasses.asdict` and JSON made of it."""
    if dataclasses.is_dataclass(kind):
        hints = _hints(typing.cast(type, kind))
        fields = {field.name: build(hints[field.name], value[field.name]) for field in dataclasses.fields(kind)
                  if field.name in value or field.default is dataclasses.MISSING}
        return typing.cast(Any, kind)(**fields)
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is tuple:
        return tuple(build(arguments[0], element) for element in value)
    if origin in (typing.Union, types.UnionType):
        inner = next(a for a in arguments if a is not type(None))
        return None if value is None else build(inner, value)
    return value
