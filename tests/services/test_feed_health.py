from datetime import timedelta

import pytest
from sqlalchemy import Engine

from digest.errors import NotFound
from digest.model import Feed
from digest.pipeline.health import Health
from digest.resources import template_texts
from digest.services import feed_health, leaving
from digest.services.feed_health import Standing
from digest.settings import MailSettings, Settings, SiteSettings
from digest.storage import deliveries as ledger
from digest.storage.feeds import Attempt, record
from tests.storage.worlds import NOON, a_feed, add_feed

STEPPE, LAKE, HILL = a_feed(), a_feed("Lake Herald"), a_feed("Hill News")
FEEDS = [STEPPE, LAKE, HILL]
SETTINGS = Settings(site=SiteSettings(name="Post"), mail=MailSettings(operator="ops@post.example"))
DAY = timedelta(days=1)


@pytest.fixture
def engine(sqlite_engine: Engine) -> Engine:
    """Three feeds: one does well, one fails four times in a row, one moved for good."""
    with sqlite_engine.begin() as conn:
        for feed in FEEDS:
            add_feed(conn, feed)
        good = {"outcome": "ok", "detail": "", "failed": False}
        record(conn, [Attempt(feed.id, NOON - DAY, **good, changes={"newest_at": NOON - DAY}) for feed in FEEDS])
        for _ in range(4):
            record(conn, [Attempt(LAKE.id, NOON, "http_500", "answered 500", True)])
        record(conn, [Attempt(HILL.id, NOON, **good, changes={
            "moved_from": HILL.url, "moved_to": "https://new.example/", "note": "moved for good to https://new.example/"})])
    return sqlite_engine


def found(engine: Engine, *feeds: Feed) -> list[Standing]:
    with engine.begin() as conn:
        return feed_health.standings(conn, feeds or FEEDS, NOON)


def test_each_feed_has_its_state_and_the_reason(engine: Engine) -> None:
    assert [(s.health, s.why) for s in found(engine)] == [
        (Health.HEALTHY, ""), (Health.FAILING, "http_500 4 times in a row, last read 2026-02-16: answered 500"),
        (Health.HEALTHY, "moved for good to https://new.example/")]
    assert [s.needs_care for s in found(engine)] == [False, True, True]
    assert feed_health.counts(found(engine)) == {Health.HEALTHY: 2, Health.FAILING: 1}


def test_a_feed_is_found_by_address_id_or_source(engine: Engine) -> None:
    assert [feed_health.find(FEEDS, name) for name in (LAKE.url, LAKE.id, "lake-herald")] == [[LAKE]] * 3
    with pytest.raises(NotFound, match="lake-herald"):
        feed_health.find(FEEDS, "lake-heralds")


def test_a_paused_feed_needs_no_care_until_it_is_resumed(engine: Engine) -> None:
    feed_health.pause(engine, [LAKE], now=NOON, note="their server is being moved")
    standing, = found(engine, LAKE)
    assert (standing.health, standing.why, standing.needs_care) == (Health.PAUSED, "their server is being moved", False)
    assert feed_health.next_in(standing.row, NOON) is None
    feed_health.resume(engine, [LAKE])
    assert found(engine, LAKE)[0].health is Health.HEALTHY
    assert feed_health.next_in(found(engine, LAKE)[0].row, NOON) == timedelta(0)


def queue_note(engine: Engine, **changes: object) -> bool:
    values = {"now": NOON, "zone": "Asia/Almaty", "settings": SETTINGS, "feeds": FEEDS, **changes}
    return feed_health.queue_note(engine, values.pop("feeds"), values.pop("settings"), template_texts(None), **values)  # type: ignore[arg-type]


def test_the_operator_gets_one_note_a_day_while_feeds_need_care(engine: Engine) -> None:
    assert queue_note(engine)
    assert not queue_note(engine, now=NOON + timedelta(hours=1))
    assert queue_note(engine, now=NOON + DAY)
    with engine.begin() as conn:
        delivery, = ledger.deliveries_of(conn, "notice:feeds:2026-02-17")
        standing = leaving.standing(conn, delivery.unsubscribe, subject=delivery.subject)
    assert delivery.target == "ops@post.example"
    assert delivery.message.subject == "Feeds that need a look: 2 of 3 · Post"
    text = " ".join(delivery.message.text.split())
    assert "2 healthy, 1 failing" in text and "Lake Herald: failing https://lake-herald.example/feed http_500" in text
    assert "Hill News: moved" in text and "Steppe" not in text
    assert "Lake Herald: failing" in delivery.message.html
    assert standing is not None and "mail.operator" in standing.reason


@pytest.mark.parametrize("changes", [
    {"settings": Settings()},  # nobody to tell
    {"now": NOON - timedelta(hours=11)},  # six in the morning
    {"feeds": [STEPPE]},  # nothing to tell
])
def test_no_note_is_made(engine: Engine, changes: dict[str, object]) -> None:
    assert not queue_note(engine, **changes)
