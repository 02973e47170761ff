"""Two ways to make the same days' editions, compared: what leads, what is dropped or added, what comes again.

Pure. The days of each side were made with that side's own memory of what it had mailed before.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date as Date

from digest.pipeline.arrange import LEAD
from digest.pipeline.view import EditionView


@dataclass(frozen=True, slots=True)
class Told:
    """A story of a mail: where it stands. `again`: an earlier edition of the same side had it."""

    id: str
    headline: str
    place: str  # "lead" or the section's title
    again: bool


@dataclass(frozen=True, slots=True)
class Edition:
    """One day's mail of one side; `why_not` has the reasons why other stories, by id, are not in it."""

    date: Date
    stories: tuple[Told, ...]  # in the order of the page
    why_not: Mapping[str, str]
    empty_reason: str | None = None

    @property
    def lead(self) -> Told | None:
        return next((story for story in self.stories if story.place == LEAD), None)


@dataclass(frozen=True, slots=True)
class Step:
    """One story that the two sides treat differently; "" is a place outside the mail."""

    id: str
    headline: str
    before: str
    after: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class DayComparison:
    """One day: each tuple in the order of the page. `repeated` are stories of the second side that come again."""

    date: Date
    lead_before: str
    lead_after: str
    added: tuple[Step, ...]
    dropped: tuple[Step, ...]
    moved: tuple[Step, ...]
    repeated_before: tuple[Told, ...]
    repeated_after: tuple[Told, ...]

    @property
    def lead_changed(self) -> bool:
        return self.lead_before != self.lead_after

    @property
    def equal(self) -> bool:
        return not (self.lead_changed or self.added or self.dropped or self.moved)


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over the days of a comparison."""

    days: int
    leads: int
    added: int
    dropped: int
    moved: int
    repeated_before: int
    repeated_after: int


def told_in(view: EditionView, again: Sequence[str] | Mapping[str, object]) -> tuple[Told, ...]:
    """The stories of a view's mail; `again` holds the ids of stories that the side had mailed before."""
    places = [(LEAD, view.lead)] if view.lead else []
    places += [(section.title, story) for section in view.sections for story in section.stories]
    return tuple(Told(story.id, story.headline, place, story.id in again) for place, story in places)


def compare(before: Edition, after: Edition) -> DayComparison:
    """How the second side's edition of a day differs from the first's."""
    old, new = ({story.id: story for story in side.stories} for side in (before, after))
    return DayComparison(
        date=after.date,
        lead_before=_lead(before), lead_after=_lead(after),
        added=tuple(Step(s.id, s.headline, "", s.place, before.why_not.get(s.id, ""))
                    for s in after.stories if s.id not in old),
        dropped=tuple(Step(s.id, s.headline, s.place, "", after.why_not.get(s.id, ""))
                      for s in before.stories if s.id not in new),
        moved=tuple(Step(s.id, s.headline, old[s.id].place, s.place)
                    for s in after.stories if s.id in old and old[s.id].place != s.place),
        repeated_before=tuple(s for s in before.stories if s.again),
        repeated_after=tuple(s for s in after.stories if s.again),
    )


def totals(days: Sequence[DayComparison]) -> Totals:
    """What a comparison comes to."""
    return Totals(
        days=len(days), leads=sum(day.lead_changed for day in days), added=sum(len(day.added) for day in days),
        dropped=sum(len(day.dropped) for day in days), moved=sum(len(day.moved) for day in days),
        repeated_before=sum(len(day.repeated_before) for day in days),
        repeated_after=sum(len(day.repeated_after) for day in days))


def _lead(edition: Edition) -> str:
    if edition.lead:
        return edition.lead.headline
    return "no lead" if edition.stories else edition.empty_reason or "no edition"
