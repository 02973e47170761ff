"""A small newsroom with a desk: three outlets, a morning of stories, two readers."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, update

from digest.documents import Configuration, Newsletter, read_configuration
from digest.services import editions, releases, subscribers
from digest.storage import deliveries as ledger
from digest.storage.config import mirror
from digest.storage.editions import EditionRow, edition_of
from digest.storage.engine import read_only
from digest.storage.schema import subscriptions
from tests.services.test_editions import DAY, GRAIN, HOUR, NOW, OUTLETS, SETTINGS, STRIKE, TEMPLATES, tell

RELEASE = NOW - HOUR  # 07:00 in Almaty
EARLY = RELEASE - HOUR / 2
BRIDGE = "New bridge over the Ili opens to lorries"
LATE = "Metro of Almaty stops after a power cut"
DATE = NOW.date()
NAME = f"kazakhstan/{DATE}"


def documents() -> Configuration:
    """Kazakhstan News over the outlets, with one topic."""
    sources = "\n".join(
        f'[[sources]]\nslug = "{slug}"\nname = "{slug.title()}"\n[[sources.feeds]]\n'
        f'url = "https://{slug}.example/rss"\nregion = "Kazakhstan"\nlanguage = "en"' for slug in OUTLETS)
    newsletter = ('name = "Kazakhstan News"\nregion = "Kazakhstan"\nzone = "Asia/Almaty"\nregions = ["Kazakhstan"]\n'
                  '[[topics]]\nslug = "work"\ntitle = "Work"\nquery = "strike OR grain"')
    return read_configuration({"newsletters/kazakhstan.toml": newsletter, "sources/all.toml": sources})


@dataclass(frozen=True)
class Newsroom:
    """An instance without a process: what services are given."""

    engine: Engine
    configuration: Configuration

    @property
    def news(self) -> Newsletter:
        return self.configuration.newsletters["kazakhstan"]

    def with_desk(self, minutes: int = 30, on_timeout: str = "send", **changes: Any) -> "Newsroom":
        """The same with another policy."""
        desk = self.news.desk.model_copy(update={"minutes": minutes, "on_timeout": on_timeout})
        news = self.news.model_copy(update={"desk": desk, **changes})
        return replace(self, configuration=replace(self.configuration, newsletters={"kazakhstan": news}))

    def draft(self, now: datetime = EARLY) -> EditionRow:
        built = editions.build(self.engine, self.configuration, self.news, SETTINGS, TEMPLATES, now=now, date=DATE)
        assert built.edition is not None
        return built.edition

    def release(self, now: datetime = RELEASE, **changes: Any) -> releases.Release:
        return releases.release(
            self.engine, self.configuration, self.news, SETTINGS, TEMPLATES, now=now, date=DATE, **changes)

    def edition(self) -> EditionRow:
        with read_only(self.engine) as conn:
            edition = edition_of(conn, "kazakhstan", DATE)
        assert edition is not None
        return edition

    def rows(self) -> list[Any]:
        with read_only(self.engine) as conn:
            return ledger.deliveries_of(conn, f"edition:{NAME}")

    def tell(self, source: str, title: str, seen: datetime, **changes: Any) -> str:
        return tell(self.engine, self.configuration, source, title, seen, **changes).id


def open_newsroom(engine: Engine) -> Newsroom:
    """A strike told by two outlets, grain and a bridge; anna hides the topic, bek reads all."""
    room = Newsroom(engine, documents())
    with engine.begin() as conn:
        mirror(conn, room.configuration, NOW - 30 * DAY)
        for name in ("anna", "bek"):
            subscribers.subscribe(conn, "kazakhstan", f"{name}@example.org", "operator", NOW - DAY)
        conn.execute(update(subscriptions).where(subscriptions.c.id == 1).values(hidden_sections='["topic-work"]'))
    room.tell("herald", STRIKE, EARLY - 2 * HOUR)
    room.tell("courier", f"{STRIKE}, union says", EARLY - HOUR)
    room.tell("gazette", GRAIN, EARLY - 3 * HOUR)
    room.tell("volna", BRIDGE, EARLY - 4 * HOUR)
    return room
