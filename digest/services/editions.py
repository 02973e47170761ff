"""Editions: plan one and build it.

`plan` is the one function behind preview, send and replay. An approved edition is rendered from its stored view and
its stored templates ever after, so that later polls, settings and templates change nothing in it.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date as Date
from datetime import datetime, timedelta
from html import escape

from sqlalchemy import Connection, Engine

from digest.documents import Configuration, Newsletter
from digest.model import Feed, Period, fill_marks
from digest.pipeline.arrange import LEAD, REST
from digest.pipeline.budget import fit
from digest.pipeline.compose import Composed, compose
from digest.pipeline.pool import FIRST_WINDOW, EditionInputs, Mailed
from digest.pipeline.render import Renderer, own_templates
from digest.pipeline.slots import local_date, release_of
from digest.pipeline.view import EditionView, sha256, to_json
from digest.pipeline.working import working_set
from digest.services import envelopes, leaving
from digest.settings import Settings, SiteSettings
from digest.storage import editions as storage
from digest.storage import stories as story_storage
from digest.storage.editions import EditionRow, PlacedStory
from digest.storage.engine import read_only

READ_OF_LATE = timedelta(hours=3)  # a failure or two before the edition cost nothing
HEALTHY = frozenset({"ok", "unchanged", "not_modified", "stalled", "undated"})  # a poll that read its feed


@dataclass(frozen=True, slots=True)
class Built:
    """An edition after `build`. `edition` is None where there was nothing to send; `view` says why."""

    edition: EditionRow | None
    view: EditionView
    created: bool  # False: the day had its edition already


@dataclass(frozen=True, slots=True)
class Preview:
    """What an editor looks at: a view with the templates it is rendered from.

    `edition` is the stored edition that the view comes from; None for a plan.
    """

    view: EditionView
    templates: Mapping[str, str]
    edition: EditionRow | None


@dataclass(frozen=True, slots=True)
class Memory:
    """What an edition knows of those before it: the cut-off of the last, and each story's last mailed place."""

    since: datetime
    mailed: Mapping[str, Mailed]
    merged: tuple[Date, ...] = ()  # days whose stories it takes over


def plan(
    conn: Connection, configuration: Configuration, newsletter: Newsletter, settings: Settings,
    templates: Mapping[str, str], *, now: datetime, date: Date | None = None, period: Period = Period.DAILY,
) -> Composed:
    """The edition of `date` (None: today in the newsletter's zone) as it would be made at `now`. Stores nothing.

    Nothing seen after `now` is in it; see `slot_of` for the cut-off of another day. Its mail, rendered with
    `templates`, is within the newsletter's byte budget. Equal arguments and equal tables up to the cut-off give
    equal bytes.
    """
    inputs = inputs_of(conn, configuration, newsletter, settings.site, now=now, date=date, period=period)
    return within_budget(compose(inputs), settings, templates)


def within_budget(composed: Composed, settings: Settings, templates: Mapping[str, str]) -> Composed:
    """The edition with what its mail has no room for on the page of all stories."""
    return fit(composed, composed.view.byte_budget, mail_bytes(templates, settings))


def mail_bytes(templates: Mapping[str, str], settings: Settings) -> Callable[[EditionView], int]:
    """What weighs a view: the bytes of its HTML part before it is addressed."""
    renderer = renderer_of(templates, settings)
    return lambda view: len(renderer.html(view).encode())


