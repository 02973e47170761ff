"""Replay of a recorded archive: the scheduler's work under a simulated clock, edition by edition.

    archive ─▶ documents of a throw-away instance
    clock ─▶ cycle (poll → cluster tick → alerts) every polling interval ─▶ edition at each release

Nothing here differs from a live instance but the fetcher and the clock.
"""

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date as Date
from datetime import datetime, timedelta
from pathlib import Path

import tomlkit
from sqlalchemy import Engine

from digest.alert_rules import Alert
from digest.documents import Configuration, Newsletter
from digest.errors import NotFound
from digest.fetch.archive import Archive
from digest.model import Feed, Source, Story
from digest.pipeline.slots import next_release
from digest.pipeline.view import EditionView
from digest.services import editions, releases
from digest.services.cycle import Cycle
from digest.settings import Settings
from digest.storage import alerts as alert_storage
from digest.storage import stories as story_storage
from digest.storage.engine import read_only

EVERYTHING = "everything"  # slug of the newsletter that a replay makes up where none is given


class SimulatedClock:
    """A clock that stands until it is set."""

    def __init__(self, at: datetime):
        self._at = at

    def now(self) -> datetime:
        return self._at

    def set(self, at: datetime) -> None:
        self._at = at


@dataclass(frozen=True, slots=True)
class ReplayedEdition:
    """One edition of a replay, as it was written to `folder`."""

    date: Date
    view: EditionView
    folder: Path


@dataclass(frozen=True, slots=True)
class ReplayReport:
    editions: tuple[ReplayedEdition, ...]
    polls: int
    items: int
    stories: int
    alerts: int = 0


def documents_of(
    archive: Archive, configuration: Configuration, newsletter_file: Path | None, slug: str = EVERYTHING
) -> dict[str, str]:
    """The configuration documents of a throw-away instance whose feeds are the archive's outlets.

    With a newsletter file, its sources that are outlets keep the name, family, region and language that
    `configuration` gives them; without, all outlets are one newsletter. Raises NotFound where the file's
    sources name no outlet.
    """
    if newsletter_file is None:
        outlets = archive.outlets
        newsletter = _everything(archive)
    else:
        slug, newsletter = newsletter_file.stem, newsletter_file.read_text(encoding="utf-8")
        wanted = tomlkit.parse(newsletter).unwrap().get("sources", [])
        outlets = tuple(outlet for outlet in archive.outlets if outlet in wanted)
        if not outlets:
            raise NotFound("outlet of the archive among the sources of", newsletter_file.name, archive.outlets,
                           hint="list outlets as sources of the newsletter")
        newsletter = _with_sources(newsletter, outlets)
    return {
        f"newsletters/{slug}.toml": newsletter,
        "sources/archive.toml": _sources(archive, outlets, configuration),
    }


def write_documents(folder: Path, texts: Mapping[str, str]) -> None:
    """Writes documents below a configuration folder."""
    for name, text in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def timeline(
    start: datetime, end: datetime, interval: timedelta, newsletter: Newsletter
) -> Iterator[tuple[datetime, bool]]:
    """The instants of a replay in order, each with whether the newsletter's edition is released then."""
    poll_at, release_at = start, next_release(newsletter, start)
    while min(poll_at, release_at) <= end:
        if release_at <= poll_at:
            yield release_at, True
            release_at = next_release(newsletter, release_at)
        else:
            yield poll_at, False
            poll_at += interval


async def replay(
    cycle: Cycle, clock: SimulatedClock, configuration: Configuration, out: Path, *, start: datetime, end: datetime,
    first: Date | None = None, last: Date | None = None, on_progress: Callable[[datetime], None] | None = None,
) -> ReplayReport:
    """Polls from `start` to `end` and writes each edition dated from `first` to `last` (None: all) to `out`.

    At a release the feeds are polled once more, as the scheduler would just before it.
    """
    (newsletter,) = configuration.newsletters.values()
    engine, settings, templates = cycle.engine, cycle.settings, cycle.templates()
    interval = timedelta(minutes=settings.polling.interval_minutes)
    written: list[ReplayedEdition] = []
    polls = items = 0
    for at, is_release in timeline(start, end, interval, newsletter):
        clock.set(at)
        report = await cycle.run(configuration.feeds, configuration=configuration)
        polls += len(report.outcomes)
        items += sum(outcome.new for outcome in report.outcomes)
        if is_release:
            edition = await asyncio.to_thread(_release, engine, configuration, newsletter, settings, templates, out, at)
            if (first or edition.date) <= edition.date <= (last or edition.date):
                written.append(edition)
                _write_edition(edition, templates, settings)
        if on_progress:
            on_progress(at)
    stories = await asyncio.to_thread(_write_stories, engine, start, end, out / "stories.jsonl")
    alerts = await asyncio.to_thread(_write_alerts, engine, out / "alerts.jsonl") if configuration.alerts else 0
    return ReplayReport(tuple(written), polls, items, stories, alerts)


