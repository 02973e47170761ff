"""A stored edition gives its own bytes again; what was tampered with is found."""

from collections.abc import Iterator
from datetime import date

import pytest
from sqlalchemy import Engine, update

from digest.documents import Configuration, read_configuration
from digest.services import releases, subscribers
from digest.services.rebuild import Rebuilt, rebuild
from digest.storage.config import mirror
from digest.storage.editions import edition_of
from digest.storage.engine import read_only
from digest.storage.schema import editions, messages, subscriptions
from tests.services.test_editions import DAY, GRAIN, HOUR, NOW, OUTLETS, SETTINGS, STRIKE, TEMPLATES, tell


def documents() -> Configuration:
    """Kazakhstan News over the outlets, with one topic."""
    sources = "\n".join(
        f'[[sources]]\nslug = "{slug}"\nname = "{slug.title()}"\n[[sources.feeds]]\n'
        f'url = "https://{slug}.example/rss"\nregion = "Kazakhstan"\nlanguage = "en"' for slug in OUTLETS)
    newsletter = ('name = "Kazakhstan News"\nregion = "Kazakhstan"\nzone = "Asia/Almaty"\nregions = ["Kazakhstan"]\n'
                  'sender = "News <news@example.org>"\n'
                  '[[topics]]\nslug = "work"\ntitle = "Work"\nquery = "strike OR grain"')
    return read_configuration({"newsletters/kazakhstan.toml": newsletter, "sources/all.toml": sources})


@pytest.fixture
def engine(sqlite_engine: Engine) -> Iterator[Engine]:
    """An edition with two readers, one of whom hides a section."""
    configuration = documents()
    with sqlite_engine.begin() as conn:
        mirror(conn, configuration, NOW - 30 * DAY)
        for name in ("anna", "bek"):
            subscribers.subscribe(conn, "kazakhstan", f"{name}@example.org", "operator", NOW)
        conn.execute(update(subscriptions).where(subscriptions.c.id == 1).values(hidden_sections='["topic-work"]'))
    tell(sqlite_engine, configuration, "herald", STRIKE, NOW - 2 * HOUR)
    tell(sqlite_engine, configuration, "courier", GRAIN, NOW - 3 * HOUR)
    news = configuration.newsletters["kazakhstan"]
    built = releases.build_and_approve(sqlite_engine, configuration, news, SETTINGS, TEMPLATES, now=NOW)
    assert built.edition is not None
    releases.queue_deliveries(sqlite_engine, built.edition, news, SETTINGS, now=NOW)
    yield sqlite_engine


def rebuilt(engine: Engine) -> Rebuilt:
    with read_only(engine) as conn:
        edition = edition_of(conn, "kazakhstan", date(2023, 3, 20))
        assert edition is not None
        return rebuild(conn, edition, SETTINGS)


def test_every_variant_gives_the_bytes_that_were_frozen(engine: Engine) -> None:
    found = rebuilt(engine)
    assert found.equal
    assert {part.variant for part in found.parts} == {"default", "without topic-work"}
    assert len(found.parts) == 6 and len({part.stored for part in found.parts if part.part == "html"}) == 2


def test_a_changed_message_is_named(engine: Engine) -> None:
    with engine.begin() as conn:
        conn.execute(update(messages).values(text="Something else."))
    found = rebuilt(engine)
    assert not found.equal
    assert {part.part for part in found.parts if not part.equal} == {"text"}


def test_a_changed_view_is_told(engine: Engine) -> None:
    with engine.begin() as conn:
        row = conn.execute(editions.select()).one()
        conn.execute(update(editions).values(view=row.view.replace("Almaty", "Atyrau")))
    found = rebuilt(engine)
    assert not found.equal and found.view != found.approved
