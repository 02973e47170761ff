"""Rates are kept in the database: over restarts, for several processes, and of all scopes or none."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from sqlalchemy import Engine, select

from digest.ports import Wait
from digest.services.rates import StoredRates
from digest.settings import Limits
from digest.storage.schema import send_rates

NOW = datetime(2026, 3, 20, 2, 0, tzinfo=UTC)
TWO = {"server:main": Limits(per_minute=2)}


class Clock:
    def __init__(self) -> None:
        self.time = NOW

    def now(self) -> datetime:
        return self.time


def test_a_rate_holds_over_a_restart_and_for_all_processes(engine: Engine) -> None:
    clock = Clock()
    assert StoredRates(engine, clock).take(TWO) is None
    assert StoredRates(engine, clock).take(TWO) is None
    assert StoredRates(engine, clock).take(TWO) == Wait("server:main", 60.0)
    clock.time += timedelta(seconds=60)
    assert StoredRates(engine, clock).take(TWO) is None


def test_a_mail_counts_everywhere_or_nowhere(engine: Engine) -> None:
    rates = StoredRates(engine, Clock())
    both = {**TWO, "domain:example.org": Limits(per_hour=1)}
    assert rates.take(both) is None
    waited = rates.take(both)
    assert waited is not None and waited.scope == "domain:example.org"
    assert rates.take(TWO) is None  # the server's second was not used by the one that waited
    assert rates.take(TWO) is not None


def test_turns_come_one_after_the_other(engine: Engine) -> None:
    rates, limits = StoredRates(engine, Clock()), TWO["server:main"]
    rates.take(TWO)
    rates.take(TWO)
    turns = [rates.turn("server:main", limits) for _ in range(3)]
    assert turns[0] >= NOW + timedelta(seconds=60)
    assert [later - earlier for earlier, later in pairwise(turns)] == [timedelta(seconds=30)] * 2


def test_what_no_longer_matters_is_forgotten(engine: Engine) -> None:
    clock = Clock()
    rates = StoredRates(engine, clock)
    rates.take({"domain:once.example": Limits(per_hour=5)})
    clock.time += timedelta(hours=3)
    rates.take(TWO)
    with engine.connect() as conn:
        assert conn.execute(select(send_rates.c.scope)).scalars().all() == ["server:main"]
