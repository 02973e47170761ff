"""Recorded feed documents through the whole way, poll to render, at the time of their capture.

A polled document is first what the product makes of it: its backlog is seen and not shown. Then each of its items is
put before readers as if it were news, so that no title, text or link escapes the renderer. The suite takes every sixth
document, `make accept` all.
"""

import asyncio
import csv
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from digest.app import App, open_app
from digest.fetch.archive import Archive, ArchiveFetcher, ArchiveRow
from digest.model import Item, Story
from digest.pipeline.compose import compose
from digest.pipeline.pool import EditionInputs
from digest.pipeline.render import Renderer
from digest.resources import template_texts
from digest.services import editions
from digest.services.alerts import AlertEngine
from digest.services.cycle import Cycle
from digest.services.feeds import PollOutcome
from digest.services.replay import SimulatedClock
from digest.services.stories import StoryClusterer
from digest.storage.engine import read_only
from digest.storage.items import unassigned_items
from tests.pipeline.test_real_feeds import clock_of

NEWSLETTER = 'name = "{slug}"\nregion = "World"\nread = []\nsources = ["{slug}"]\n[sections]\nlatest = 50\n'
SOURCE = '[[sources]]\nslug = "{slug}"\nname = "{slug}"\n[[sources.feeds]]\nurl = "archive://{slug}"\nbody = "full"\n'
REFUSALS = {"empty", "html_not_feed", "not_a_feed", "malformed", "parse_timeout", "parse_crash"}


@dataclass
class Run:
    """What came of all documents: the outcome of each poll, its items, and what was rendered for it."""

    outcomes: dict[str, PollOutcome] = field(default_factory=dict)
    items: dict[str, list[Item]] = field(default_factory=dict)
    rendered: int = 0


def run(data_dir: Path, root: Path, step: int) -> Run:
    """Every `step`th document, with a newsletter of its own."""
    with (data_dir / "feeds" / "index.tsv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))[::step]
    documents = {f"d{n}": (data_dir / "feeds" / row["file"], clock_of(row["captured"])) for n, row in enumerate(rows)}
    for folder, text in (("newsletters", NEWSLETTER), ("sources", SOURCE)):
        (root / "config" / folder).mkdir(parents=True)
        for slug in documents:
            (root / "config" / folder / f"{slug}.toml").write_text(text.format(slug=slug))
    first = min(clock for _, clock in documents.values())
    archive = Archive(data_dir, {slug: (ArchiveRow(at, slug, path, ""),) for slug, (path, at) in documents.items()})
    with open_app(str(root), clock=SimulatedClock(first)) as app:
        return asyncio.run(_all(app, archive, documents))


async def _all(app: App, archive: Archive, documents: dict[str, tuple[Path, datetime]]) -> Run:
    assert isinstance(app.clock, SimulatedClock)
    run, parser, renderer = Run(), app.parser(), Renderer(template_texts())
    cycle = Cycle(app.engine, ArchiveFetcher(archive, app.clock), parser, StoryClusterer(app.engine), app.clock,
                  app.settings, template_texts, "test", AlertEngine(app.engine))
    feeds = {feed.source.slug: feed for feed in app.configuration.feeds}
    try:
        for slug, (_, at) in sorted(documents.items(), key=lambda pair: pair[1][1]):
            app.clock.set(at)
            report = await cycle.run([feeds[slug]], configuration=app.configuration)
            (run.outcomes[slug],) = report.outcomes
            run.items[slug] = _render(app, slug, at, renderer)
            run.rendered += len(run.items[slug])
    finally:
        await parser.close()
    with read_only(app.engine) as conn:
        assert unassigned_items(conn) == []
    return run


def _render(app: App, slug: str, at: datetime, renderer: Renderer) -> list[Item]:
    """Renders the edition of one document's newsletter as it is, then with all of its items as news; returns them."""
    newsletter = app.configuration.newsletters[slug]
    with read_only(app.engine) as conn:
        inputs = editions.inputs_of(conn, app.configuration, newsletter, app.settings.site, now=at)
    items = [item for story in inputs.stories for item in story.items if item.feed.source.slug == slug]
    for made in (inputs, replace(inputs, stories=tuple(_as_news(items, at)))):
        _check_rendered(made, renderer)
    return items


def _as_news(items: list[Item], at: datetime) -> Iterator[Story]:
    for item in items:
        published = max(item.published_at, at - timedelta(hours=2)) if item.published_at else None
        yield Story(item.id, (replace(item, backlog=False, published_at=published),))


def _check_rendered(inputs: EditionInputs, renderer: Renderer) -> None:
    composed = compose(inputs)
    html, text, page = renderer.html(composed.view), renderer.text(composed.view), renderer.page(composed.view, "all")
    assert html and text and page and renderer.json(composed.view)
    shown = {story.url for story in composed.view.all_stories}
    assert all(url.startswith(("http://", "https://")) for url in shown)
    linkless = [i.id for s in inputs.stories for i in s.items if not i.url and not i.backlog]
    offered = [id for id in linkless if composed.fates[id].gate != "not offered"]
    assert {composed.fates[id].gate for id in offered} <= {"no link"}


@pytest.mark.accept
def test_each_document_goes_from_poll_to_render(data_dir: Path, tmp_path: Path) -> None:
    done = run(data_dir, tmp_path, 1)
    _check(done)
    assert len(done.outcomes) >= 205
    assert done.rendered > 4600


def test_some_documents_go_from_poll_to_render(data_dir: Path, tmp_path: Path) -> None:
    done = run(data_dir, tmp_path, 6)
    _check(done)
    assert len(done.outcomes) >= 34
    assert done.rendered > 500


def _check(done: Run) -> None:
    words = {outcome.outcome for outcome in done.outcomes.values()}
    assert words <= {"ok", "stalled", "undated"} | REFUSALS
    for slug, items in done.items.items():
        for item in items:
            assert item.title.strip(), slug
            assert not item.url or item.url.startswith(("http://", "https://")), (slug, item.url)
            assert item.published_at is None or (
                item.published_at.utcoffset() == timedelta(0) and item.published_at <= item.first_seen_at), slug
