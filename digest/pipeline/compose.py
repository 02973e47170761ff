"""Composition: from the inputs of an edition to its view model and the fate of every item.

    pool ─▶ topics, region, score ─▶ rank ─▶ arrange ─▶ view

`compose` is the one function behind preview, send and replay. It is pure: equal inputs give equal views.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from math import ceil
from zoneinfo import ZoneInfo

from digest.garbage import collector_paused
from digest.locale import LANGUAGES, translator
from digest.model import Block, BodyPolicy, DateQuality, Fate, Item, Part, Period
from digest.pipeline import thin
from digest.pipeline.arrange import BRIEF, Arrangement, Section, arrange, titles_in
from digest.pipeline.development import whats_new
from digest.pipeline.excerpt import HEADLINE, LEAD, OTHER, Length, cut_characters, excerpt
from digest.pipeline.pool import (
    NEW_SOURCES_OF_A_DEVELOPMENT,
    Candidate,
    EditionInputs,
    earliest,
    fill,
)
from digest.pipeline.rank import Ranked, rank
from digest.pipeline.view import (
    Credit,
    EditionView,
    InterfaceView,
    PartView,
    SectionView,
    StoryView,
    ThemeView,
    TitleView,
)

SUBJECT_CHARACTERS = 110
PREHEADER_CHARACTERS = 200
PREHEADER_HEADLINES = 3
WORDS_A_MINUTE = 220
READERS_BYTES = 1000  # room in a mail for what is filled in when it is addressed


@dataclass(frozen=True, slots=True)
class Composed:
    """An edition's view, the fate of every item considered, and every story with a fate of its own.

    For the desk: the sections, also empty ones, and by its id which one each story belongs to.
    """

    view: EditionView
    fates: Mapping[str, Fate]
    cutoff: datetime
    ranked: Mapping[str, Ranked]  # by story id, best first
    homes: Mapping[str, str]
    headings: tuple[Section, ...]

    @property
    def families(self) -> Mapping[str, frozenset[str]]:
        """The independent owners that told each story of the view, by story id."""
        return {story.id: self.ranked[story.id].candidate.families for story in self.view.all_stories}


def compose(inputs: EditionInputs) -> Composed:
    """The edition that the inputs make, with a fate for each item of each of its stories."""
    with collector_paused():
        return _composed(inputs)


def _composed(inputs: EditionInputs) -> Composed:
    pool = fill(inputs)
    ranked = rank(pool, inputs)
    arrangement = arrange(ranked, inputs)
    fates = {**pool.fates, **_story_fates(ranked, arrangement)}
    return Composed(
        view=_view(arrangement, fates, inputs),
        fates=fates, cutoff=inputs.cutoff, ranked={story.id: story for story in ranked},
        homes=arrangement.homes, headings=arrangement.headings,
    )


def _story_fates(ranked: Iterable[Ranked], arrangement: Arrangement) -> dict[str, Fate]:
    """The story's fate for each of its items that passed the pool's gates, saying which copy is shown."""
    fates: dict[str, Fate] = {}
    for story in ranked:
        fate, shown = arrangement.fates[story.id], story.candidate.shown
        for item in story.candidate.open_items:
            fates[item.id] = _fate_of_copy(fate, None if item is shown else shown.feed.source.name)
    return fates


@lru_cache(maxsize=10_000)
def _fate_of_copy(fate: Fate, shown: str | None) -> Fate:
    """The fate of an item of a story, whose copy of the source `shown` is shown; None: the item itself is."""
    copy = f"the copy of {shown} is shown" if shown else "this copy is shown"
    return Fate(fate.gate, f"{fate.why}; {copy}", fate.section) if fate.section else fate


def _view(arrangement: Arrangement, fates: Mapping[str, Fate], inputs: EditionInputs) -> EditionView:
    newsletter = inputs.newsletter
    lead = story_view(arrangement.lead, inputs, LEAD) if arrangement.lead else None
    sections = tuple(_section_view(section, stories, inputs) for section, stories in arrangement.sections)
    rest = tuple(story_view(story, inputs, OTHER) for story in arrangement.rest)
    return first_look(EditionView(
        newsletter=newsletter.slug, period=inputs.period.value, name=newsletter.name, tagline=newsletter.tagline,
        date=inputs.date.isoformat(), zone=newsletter.zone, language=newsletter.language,
        region=newsletter.region, parent_region=inputs.gazetteer.parent(newsletter.region),
        subject="", preheader="", minutes=1, lead=lead, sections=sections, rest=rest,
        cutoff=inputs.cutoff.astimezone(UTC).isoformat(timespec="seconds"),
        rule=inclusion_rule(inputs),
        empty_reason=None if lead or sections or rest else _empty_reason(fates, inputs),
        notice=_notice(lead, sections, inputs, newsletter.language), trimmed=0,
        theme=ThemeView(**newsletter.theme.model_dump()),
        missing_sources=inputs.missing_sources, source_count=inputs.source_count,
        site_url=inputs.site_url, postal_address=inputs.postal_address,
        interfaces=tuple(_interface(language, arrangement, lead, sections, inputs)
                         for language in LANGUAGES if language != newsletter.language),
        byte_budget=newsletter.byte_budget - READERS_BYTES,
    ))


def _interface(
    language: str, arrangement: Arrangement, lead: StoryView | None, sections: Iterable[SectionView],
    inputs: EditionInputs,
) -> InterfaceView:
    titles = titles_in(arrangement.unreadable, inputs, language)
    return InterfaceView(language, tuple(TitleView(key, title) for key, title in titles.items()),
                         _notice(lead, sections, inputs, language))


def _notice(
    lead: StoryView | None, sections: Iterable[SectionView], inputs: EditionInputs, language: str
) -> str | None:
    if inputs.period is not Period.DAILY:
        return None
    count = (lead is not None) + sum(len(section.stories) for section in sections)
    return thin.notice(count, inputs.newsletter, inputs.merged, inputs.date, language)


def first_look(view: EditionView) -> EditionView:
    """The view with the subject, preheader and minutes that the stories of its mail make."""
    mailed = view.mailed
    headlines = [story.headline for story in mailed[1 : 1 + PREHEADER_HEADLINES]]
    return replace(
        view, subject=cut_characters(mailed[0].headline if mailed else view.name, SUBJECT_CHARACTERS),
        preheader=cut_characters(" · ".join(headlines), PREHEADER_CHARACTERS), minutes=reading_minutes(mailed))


def _section_view(section: Section, stories: Iterable[Ranked], inputs: EditionInputs) -> SectionView:
    length = HEADLINE if section.key == BRIEF else OTHER
    return SectionView(section.key, section.kind, section.title,
                       tuple(story_view(story, inputs, length) for story in stories))


def story_view(ranked: Ranked, inputs: EditionInputs, length: Length) -> StoryView:
    """A story as shown: its copy under the feed's body policy, credit, local time, score parts."""
    item, zone = ranked.candidate.shown, ZoneInfo(inputs.newsletter.zone)
    source = item.feed.source.name
    agency = item.agency if item.agency and item.agency.casefold() != source.casefold() else None
    return StoryView(
        id=ranked.id, headline=" ".join(item.title.split()), language=item.language, url=item.url,
        credit=agency or source, via=source if agency else None, place=item.place,
        time=shown_time(item, zone), time_kind=_time_kind(item),
        excerpt=excerpt(item, length),
        body=shown_body(item),
        also_in=also_in(ranked.candidate), sources=len(ranked.candidate.families),
        developing=ranked.candidate.mailed is not None,
        whats_new=whats_new(ranked.candidate, inputs.date, inputs.newsletter.language), note="", original_headline=None,
        region=ranked.region, topics=tuple(m.topic.title for m in ranked.topics if m.topic.weight >= 0),
        image_url=item.image_url, score=round(ranked.score.total, 3),
        parts=tuple(map(_part_view, ranked.score.parts)),
    )


