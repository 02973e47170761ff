"""Past days under other settings, each side with its own memory."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import Engine

from digest.documents import Configuration, Newsletter
from digest.errors import ConfigError, NotFound
from digest.pipeline.comparison import DayComparison, totals
from digest.services import releases
from digest.services.backtest import backtest, changed
from digest.storage.config import mirror
from digest.storage.engine import read_only
from tests.services.test_editions import DAY, GRAIN, HOUR, NOW, SETTINGS, STRIKE, TEMPLATES, tell
from tests.services.test_rebuild import documents

SEVEN = datetime.fromisoformat("2023-03-20T01:00+00:00")  # the release of Monday, 20 March
FLOOD = "Flood water reaches the outskirts of Kostanay"
MONDAY, TUESDAY = date(2023, 3, 20), date(2023, 3, 21)


@pytest.fixture
def configuration() -> Configuration:
    return documents()


@pytest.fixture
def news(configuration: Configuration) -> Newsletter:
    return configuration.newsletters["kazakhstan"]


@pytest.fixture
def engine(sqlite_engine: Engine, configuration: Configuration) -> Iterator[Engine]:
    """Monday: a strike told by two families and a grain terminal by one. Tuesday: the strike again, and a flood."""
    with sqlite_engine.begin() as conn:
        mirror(conn, configuration, NOW - 30 * DAY)
    for source, title, hours in (("herald", STRIKE, -3), ("courier", STRIKE, -2), ("volna", GRAIN, -2),
                                 ("gazette", STRIKE, 20), ("volna", FLOOD, 21)):
        tell(sqlite_engine, configuration, source, title, SEVEN + hours * HOUR)
    yield sqlite_engine


def run(engine: Engine, configuration: Configuration, other: Newsletter | None, *, first: date = MONDAY,
        last: date = TUESDAY, now: datetime = NOW + 3 * DAY) -> list[DayComparison]:
    news = configuration.newsletters["kazakhstan"]
    with read_only(engine) as conn:
        return backtest(conn, configuration, news, other, SETTINGS, TEMPLATES, first=first, last=last, now=now)


def test_equal_settings_differ_in_nothing(engine: Engine, configuration: Configuration, news: Newsletter) -> None:
    days = run(engine, configuration, news)
    assert [day.date for day in days] == [MONDAY, TUESDAY] and all(day.equal for day in days)
    assert [day.lead_after for day in days] == [STRIKE, FLOOD]


def test_what_would_have_been_dropped_is_told_with_its_reason(
    engine: Engine, configuration: Configuration, news: Newsletter
) -> None:
    narrow = changed(news, "other.toml", 'regions = []\nsources = ["volna"]')
    monday, tuesday = run(engine, configuration, narrow)
    assert (monday.lead_before, monday.lead_after) == (STRIKE, GRAIN)
    (dropped,) = monday.dropped
    assert dropped.headline == STRIKE and dropped.before == "lead" and dropped.why.startswith("not offered: ")
    assert [step.headline for step in monday.moved] == [GRAIN] and monday.moved[0].after == "lead"
    assert tuesday.equal and totals([monday, tuesday]).leads == 1


def test_each_side_remembers_its_own_days(engine: Engine, configuration: Configuration, news: Newsletter) -> None:
    """Settings that could not have the strike on Monday have it on Tuesday, when the others do not repeat it."""
    late = changed(news, "other.toml", 'regions = []\nsources = ["volna", "gazette"]')
    monday, tuesday = run(engine, configuration, late)
    assert [step.headline for step in monday.dropped] == [STRIKE]
    assert [step.headline for step in tuesday.added] == [STRIKE]
    assert tuesday.added[0].why.startswith("already sent: ")
    assert tuesday.repeated_before == tuesday.repeated_after == ()


def test_stored_editions_of_the_days_do_not_tell_a_side_what_it_mailed(
    engine: Engine, configuration: Configuration, news: Newsletter
) -> None:
    before = run(engine, configuration, news)
    for at in (SEVEN, SEVEN + DAY):
        built = releases.build_and_approve(engine, configuration, news, SETTINGS, TEMPLATES, now=at)
        assert built.edition is not None
        releases.queue_deliveries(engine, built.edition, news, SETTINGS, now=at)
    assert run(engine, configuration, news) == before
    assert all(day.equal for day in run(engine, configuration, None))


def test_what_was_released_is_compared_with_what_would_be(engine: Engine, configuration: Configuration) -> None:
    days = run(engine, configuration, None)
    assert [day.lead_before for day in days] == ["no edition was released"] * 2
    assert [day.lead_after for day in days] == [STRIKE, FLOOD]


def test_a_day_that_is_not_released_is_left_out(engine: Engine, configuration: Configuration, news: Newsletter) -> None:
    assert [day.date for day in run(engine, configuration, news, now=SEVEN + HOUR)] == [MONDAY]
    with pytest.raises(NotFound, match="released day"):
        run(engine, configuration, news, now=SEVEN - timedelta(minutes=1))


def test_other_settings_are_the_keys_that_differ(news: Newsletter) -> None:
    other = changed(news, "other.toml", "[weights]\ncoverage = 4.0\n[sections]\nlatest = 1")
    assert (other.weights.coverage, other.weights.novelty, other.sections.latest) == (4.0, news.weights.novelty, 1)
    assert other.topics == news.topics and other.slug == "kazakhstan"


@pytest.mark.parametrize(("text", "message"), [
    ("[weights]\ncoverege = 4.0", "coverege"), ("zone = 'Nowhere/Else'", "unknown time zone"),
    ("zone = ", "other.toml")])
def test_a_mistake_in_them_is_told(news: Newsletter, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        changed(news, "other.toml", text)
