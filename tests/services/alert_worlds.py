"""A database in which items arrive, join stories and meet alert rules, tick by tick."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from sqlalchemy import Engine

from digest.alert_rules import Alert, AlertRule, AlertSpec
from digest.documents import Configuration, Gazetteer
from digest.model import Delivery, Feed, Item, Join
from digest.pipeline.cluster import Merge
from digest.services import alert_rules
from digest.services.alerts import AlertEngine, Context, FireReport
from digest.settings import Settings, SiteSettings
from digest.storage import alerts as storage
from digest.storage import claims, items, stories
from digest.storage.engine import read_only
from tests.storage.worlds import NOON, a_feed, add_feed, an_item

SITE = SiteSettings(name="Steppe Desk", url="https://desk.example", postal_address="1 Abai St, Almaty")
SETTINGS = Settings(site=SITE)
NOWHERE = Configuration({}, {}, (), Gazetteer({}))
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
LATER = NOON + HOUR
POST = a_feed("Steppe Post")
ANA = "ana@example.org"


class World:
    """A database in which items arrive and rules are made. Its clock stands until it is set."""

    def __init__(self, engine: Engine, configuration: Configuration = NOWHERE):
        self.engine, self.configuration, self.now = engine, configuration, LATER
        self._numbers = count(1)
        self._live = AlertEngine(engine)

    def rule(self, name: str, query: str, to: str | None = ANA, at: datetime = NOON, *, others: Sequence[str] = (),
             **spec: Any) -> AlertRule:
        with self.engine.begin() as conn:
            return alert_rules.add(conn, name, AlertSpec(query=query, **spec), to, at, to=others)

    def arrive(self, title: str, feed: Feed = POST, *, story: str | None = None, **changes: Any) -> Item:
        """An item that founds a story, or joins one, now."""
        values = {"first_seen_at": self.now, **changes}
        item = an_item(feed, f"item-{next(self._numbers)}", title=title, **values)
        with self.engine.begin() as conn:
            add_feed(conn, feed)
            items.store(conn, feed, [item], item.first_seen_at)
            stories.record_joins(conn, [Join(item.id, story or item.id, self.now, 1.0)])
        return item

    def merge(self, alias: str, into: str) -> None:
        with self.engine.begin() as conn:
            stories.record_merges(conn, [Merge(alias, into, 0.9)], self.now)

    def flag(self, story: str) -> None:
        with self.engine.begin() as conn:
            alert_rules.flag_story(conn, story, self.now)

    def fire(self, after: timedelta = MINUTE, settings: Settings = SETTINGS, zone: str = "UTC",
             **changes: Any) -> FireReport:
        """Lets time go by, and what happened be looked at."""
        self.now += after
        return self._live.fire(Context(settings, self.configuration, zone, **changes), self.now)

    def queued(self) -> Sequence[Delivery]:
        """What is to be sent, oldest first; asked again, what came since."""
        with self.engine.begin() as conn:
            found = claims.claim(conn, now=self.now + MINUTE, holder="test", until=self.now + 2 * MINUTE, limit=100,
                                 domain="desk.example")
        return sorted(found, key=lambda delivery: delivery.id)

    def alerts(self) -> list[Alert]:
        """All alerts, oldest first."""
        with read_only(self.engine) as conn:
            return [alert for alert, _ in reversed(storage.log(conn))]
