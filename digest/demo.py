"""The demo: the whole chain on a made-up region, in an instance of its own.

The anchor is the instant of the day's first run, kept in the file `anchor`: runs of one day (in UTC) see the same
documents. A new day begins with an empty instance, for yesterday's stories told again would be no news.
"""

import asyncio
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path

from digest.alert_rules import AlertSpec
from digest.app import App, SystemClock, open_app
from digest.errors import DigestError, NotFound
from digest.fetch.demo import SUFFIX, demo_dir, feed_documents, serve_feeds
from digest.pipeline.slots import local_date
from digest.pipeline.view import EditionView
from digest.ports import Clock
from digest.resources import template_texts
from digest.services import alert_rules, editions, envelopes, leaving, releases, subscribers
from digest.services.cycle import CycleReport
from digest.services.deliveries import SendReport
from digest.services.envelopes import envelope
from digest.services.feeds import PollOutcome
from digest.services.stories import TickReport
from digest.settings import DatabaseSettings, Instance, SmtpSettings, load_settings
from digest.storage.editions import EditionRow
from digest.storage.engine import read_only
from digest.storage.items import count_items
from digest.storage.stories import stories_as_of

NEWSLETTER = "kazakhstan"
READERS = ("aliya@readers.example", "timur@readers.example")
ANALYST = "analyst@desk.example"
ALERT, QUERY = "Caspian railways", "railway AND Aktau"


@dataclass(frozen=True, slots=True)
class DemoReport:
    """What a run did. `alerts` counts alerts that fired now; `files` are those of the edition."""

    anchor: datetime
    outcomes: tuple[PollOutcome, ...]
    items: int  # stored, in all runs of the day
    stories: int  # that they make
    tick: TickReport
    alerts: int
    view: EditionView
    created: bool  # False: the edition stood from an earlier run
    queued: releases.Queued
    sent: SendReport
    files: tuple[Path, ...]


def demo_root(instance_option: str | None) -> Path:
    """Where the demo's instance lies: var/demo of the instance."""
    return Instance.locate(instance_option).var / "demo"


@contextmanager
def demo_app(root: Path, *, clock: Clock | None = None, keep: bool = False) -> Iterator[App]:
    """The demo's instance, ready for a run, with its feeds served on loopback while the context is open.

    With `keep` an instance of an earlier day stays as it is. A database or mail server that the environment sets is
    for real instances and not used.
    """
    clock = clock or SystemClock()
    anchor = prepare(root, clock.now(), keep=keep)
    settings = load_settings(Instance(root)).model_copy(update={"database": DatabaseSettings(), "smtp": SmtpSettings()})
    with (
        serve_feeds(feed_documents(anchor)) as port,
        open_app(str(root), clock=clock, settings=settings) as app,
    ):
        app.resolve[SUFFIX] = ("127.0.0.1", port)
        yield app


def prepare(root: Path, now: datetime, *, keep: bool = False) -> datetime:
    """Makes the demo's instance in `root` ready for a run and returns its anchor.

    The first run of a day (in UTC) empties the instance of an earlier day, unless it is to `keep`. The configuration
    is the package's. Idempotent within a day.
    """
    anchor = _read_anchor(root)
    if anchor is None or not (keep or (anchor <= now and anchor.date() == now.astimezone(UTC).date())):
        _empty(root)
        anchor = now.astimezone(UTC).replace(microsecond=0)
        root.mkdir(parents=True, exist_ok=True)
        _anchor_path(root).write_text(anchor.isoformat() + "\n", encoding="utf-8")
    _copy_configuration(root / "config")
    return anchor


def anchor_of(root: Path) -> datetime:
    """The anchor of a prepared instance. Raises NotFound where no demo was run in `root`."""
    anchor = _read_anchor(root)
    if anchor is None:
        raise NotFound("demo", str(root), hint="make one with: digest demo")
    return anchor


def _anchor_path(root: Path) -> Path:
    return root / "anchor"


def _read_anchor(root: Path) -> datetime | None:
    try:
        anchor = datetime.fromisoformat(_anchor_path(root).read_text(encoding="utf-8").strip())
    except (OSError, ValueError):
        return None
    return anchor.astimezone(UTC) if anchor.tzinfo else None


def _empty(root: Path) -> None:
    """Removes what an earlier day wrote: only what the demo itself makes, for `root` may hold other things."""
    for name in ("var", "outbox", "config"):
        shutil.rmtree(root / name, ignore_errors=True)
    for path in root.glob("edition.*"):
        path.unlink()


