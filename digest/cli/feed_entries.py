"""`digest feeds add|test|remove|import|export`: the feeds that stand in config/sources/."""

import asyncio
from dataclasses import replace
from pathlib import Path

import click
from rich.console import Console
from rich.markup import escape

from digest.app import App
from digest.cli import with_app
from digest.documents import Configuration
from digest.errors import FetchError
from digest.model import Feed, Item, Source, short_id
from digest.pipeline.normalise import normalise_document
from digest.pipeline.opml import FeedList, read_opml, write_opml
from digest.pipeline.sample import Sample, sample, suspected_family
from digest.services import feed_documents
from digest.services.discovery import FoundFeed, find_feed, kept_feed
from digest.services.feed_documents import Added, Slugs

SHOWN = 5  # items


@click.group()
def feeds() -> None:
    """Add, try, exchange and look after feeds."""


@feeds.command()
@click.argument("address")
@click.option("--region", help="Where its items happen [the newsletter's, where there is one].")
@click.option("--source", metavar="SLUG", help="The publisher that it belongs to [its site's].")
@click.option("--name", help="The publisher's name as readers see it [the feed's title].")
@click.option("--family", metavar="SLUG", help="The owner network of a new publisher.")
@click.option("--language", metavar="CODE", help="Of its items [what they are written in].")
@click.option("--force", is_flag=True, help="Add it though it does not answer.")
@with_app
def add(app: App, address: str, region: str | None, source: str | None, name: str | None, family: str | None,
        language: str | None, force: bool) -> None:
    """Add the feed at ADDRESS, or the one that the site at ADDRESS names, and show what is in it.

    Its entry is written into config/sources/, where it can be changed. What it holds now is never news: the next
    edition has what comes from now on.
    """
    configuration = app.configuration
    region = region or _only_region(configuration)
    found = asyncio.run(_find(app, address, language, keep=force))
    console = Console()
    _show(app, console, found, configuration)
    kin = suspected_family(found.url, configuration.feeds)
    slug = source or (kin.slug if kin else Slugs(configuration.feeds).of(found.url, found.title))
    entry = replace(found.of(slug, region, name=name, family=family), language=language or found.language)
    _tell(console, feed_documents.add(app.engine, app.instance, [entry], now=app.clock.now(), author="cli"))


@feeds.command()
@click.argument("address")
@with_app
def test(app: App, address: str) -> None:
    """Show what the feed at ADDRESS holds, or the one that the site at ADDRESS names. Nothing is stored."""
    _show(app, Console(), asyncio.run(_find(app, address, None)), app.configuration)


@feeds.command()
@click.argument("url")
@with_app
def remove(app: App, url: str) -> None:
    """Take the feed at URL out of config/sources/. Its items stay in the archive."""
    feed_documents.remove(app.engine, app.instance, url, now=app.clock.now(), author="cli")
    click.echo(f"{url} is not polled any more; its items stay.")


@feeds.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--region", help="Where the items of all its feeds happen [the newsletter's, where there is one].")
@click.option("--language", metavar="CODE", help="Of the items of all its feeds [what each feed declares].")
@click.option("--dry-run", is_flag=True, help="Only report what would be added.")
@with_app
def import_list(app: App, file: Path, region: str | None, language: str | None, dry_run: bool) -> None:
    """Add the feeds of an OPML FILE, such as another reader exports. Lists that are not well-formed are read, too.

    No feed is asked now; `digest poll --all` and `digest feeds health` tell which of them answer.
    """
    listed = read_opml(file.read_bytes())
    region = region or _only_region(app.configuration)
    entries = feed_documents.from_list(listed, region, language, app.configuration.feeds)
    console = Console()
    _report(console, file, listed)
    if dry_run:
        known = {feed.url for feed in app.configuration.feeds}
        new = [entry for entry in entries if entry.url not in known]
        console.print(f"Feeds to add: {len(new)}, known: {len(entries) - len(new)}. Nothing was written.")
        return
    _tell(console, feed_documents.add(app.engine, app.instance, entries, now=app.clock.now(), author="cli"))


@feeds.command("export")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), required=False)
@with_app
def export_list(app: App, file: Path | None) -> None:
    """Write all feeds as OPML into FILE, or to the terminal."""
    text = write_opml(app.settings.site.name, app.configuration.feeds)
    if file is None:
        click.echo(text, nl=False)
        return
    file.write_text(text, encoding="utf-8")
    click.echo(f"Feeds written to {file}: {len(app.configuration.feeds)}.")


def _only_region(configuration: Configuration) -> str:
    regions = {newsletter.region for newsletter in configuration.newsletters.values()}
    if len(regions) != 1:
        known = ", ".join(sorted(regions)) or "none"
        raise click.UsageError(f"say where its items happen with --region (of the newsletters: {known})")
    return regions.pop()


async def _find(app: App, address: str, language: str | None, *, keep: bool = False) -> FoundFeed:
    fallback = language or next((n.language for n in app.configuration.newsletters.values()), "en")
    fetcher, parser = app.fetcher(), app.parser()
    try:
        return await find_feed(fetcher, parser, address, fallback)
    except FetchError:
        if not keep:
            raise
        return kept_feed(address, fallback)
    finally:
        await parser.close()
        await fetcher.close()


def _show(app: App, console: Console, found: FoundFeed, configuration: Configuration) -> None:
    """The feed in a few lines: title, rhythm, dates, languages, kin, and its first items."""
    if found.document is None:
        console.print(f"[yellow]{escape(found.url)} does not answer; kept unseen.[/]")
        return
    source = Source(slug="test", name=found.title, family="test")
    feed = Feed(short_id(found.url), found.url, source, language=None)
    seen = sample(normalise_document(found.document, feed, now=app.clock.now()))
    console.print(f"[bold]{escape(found.title)}[/]\n{escape(found.url)}")
    console.print(_facts(seen, suspected_family(found.url, configuration.feeds)))
    for item in seen.items[:SHOWN]:
        console.print(f"  {_when(item)}  {escape(item.title)}")


def _facts(seen: Sample, kin: Source | None) -> str:
    languages = ", ".join(f"{code} {count}" for code, count in seen.languages.items())
    rate = "no rhythm to be seen" if seen.per_day is None else f"about {seen.per_day:.1f} a day"
    newest = f", newest {seen.newest_at:%Y-%m-%d %H:%M} UTC" if seen.newest_at else ""
    family = f"Seems to belong to {escape(kin.name)} (family {kin.family})." if kin else "Of no known publisher."
    return (f"{len(seen.items)} items, {rate}{newest}. Dates: {seen.date_words}. Languages: {languages or 'unknown'}. "
            f"Median {seen.words} words an item. {family}")


def _when(item: Item) -> str:
    return f"{item.published_at:%m-%d %H:%M}" if item.published_at else "no date    "


def _report(console: Console, file: Path, listed: FeedList) -> None:
    """What of a list was read and what was passed over, line by line."""
    title = escape(listed.title or file.name)
    console.print(f"{title}: feeds read: {len(listed.feeds)}, lines passed over: {len(listed.passed)}.")
    if listed.flaw:
        console.print(f"[yellow]{escape(listed.flaw)}; read all the same.[/]")
    for passed in listed.passed:
        console.print(f"  line {passed.line}: {escape(passed.what)} {passed.why}")


def _tell(console: Console, added: Added) -> None:
    for feed in added.new:
        console.print(f"[green]added[/] {escape(feed.url)} as {feed.source}")
    for url in added.known:
        console.print(f"[yellow]known[/] {escape(url)}")
    console.print(f"Feeds added: {len(added.new)}, known before: {len(added.known)}.")
