"""The desk: what an editor does to a draft, applied to the view as it was built.

`apply` is pure: base view, working set and actions in, view out. So undoing an action is applying the others, and
undoing all of them gives the base view back. An editor may pass the limits and caps of the composition; that no story
stands twice holds always.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from digest.errors import ActionRefused
from digest.pipeline.arrange import LEAD, REST
from digest.pipeline.compose import first_look
from digest.pipeline.view import EditionView, SectionView, StoryView
from digest.pipeline.working import Copy, Heading, WorkingSet, WorkingStory, story_from_value

CHANGES = ("pin", "drop", "move", "copy", "edit", "note", "take")  # kinds of action that change the view
BRIEF = "brief"  # kind of a section of headlines
OTHERS = ("more", "unreadable")  # kinds of sections whose stories lead only where no other can
MIN_PREFIX = 4  # characters of an id


@dataclass(frozen=True, slots=True)
class Action:
    """One change. `payload` names the story by its whole id, and besides:

    pin {section?} · drop {reason} · move {section, position?} · copy {item} · edit {headline?, excerpt?} ·
    note {text} · take {section?, working: the story's JSON value}
    """

    kind: str
    payload: Mapping[str, Any]

    @property
    def story(self) -> str:
        return str(self.payload["story"])


def apply(base: EditionView, pool: WorkingSet, actions: Sequence[Action]) -> EditionView:
    """The view after `actions`, in their order. Raises ActionRefused where one cannot be done."""
    if not actions:
        return base
    desk = _Desk(base, pool)
    for action in actions:
        desk.do(action)
    return desk.view()


def resolve(prefix: str, ids: Sequence[str]) -> str:
    """The one id that begins with `prefix`. Raises ActionRefused where none or several do."""
    found = sorted({id_ for id_ in ids if id_.startswith(prefix.lower())}) if prefix else []
    if len(found) == 1:
        return found[0]
    if not found:
        raise ActionRefused(f"no story {prefix!r} here", "digest editions show EDITION lists stories with their ids")
    raise ActionRefused(f"{prefix!r} begins {len(found)} stories", f"write more of it: {', '.join(found[:3])} …")


def short_ids(ids: Sequence[str]) -> dict[str, str]:
    """Each id with its shortest beginning that is unique among them, at least four characters and equally long."""
    unique = set(ids)
    length = MIN_PREFIX
    while len({id_[:length] for id_ in unique}) < len(unique):
        length += 1
    return {id_: id_[:length] for id_ in unique}


def section_key(name: str, sections: Sequence[Heading]) -> str:
    """The key that `name` means: lead, rest, a section's key, a topic's slug or a title. Raises ActionRefused."""
    if name.lower() in (LEAD, REST):
        return name.lower()
    for heading in sections:
        if name.casefold() in (heading.key, heading.key.removeprefix("topic-"), heading.title.casefold()):
            return heading.key
    known = ", ".join([LEAD, *(heading.key.removeprefix("topic-") for heading in sections), REST])
    raise ActionRefused(f"no section {name!r}", f"known: {known}")


class _Desk:
    """A draft on the desk: where each story stands, and what was changed about it."""

    def __init__(self, base: EditionView, pool: WorkingSet) -> None:
        self._base, self._headings = base, pool.sections
        self._stories: dict[str, WorkingStory] = dict(pool.by_id)
        self._order = [story.id for story in pool.stories]
        self._lead = base.lead.id if base.lead else None
        self._places: dict[str, list[str]] = {heading.key: [] for heading in pool.sections}
        self._places |= {section.key: [story.id for story in section.stories] for section in base.sections}
        self._places[REST] = [story.id for story in base.rest]
        self._copies: dict[str, Copy] = {}
        self._words: dict[str, dict[str, str]] = {}  # story -> headline, excerpt, note
        self._built = {story.id: (place, story) for place, story in _placed(base)}

    def do(self, action: Action) -> None:
        kinds: dict[str, Callable[[str, Mapping[str, Any]], None]] = {
            "pin": self._pin, "drop": self._drop, "move": self._move, "copy": self._copy, "edit": self._edit,
            "note": self._note, "take": self._take,
        }
        story = action.story
        if action.kind != "take" and self._place_of(story) is None:
            raise ActionRefused(f"story {story} is not in the edition", "it was dropped, or never taken")
        kinds[action.kind](story, action.payload)

    def view(self) -> EditionView:
        sections = tuple(
            SectionView(h.key, h.kind, h.title, tuple(self._story(id_, h.key) for id_ in self._places[h.key]))
            for h in self._headings if self._places[h.key])
        view = replace(
            self._base, sections=sections, lead=self._story(self._lead, LEAD) if self._lead else None,
            rest=tuple(self._story(id_, REST) for id_ in self._places[REST]))
        gone = None if view.all_stories else self._base.empty_reason or "every story was dropped at the desk"
        return first_look(replace(view, empty_reason=gone))

    def _pin(self, story: str, payload: Mapping[str, Any]) -> None:
        self._put(story, payload.get("section") or LEAD, 1)

    def _move(self, story: str, payload: Mapping[str, Any]) -> None:
        self._put(story, payload["section"], payload.get("position"))

    def _drop(self, story: str, _payload: Mapping[str, Any]) -> None:
        self._remove(story)

    def _copy(self, story: str, payload: Mapping[str, Any]) -> None:
        copies = {copy.item: copy for copy in self._stories[story].copies}
        if payload["item"] not in copies:
            raise ActionRefused(f"story {story} has no copy {payload['item']}", "show its copies: digest editions show")
        self._copies[story] = copies[payload["item"]]

    def _edit(self, story: str, payload: Mapping[str, Any]) -> None:
        changed = {name: payload[name] for name in ("headline", "excerpt") if payload.get(name) is not None}
        if not changed or not changed.get("headline", "x").strip():
            raise ActionRefused("there is nothing to edit it to", "give a headline that is not empty, or an excerpt")
        self._words.setdefault(story, {}).update({name: " ".join(text.split()) for name, text in changed.items()})

    def _note(self, story: str, payload: Mapping[str, Any]) -> None:
        self._words.setdefault(story, {})["note"] = " ".join(payload["text"].split())

    def _take(self, story: str, payload: Mapping[str, Any]) -> None:
        if self._place_of(story) is not None:
            raise ActionRefused(f"story {story} is in the edition already", "move it instead")
        taken = story_from_value(payload["working"])
        if story not in self._stories:
            self._order.append(story)
        self._stories[story] = taken
        self._put(story, payload.get("section") or taken.home, None)

    def _put(self, story: str, place: str, position: int | None) -> None:
        """Stands the story at `position` (from 1; None: last) of a place, and in no other."""
        if place != LEAD and place not in self._places:
            place = next(iter(self._places))
        if place == LEAD:
            if story == self._lead:
                return
            displaced = self._lead
            self._remove(story)
            self._lead = story
            if displaced:
                self._put(displaced, self._stories[displaced].home, 1)
            return
        self._remove(story)
        column = self._places[place]
        column.insert(len(column) if position is None else min(max(position, 1) - 1, len(column)), story)

    def _remove(self, story: str) -> None:
        """Takes the story off its place; the best of the others becomes the lead where it led."""
        for column in self._places.values():
            if story in column:
                column.remove(story)
        if story == self._lead:
            self._lead = None
            if heir := self._heir(story):
                self._remove(heir)
                self._lead = heir

    def _heir(self, but: str) -> str | None:
        """Who leads next: the best dated story of the region in the mail, else the best of the mail, else of all."""
        others = {h.key for h in self._headings if h.kind in OTHERS}
        places = {id_: self._place_of(id_) for id_ in self._order if id_ != but}
        mailed = [id_ for id_, place in places.items() if place not in (None, REST)]
        own = [id_ for id_ in mailed if places[id_] not in others and self._chosen(id_).story.time_kind != "seen"]
        left = [id_ for id_, place in places.items() if place == REST]
        return next(iter([*own, *mailed, *left]), None)

    def _place_of(self, story: str) -> str | None:
        if story == self._lead:
            return LEAD
        return next((place for place, column in self._places.items() if story in column), None)

    def _chosen(self, story: str) -> Copy:
        return self._copies.get(story) or self._stories[story].copies[0]

    def _story(self, story: str, place: str) -> StoryView:
        """The story as this place shows it; as it was built, where nothing about it was changed."""
        built_at, built = self._built.get(story, (None, None))
        if built is None or story in self._copies or self._form(place) != self._form(built_at or REST):
            shown = self._shown(story, place, built)
        else:
            shown = built
        words = self._words.get(story, {})
        if "excerpt" in words:
            shown = replace(shown, excerpt="" if self._form(place) == BRIEF else words["excerpt"], body=())
        if words.get("headline", shown.headline) != shown.headline:
            shown = replace(shown, headline=words["headline"], original_headline=shown.headline)
        return replace(shown, note=words.get("note", shown.note))

    def _shown(self, story: str, place: str, built: StoryView | None) -> StoryView:
        copy, form = self._chosen(story), self._form(place)
        excerpt = {LEAD: copy.lead_excerpt, BRIEF: ""}.get(form, copy.story.excerpt)
        return replace(copy.story, excerpt=excerpt, whats_new=built.whats_new if built else copy.story.whats_new)

    def _form(self, place: str) -> str:
        """How much of a story a place shows: as a lead, as a headline, or as others do."""
        if place == LEAD:
            return LEAD
        return BRIEF if any(h.key == place and h.kind == BRIEF for h in self._headings) else "other"


def _placed(view: EditionView) -> list[tuple[str, StoryView]]:
    lead = [(LEAD, view.lead)] if view.lead else []
    sections = [(section.key, story) for section in view.sections for story in section.stories]
    return [*lead, *sections, *((REST, story) for story in view.rest)]