def _copy_configuration(target: Path) -> None:
    """Copies digest.toml, newsletters/ and sources/ of the package where they differ."""
    source = demo_dir()
    for path in [source / "digest.toml", *source.glob("newsletters/*.toml"), *source.glob("sources/*.toml")]:
        copy = target / path.relative_to(source)
        if not copy.exists() or copy.read_bytes() != path.read_bytes():
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())


async def run(app: App, on_outcome: Callable[[PollOutcome], None] | None = None) -> DemoReport:
    """Runs the whole chain once. Running it again on the same day polls again and sends nothing twice.

    Steps:
    1. two readers and an analyst's alert rule, before anything is polled;
    2. poll every feed, make stories, fire alerts;
    3. build and approve the edition of the anchor's day, queue it for its readers;
    4. send what is due;
    5. write the edition's files.
    """
    await asyncio.to_thread(_enlist, app)
    cycle = await _cycle(app, on_outcome)
    edition, created, queued = await asyncio.to_thread(_build, app)
    sent = await app.send_due()
    await asyncio.to_thread(releases.settle, app.engine, edition)
    items, stories = await asyncio.to_thread(_count, app)
    files = await asyncio.to_thread(_write, app, edition)
    return DemoReport(anchor_of(app.instance.root), cycle.outcomes, items, stories, cycle.tick, cycle.alerts,
                      edition.view, created, queued, sent, files)


def _enlist(app: App) -> None:
    now = app.clock.now()
    with app.engine.begin() as conn:
        for reader in READERS:
            subscribers.subscribe(conn, NEWSLETTER, reader, "demo", now)
        alert_rules.add(conn, ALERT, AlertSpec(query=QUERY), ANALYST, now, consent_source="demo")


async def _cycle(app: App, on_outcome: Callable[[PollOutcome], None] | None) -> CycleReport:
    async with app.cycle() as cycle:
        return await cycle.run(app.configuration.feeds, configuration=app.configuration, zone=app.zone, everything=True,
                               on_outcome=on_outcome)


def _build(app: App) -> tuple[EditionRow, bool, releases.Queued]:
    newsletter = app.configuration.newsletters[NEWSLETTER]
    now = app.clock.now()
    built = releases.build_and_approve(
        app.engine, app.configuration, newsletter, app.settings, template_texts(app.instance.templates), now=now,
        date=local_date(newsletter, anchor_of(app.instance.root)))
    if built.edition is None:
        raise DigestError(f"the demo's edition has no story: {built.view.empty_reason}")
    return built.edition, built.created, releases.queue_deliveries(
        app.engine, built.edition, newsletter, app.settings, now=now)


def _count(app: App) -> tuple[int, int]:
    """Items and stories of the instance."""
    since = anchor_of(app.instance.root) - timedelta(days=1)
    with read_only(app.engine) as conn:
        return count_items(conn), len(stories_as_of(conn, since=since, at=app.clock.now()))


def _write(app: App, edition: EditionRow) -> tuple[Path, ...]:
    """Writes edition.html, .txt, .json and .eml as the first reader gets them, and returns their paths."""
    renderer = editions.renderer_of(edition.templates, app.settings)
    with read_only(app.engine) as conn:
        readers = subscribers.active_subscriptions(conn, NEWSLETTER)
        mark = leaving.subscription_mark(readers[0].id) if readers else leaving.TEST
        standing = leaving.standing(conn, mark, subject=edition.subject)
    assert standing is not None
    draft = envelopes.draft(
        renderer.message(edition.view), target=readers[0].subscriber.email if readers else READERS[0],
        settings=app.settings, now=edition.built_at, unsubscribe=mark)
    mail = envelope(draft, standing, settings=app.settings, signer=app.signer(), now=edition.built_at,
                    keys=app.dkim_keys).data
    contents = {"html": _body(mail, "html"), "txt": _body(mail, "plain"),
                "json": renderer.json(edition.view).encode(), "eml": mail}
    paths = tuple(app.instance.root / f"edition.{suffix}" for suffix in contents)
    for path, content in zip(paths, contents.values(), strict=True):
        path.write_bytes(content)
    return paths


def _body(mail: bytes, subtype: str) -> bytes:
    """The text of a mail in plain or HTML form, as its reader sees it."""
    part = message_from_bytes(mail, policy=policy.default).get_body((subtype,))
    return str(part.get_content()).encode() if part else b""
