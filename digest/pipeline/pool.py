"""Pool of an edition: which items and stories are offered, and at which gate the others fell.

Gates of an item, in order: not offered, backlog, no link, outside the window, not readable. Gates of a story:
another region, already sent. What passes all of them is a candidate, and ranking decides.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date as Date
from datetime import datetime, timedelta

from digest.documents import Gazetteer, Newsletter
from digest.model import DateQuality, Fate, Item, Period, Story
from digest.text.names import Names

# How far back the first edition looks; how long before the cut-off a dated item may have been published.
FIRST_WINDOW = {Period.DAILY: timedelta(hours=24), Period.WEEKLY: timedelta(days=7)}
OLDEST = {Period.DAILY: timedelta(hours=36), Period.WEEKLY: timedelta(days=7, hours=12)}
NEW_SOURCES_OF_A_DEVELOPMENT = 2  # independent sources since a story was last mailed


@dataclass(frozen=True, slots=True)
class Mailed:
    """A story's last place in a mailed edition: its date and cut-off, and who had told the story by then."""

    date: str
    families: frozenset[str]
    cutoff: datetime | None = None  # None: not known, so nothing but sources is known to be new


@dataclass(frozen=True, slots=True)
class EditionInputs:
    """Everything that decides an edition. Stories hold items seen by `cutoff` only, with the text of that time."""

    newsletter: Newsletter
    gazetteer: Gazetteer
    stories: tuple[Story, ...]
    since: datetime  # cut-off of the edition before; for the first, FIRST_WINDOW before `cutoff`
    cutoff: datetime
    date: Date  # in the newsletter's zone
    late: Collection[str] = frozenset()  # items seen by `since` that got their story only after it
    mailed: Mapping[str, Mailed] = field(default_factory=dict)  # story id -> its last mailed place
    missing_sources: tuple[str, ...] = ()
    source_count: int = 0
    items_seen: int = 0  # items of the newsletter's feeds seen ever, to tell "never polled" from "nothing new"
    site_url: str = ""
    postal_address: str = ""
    period: Period = Period.DAILY
    merged: tuple[Date, ...] = ()  # days whose editions were too thin to be sent: their stories are in this window
    names: Names | None = None  # of the gazetteer, for @names in topics; None: such a name is in no text

    _takes: dict[str, bool] = field(default_factory=dict, init=False, repr=False, compare=False)

    def takes(self, item: Item) -> bool:
        """Whether the item's feed is offered to the newsletter; remembered for each feed."""
        if item.feed.id not in self._takes:
            self._takes[item.feed.id] = self.newsletter.takes(item.feed, self.gazetteer)
        return self._takes[item.feed.id]

    @property
    def oldest(self) -> timedelta:
        """How long before the cut-off a dated item may have been published: longer where days are merged."""
        usual = OLDEST[self.period]
        if not self.merged:
            return usual
        return max(usual, self.cutoff - self.since + usual - FIRST_WINDOW[self.period])


@dataclass(frozen=True, slots=True)
class Candidate:
    """A story as the newsletter sees it: its counted items, and the copy that readers would be shown."""

    story: Story
    open_items: tuple[Item, ...]  # what passed the gates of items: they share the story's fate
    counted: tuple[Item, ...]  # in order of (first_seen_at, id)
    shown: Item
    readable: bool  # False: only listed, where the newsletter lists what its readers cannot read
    mailed: Mailed | None = None  # last mailed place of a story that has developed since

    @property
    def own_items(self) -> tuple[Item, ...]:
        """The counted items that repeat no other item's text; all of them where each is a reprint."""
        if not self.story.reprints:
            return self.counted
        return tuple(item for item in self.counted if item.id not in self.story.reprints) or self.counted

    @property
    def families(self) -> frozenset[str]:
        """Independent owners among the counted items."""
        return frozenset(item.feed.source.family for item in self.own_items)

    @property
    def new_families(self) -> frozenset[str]:
        """Owners that joined since the story was last mailed; all where it never was."""
        return self.families - self.mailed.families if self.mailed else self.families


@dataclass(frozen=True, slots=True)
class Pool:
    """The candidates, in the order of their stories' ids, and the fate of every item that fell at a gate."""

    candidates: tuple[Candidate, ...]
    fates: Mapping[str, Fate]


