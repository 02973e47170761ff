"""Arrangement of ranked stories: lead, topic sections, latest, in brief, more, and the rest; a fate for each story.

1. The lead is the best story of the newsletter's region that is dated and told by two independent sources; failing
   that, the best dated one of the region; failing that, of the parent region.
2. The other stories take places in the order of their score. A story goes to the topic that claims it; unclaimed ones
   of the region to "Latest"; ones of the parent region to "More"; what readers cannot read is listed last.
3. Of a section's stories left, the one goes first that is worth most beside what stands in the mail (`variety`); where
   others are within `NEAR` points of it, the one whose source stands least often in the section: sources take turns.
4. Where a cap of the newsletter is reached (source, family, topic, other country), a story is left to the page of all
   stories. Caps count every story of the mail, the lead too. A topic with a floor has that many of its stories placed
   before all others, so that better ones of other sections do not fill the caps of source, owner and country.
5. Stories of the region that found their section full are told "In brief", as far as the caps allow; others are left
   to the page of all stories, which shows the best `ON_THE_PAGE` of them.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import islice

from babel.lists import format_list

from digest.documents import Gazetteer
from digest.locale import translator
from digest.model import Fate
from digest.pipeline.pool import EditionInputs
from digest.pipeline.rank import Ranked
from digest.pipeline.topics import claimant, main_topic
from digest.pipeline.variety import MOST_LOST, Variety
from digest.pipeline.wording import locale_of

LEAD, BRIEF, REST = "lead", "brief", "rest"
SOURCES_OF_A_LEAD = 2
ON_THE_PAGE = 1000  # most stories of the page of all stories beside those of the mail
NEAR = 0.25  # points: stories that are so close may take turns
IN_TURN = 100  # most stories of a section that are looked at for its next place
OFF_THE_PAGE = Fate("below the cut", f"the page of all stories has {ON_THE_PAGE} better stories")


@dataclass(frozen=True, slots=True)
class Section:
    """A section before it is filled. `key` is stable: readers hide sections by it."""

    key: str
    kind: str
    title: str
    limit: int
    floor: int = 0


@dataclass(frozen=True, slots=True)
class Arrangement:
    """Where each story stands. Sections hold no empty lists; `rest` is in rank order; `fates` is by story id.

    `homes` is the section that each story belongs to, where it has one; `headings` all sections, also empty ones;
    `unreadable` the languages of the stories that readers are only told of.
    """

    lead: Ranked | None
    sections: tuple[tuple[Section, tuple[Ranked, ...]], ...]
    rest: tuple[Ranked, ...]
    fates: Mapping[str, Fate]
    homes: Mapping[str, str]
    headings: tuple[Section, ...]
    unreadable: frozenset[str]


def arrange(ranked: Sequence[Ranked], inputs: EditionInputs) -> Arrangement:
    """The arrangement of ranked stories; the same input gives the same order."""
    unreadable = frozenset(s.candidate.shown.language for s in ranked if not s.candidate.readable)
    sections = _sections(unreadable, inputs)
    sorting = _Sorting(inputs)
    places = {story.id: sorting.section_of(story) for story in ranked}
    lead = _lead([s for s in ranked if places[s.id] is not None and s.candidate.readable], places)
    filling = _Filling(_Caps(inputs), sections)
    if lead:
        filling.take(lead, LEAD)
    filling.fill([s for s in ranked if s is not lead], places)
    filled = tuple((s, tuple(filling.stories[s.key])) for s in sections if filling.stories[s.key])
    rest = tuple(s for s in ranked if filling.fates[s.id].section == REST)
    filling.fates.update((s.id, OFF_THE_PAGE) for s in rest[ON_THE_PAGE:])
    homes = {id_: key for id_, key in places.items() if key is not None}
    return Arrangement(lead, filled, rest[:ON_THE_PAGE], filling.fates, homes, tuple(sections), unreadable)


class _Caps:
    """How often each source, family, topic and other country stands in the mail so far."""

    def __init__(self, inputs: EditionInputs) -> None:
        self._limits = inputs.newsletter.caps.model_dump()
        self._of_topics = {topic.title: topic.cap for topic in inputs.newsletter.topics if topic.cap}
        self._region, self._gazetteer = inputs.newsletter.region, inputs.gazetteer
        self._taken: Counter[tuple[str, str]] = Counter()
        self._known: dict[tuple[str, str, int, str], tuple[tuple[str, str], ...]] = {}

    def count(self, story: Ranked) -> None:
        self._taken.update(self._keys(story))

    def refusal(self, story: Ranked) -> Fate | None:
        """The cap that keeps a story out of the mail; None where there is room for it."""
        full = next((key for key in self._keys(story) if self._is_full(key)), None)
        if full is None:
            return None
        cap, limit = full[0], self._limit(full)
        better = "a better story" if limit == 1 else f"{limit} better stories"
        source = story.candidate.shown.feed.source
        why = {
            "source": f"{source.name} leads {better} already",
            "family": f"sources of {source.family} lead {better} already",
        }.get(cap, f"{better} {'is' if limit == 1 else 'are'} about {full[1]} already")
        return Fate(f"{cap} cap", why, REST)

    def admits(self, story: Ranked) -> bool:
        return not any(map(self._is_full, self._keys(story)))

    def _is_full(self, key: tuple[str, str]) -> bool:
        limit = self._limit(key)
        return bool(limit) and self._taken[key] >= limit

    def _limit(self, key: tuple[str, str]) -> int:
        limit: int = self._limits[key[0]]
        return self._of_topics.get(key[1], limit) if key[0] == "topic" else limit

    def _keys(self, story: Ranked) -> tuple[tuple[str, str], ...]:
        """What of a story is counted: (cap, whose). Many stories share their source, topics and region."""
        source = story.candidate.shown.feed.source
        key = (source.slug, source.family, id(story.topics), story.region)
        if key not in self._known:
            self._known[key] = tuple(self._find_keys(story))
        return self._known[key]

    def _find_keys(self, story: Ranked) -> Iterator[tuple[str, str]]:
        source = story.candidate.shown.feed.source
        yield "source", source.slug
        yield "family", source.family
        if topic := main_topic(story.topics):
            yield "topic", topic.title
        if country := country_of(story.region, self._region, self._gazetteer):
            yield "country", country


class _Filling:
    """The edition while it fills: what stands where."""

    def __init__(self, caps: _Caps, sections: Sequence[Section]) -> None:
        self._caps, self._sections = caps, {s.key: s for s in sections}
        self._variety = Variety()
        self._overflow: list[Ranked] = []  # stories of the region that found their section full
        self.stories: dict[str, list[Ranked]] = {s.key: [] for s in sections}
        self.fates: dict[str, Fate] = {}

    def fill(self, ranked: Sequence[Ranked], places: Mapping[str, str | None]) -> None:
        """Gives every story its place or the reason why it has none."""
        queues: dict[str, list[Ranked]] = {key: [] for key in self._sections}
        for story in ranked:
            key = places[story.id]
            if key is None:
                self.fates[story.id] = _elsewhere(story.region)
            else:
                queues[key].append(story)
        for best in ranked:  # a floor first
            key = places[best.id]
            if key is not None and len(self.stories[key]) < self._sections[key].floor and self._caps.admits(best):
                queues[key].remove(best)
                self.take(best, key)
        for best in ranked:
            key = places[best.id]
            while key is not None and best.id not in self.fates:
                self._place(queues[key].pop(self._turn(queues[key], key)), key)
        while self._overflow:
            self._place(self._overflow.pop(self._turn(self._overflow, BRIEF)), BRIEF)

    def take(self, story: Ranked, key: str) -> None:
        """Puts a story into the mail."""
        self._caps.count(story)
        self._variety.place(story)
        self.stories.setdefault(key, []).append(story)
        title = "the lead" if key == LEAD else f"section “{self._sections[key].title}”"
        self.fates[story.id] = Fate("chosen", f"its story is {'' if key == LEAD else 'in '}{title}", key)

    def _turn(self, queue: Sequence[Ranked], key: str) -> int:
        """Whose turn it is: of the stories near the one worth most, that whose source stands least often here."""
        if self._is_full(self._sections[key]) or not self._caps.admits(queue[0]):
            return 0
        reach = queue[0].score.total - MOST_LOST - NEAR
        worth = {place: self._variety.worth(story) for place, story in enumerate(islice(queue, IN_TURN))
                 if story.score.total >= reach and self._caps.admits(story)}
        standing = Counter(_source(s) for s in self.stories[key])
        least = max(worth.values()) - NEAR
        return min((place for place in worth if worth[place] >= least),
                   key=lambda place: (standing[_source(queue[place])], -worth[place], place))

    def _place(self, story: Ranked, key: str) -> None:
        section = self._sections[key]
        if fate := self._caps.refusal(story):
            self.fates[story.id] = fate
        elif not self._is_full(section):
            self.take(story, key)
        elif key != BRIEF:
            self.fates[story.id] = _crowded_out(section)
            if section.kind in ("topic", "latest"):
                self._overflow.append(story)

    def _is_full(self, section: Section) -> bool:
        return len(self.stories[section.key]) >= section.limit


@lru_cache(maxsize=1000)
def _elsewhere(region: str) -> Fate:
    return Fate("another region", f"its story is about {region}")


@lru_cache(maxsize=1000)
def _crowded_out(section: Section) -> Fate:
    return Fate("below the cut", f"section “{section.title}” has {section.limit} better stories", REST)


def _source(story: Ranked) -> str:
    return story.candidate.shown.feed.source.slug


def _lead(ranked: Sequence[Ranked], places: Mapping[str, str | None]) -> Ranked | None:
    dated = [s for s in ranked if s.candidate.shown.published_at is not None]
    own = [s for s in dated if places[s.id] not in ("more", "unreadable")] or dated
    confirmed = (s for s in own if len(s.candidate.families) >= SOURCES_OF_A_LEAD)
    return next(confirmed, own[0] if own else None)


def _sections(unreadable: Collection[str], inputs: EditionInputs) -> list[Section]:
    newsletter, counts = inputs.newsletter, inputs.newsletter.sections
    limits = {"latest": counts.latest, BRIEF: counts.brief, "more": counts.more, "unreadable": counts.more}
    titles = own_titles(unreadable, inputs, newsletter.language)
    return [*(Section(f"topic-{t.slug}", "topic", t.title_in(newsletter.language), t.limit, t.floor)
              for t in newsletter.topics if t.limit),
            *(Section(key, key, title, limits[key]) for key, title in titles.items())]


def titles_in(unreadable: Collection[str], inputs: EditionInputs, language: str) -> dict[str, str]:
    """The titles of sections in an interface language, by their keys; a topic without a title in it keeps its own."""
    topics = {f"topic-{topic.slug}": topic.titles[language] for topic in inputs.newsletter.topics
              if topic.limit and language in topic.titles}
    return {**topics, **own_titles(unreadable, inputs, language)}


def own_titles(unreadable: Collection[str], inputs: EditionInputs, language: str) -> dict[str, str]:
    """The titles of the sections that are no topics in an interface language, by their keys, in their order.

    `unreadable` are the languages of the stories that readers are only told of.
    """
    words, named = translator(language), partial(inputs.gazetteer.name_in, language=language)
    region = inputs.newsletter.region
    parent = inputs.gazetteer.parent(region)
    more = words.gettext("More {region} News").format(region=named(parent)) if parent else words.gettext("More news")
    return {"latest": words.gettext("Latest from {region}").format(region=named(region)),
            BRIEF: words.gettext("In brief"), "more": more, "unreadable": _languages_title(unreadable, language)}


class _Sorting:
    """Which section a story belongs to; remembers what many stories share, their region and their topics."""

    def __init__(self, inputs: EditionInputs) -> None:
        self._home, self._gazetteer = inputs.newsletter.region, inputs.gazetteer
        self._regions: dict[str, str | None] = {}
        self._topics: dict[int, str] = {}

    def section_of(self, story: Ranked) -> str | None:
        """The key of its section; None for a story of a region that the edition leaves out."""
        if story.region not in self._regions:
            self._regions[story.region] = self._part_of(story.region)
        part = self._regions[story.region]
        if part is None or not story.candidate.readable:
            return part and "unreadable"
        if part == "more":
            return part
        matches = story.topics
        if id(matches) not in self._topics:
            topic = claimant(matches)
            self._topics[id(matches)] = f"topic-{topic.slug}" if topic else "latest"
        return self._topics[id(matches)]

    def _part_of(self, region: str) -> str | None:
        """ "home", "more" or None for a region that the edition leaves out."""
        parent, inside = self._gazetteer.parent(self._home), self._gazetteer.inside
        if inside(region, self._home):
            return "home"
        return "more" if parent is None or inside(region, parent) else None


def country_of(region: str, home: str, gazetteer: Gazetteer) -> str | None:
    """The country of a region: the outermost that does not hold `home`; None inside `home` and for what holds it."""
    if gazetteer.inside(region, home) or gazetteer.inside(home, region):
        return None
    seen = {region}
    while (parent := gazetteer.parent(region)) and parent not in seen and not gazetteer.inside(home, parent):
        region = parent
        seen.add(region)
    return region


def _languages_title(codes: Collection[str], language: str) -> str:
    """"In Kazakh and Russian": the languages of the stories that readers are only told of."""
    locale = locale_of(language)
    told = sorted(locale.languages.get(code, code) for code in codes)
    return translator(language).gettext("In {languages}").format(languages=format_list(told, locale=locale))
