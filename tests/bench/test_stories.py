"""The bench of ticks, tiny."""

from sqlalchemy import Engine

from bench.stories import measure


def test_a_tick_without_new_items_asks_for_a_mark_alone(sqlite_engine: Engine) -> None:
    found = measure(sqlite_engine, items=300, live=100, batch=20, ticks=2)
    assert found.plan == "SCAN items_without_story"  # an empty table, whatever the archive holds
    assert 0 < found.idle < found.restore
    assert found.tick > 0
