"""`digest init`: from a few answers to a working instance."""

import asyncio
import os
import re
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import click

from digest.app import App, open_app
from digest.documents import Gazetteer, read_configuration
from digest.errors import AddressRefused, ConfigError, FetchError, NotFound
from digest.services import config, discovery, instances
from digest.services.addresses import normalise_address
from digest.services.discovery import FoundFeed
from digest.services.instances import NewInstance
from digest.settings import Instance


def _zone(_context: Any, _option: Any, value: str | None) -> str | None:
    if value is None:
        return None
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError) as error:
        raise click.BadParameter("use an IANA name such as Asia/Almaty") from error
    return value


def _language(_context: Any, _option: Any, value: str) -> str:
    if not re.fullmatch(r"[a-z]{2,3}", value):
        raise click.BadParameter("use a code of two letters such as en or ru")
    return value


def _time(_context: Any, _option: Any, value: str) -> str:
    hour, _, minute = value.partition(":")
    if not (hour.isdigit() and minute.isdigit() and len(minute) == 2 and int(hour) < 24 and int(minute) < 60):
        raise click.BadParameter("use a time of day such as 07:00")
    return f"{int(hour):02}:{minute}"


def _readers(_context: Any, _option: Any, values: tuple[str, ...]) -> tuple[str, ...]:
    try:
        return tuple(normalise_address(value) for value in values)
    except AddressRefused as error:
        raise click.BadParameter(str(error)) from error


@dataclass
class _Answers:
    """What the flags say; None or () where it is to be asked or takes its default."""

    region: str | None
    name: str | None
    parent: str | None
    zone: str | None
    language: str
    send_time: str
    feeds: tuple[str, ...]
    readers: tuple[str, ...]
    force: bool

    @property
    def missing(self) -> list[str]:
        needed = {"--region": self.region, "--zone": self.zone, "--feed": self.feeds}
        return [flag for flag, value in needed.items() if not value]


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--region", help="What the newsletter is about: a country, a city, any place.")
@click.option("--zone", callback=_zone, help="Time zone of its dates and send time, such as Asia/Almaty.")
@click.option("--feed", "feeds", multiple=True, metavar="URL", help="A feed, or a site that names one. Repeatable.")
@click.option("--reader", "readers", multiple=True, metavar="EMAIL", callback=_readers,
              help="Whom to mail it to. Repeatable.")
@click.option("--name", help="Name of the newsletter [REGION News].")
@click.option("--parent", help="Region around it, for a second section; known for many countries.")
@click.option("--language", default="en", show_default=True, metavar="CODE", callback=_language,
              help="Language of the masthead and headings, in two letters.")
@click.option("--send-time", default="07:00", show_default=True, callback=_time, help="Time of day in the zone.")
@click.option("--force", is_flag=True, help="Keep feeds that do not answer.")
def init(folder: Path, **flags: Any) -> None:
    """Make a new instance in FOLDER: one newsletter on a region of your own.

    Asks for what the flags leave open. With --region, --zone and --feed it asks nothing.
    """
    answers = _Answers(**flags)
    if instances.is_taken(Instance.locate(str(folder))):
        raise ConfigError(str(folder / "config"), "holds a configuration already",
                          hint="name another folder, or edit the documents there and run `digest check`")
    ask = bool(answers.missing)
    if ask and not sys.stdin.isatty():
        raise click.UsageError(f"missing {', '.join(answers.missing)} (there is no terminal to ask on)")
    gazetteer = read_configuration({}, config.packaged_gazetteer()).gazetteer
    if ask:
        _ask(answers, gazetteer)
    with open_app(str(folder)) as app:
        new = _new(answers, gazetteer, asyncio.run(_find_feeds(app, answers, ask)))
        instances.create(app.engine, app.instance, new, answers.readers, app.clock.now())
    _tell(folder, new, answers.readers)


def _ask(answers: _Answers, gazetteer: Gazetteer) -> None:
    """Asks for what is missing, in the order of the flags."""
    answers.region = answers.region or click.prompt("Region (a country, a city, any place)").strip()
    answers.name = answers.name or click.prompt("Name of the newsletter", default=f"{answers.region} News")
    if answers.parent is None and gazetteer.parent(answers.region) is None:
        answers.parent = click.prompt("It lies in (empty: nowhere in particular)", default="", show_default=False)
    answers.zone = answers.zone or click.prompt(
        "Time zone", default=_local_zone(), value_proc=lambda value: _zone(None, None, value))
    if not answers.readers:
        answers.readers = click.prompt("Mail it to (empty: nobody yet)", default="", show_default=False,
                                       value_proc=lambda value: _readers(None, None, (value,) if value else ()))


async def _find_feeds(app: App, answers: _Answers, ask: bool) -> tuple[FoundFeed, ...]:
    """Tries each address and shows what is there; asks for more where none was given."""
    fetcher, parser = app.fetcher(), app.parser()
    found: list[FoundFeed] = []
    waiting = list(answers.feeds)
    prompting = ask and not answers.feeds
    try:
        while waiting or prompting:
            if not waiting:
                waiting = [await asyncio.to_thread(_next_address, len(found))]
            address = waiting.pop(0)
            if not address:
                break
            try:
                feed = await discovery.find_feed(fetcher, parser, address, answers.language)
            except (FetchError, NotFound) as error:
                if not answers.force and not prompting:
                    raise
                click.echo(f"  ! {error}", err=True)
                if not answers.force:
                    continue
                feed = discovery.kept_feed(address, answers.language)
            _show(feed)
            found.append(feed)
    finally:
        await parser.close()
        await fetcher.close()
    return tuple(found)


def _next_address(known: int) -> str:
    """The next address that is typed; "" ends, once there is one."""
    while True:
        text = "Feed or site address" + (" (empty: no more)" if known else "")
        address: str = click.prompt(text, default="" if known else None, show_default=False).strip()
        if address or known:
            return address


def _show(feed: FoundFeed) -> None:
    if feed.items is None:
        click.echo(f"  ! kept unseen: {feed.url}", err=True)
        return
    click.echo(f"  ✓ {feed.title}: {feed.items} items, language {feed.language}, {feed.url}")


def _new(answers: _Answers, gazetteer: Gazetteer, feeds: Sequence[FoundFeed]) -> NewInstance:
    region = answers.region or ""
    return NewInstance(
        name=answers.name or f"{region} News", region=region, parent=answers.parent or gazetteer.parent(region),
        zone=answers.zone or "UTC", language=answers.language, send_time=answers.send_time, feeds=tuple(feeds))


def _tell(folder: Path, new: NewInstance, readers: Sequence[str]) -> None:
    place = shlex.quote(str(folder))
    click.echo(f"\n{new.name} is set up in {place}/config/, sent at {new.send_time} {new.zone}"
               f" to {', '.join(readers) or 'nobody yet'}.")
    others = sorted({feed.language for feed in new.feeds} - {new.language})
    if others:
        click.echo(f"Its feeds are also in {', '.join(others)}; `read` in newsletters/{new.slug}.toml shows these too.")
    click.echo("Until an SMTP server is set in digest.toml, mail goes to files in var/outbox/. Next:")
    click.echo(f"  digest --instance {place} preview\n  digest --instance {place} serve")
    click.echo(f"Or go there (cd {place}) and leave --instance out.")


def _local_zone() -> str:
    """The IANA name of this machine's zone; "UTC" where it is not told."""
    names = (os.environ.get("TZ", ""), os.path.realpath("/etc/localtime").partition("zoneinfo/")[2])
    return next((name for name in names if name in available_timezones()), "UTC")
