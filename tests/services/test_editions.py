"""Editions from stored items: planned, frozen, queued, explained."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, insert, update

from digest.documents import Configuration, Newsletter, read_configuration
from digest.errors import NotFound
from digest.model import DateQuality, DeliveryState, Item, short_id
from digest.pipeline.view import to_json
from digest.resources import template_texts
from digest.services import editions, fates, newsletters, releases, subscribers
from digest.services.stories import StoryClusterer
from digest.settings import Settings, SiteSettings
from digest.storage import claims
from digest.storage import deliveries as ledger
from digest.storage.config import mirror
from digest.storage.engine import read_only
from digest.storage.items import store
from digest.storage.schema import poll_attempts, subscriptions
from digest.storage.subscribers import subscription_of

NOW = datetime(2023, 3, 20, 2, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
OUTLETS = ("herald", "courier", "volna", "steppe-wire", "gazette")
SETTINGS = Settings(site=SiteSettings(url="https://digest.example.org", postal_address="1 Abai Avenue, Almaty"))
TEMPLATES = template_texts(None)
STRIKE = "Bus drivers in Almaty strike over unpaid wages"
GRAIN = "Grain terminal at Aktau doubles night shifts"


@pytest.fixture
def configuration() -> Configuration:
    sources = "\n".join(
        f'[[sources]]\nslug = "{slug}"\nname = "{slug.title()}"\n[[sources.feeds]]\n'
        f'url = "https://{slug}.example/rss"\nregion = "Kazakhstan"\nlanguage = "en"' for slug in OUTLETS)
    newsletter = 'name = "Kazakhstan News"\nregion = "Kazakhstan"\nzone = "Asia/Almaty"\nregions = ["Kazakhstan"]'
    return read_configuration({
        "newsletters/kazakhstan.toml": newsletter, "sources/all.toml": sources,
        "gazetteer/all.toml": '[[regions]]\nname = "Kazakhstan"\nplaces = ["Almaty", "Aktau"]'})


@pytest.fixture
def engine(sqlite_engine: Engine, configuration: Configuration) -> Iterator[Engine]:
    with sqlite_engine.begin() as conn:
        mirror(conn, configuration, NOW - 30 * DAY)
    yield sqlite_engine


@pytest.fixture
def news(configuration: Configuration) -> Newsletter:
    return newsletters.chosen(configuration, None)


def tell(engine: Engine, configuration: Configuration, source: str, title: str, seen: datetime, **changes: Any) -> Item:
    """Stores one item and gives it its story, as a poll at `seen` would."""
    feed = next(f for f in configuration.feeds if f.source.slug == source)
    key = short_id(title, source)
    item = replace(Item(
        id=short_id(feed.id, key), feed=feed, key=key, url=f"https://{source}.example/{key}",
        canonical_url=f"{source}.example/{key}", title=title, summary=f"{title}, officials said.", body=(), agency=None,
        place=None, language="en", published_at=seen - HOUR, published_offset_minutes=0,
        date_quality=DateQuality.EXACT, first_seen_at=seen), **changes)
    with engine.begin() as conn:
        store(conn, feed, [item], seen)
    StoryClusterer(engine).tick(seen, "test")
    return item


def plan(engine: Engine, configuration: Configuration, now: datetime, day: date | None = None) -> editions.Composed:
    with read_only(engine) as conn:
        news = configuration.newsletters["kazakhstan"]
        return editions.plan(conn, configuration, news, SETTINGS, TEMPLATES, now=now, date=day)


def build(engine: Engine, configuration: Configuration, now: datetime, **changes: Any) -> editions.Built:
    news = configuration.newsletters["kazakhstan"]
    return releases.build_and_approve(
        engine, configuration, news, SETTINGS, changes.pop("templates", TEMPLATES), now=now, **changes)


def headlines(view: editions.EditionView) -> list[str]:
    return [story.headline for story in view.all_stories]


def test_a_plan_knows_only_what_had_been_seen(engine: Engine, configuration: Configuration) -> None:
    tell(engine, configuration, "herald", STRIKE, NOW - 2 * HOUR)
    before = plan(engine, configuration, NOW).view
    tell(engine, configuration, "courier", GRAIN, NOW + HOUR)
    assert headlines(before) == [STRIKE]
    assert to_json(plan(engine, configuration, NOW).view) == to_json(before)
    assert sorted(headlines(plan(engine, configuration, NOW + HOUR).view)) == sorted([STRIKE, GRAIN])


def test_a_revised_headline_is_shown_as_it_was(engine: Engine, configuration: Configuration) -> None:
    item = tell(engine, configuration, "herald", STRIKE, NOW - 2 * HOUR)
    with engine.begin() as conn:
        store(conn, item.feed, [replace(item, title="Drivers back at work")], NOW + HOUR)
    assert headlines(plan(engine, configuration, NOW).view) == [STRIKE]
    assert headlines(plan(engine, configuration, NOW + HOUR).view) == ["Drivers back at work"]


def test_a_day_is_built_once_and_never_changes(engine: Engine, configuration: Configuration) -> None:
    tell(engine, configuration, "herald", STRIKE, NOW - 2 * HOUR)
    first = build(engine, configuration, NOW)
    tell(engine, configuration, "courier", GRAIN, NOW + HOUR)
    again = build(engine, configuration, NOW + 2 * HOUR, templates={**TEMPLATES, "email/edition.txt": "changed"})
    assert first.created and not again.created
    assert first.edition == again.edition
    assert first.edition is not None
    assert headlines(first.edition.view) == [STRIKE]
    text = editions.renderer_of(again.edition.templates, SETTINGS).text(again.edition.view)  # type: ignore[union-attr]
    assert text == editions.renderer_of(TEMPLATES, SETTINGS).text(first.view)


def test_a_preview_shows_the_approved_edition_but_not_before_it_was_built(
    engine: Engine, configuration: Configuration, news: Newsletter
) -> None:
    tell(engine, configuration, "herald", STRIKE, NOW - 2 * HOUR)
    built = build(engine, configuration, NOW)
    with read_only(engine) as conn:
        later, earlier = (editions.preview(conn, configuration, news, SETTINGS, TEMPLATES, now=now)
                          for now in (NOW + HOUR, NOW - HOUR))
    assert later.edition == built.edition
    assert earlier.edition is None and earlier.view.date == later.view.date


def test_an_empty_day_is_not_stored(engine: Engine, configuration: Configuration) -> None:
    built = build(engine, configuration, NOW)
    assert built.edition is None and "poll the feeds" in (built.view.empty_reason or "")
    tell(engine, configuration, "herald", STRIKE, NOW + HOUR)
    assert build(engine, configuration, NOW + HOUR).created


def test_a_mailed_story_stays_away_until_two_more_sources_tell_it(
    engine: Engine, configuration: Configuration
) -> None:
    tell(engine, configuration, "herald", STRIKE, NOW - 2 * HOUR)
    build(engine, configuration, NOW)
    tell(engine, configuration, "courier", "Almaty bus drivers strike over wages", NOW + 5 * HOUR,
         summary="Commuters walked to work while the strike over unpaid wages went on.")
    tomorrow = plan(engine, configuration, NOW + DAY)
    assert "already sent" in (tomorrow.view.empty_reason or "")
    tell(engine, configuration, "gazette", "Unpaid wages: bus drivers strike in Almaty", NOW + 6 * HOUR,
         summary="The depot is closed and its drivers want their wages, a union says.")
    developed = plan(engine, configuration, NOW + DAY).view
    assert developed.lead is not None and developed.lead.developing
    assert developed.lead.headline == "Unpaid wages: bus drivers strike in Almaty"
    assert developed.lead.whats_new.startswith("New since Monday: 2 more sources (")


def test_what_stood_on_the_page_of_all_stories_only_may_come_back(
    engine: Engine, configuration: Configuration
) -> None:
    news = configuration.newsletters["kazakhstan"]
    small = news.model_copy(update={"sections": news.sections.model_copy(update={"latest": 0, "brief": 0})})
    narrow = replace(configuration, newsletters={"kazakhstan": small})
    tell(engine, configuration, "herald", STRIKE, NOW - 2 * HOUR)
    tell(engine, configuration, "courier", GRAIN, NOW - 9 * HOUR)
    built = build(engine, narrow, NOW)
    assert [story.headline for story in built.view.rest] == [GRAIN]
    tell(engine, configuration, "volna", "Aktau grain terminal doubles night shifts", NOW + 2 * HOUR)
    assert headlines(plan(engine, configuration, NOW + DAY).view) == ["Aktau grain terminal doubles night shifts"]


def test_the_cutoff_of_a_day_that_is_over_is_its_release(engine: Engine, news: Newsletter) -> None:
    assert editions.slot_of(news, NOW, None) == (date(2023, 3, 20), NOW)
    assert editions.slot_of(news, NOW, date(2023, 3, 20)) == (date(2023, 3, 20), NOW)
    assert editions.slot_of(news, NOW, date(2023, 3, 19)) == (date(2023, 3, 19), NOW - DAY - HOUR)
    assert editions.slot_of(news, NOW, date(2023, 3, 25)) == (date(2023, 3, 25), NOW)


def test_each_reader_is_queued_once_with_the_frozen_message(
    engine: Engine, configuration: Configuration, news: Newsletter
) -> None:
    tell(engine, configuration, "herald", STRIKE, NOW - 2 * HOUR)
    edition = build(engine, configuration, NOW).edition
    assert edition is not None
    with engine.begin() as conn:
        for name in ("anna", "bek"):
            subscribers.subscribe(conn, "kazakhstan", f"{name}@example.org", "operator", NOW)
    assert releases.queue_deliveries(engine, edition, news, SETTINGS, now=NOW) == releases.Queued(2, 0)
    with engine.begin() as conn:
        subscribers.subscribe(conn, "kazakhstan", "late@example.org", "operator", NOW)
    assert releases.queue_deliveries(engine, edition, news, SETTINGS, now=NOW) == releases.Queued(1, 2)
    with read_only(engine) as conn:
        rows = ledger.deliveries_of(conn, "edition:kazakhstan/2023-03-20")
        subscription = subscription_of(conn, "anna@example.org", "kazakhstan")
    assert len({row.message.html for row in rows}) == 1
    assert rows[0].message.subject == STRIKE and "%%unsubscribe%%" in rows[0].message.html
    assert subscription is not None and rows[0].unsubscribe == f"subscription:{subscription.id}"


def test_a_reader_who_hides_a_section_gets_a_variant(
    engine: Engine, configuration: Configuration, news: Newsletter
) -> None:
    tell(engine, configuration, "herald", STRIKE, NOW - 2 * HOUR)
    tell(engine, configuration, "courier", GRAIN, NOW - 9 * HOUR)
    edition = build(engine, configuration, NOW).edition
    assert edition is not None
    with engine.begin() as conn:
        for name in ("anna", "bek"):
            subscribers.subscribe(conn, "kazakhstan", f"{name}@example.org", "operator", NOW)
        anna = subscription_of(conn, "anna@example.org", "kazakhstan")
        assert anna is not None
        conn.execute(update(subscriptions).where(subscriptions.c.id == anna.id).values(hidden_sections='["latest"]'))
    releases.queue_deliveries(engine, edition, news, SETTINGS, now=NOW)
    with read_only(engine) as conn:
        texts = {d.target: d.message.text for d in ledger.deliveries_of(conn, edition.subject)}
    assert STRIKE in texts["anna@example.org"] and GRAIN not in texts["anna@example.org"]
    assert GRAIN in texts["bek@example.org"]


def test_an_edition_is_sent_when_no_row_is_open(
    engine: Engine, configuration: Configuration, news: Newsletter
) -> None:
    tell(engine, configuration, "herald", STRIKE, NOW - 2 * HOUR)
    edition = build(engine, configuration, NOW).edition
    assert edition is not None
    with engine.begin() as conn:
        subscribers.subscribe(conn, "kazakhstan", "anna@example.org", "operator", NOW)
    releases.queue_deliveries(engine, edition, news, SETTINGS, now=NOW)
    assert releases.settle(engine, edition) == {DeliveryState.QUEUED: 1}
    assert _state(engine) == "sending"
    with engine.begin() as conn:
        (row,) = claims.claim(conn, now=NOW, holder="a", until=NOW + HOUR, limit=1, domain="digest.example.org")
        claims.mark_failed(conn, row.id, "a", "550 no such reader")
    releases.settle(engine, edition)
    assert _state(engine) == "sent"


def _state(engine: Engine) -> str:
    with read_only(engine) as conn:
        return editions.list_editions(conn, "kazakhstan")[0].state


def test_why_tells_place_or_gate(engine: Engine, configuration: Configuration, news: Newsletter) -> None:
    shown = tell(engine, configuration, "herald", STRIKE, NOW - 2 * HOUR)
    old = tell(engine, configuration, "courier", GRAIN, NOW - 40 * HOUR)

    def why(url: str, now: datetime = NOW) -> tuple[fates.Reason, ...]:
        with read_only(engine) as conn:
            return fates.why(conn, configuration, news, SETTINGS, TEMPLATES, url, now=now)

    (chosen,) = why(shown.url + "?utm_source=mail")
    assert (chosen.fate.gate, chosen.fate.section, chosen.story_id) == ("chosen", "lead", shown.id)
    assert chosen.score is not None and chosen.score.parts[0].name == "coverage"
    (fallen,) = why(old.url)
    assert fallen.fate.gate == "outside the window" and fallen.score is None
    assert why("https://nowhere.example/") == ()
    build(engine, configuration, NOW)
    (after,) = why(shown.url, NOW + HOUR)
    assert after.fate == chosen.fate and after.score == chosen.score


def test_sources_that_failed_are_named(engine: Engine, configuration: Configuration) -> None:
    feeds = {feed.source.slug: feed.id for feed in configuration.feeds}
    with engine.begin() as conn:
        conn.execute(insert(poll_attempts), [
            {"feed_id": feeds["herald"], "at": NOW - HOUR, "outcome": "http_500"},
            {"feed_id": feeds["courier"], "at": NOW - HOUR, "outcome": "not_modified"},
            {"feed_id": feeds["volna"], "at": NOW + HOUR, "outcome": "dns"}])
    view = plan(engine, configuration, NOW).view
    assert (view.missing_sources, view.source_count) == (("Herald",), len(feeds))
    assert plan(engine, configuration, NOW + HOUR).view.missing_sources == ("Herald", "Volna")


def test_a_source_that_was_read_within_three_hours_is_not_missing(engine: Engine, configuration: Configuration) -> None:
    feeds = {feed.source.slug: feed.id for feed in configuration.feeds}
    with engine.begin() as conn:
        conn.execute(insert(poll_attempts), [
            {"feed_id": feeds[slug], "at": NOW - age, "outcome": outcome}
            for slug, last_good in (("herald", 2 * HOUR), ("courier", 4 * HOUR))
            for age, outcome in ((last_good, "ok"), (HOUR, "timeout"))])
    assert plan(engine, configuration, NOW).view.missing_sources == ("Courier",)


def test_a_newsletter_may_go_unnamed_only_where_it_is_alone(configuration: Configuration) -> None:
    alone = newsletters.chosen(configuration, None)
    assert alone.slug == "kazakhstan"
    two = replace(configuration, newsletters={"kazakhstan": alone, "uzbekistan": alone})
    with pytest.raises(NotFound, match="kazakhstan, uzbekistan"):
        newsletters.chosen(two, None)
    with pytest.raises(NotFound, match="known: kazakhstan"):
        newsletters.chosen(configuration, "astana")


def test_a_newsletters_own_template_and_catalogue_are_frozen_with_it(
    engine: Engine, configuration: Configuration
) -> None:
    tell(engine, configuration, "herald", STRIKE, NOW - 2 * HOUR)
    templates = {**TEMPLATES, "newsletters/kazakhstan/email/edition.css": "p { margin: 0 }",
                 "newsletters/other/email/edition.css": "theirs"}
    built = build(engine, configuration, NOW, templates=templates)
    assert built.edition is not None
    frozen = built.edition.templates
    assert frozen["email/edition.css"] == "p { margin: 0 }"
    assert not [name for name in frozen if name.startswith("newsletters/")]
    assert frozen["locale/ru.po"] == TEMPLATES["locale/ru.po"]  # for readers who chose another interface