def inputs_of(
    conn: Connection, configuration: Configuration, newsletter: Newsletter, site: SiteSettings, *,
    now: datetime, date: Date | None = None, period: Period = Period.DAILY, memory: Memory | None = None,
) -> EditionInputs:
    """Everything that decides the edition that `plan` makes. A week may repeat its days, not the week before.

    `memory` replaces what the stored editions tell of those before.
    """
    date, cutoff = slot_of(newsletter, now, date, period)
    memory = memory or memory_of(conn, newsletter, date, cutoff, period)
    late = storage.joined_late(conn, memory.since, cutoff)
    earliest = min((memory.since, *(seen - timedelta(seconds=1) for seen in late.values())))
    feed_ids = [feed.id for feed in configuration.feeds_of(newsletter)]
    return EditionInputs(
        newsletter=newsletter.for_period(period),
        gazetteer=configuration.gazetteer,
        stories=story_storage.stories_as_of(conn, since=earliest, at=cutoff),
        since=memory.since,
        cutoff=cutoff,
        date=date,
        late=frozenset(late),
        mailed=memory.mailed,
        merged=memory.merged,
        missing_sources=_missing_sources(conn, configuration, newsletter, cutoff),
        source_count=len({feed.source.slug for feed in configuration.feeds_of(newsletter)}),
        items_seen=storage.count_seen(conn, feed_ids, cutoff),
        site_url=site.url,
        postal_address=site.postal_address,
        period=period,
        names=configuration.names,
    )


def memory_of(
    conn: Connection, newsletter: Newsletter, date: Date, cutoff: datetime, period: Period = Period.DAILY
) -> Memory:
    """What the stored editions before `date` tell the one cut off at `cutoff`."""
    before = storage.edition_before(conn, newsletter.slug, date, cutoff=cutoff, period=period)
    since = before.cutoff_at if before else None
    merged = storage.merged_before(
        conn, newsletter.slug, date, cutoff=cutoff, since=since) if period is Period.DAILY else []
    first = merged[0][1] if merged else cutoff  # of what no edition had yet
    return Memory(
        since or first - FIRST_WINDOW[period],
        storage.mailed_stories(conn, newsletter.slug, before=date, cutoff=cutoff, period=period),
        tuple(day for day, _ in merged))


def slot_of(
    newsletter: Newsletter, now: datetime, date: Date | None, period: Period = Period.DAILY
) -> tuple[Date, datetime]:
    """The date of an edition and its cut-off: `now`, but for a day that is over the release of that day."""
    today = local_date(newsletter, now)
    if date is None or date >= today:
        return date or today, now
    return date, min(now, release_of(newsletter, date, period))


def preview(
    conn: Connection, configuration: Configuration, newsletter: Newsletter, settings: Settings,
    templates: Mapping[str, str], *, now: datetime, date: Date | None = None, period: Period = Period.DAILY,
) -> Preview:
    """The stored edition of a day, else its plan at `now`. Stores nothing. A draft is shown with `templates`."""
    day, _ = slot_of(newsletter, now, date, period)
    if edition := stored_edition(conn, newsletter.slug, day, period, now=now):
        return Preview(edition.view, templates_of(edition, templates), edition)
    view = plan(conn, configuration, newsletter, settings, templates, now=now, date=day, period=period).view
    return Preview(view, templates, None)


def stored_edition(
    conn: Connection, newsletter: str, date: Date, period: Period = Period.DAILY, *, now: datetime | None = None
) -> EditionRow | None:
    """The edition of a day in any state; None where there is none, or was none at `now`."""
    edition = storage.edition_of(conn, newsletter, date, period)
    return edition if edition and (now is None or edition.built_at <= now) else None


def templates_of(edition: EditionRow | None, templates: Mapping[str, str]) -> Mapping[str, str]:
    """The templates that an edition is rendered with: its own from its approval on, else `templates`."""
    return templates if edition is None or edition.state == "draft" else edition.templates


def stored_view(
    conn: Connection, newsletter: str, date: Date, period: Period = Period.DAILY
) -> EditionView | None:
    """The view of the released edition of a day; None where there is none."""
    edition = storage.edition_of(conn, newsletter, date, period)
    return edition.view if edition and edition.state in storage.RELEASED else None


def list_editions(
    conn: Connection, newsletter: str, limit: int = 30, period: Period = Period.DAILY
) -> list[EditionRow]:
    """The newest released editions, newest first."""
    return storage.editions_of(conn, newsletter, limit, period, storage.RELEASED)