def fill(inputs: EditionInputs) -> Pool:
    """The pool of an edition. Each item of each story is in exactly one of: a candidate's open items, `fates`."""
    candidates: list[Candidate] = []
    fates: dict[str, Fate] = {}
    for story in sorted(inputs.stories, key=lambda s: s.id):
        open_items: list[Item] = []
        for item in story.items:
            if fate := item_gate(item, inputs):
                fates[item.id] = fate
            else:
                open_items.append(item)
        if not open_items:
            continue
        candidate = _candidate(story, tuple(open_items), inputs)
        if fate := _already_sent(candidate):
            fates.update((item.id, fate) for item in open_items)
        else:
            candidates.append(candidate)
    return Pool(tuple(candidates), fates)


def item_gate(item: Item, inputs: EditionInputs) -> Fate | None:
    """The gate at which an item falls by itself; None where it may be shown."""
    newsletter = inputs.newsletter
    if not inputs.takes(item):
        return Fate("not offered", f"{item.feed.source.name} is no source of {newsletter.name}")
    if item.backlog:
        return Fate("backlog", "it was undated or more than 24 h old when its feed was first polled")
    if not item.url:
        return Fate("no link", "the entry has no link to open")
    if fate := _outside_window(item, inputs):
        return fate
    if not is_readable(item, newsletter) and newsletter.unreadable == "omit":
        return Fate("not readable", f"its language is {item.language}; readers read {', '.join(newsletter.read)}")
    return None


def is_readable(item: Item, newsletter: Newsletter) -> bool:
    """Whether readers read its language: unknown languages get the benefit of the doubt, `read = []` reads all."""
    return not newsletter.read or item.language == "und" or item.language in newsletter.read


def is_counted(item: Item, newsletter: Newsletter) -> bool:
    """Whether its language counts for coverage."""
    return not newsletter.count or item.language in newsletter.count or is_readable(item, newsletter)


def told_at(item: Item) -> datetime:
    """The latest instant at which the item can have been published: a bare date means the end of that day."""
    if item.published_at is None:
        return item.first_seen_at
    if item.date_quality is DateQuality.DATE_ONLY:
        return max(item.published_at, min(item.published_at + timedelta(days=1), item.first_seen_at))
    return item.published_at


def earliest(items: Iterable[Item]) -> Item:
    """The first to tell the story: dated copies before undated ones, then by time, first sight and id."""
    return min(items, key=lambda i: (i.published_at is None, i.sorted_at, i.first_seen_at, i.id))


def _candidate(story: Story, open_items: tuple[Item, ...], inputs: EditionInputs) -> Candidate:
    newsletter = inputs.newsletter
    readable = [item for item in open_items if is_readable(item, newsletter)]
    oldest = inputs.cutoff - inputs.oldest  # a story that runs for days counts who tells it now
    counted = tuple([
        item for item in story.items
        if not item.backlog and inputs.takes(item) and is_counted(item, newsletter)
        and told_at(item) >= oldest
    ])
    mailed = inputs.mailed.get(story.id)
    shown = _shown(story, readable or open_items, is_development=mailed is not None)
    return Candidate(story, open_items, counted or (shown,), shown, bool(readable), mailed)


def _shown(story: Story, open_items: Sequence[Item], *, is_development: bool) -> Item:
    """The copy that readers see: the first to tell the story; of a development the newest that is no reprint."""
    if not is_development:
        return earliest(open_items)
    own = [item for item in open_items if item.id not in story.reprints] or open_items
    return max(own, key=lambda i: (i.published_at is not None, i.sorted_at, i.first_seen_at, i.id))


def _already_sent(candidate: Candidate) -> Fate | None:
    mailed = candidate.mailed
    if mailed is None or len(candidate.new_families) >= NEW_SOURCES_OF_A_DEVELOPMENT:
        return None
    new = len(candidate.new_families)
    return Fate("already sent", f"its story was in the edition of {mailed.date}; {new} new independent "
                f"source{'' if new == 1 else 's'} since, {NEW_SOURCES_OF_A_DEVELOPMENT} would make it a development")


def _outside_window(item: Item, inputs: EditionInputs) -> Fate | None:
    if item.first_seen_at <= inputs.since and item.id not in inputs.late:
        return Fate("outside the window", "it was seen before the cut-off of the edition before")
    if item.first_seen_at > inputs.cutoff:
        return Fate("outside the window", "it was seen after the cut-off and waits for the next edition")
    if item.published_at is not None and (age := inputs.cutoff - told_at(item)) > inputs.oldest:
        hours = round(age / timedelta(hours=1))
        limit = round(inputs.oldest / timedelta(hours=1))
        return Fate("outside the window", f"it was published {hours} h before the cut-off, {limit} h at most")
    return None
