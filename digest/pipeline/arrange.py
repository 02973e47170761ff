"""Arrangement of ranked stories: lead, topic sections, latest, more, and the rest, with a fate for each story.

1. The lead is the best story of the newsletter's region that is dated and told by two independent sources; failing
   that, the best dated one of the region; failing that, of the parent region.
2. The other stories take places in the order of their rank. A story goes to the topic that claims it; unclaimed ones
   of the region to "Latest"; ones of the parent region to "More"; what readers cannot read is listed last.
3. Where its section is full, or its source or family leads as many stories as the caps allow, a story is left to the
   page of all stories.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from babel import Locale

from digest.documents import Caps
from digest.model import Fate
from digest.pipeline.pool import EditionInputs
from digest.pipeline.rank import Ranked
from digest.pipeline.topics import claimant

LEAD, REST = "lead", "rest"
SOURCES_OF_A_LEAD = 2


@dataclass(frozen=True, slots=True)
class Section:
    """A section before it is filled. `key` is stable: readers hide sections by it."""

    key: str
    kind: str
    title: str
    limit: int


@dataclass(frozen=True, slots=True)
class Arrangement:
    """Where each story stands. Sections hold no empty lists; `fates` is by story id."""

    lead: Ranked | None
    sections: tuple[tuple[Section, tuple[Ranked, ...]], ...]
    rest: tuple[Ranked, ...]
    fates: Mapping[str, Fate]


def arrange(ranked: Sequence[Ranked], inputs: EditionInputs) -> Arrangement:
    """The arrangement of ranked stories; the same input gives the same order."""
    sections = _sections(ranked, inputs)
    places = {story.id: _section_of(story, inputs) for story in ranked}
    lead = _lead([s for s in ranked if places[s.id] is not None and s.candidate.readable], places)
    filling = _Filling(inputs.newsletter.caps, {s.key: s for s in sections})
    if lead:
        filling.take(lead, LEAD)
    for story in ranked:
        if story is not lead:
            filling.place(story, places[story.id])
    filled = tuple((s, tuple(filling.stories[s.key])) for s in sections if filling.stories.get(s.key))
    return Arrangement(lead, filled, tuple(filling.stories.get(REST, ())), filling.fates)


class _Filling:
    """The edition while it fills: what stands where, and how often each source and family leads a story."""

    def __init__(self, caps: Caps, sections: Mapping[str, Section]) -> None:
        self._caps, self._sections = caps, sections
        self._sources: Counter[str] = Counter()
        self._families: Counter[str] = Counter()
        self.stories: dict[str, list[Ranked]] = {}
        self.fates: dict[str, Fate] = {}

    def place(self, story: Ranked, key: str | None) -> None:
        if key is None:
            self.fates[story.id] = Fate("another region", f"its story is about {story.region}")
        elif fate := self._refusal(story, self._sections[key]):
            self.stories.setdefault(REST, []).append(story)
            self.fates[story.id] = fate
        else:
            self.take(story, key)

    def take(self, story: Ranked, key: str) -> None:
        source = story.candidate.shown.feed.source
        self._sources[source.slug] += 1
        self._families[source.family] += 1
        self.stories.setdefault(key, []).append(story)
        title = "the lead" if key == LEAD else f"section “{self._sections[key].title}”"
        self.fates[story.id] = Fate("chosen", f"its story is {'' if key == LEAD else 'in '}{title}", key)

    def _refusal(self, story: Ranked, section: Section) -> Fate | None:
        source = story.candidate.shown.feed.source
        if self._caps.source and self._sources[source.slug] >= self._caps.source:
            return Fate("source cap", f"{source.name} leads {self._caps.source} better stories already", REST)
        if self._caps.family and self._families[source.family] >= self._caps.family:
            why = f"sources of {source.family} lead {self._caps.family} better stories already"
            return Fate("family cap", why, REST)
        if len(self.stories.get(section.key, ())) >= section.limit:
            return Fate("below the cut", f"section “{section.title}” has {section.limit} better stories", REST)
        return None


def _lead(ranked: Sequence[Ranked], places: Mapping[str, str | None]) -> Ranked | None:
    dated = [s for s in ranked if s.candidate.shown.published_at is not None]
    own = [s for s in dated if places[s.id] not in ("more", "unreadable")] or dated
    confirmed = (s for s in own if len(s.candidate.families) >= SOURCES_OF_A_LEAD)
    return next(confirmed, own[0] if own else None)


def _sections(ranked: Sequence[Ranked], inputs: EditionInputs) -> list[Section]:
    newsletter = inputs.newsletter
    parent = inputs.gazetteer.parent(newsletter.region)
    return [
        *(Section(f"topic-{t.slug}", "topic", t.title, t.limit) for t in newsletter.topics if t.limit),
        Section("latest", "latest", f"Latest from {newsletter.region}", newsletter.sections.latest),
        Section("more", "more", f"More {parent} News" if parent else "More news", newsletter.sections.more),
        Section("unreadable", "unreadable", _languages_title(ranked, newsletter.language), newsletter.sections.more),
    ]


def _section_of(story: Ranked, inputs: EditionInputs) -> str | None:
    """The key of the section that a story belongs to; None for a story of a region that the edition leaves out."""
    region, inside = inputs.newsletter.region, inputs.gazetteer.inside
    parent = inputs.gazetteer.parent(region)
    is_own = inside(story.region, region)
    if not is_own and parent is not None and not inside(story.region, parent):
        return None
    if not story.candidate.readable:
        return "unreadable"
    if not is_own:
        return "more"
    topic = claimant(story.topics)
    return f"topic-{topic.slug}" if topic else "latest"


def _languages_title(ranked: Sequence[Ranked], language: str) -> str:
    """"In Kazakh and Russian": the languages of the stories that readers are only told of."""
    names = Locale.parse(language).languages
    codes = {s.candidate.shown.language for s in ranked if not s.candidate.readable}
    told = sorted(names.get(code, code) for code in codes)
    return "In " + " and ".join(part for part in (", ".join(told[:-1]), *told[-1:]) if part)


