"""Variants of an edition: what one reader's preferences make of it. Pure.

A variant is a function of the view, the format, the interface language, the hidden sections, the languages read and the
missed editions. It only shortens: the stories of its mail are some of the edition's, in their order and unchanged; what
is hidden still stands on the page of all stories. Beside them it may carry "Since your last edition".
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date as Date

from digest.model import Message, Preferences
from digest.pipeline.arrange import BRIEF
from digest.pipeline.budget import trim
from digest.pipeline.compose import first_look
from digest.pipeline.render import Renderer, message_of
from digest.pipeline.view import EditionView, MissedView, SectionView, SinceView, StoryView

SINCE_STORIES = 8  # most stories of missed editions in one mail
TEXT = "text"
UNDETERMINED = "und"
_WORDS = {"in": "language", "without": "hidden", "reading": "read", "since": "missed"}


@dataclass(frozen=True, slots=True)
class Variant:
    """What tells one reader's mail of an edition from another's."""

    format: str = "html"  # "html" (with a text part) or "text" alone
    language: str = ""  # of the interface; "": the edition's own
    hidden: tuple[str, ...] = ()  # keys of sections
    read: tuple[str, ...] = ()  # languages of the stories shown; (): all
    missed: tuple[str, ...] = ()  # ISO days of missed editions of the same period

    @property
    def name(self) -> str:
        """ "default", or its words: "text in ru without more,topic-work reading en since 2023-03-19"."""
        words = [TEXT] if self.format == TEXT else []
        words += [f"in {self.language}"] if self.language else []
        lists = (("without", self.hidden), ("reading", self.read), ("since", self.missed))
        words += [f"{word} {','.join(values)}" for word, values in lists if values]
        return " ".join(words) or "default"


DEFAULT = Variant()


def read_variant(name: str) -> Variant:
    """The variant of a name. Raises ValueError where it is none."""
    words = name.split()
    values: dict[str, str | tuple[str, ...]] = {}
    if words[:1] == ["default"]:
        words = words[1:]
    if words[:1] == [TEXT]:
        values["format"], words = TEXT, words[1:]
    pairs = list(zip(words[::2], words[1::2], strict=False))
    if len(words) % 2 or any(word not in _WORDS for word, _ in pairs):
        raise ValueError(f"{name!r} is no variant such as 'text in ru without more,topic-work reading en'")
    for word, value in pairs:
        values[_WORDS[word]] = value if word == "in" else tuple(sorted(set(value.split(","))))
    for day in values.get("missed", ()):
        Date.fromisoformat(day)
    return Variant(**values)  # type: ignore[arg-type]


def variant_of(
    preferences: Preferences, hidden: Collection[str], view: EditionView, missed: Sequence[EditionView] = ()
) -> Variant:
    """The variant of the edition that suits a reader; equal for all readers to whom it makes no difference."""
    told = [*view.mailed, *(story for edition in missed for story in edition.mailed)]
    known = {interface.language for interface in view.interfaces}
    keys = {section.key for edition in (view, *missed) for section in edition.sections}
    return Variant(
        format=TEXT if preferences.format == TEXT else "html",
        language=preferences.language if preferences.language in known else "",
        hidden=tuple(sorted(keys.intersection(hidden))),
        read=_reading(preferences.read, {story.language for story in told} - {UNDETERMINED}),
        missed=tuple(sorted(edition.date for edition in missed)))


def _reading(read: Collection[str], told: Collection[str]) -> tuple[str, ...]:
    """The languages read of those told; () where that is all of them."""
    kept = sorted(set(told).intersection(read))
    if not read or len(kept) == len(set(told)):
        return ()
    return tuple(kept or sorted(read))


def shown(view: EditionView, variant: Variant) -> EditionView:
    """What of the edition the variant shows, in its interface language.

    Where the lead is in a language that is not read, the next story that is told with an excerpt leads.
    """
    def kept(story: StoryView) -> bool:
        return _is_read(story, variant)

    lead = view.lead if view.lead and kept(view.lead) else None
    sections = tuple(replace(section, stories=tuple(filter(kept, section.stories)))
                     for section in view.sections if section.key not in variant.hidden)
    short = _with_lead(replace(view, lead=lead, sections=tuple(s for s in sections if s.stories)), view)
    staying = {story.id for story in short.mailed}
    hidden = [story for story in view.mailed if story.id not in staying]
    if hidden:
        rest = sorted((*hidden, *view.rest), key=lambda story: -story.score)
        short = first_look(replace(short, rest=tuple(rest)))
    return _translated(short, variant.language) if variant.language else short


def _with_lead(short: EditionView, view: EditionView) -> EditionView:
    """The shortened edition with a lead, where the edition has one."""
    if short.lead or not view.lead:
        return short
    for number, section in enumerate(short.sections):
        if section.kind != BRIEF:
            left = replace(section, stories=section.stories[1:])
            sections = (*short.sections[:number], *((left,) if left.stories else ()), *short.sections[number + 1:])
            return replace(short, lead=section.stories[0], sections=sections)
    return short


def _translated(view: EditionView, language: str) -> EditionView:
    interface = next((i for i in view.interfaces if i.language == language), None)
    if interface is None or language == view.language:
        return view
    titles: Mapping[str, str] = {title.key: title.title for title in interface.titles}

    def titled(section: SectionView) -> SectionView:
        return replace(section, title=titles.get(section.key, section.title))

    return replace(view, language=language, written_in=view.language, notice=interface.notice,
                   sections=tuple(map(titled, view.sections)))


def since_of(view: EditionView, variant: Variant, missed: Sequence[EditionView]) -> SinceView | None:
    """The best stories of the missed editions that the variant shows and this edition does not tell; None: no edition.

    Best by score, told newest edition first. A story of several of them is that of the newest.
    """
    newest = sorted((m for m in missed if m.date in variant.missed), key=lambda edition: edition.date, reverse=True)
    if not newest:
        return None
    taken = {story.id for story in view.mailed}
    offered: list[StoryView] = []
    for edition in newest:
        for story in shown(edition, replace(variant, language="", missed=())).mailed:
            if story.id not in taken:
                taken.add(story.id)
                offered.append(story)
    best = sorted(range(len(offered)), key=lambda n: (-offered[n].score, n))[:SINCE_STORIES]
    editions = tuple(MissedView(edition.date, edition.path) for edition in newest)
    return SinceView(tuple(offered[n] for n in sorted(best)), editions)


def render(
    view: EditionView, variant: Variant, renderer: Renderer, missed: Sequence[EditionView] = ()
) -> Message | None:
    """The message of a variant, its marks unfilled, within the edition's byte budget; None where no story is left.

    `missed` are the released views of the variant's missed editions, in any order. What a language or missed editions
    add takes the place of stories of missed editions first, then of the edition's own.
    """
    short, since = shown(view, variant), since_of(view, variant, missed)
    if not short.mailed:
        return None
    if variant.format == TEXT:
        return message_of(short, "", renderer.text(short, since))
    short, since, html = _within_budget(short, since, renderer)
    return message_of(short, html, renderer.text(short, since))


def _within_budget(
    view: EditionView, since: SinceView | None, renderer: Renderer
) -> tuple[EditionView, SinceView | None, str]:
    """The variant within its edition's budget, with its HTML."""
    budget = view.byte_budget or 2**62
    while len((html := renderer.html(view, since)).encode()) > budget:
        if since is None:
            trimmed = trim(view, budget, lambda v: len(renderer.html(v).encode()))
            return trimmed, None, renderer.html(trimmed)
        since = replace(since, stories=since.stories[:-1]) if since.stories else None
    return view, since, html


def _is_read(story: StoryView, variant: Variant) -> bool:
    return not variant.read or story.language in (*variant.read, UNDETERMINED)
