"""A small named world for the pages: one newsletter, one approved edition, two stories, one mail in the outbox."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

from sqlalchemy import Engine

from digest.app import App
from digest.documents import read_configuration
from digest.model import Block, DateQuality, Item, short_id
from digest.pipeline.view import sha256, to_json
from digest.resources import template_texts
from digest.services.stories import StoryClusterer
from digest.settings import Instance, Settings
from digest.storage.config import mirror
from digest.storage.editions import insert_edition
from digest.storage.items import store
from tests.pipeline import views

NOW = datetime(2023, 3, 20, 2, 0, tzinfo=UTC)
TOKEN = "the-printed-token"
NEWSLETTER = """
name = "Kazakhstan News"
tagline = "A daily letter of things worth talking about over tea."
region = "Kazakhstan"
zone = "Asia/Almaty"
sources = ["steppe-wire"]
"""
QUIET = """
name = "Quiet News"
region = "Nowhere"
sources = ["steppe-wire"]
"""
SOURCES = """
[[sources]]
slug = "steppe-wire"
name = "Steppe Wire"
[[sources.feeds]]
url = "https://steppe-wire.example/rss"
region = "Kazakhstan"
language = "en"
"""

@dataclass(frozen=True)
class FixedClock:
    at: datetime = NOW

    def now(self) -> datetime:
        return self.at

def open_world(root: Path, engine: Engine) -> App:
    """An opened instance in `root` with newsletters "kazakhstan" (one edition, of 2023-03-20) and "quiet" (none)."""
    configuration = read_configuration({
        "newsletters/kazakhstan.toml": NEWSLETTER, "newsletters/quiet.toml": QUIET, "sources/all.toml": SOURCES})
    with engine.begin() as connection:
        mirror(connection, configuration, NOW)
        insert_edition(
            connection, newsletter="kazakhstan", date=date(2023, 3, 20), cutoff_at=NOW, built_at=NOW, config_version=1,
            view_text=to_json(views.EDITION), view_sha256=sha256(views.EDITION), templates=template_texts(None),
            stories=[], state="sent")
    return App(Instance(root), Settings(), engine, FixedClock(), configuration)

def put_mail(app: App, name: str = "0001-anna.eml", subject: str = "Kazakhstan News") -> Path:
    """A mail in the outbox, with a text and an HTML part."""
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = subject, "news@example.org", "anna@example.org"
    message.set_content("The text part.")
    message.add_alternative("<html><head></head><body><p>The HTML part.</p></body></html>", subtype="html")
    app.instance.outbox.mkdir(parents=True, exist_ok=True)
    path = app.instance.outbox / name
    path.write_bytes(bytes(message))
    return path

def put_stories(app: App) -> tuple[str, str]:
    """Two items seen an hour before NOW in stories of their own; the ids of the stories."""
    feed = app.configuration.feeds[0]
    seen = NOW - timedelta(hours=1)
    first = _item(feed.id, "one", "Early Vote Called for the Second Sunday of April", seen)
    second = _item(feed.id, "two", "Grain Terminal at Aktau Doubles Its Night Shifts", seen)
    with app.engine.begin() as connection:
        store(connection, feed, [first, second], seen)
    StoryClusterer(app.engine).tick(seen, "test")
    return first.id, second.id

def _item(feed_id: str, key: str, title: str, seen: datetime) -> Item:
    feed = read_configuration({"sources/all.toml": SOURCES}).feeds[0]
    return Item(
        id=short_id(feed_id, key), feed=feed, key=key, url=f"https://steppe-wire.example/{key}",
        canonical_url=f"steppe-wire.example/{key}", title=title, summary=f"{title}, officials said on Sunday.",
        body=(Block("p", "Text."),), agency=None, place="Almaty", language="en", published_at=seen - timedelta(hours=1),
        published_offset_minutes=360, date_quality=DateQuality.EXACT, first_seen_at=seen)