def _release(
    engine: Engine, configuration: Configuration, newsletter: Newsletter, settings: Settings,
    templates: Mapping[str, str], out: Path, at: datetime,
) -> ReplayedEdition:
    """The edition of this release, frozen and marked sent as if it had readers."""
    built = releases.build_and_approve(engine, configuration, newsletter, settings, templates, now=at)
    if built.edition:
        releases.queue_deliveries(engine, built.edition, newsletter, settings, now=at)
        releases.settle(engine, built.edition)
    day = Date.fromisoformat(built.view.date)
    return ReplayedEdition(day, built.view, out / day.isoformat())


def _write_edition(edition: ReplayedEdition, templates: Mapping[str, str], settings: Settings) -> None:
    renderer = editions.renderer_of(templates, settings)
    edition.folder.mkdir(parents=True, exist_ok=True)
    view = edition.view
    for name, text in (("html", editions.specimen(renderer.html(view), view)),
                       ("txt", editions.specimen(renderer.text(view), view)), ("json", renderer.json(view))):
        (edition.folder / f"edition.{name}").write_text(text, encoding="utf-8")


def _write_stories(engine: Engine, start: datetime, end: datetime, path: Path) -> int:
    """One JSON object a line for each story of the archive, oldest first; returns how many."""
    with read_only(engine) as conn:
        stories = story_storage.stories_as_of(conn, since=start - timedelta(seconds=1), at=end)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        for story in sorted(stories, key=lambda s: (s.items[0].first_seen_at, s.id)):
            file.write(json.dumps(story_line(story), ensure_ascii=False) + "\n")
    return len(stories)


def _write_alerts(engine: Engine, path: Path) -> int:
    """One JSON object a line for each alert of the replay, oldest first; returns how many."""
    with read_only(engine) as conn:
        found = sorted(alert_storage.log(conn), key=lambda pair: (pair[0].at, pair[0].id))
    with path.open("w", encoding="utf-8") as file:
        for alert, rule in found:
            file.write(json.dumps(alert_line(alert, rule), ensure_ascii=False) + "\n")
    return len(found)


def alert_line(alert: Alert, rule: str) -> dict[str, object]:
    """An alert as exports name it; `why` has each trigger with its detail, `told` is when readers would be told."""
    return {"rule": rule, "version": alert.version, "story": alert.story_id,
            "why": [str(trigger) for trigger in alert.why], "at": alert.at.isoformat(), "item": alert.item_id,
            "told": alert.release_at.isoformat(), "held_by": alert.held_by, "sentence": alert.sentence,
            "words": list(alert.words)}


def story_line(story: Story) -> dict[str, object]:
    """A story as exports name it; times are ISO 8601 in UTC, `published` is None for an undated item."""
    return {
        "id": story.id,
        "title": story.items[0].title,
        "first_seen": story.items[0].first_seen_at.isoformat(),
        "last_seen": story.items[-1].first_seen_at.isoformat(),
        "items": [
            {"url": item.link, "source": item.feed.source.slug, "language": item.language, "title": item.title,
             "published": item.published_at.isoformat() if item.published_at else None}
            for item in story.items
        ],
    }


def _everything(archive: Archive) -> str:
    document = tomlkit.document()
    document.update({
        "name": archive.root.name, "region": "World", "zone": "UTC", "send_time": "23:59", "read": [],
        "sources": list(archive.outlets), "sections": {"latest": 20},
    })
    return tomlkit.dumps(document)


def _with_sources(newsletter: str, outlets: tuple[str, ...]) -> str:
    """The newsletter's document with the outlets as its only feeds."""
    document = tomlkit.parse(newsletter)
    document["sources"] = list(outlets)
    document.pop("regions", None)
    return tomlkit.dumps(document)


def _sources(archive: Archive, outlets: tuple[str, ...], configuration: Configuration) -> str:
    feeds = {feed.source.slug: feed for feed in reversed(configuration.feeds)}
    document = tomlkit.document()
    document["sources"] = [_source(outlet, archive, configuration.sources, feeds.get(outlet)) for outlet in outlets]
    return tomlkit.dumps(document)


def _source(outlet: str, archive: Archive, sources: Mapping[str, Source], feed: Feed | None) -> dict[str, object]:
    source = sources.get(outlet)
    entry: dict[str, object] = {"url": f"archive://{outlet}"}
    if feed:
        entry |= {key: value for key, value in (("region", feed.region), ("language", feed.language)) if value}
        entry["body"] = feed.body.value
    return {
        "slug": outlet,
        "name": source.name if source else archive.title_of(outlet),
        **({"family": source.family, "tier": source.tier} if source else {}),
        "feeds": [entry],
    }
