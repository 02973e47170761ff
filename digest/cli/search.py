"""`digest search`: what a query finds in the archive, counted by day."""

import json
import re
from datetime import UTC, datetime, timedelta

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from digest.app import App
from digest.cli import with_app
from digest.cli.query_text import read_query
from digest.pipeline.alert_matching import RuleSet
from digest.query.quote import marked
from digest.services import search as service
from digest.storage.engine import read_only

SHOWN = 10
UNITS = {"h": "hours", "d": "days", "w": "weeks"}


def instant(_ctx: click.Context, _parameter: click.Parameter, value: str | None) -> timedelta | datetime | None:
    """A time ago (36h, 30d, 4w; a bare number is days), or an ISO 8601 day or instant; in UTC where no offset is."""
    if value is None:
        return None
    if ago := re.fullmatch(r"(\d{1,5})([hdw]?)", value):
        return timedelta(**{UNITS[ago[2] or "d"]: int(ago[1])})
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        raise click.BadParameter(f"{value!r} is neither a time ago such as 30d or 12h nor a day such as 2026-03-20"
                                 ) from None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


@click.command()
@click.argument("query", required=False)
@click.option("--since", callback=instant, default="30d", show_default=True, metavar="TIME",
              help="A time ago (36h, 30d, 4w) or a day.")
@click.option("--until", callback=instant, metavar="TIME", help="The same.  [default: now]")
@click.option("--limit", type=click.IntRange(0, 1000), default=SHOWN, show_default=True, help="Items shown.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.option("--reindex", is_flag=True, help="Make the index of the archive anew first.")
@with_app
def search(app: App, query: str | None, since: timedelta | datetime, until: timedelta | datetime | None, limit: int,
           as_json: bool, reindex: bool) -> None:
    """Show what QUERY finds in the archive: items, counts per day, the sentences that match.

    Times are when an item was published, else first seen, in UTC.
    """
    if query is None and not reindex:
        raise click.UsageError("Give a query, or --reindex.")
    tree = None if query is None else read_query(query, app.configuration.names)
    _index(app, anew=reindex)
    if query is None or tree is None:
        return
    now = app.clock.now()
    begin, end = (now - at if isinstance(at, timedelta) else at for at in (since, until or timedelta()))
    prepared = RuleSet((), app.configuration).text_of  # with the regions and topics that rules see
    with read_only(app.engine) as conn:
        found = service.find(conn, tree, begin, end, limit=limit, prepared=prepared)
        hits = service.hits_of(conn, tree, found.item_ids, prepared=prepared)
    if as_json:
        click.echo(json.dumps(_json(query, str(tree), begin, end, found, hits), ensure_ascii=False, indent=2))
    else:
        _print(str(tree), begin, end, found, hits)


def _index(app: App, *, anew: bool) -> None:
    """Indexes what is not; says so where it takes a while."""
    console = Console(stderr=True)
    with console.status("Indexing …") as status:
        done = service.index(app.engine, anew=anew, on_progress=lambda left: status.update(f"Indexing: {left} left"))
    if anew:
        click.echo(f"{done} items are indexed.", err=True)


def _print(canonical: str, since: datetime, until: datetime, found: service.Found,
           hits: tuple[service.Hit, ...]) -> None:
    console = Console(highlight=False)
    console.print(f"[bold]{escape(canonical)}[/bold], {since:%Y-%m-%d %H:%M} to {until:%Y-%m-%d %H:%M} UTC")
    if not found.exact:
        console.print(f"More than {found.total} items: too broad to count. Add a word, or shorten the time.")
    elif not found.total:
        console.print("Nothing matches.")
        return
    else:
        console.print(f"{found.total} {'item matches' if found.total == 1 else 'items match'}")
    _print_days(console, found)
    for hit in hits:
        _print_hit(console, hit)
    if found.total > len(hits):
        console.print(f"\nand {found.total - len(hits)} more: --limit")


def _print_days(console: Console, found: service.Found) -> None:
    table = Table("day (UTC)", "items", "")
    most = max(found.per_day.values(), default=1)
    for day, number in found.per_day.items():
        table.add_row(day.isoformat(), str(number), "█" * max(1, round(30 * number / most)))
    console.print(table)


def _print_hit(console: Console, hit: service.Hit) -> None:
    item, pieces = hit.item, marked(hit.quote.sentence, hit.quote.words)
    story = f" · story {hit.story_id}" if hit.story_id else ""
    backlog = " · backlog" if item.backlog else ""
    console.print(f"\n[bold]{escape(item.title)}[/bold]\n{escape(item.feed.source.name)} · "
                  f"{item.sorted_at:%Y-%m-%d %H:%M} UTC{backlog}{story}")
    console.print("".join(f"[bold]*{escape(p.text)}*[/bold]" if p.marked else escape(p.text) for p in pieces))
    if item.url:
        console.print(escape(item.url), soft_wrap=True)


def _json(query: str, canonical: str, since: datetime, until: datetime, found: service.Found,
          hits: tuple[service.Hit, ...]) -> dict[str, object]:
    return {
        "query": query, "canonical": canonical, "since": since.isoformat(), "until": until.isoformat(),
        "total": found.total, "exact": found.exact,
        "days": [{"date": day.isoformat(), "items": number} for day, number in found.per_day.items()],
        "items": [_hit_json(hit) for hit in hits],
    }


def _hit_json(hit: service.Hit) -> dict[str, object]:
    item = hit.item
    return {"id": item.id, "title": item.title, "url": item.url, "source": item.feed.source.slug,
            "language": item.language, "time": item.sorted_at.isoformat(), "backlog": item.backlog,
            "story": hit.story_id, "sentence": hit.quote.sentence, "words": list(hit.quote.words)}