def shown_body(item: Item) -> tuple[Block, ...]:
    """The text that readers may be shown in full: only under policy full."""
    return item.text if item.feed.body is BodyPolicy.FULL else ()


@lru_cache(maxsize=10_000)
def _part_view(part: Part) -> PartView:
    """Many stories share a part."""
    return PartView(part.name, round(part.value, 3) + 0.0, part.why)


def also_in(candidate: Candidate) -> tuple[Credit, ...]:
    """One copy, the earliest, of each other family that told the story itself; earliest first."""
    copies: dict[str, list[Item]] = {}
    for item in candidate.own_items:
        if item.url and item.feed.source.family != candidate.shown.feed.source.family:
            copies.setdefault(item.feed.source.family, []).append(item)
    first = sorted((earliest(items) for items in copies.values()), key=lambda i: (i.sorted_at, i.id))
    return tuple(Credit(item.feed.source.name, item.url) for item in first)


def shown_time(item: Item, zone: ZoneInfo) -> str:
    """ISO 8601 to the second with the zone's offset at that instant; a bare date is noon of the day as it was given."""
    if item.published_at is not None and item.date_quality is DateQuality.DATE_ONLY:
        given = item.published_at + timedelta(minutes=item.published_offset_minutes or 0)
        return datetime.combine(given.date(), time(12), tzinfo=zone).isoformat(timespec="seconds")
    return item.sorted_at.astimezone(zone).isoformat(timespec="seconds")


def reading_minutes(stories: Iterable[StoryView]) -> int:
    """Minutes to read headlines and excerpts, and the lead's full text where it is shown; at least 1."""
    words = 0
    for position, story in enumerate(stories):
        text = [story.headline, *([b.text for b in story.body] if position == 0 and story.body else [story.excerpt])]
        words += sum(len(part.split()) for part in text)
    return max(1, ceil(words / WORDS_A_MINUTE))


def inclusion_rule(inputs: EditionInputs) -> str:
    """The rule of the pool in one sentence, with the instants of this edition."""
    zone = ZoneInfo(inputs.newsletter.zone)
    since, until = (f"{at.astimezone(zone):%Y-%m-%d %H:%M}" for at in (inputs.since, inputs.cutoff))
    hours = round(inputs.oldest / timedelta(hours=1))
    text = translator(inputs.newsletter.language).gettext(
        "Stories first seen after {since} and by {until} ({zone}), published at most {hours} h before that where "
        "dated, and not mailed before unless {count} new independent sources have told them since.")
    return text.format(since=since, until=until, zone=inputs.newsletter.zone, hours=hours,
                       count=NEW_SOURCES_OF_A_DEVELOPMENT)


def _time_kind(item: Item) -> str:
    if item.published_at is None:
        return "seen"
    return "day" if item.date_quality is DateQuality.DATE_ONLY else "published"


def _empty_reason(fates: Mapping[str, Fate], inputs: EditionInputs) -> str:
    if not inputs.items_seen:
        return "no item has been seen yet: poll the feeds first"
    if not fates:
        zone = ZoneInfo(inputs.newsletter.zone)
        return f"no item was first seen since {inputs.since.astimezone(zone):%Y-%m-%d %H:%M} ({inputs.newsletter.zone})"
    gates = Counter(fate.gate for fate in fates.values() if fate.gate != "not offered")
    told = ", ".join(f"{count} {gate}" for gate, count in sorted(gates.items(), key=lambda g: (-g[1], g[0])))
    return f"every item fell at a gate: {told}" if gates else "no item of its feeds is new"
