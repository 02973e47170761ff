"""`digest feeds list|health|show|pause|resume`: how the feeds are doing. The group's other commands: feed_entries."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from digest.app import App
from digest.cli import with_app
from digest.cli.feed_entries import feeds
from digest.cli.feeds import feeds_of
from digest.model import Feed
from digest.pipeline.health import TROUBLED, Health
from digest.services import articles, feed_health
from digest.services.feed_health import Standing
from digest.storage.articles import PageOf, newest_pages
from digest.storage.engine import read_only
from digest.storage.feeds import Attempt

COLOURS = {Health.HEALTHY: "green", Health.NEW: "cyan", Health.FAILING: "yellow", Health.STALE: "yellow",
           Health.SUSPENDED: "red", Health.PAUSED: "blue", Health.MERGED: "blue"}

PAGES_COUNTED = timedelta(days=7)
ITEMS_SHOWN = 10

__all__ = ["feeds"]


@feeds.command("list")
@click.argument("newsletter", required=False)
@with_app
def list_feeds(app: App, newsletter: str | None) -> None:
    """List all feeds, or those of NEWSLETTER, with their state, newest item and next poll."""
    found, now = _standings(app, feeds_of(app, newsletter)), app.clock.now()
    table = _table("state", "source", "address", "newest", "next poll", "detail")
    for standing in found:
        table.add_row(_state(standing), escape(standing.feed.source.name), escape(standing.feed.url),
                      _ago(standing.row.condition.newest_at, now), _next(standing, now), escape(standing.why))
    console = Console()
    console.print(table)
    _print_counts(console, found)


@feeds.command()
@with_app
def health(app: App) -> None:
    """List the feeds that need care: failing, stale, suspended, moved; and how many there are of each state."""
    found = _standings(app, app.configuration.feeds)
    care = [standing for standing in found if standing.needs_care]
    table = _table("state", "source", "address", "why")
    for health_ in (*TROUBLED, *(other for other in Health if other not in TROUBLED)):
        for standing in care:
            if standing.health is health_:
                table.add_row(_state(standing), escape(standing.feed.source.name), escape(standing.feed.url),
                              escape(standing.why))
    console = Console()
    if care:
        console.print(table)
    _print_counts(console, found)
    if pages := articles.outcomes_since(app.engine, app.configuration.feeds, app.clock.now() - PAGES_COUNTED):
        console.print(f"Pages of items in {_span(PAGES_COUNTED)}: {articles.in_words(pages)}.")


@feeds.command()
@click.argument("feed")
@with_app
def show(app: App, feed: str) -> None:
    """Show a feed (its address or source): its state, rhythm, last twenty polls, and newest items with their pages."""
    console, now = Console(), app.clock.now()
    for standing in _standings(app, feed_health.find(app.configuration.feeds, feed)):
        console.print(f"[bold]{escape(standing.feed.source.name)}[/] {escape(standing.feed.url)}")
        pages = articles.outcomes_since(app.engine, [standing.feed], now - PAGES_COUNTED)
        for name, value in (*_facts(standing, now), *_page_facts(standing.feed, pages)):
            console.print(f"  {name}: {escape(value)}")
        console.print(_attempts(feed_health.attempts(app.engine, standing.feed)))
        with read_only(app.engine) as conn:
            console.print(_pages(newest_pages(conn, standing.feed.id, ITEMS_SHOWN)))


@feeds.command()
@click.argument("feed")
@click.option("--note", default="", help="Why, for whoever looks next.")
@with_app
def pause(app: App, feed: str, note: str) -> None:
    """Poll a feed (its address, or all of a source) no more until it is resumed."""
    found = feed_health.find(app.configuration.feeds, feed)
    feed_health.pause(app.engine, found, now=app.clock.now(), note=note)
    click.echo(f"Feeds paused: {len(found)}.")


@feeds.command()
@click.argument("feed")
@with_app
def resume(app: App, feed: str) -> None:
    """Poll a feed (its address, or all of a source) again at once, whatever stopped it."""
    found = feed_health.find(app.configuration.feeds, feed)
    feed_health.resume(app.engine, found)
    click.echo(f"Feeds resumed: {len(found)}.")


def _standings(app: App, wanted: Sequence[Feed]) -> list[Standing]:
    with read_only(app.engine) as conn:
        return feed_health.standings(conn, wanted, app.clock.now())


def _facts(standing: Standing, now: datetime) -> Iterable[tuple[str, str]]:
    """What is known of a feed, line by line."""
    condition = standing.row.condition
    yield "state", f"{standing.health.value} {standing.why}".strip()
    if standing.moved_to:
        yield "polled at", standing.moved_to
    yield "next poll", _next(standing, now)
    yield "last good poll", _ago(condition.last_success_at, now) or "none"
    yield "newest item", _ago(condition.newest_at, now) or "none"
    yield "usual time between items", _span(condition.gap) or "not known"
    if standing.feed.interval_minutes:
        yield "own interval", f"{standing.feed.interval_minutes} min"
    yield "id", standing.feed.id


def _page_facts(feed: Feed, pages: Mapping[str, int]) -> Iterable[tuple[str, str]]:
    yield "article text", feed.article_text.value
    if pages:
        yield f"pages of items in {_span(PAGES_COUNTED)}", articles.in_words(pages)


def _attempts(attempts: Sequence[Attempt]) -> Table:
    table = _table("polled at (UTC)", "outcome", "entries", "new", "ms", "bytes", "detail")
    for name in ("entries", "new", "ms", "bytes"):
        next(column for column in table.columns if column.header == name).justify = "right"
    for attempt in attempts:
        colour = "red" if attempt.failed else "green"
        numbers = (attempt.entries, attempt.new, attempt.milliseconds, attempt.bytes)
        table.add_row(f"{attempt.at:%Y-%m-%d %H:%M:%S}", f"[{colour}]{attempt.outcome}[/]",
                      *(str(number) if number else "" for number in numbers), escape(attempt.detail))
    return table


def _pages(pages: Sequence[PageOf]) -> Table:
    """What came of the pages of items; "none" where one was not asked for."""
    table = _table("first seen (UTC)", "page", "item")
    for page in pages:
        outcome = f"{page.outcome}, {page.words} words" if page.words else page.outcome or "none"
        table.add_row(f"{page.first_seen_at:%Y-%m-%d %H:%M}", escape(outcome), escape(page.title))
    return table


def _table(*names: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in names:
        table.add_column(name, overflow="fold")
    return table


def _state(standing: Standing) -> str:
    word = "moved" if standing.moved_to and standing.health is Health.HEALTHY else standing.health.value
    return f"[{COLOURS[standing.health]}]{word}[/]"


def _print_counts(console: Console, found: Sequence[Standing]) -> None:
    numbers = ", ".join(f"{number} {health_.value}" for health_, number in feed_health.counts(found).items())
    console.print(f"{len(found)} feeds: {numbers}." if found else "No feeds are configured.")


def _next(standing: Standing, now: datetime) -> str:
    wait = feed_health.next_in(standing.row, now)
    return "" if wait is None else f"in {_span(wait)}" if wait else "now"


def _ago(at: datetime | None, now: datetime) -> str:
    return f"{_span(now - at)} ago" if at else ""


def _span(span: timedelta | None) -> str:
    """A length of time in its largest fitting unit: 40 s, 25 min, 3 h, 12 d."""
    if span is None:
        return ""
    seconds = max(0, int(span.total_seconds()))
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
