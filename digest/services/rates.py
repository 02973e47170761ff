"""Remembers in the database how much mail went, so that limits hold over a restart and for all processes together."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import Engine

from digest.mail.rates import Record, counted, spacing_seconds, wait_seconds
from digest.ports import Clock, Wait
from digest.settings import Limits
from digest.storage.rates import forget_rates, read_rates, write_rates

KEPT = timedelta(hours=2)  # an hour is the longest period


class StoredRates:
    """A `ports.RateStore`. One transaction for each mail that has limits, none for others."""

    def __init__(self, engine: Engine, clock: Clock):
        self._engine, self._clock = engine, clock
        self._turns: dict[str, datetime] = {}  # the last turn given, by scope
        self._forgot_at: datetime | None = None

    def take(self, scopes: Mapping[str, Limits]) -> Wait | None:
        now = self._clock.now()
        with self._engine.begin() as conn:
            records = {scope: Record.read(text) for scope, text in read_rates(conn, scopes, now).items()}
            waits = [Wait(scope, wait_seconds(records[scope], limits, now.timestamp()))
                     for scope, limits in scopes.items()]
            longest = max(waits, key=lambda wait: wait.seconds)
            if longest.seconds > 0:
                return longest
            after = {scope: str(counted(records[scope], limits, now.timestamp())) for scope, limits in scopes.items()}
            write_rates(conn, after, now)
            if self._forgot_at is None or now - self._forgot_at > KEPT:
                forget_rates(conn, now - KEPT)
                self._forgot_at = now
        return None

    def turn(self, scope: str, limits: Limits) -> datetime:
        now = self._clock.now()
        with self._engine.begin() as conn:
            record = Record.read(read_rates(conn, [scope], now)[scope])
        free = now + timedelta(seconds=wait_seconds(record, limits, now.timestamp()))
        last = self._turns.get(scope, now)
        self._turns[scope] = max(free, last + timedelta(seconds=spacing_seconds(limits)))
        return self._turns[scope]
