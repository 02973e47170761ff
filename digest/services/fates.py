"""Why: what became of an item in an edition, of which region its story is, and what a place would have taken."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date as Date
from datetime import datetime

from sqlalchemy import Connection

from digest.documents import Configuration, Newsletter
from digest.model import Fate, Item, Score
from digest.pipeline.arrange import REST
from digest.pipeline.compose import Composed, compose
from digest.pipeline.needed import needed
from digest.pipeline.pool import EditionInputs, item_gate
from digest.pipeline.region import Places
from digest.services import editions
from digest.settings import Settings
from digest.storage import desk as desk_storage
from digest.storage import items as item_storage
from digest.storage import stories as story_storage
from digest.storage.editions import EditionRow

NO_STORY = Fate("no story yet", "the next cluster tick gives it a story; digest poll runs one")


@dataclass(frozen=True, slots=True)
class Reason:
    """What became of one item: its fate in an edition, its story and the parts of the story's score.

    `score` is None where the story was not ranked; `story_id` where the item is in no story yet. `region` says of which
    region the story is and why; `needed` what it would have taken to be in the mail, where a better story stood there.
    """

    item: Item
    date: Date
    fate: Fate
    story_id: str | None
    score: Score | None
    region: str | None = None
    needed: str | None = None


def why(
    conn: Connection, configuration: Configuration, newsletter: Newsletter, settings: Settings,
    templates: Mapping[str, str], url: str, *, now: datetime, date: Date | None = None,
) -> tuple[Reason, ...]:
    """What became of each item with this address in the edition of a day; () where none was ever seen.

    Where the day has an edition, as of the instant at which that was built.
    """
    day, _ = editions.slot_of(newsletter, now, date)
    edition = editions.stored_edition(conn, newsletter.slug, day, now=now)
    at = edition.built_at if edition else now
    inputs = editions.inputs_of(conn, configuration, newsletter, settings.site, now=at, date=day)
    composed = editions.within_budget(compose(inputs), settings, editions.templates_of(edition, templates))
    reasons: list[Reason] = []
    for item in item_storage.find_items(conn, url):
        story_id = story_storage.story_of(conn, item.id, inputs.cutoff)
        fate = composed.fates.get(item.id) or item_gate(item, inputs) or NO_STORY
        if edition and story_id and fate.section:
            fate = _fate_at_the_desk(conn, edition, story_id, fate)
        reasons.append(_reason(Reason(item, day, fate, story_id, None), composed, inputs))
    return tuple(reasons)


def _reason(reason: Reason, composed: Composed, inputs: EditionInputs) -> Reason:
    """The reason with what is known of a story that was ranked."""
    ranked = composed.ranked.get(reason.story_id or "")
    if ranked is None:
        return reason
    region = Places(inputs.gazetteer).story_reason(
        ranked.candidate.counted, ranked.candidate.shown, inputs.newsletter.region)
    return replace(reason, score=ranked.score, region=region, needed=needed(composed, ranked.id, reason.fate))


def _fate_at_the_desk(conn: Connection, edition: EditionRow, story_id: str, fate: Fate) -> Fate:
    """What editors made of the fate that a story's item had when the edition was built."""
    view = edition.view
    places = {p.story_id: p.section for p in editions.placed(view, {story.id: () for story in view.all_stories})}
    if story_id not in places:
        reason = desk_storage.reason_to_drop(conn, edition.id, story_id)
        return Fate("dropped", f"an editor dropped its story: {reason}") if reason is not None else fate
    if places[story_id] == fate.section:
        return fate
    if places[story_id] == REST:
        return Fate("moved out", "an editor moved its story to the page of all stories", REST)
    return Fate("chosen", f"an editor moved its story to {places[story_id]}", places[story_id])
