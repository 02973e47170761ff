"""How the feeds are doing, for the operator: a list, pauses, and one note a day by mail."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from difflib import get_close_matches
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine

from digest.errors import NotFound
from digest.model import Feed, Message
from digest.pipeline.health import TROUBLED, Health, health_of
from digest.pipeline.render import Renderer
from digest.services import deliveries, envelopes, leaving
from digest.settings import Settings
from digest.storage import feeds as storage
from digest.storage.engine import read_only
from digest.storage.feeds import Attempt, FeedRow

NOTE_HOUR = 7  # local time from which the day's note is made


@dataclass(frozen=True, slots=True)
class Standing:
    """A feed and how it is doing. `moved_to` is where it is polled instead of at its address, None where it is not."""

    feed: Feed
    row: FeedRow
    health: Health
    moved_to: str | None

    @property
    def why(self) -> str:
        """The reason of its state in a few words; "" where there is nothing to say."""
        row, condition = self.row, self.row.condition
        if self.health in (Health.PAUSED, Health.SUSPENDED, Health.MERGED) or self.moved_to:
            return row.note or ""
        if condition.error_count:
            since = f", last read {_day(condition.last_success_at)}" if condition.last_success_at else ", never read"
            times = "once" if condition.error_count == 1 else f"{condition.error_count} times in a row"
            return f"{row.last_outcome} {times}{since}: {row.last_error or ''}".rstrip(": ")
        if self.health is Health.STALE:
            return f"answers, newest item {_day(condition.newest_at)}" if condition.newest_at else \
                f"answers ({row.last_outcome}), and never brought an item"
        return "" if row.last_outcome in (None, "ok", "unchanged", "not_modified") else str(row.last_outcome)

    @property
    def needs_care(self) -> bool:
        """Whether the operator has something to do: a feed in trouble, or an entry that names an old address."""
        return self.health in TROUBLED or self.health is Health.MERGED or self.moved_to is not None


def _day(at: datetime) -> str:
    return f"{at:%Y-%m-%d}"


def standings(conn: Connection, feeds: Sequence[Feed], now: datetime) -> list[Standing]:
    """How each of `feeds` stands, in their order; one that was never mirrored is left out."""
    rows = storage.rows_of(conn, [feed.id for feed in feeds])
    return [_standing(feed, rows[feed.id], now) for feed in feeds if feed.id in rows]


def _standing(feed: Feed, row: FeedRow, now: datetime) -> Standing:
    moved_to = row.moved_to if row.moved_from == feed.url else None
    return Standing(feed, row, health_of(row.condition, now), moved_to)


def counts(found: Iterable[Standing]) -> dict[Health, int]:
    """How many feeds are in each state, states without any left out."""
    numbers = Counter(standing.health for standing in found)
    return {health: numbers[health] for health in Health if numbers[health]}


def find(feeds: Sequence[Feed], name: str) -> list[Feed]:
    """The feed of an address or id, or all feeds of a source. Raises NotFound with what is near."""
    found = [feed for feed in feeds if name in (feed.url, feed.id)]
    found = found or [feed for feed in feeds if feed.source.slug == name]
    if not found:
        known = [feed.source.slug for feed in feeds] + [feed.url for feed in feeds]
        raise NotFound("feed", name, tuple(dict.fromkeys(get_close_matches(name, known, n=3))),
                       hint="give its address or its source; see digest feeds list")
    return found


def attempts(engine: Engine, feed: Feed) -> list[Attempt]:
    """What came of the feed's last twenty polls, newest first."""
    with read_only(engine) as conn:
        return storage.attempts_of(conn, feed.id)


def pause(engine: Engine, feeds: Sequence[Feed], *, now: datetime, note: str = "") -> None:
    """Lets feeds not be polled until they are resumed. Idempotent."""
    with engine.begin() as conn:
        for feed in feeds:
            storage.pause(conn, feed.id, now, note)


def resume(engine: Engine, feeds: Sequence[Feed]) -> None:
    """Makes feeds due at once and forgets what stopped them: a pause, a suspension, failures. Idempotent."""
    with engine.begin() as conn:
        for feed in feeds:
            storage.resume(conn, feed.id)


def note_day(now: datetime, zone: str) -> str | None:
    """The local day whose note may be made, as YYYY-MM-DD; None in its early hours."""
    local = now.astimezone(ZoneInfo(zone))
    return local.date().isoformat() if local.hour >= NOTE_HOUR else None


def queue_note(engine: Engine, feeds: Sequence[Feed], settings: Settings, templates: Mapping[str, str], *,
               now: datetime, zone: str) -> bool:
    """Queues the day's note to `mail.operator` on feeds that need care; whether one was. At most one a day.

    None is made without an address, before seven in `zone`, or where all feeds do well.
    """
    day = note_day(now, zone)
    if day is None or not settings.mail.operator:
        return False
    with engine.begin() as conn:
        found = standings(conn, feeds, now)
        if not any(standing.needs_care for standing in found):
            return False
        message = note(found, settings, Renderer(templates, base=envelopes.base_url(settings)), day=day)
        return deliveries.queue(
            conn, subject=f"notice:feeds:{day}", channel=envelopes.MAIL, target=settings.mail.operator,
            message=message, unsubscribe=leaving.OPERATOR, due_at=now, now=now)


def note(found: Sequence[Standing], settings: Settings, renderer: Renderer, *, day: str) -> Message:
    """The note of a day: what needs care, worst first, and how many feeds are in each state."""
    order = [*TROUBLED, Health.MERGED]
    care = sorted((s for s in found if s.needs_care),
                  key=lambda s: (order.index(s.health) if s.health in order else len(order), s.feed.source.name))
    values: dict[str, Any] = {
        "care": care, "counts": counts(found), "day": day, "total": len(found), "site": settings.site.name}
    return Message(
        subject=f"Feeds that need a look: {len(care)} of {len(found)} · {settings.site.name}",
        html=renderer.mail_html("email/feeds.html", **values), text=renderer.render("email/feeds.txt", **values),
        headers={"Content-Language": "en"})


def next_in(row: FeedRow, now: datetime) -> timedelta | None:
    """How long until a feed is due; zero where it is, None where nothing will make it so."""
    if row.condition.paused_at or row.condition.merged_into:
        return None
    due = max((at for at in (row.next_poll_at, row.wait_until) if at), default=now)
    return max(timedelta(0), due - now)
