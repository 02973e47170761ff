"""Topics tried on the last days, and topics that are changed for a trial."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from digest.documents import Configuration, Newsletter
from digest.errors import ConfigError, NotFound, QueryError
from digest.services import topics
from digest.storage.config import mirror
from digest.storage.engine import read_only
from tests.services.test_editions import DAY, HOUR, NOW, tell
from tests.services.test_rebuild import documents

STRIKE, ODD, GRAIN = "Rail strike ends", "Rail strike ends, Titanfall begins", "Grain terminal opens"


@pytest.fixture
def configuration() -> Configuration:
    return documents()


@pytest.fixture
def news(configuration: Configuration) -> Newsletter:
    return configuration.newsletters["kazakhstan"].model_copy(update={"topics": ()})


@pytest.fixture
def engine(sqlite_engine: Engine, configuration: Configuration) -> Iterator[Engine]:
    """A strike that four outlets tell, one of them oddly, a grain terminal, and a museum of a month ago."""
    with sqlite_engine.begin() as conn:
        mirror(conn, configuration, NOW - 90 * DAY)
    for source, title, hours in (("volna", "Museum shows old Scythian gold", -40 * 24), ("herald", STRIKE, -9),
                                 ("courier", STRIKE, -8), ("gazette", STRIKE, -7), ("volna", ODD, -6),
                                 ("herald", GRAIN, -30)):
        tell(sqlite_engine, configuration, source, title, NOW + hours * HOUR)
    yield sqlite_engine


def test_a_query_is_tried_by_the_share_of_a_storys_items(
    engine: Engine, configuration: Configuration, news: Newsletter
) -> None:
    with read_only(engine) as conn:
        strike = topics.try_query(conn, configuration, news, "strike", now=NOW, days=7)
        odd = topics.try_query(conn, configuration, news, "titanfall OR grain", now=NOW, days=7)
        with pytest.raises(QueryError):
            topics.try_query(conn, configuration, news, "grain OR", now=NOW, days=7)
    assert (strike.stories, strike.claimed, [(m.matching, m.of) for m in strike.matched]) == (2, 1, [(4, 4)])
    assert strike.per_day == {(NOW - 9 * HOUR).date(): 1}
    assert [(m.shown.title, m.matching, m.of, m.claims) for m in odd.matched] == [
        (GRAIN, 1, 1, True), (ODD, 1, 4, False)]
    assert odd.claimed == 1 and odd.per_day == {(NOW - 30 * HOUR).date(): 1}


def test_uses_count_what_matches_and_what_is_claimed(
    engine: Engine, configuration: Configuration, news: Newsletter
) -> None:
    changed = topics.with_topic(news, "games", {"query": "titanfall OR grain", "weight": 2})
    changed = topics.with_topic(changed, "work", {"query": "strike"})
    with read_only(engine) as conn:
        found, stories = topics.uses(conn, configuration, changed, now=NOW, days=7)
    assert stories == 2
    assert [(use.topic.slug, use.matched, use.claimed) for use in found] == [("games", 2, 1), ("work", 1, 1)]


def test_a_topic_is_changed_added_and_left_out(news: Newsletter) -> None:
    added = topics.with_topic(news, "oil-and-gas", {"query": "oil", "weight": -2})
    assert [(t.slug, t.title, t.weight) for t in added.topics] == [("oil-and-gas", "Oil and gas", -2)]
    changed = topics.with_topic(added, "oil-and-gas", {"floor": 2})
    assert (topics.topic_of(changed, "oil-and-gas").floor, topics.topic_of(changed, "oil-and-gas").weight) == (2, -2)
    assert topics.without_topic(changed, "oil-and-gas").topics == ()
    with pytest.raises(NotFound, match="oil-and-gas"):
        topics.without_topic(changed, "gas")
    with pytest.raises(ConfigError, match="floor is 9"):
        topics.with_topic(added, "oil-and-gas", {"floor": 9})
    with pytest.raises(ConfigError, match=r"topics\.new\.query"):
        topics.with_topic(added, "new", {"weight": 1})