def build(
    engine: Engine, configuration: Configuration, newsletter: Newsletter, settings: Settings,
    templates: Mapping[str, str], *, now: datetime, date: Date | None = None, period: Period = Period.DAILY,
) -> Built:
    """The stored edition of a day; makes it, as a draft, at the first call. Idempotent, safe in two processes.

    Steps:
    1. plan, where the day has no edition yet;
    2. store view, templates, stories and the working set of the desk in one transaction; whoever comes second gets
       the first's.
    An edition without stories is not stored: a later call may find some.
    """
    day, _ = slot_of(newsletter, now, date, period)
    with read_only(engine) as conn:
        if stored := storage.edition_of(conn, newsletter.slug, day, period):
            return Built(stored, stored.view, created=False)
        inputs = inputs_of(conn, configuration, newsletter, settings.site, now=now, date=day, period=period)
    templates = own_templates(templates, newsletter.slug)
    composed = within_budget(compose(inputs), settings, templates)
    if composed.view.empty_reason is not None:
        return Built(None, composed.view, created=False)
    pool = working_set(composed, inputs).to_json()
    with engine.begin() as conn:
        created = storage.insert_edition(
            conn, newsletter=newsletter.slug, date=day, period=period, state="draft", cutoff_at=composed.cutoff,
            built_at=now, config_version=configuration.version, view_text=to_json(composed.view),
            view_sha256=sha256(composed.view), templates=templates, stories=placed(composed.view, composed.families),
            pool_text=pool, release_at=release_of(newsletter, day, period))
        edition = storage.edition_of(conn, newsletter.slug, day, period)
    assert edition is not None
    return Built(edition, edition.view, created is not None)


def renderer_of(templates: Mapping[str, str], settings: Settings) -> Renderer:
    """A renderer whose links lead to this instance's pages."""
    return Renderer(templates, base=envelopes.base_url(settings))


def specimen(text: str, view: EditionView) -> str:
    """A rendered edition as a reader gets it, but nobody's: its unsubscribe link leads nowhere."""
    return fill_marks(text, unsubscribe="#", reason=escape(leaving.signed_up(view.name, view.language)))


def placed(view: EditionView, families: Mapping[str, Collection[str]]) -> list[PlacedStory]:
    """Every story of the edition with its place, in the order of the page, and who has told it."""
    keys = [(LEAD, story) for story in ((view.lead,) if view.lead else ())]
    keys += [(section.key, story) for section in view.sections for story in section.stories]
    keys += [(REST, story) for story in view.rest]
    first = 0 if view.lead else 1
    return [PlacedStory(story.id, position, key, frozenset(families[story.id]))
            for position, (key, story) in enumerate(keys, start=first)]


def _missing_sources(
    conn: Connection, configuration: Configuration, newsletter: Newsletter, at: datetime
) -> tuple[str, ...]:
    """Names of the sources none of whose feeds of this newsletter was read of late, sorted.

    A feed was not where its last poll failed and so did those of three hours: what it brought before that is there.
    """
    feeds = configuration.feeds_of(newsletter)
    ids = [feed.id for feed in feeds]
    outcomes = storage.last_outcomes(conn, ids, at)
    read = storage.had_outcomes(conn, ids, HEALTHY, since=at - READ_OF_LATE, at=at)
    healthy = {feed.source.slug for feed in feeds if feed.id in read or _reads(feed, outcomes.get(feed.id))}
    return tuple(sorted({feed.source.name for feed in feeds if feed.source.slug not in healthy}))


def _reads(feed: Feed, outcome: str | None) -> bool:
    """Whether a feed's last poll read it. An archive's outlet is not missing before its first row."""
    return outcome is None or outcome in HEALTHY or (outcome == "http_404" and feed.url.startswith("archive://"))
