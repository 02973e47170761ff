"""Politeness: each publisher's servers are asked one thing at a time, with a pause between two."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from digest.pipeline.hosts import Host

REMEMBERED = 2_000  # hosts; those that are free are forgotten when there are more


@dataclass
class _Place:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    free_at: float = 0.0  # in the loop's time


class Turns:
    """Turns at hosts. Belongs to one event loop; does not limit how many hosts are asked at a time."""

    def __init__(self, gap_seconds: float):
        self._gap_seconds = gap_seconds
        self._places: dict[str, _Place] = {}

    @asynccontextmanager
    async def at(self, host: Host) -> AsyncIterator[None]:
        """Waits until nobody else asks the host and its pause is over; the turn lasts while the context is open."""
        loop = asyncio.get_running_loop()
        place = self._place(host.name, loop.time())
        async with place.lock:
            pause = place.free_at - loop.time()
            if pause > 0:
                await asyncio.sleep(pause)
            try:
                yield
            finally:
                place.free_at = loop.time() + (0.0 if host.is_ours else self._gap_seconds)

    def _place(self, name: str, now: float) -> _Place:
        if len(self._places) >= REMEMBERED:
            self._places = {key: place for key, place in self._places.items()
                            if place.lock.locked() or place.free_at > now}
        return self._places.setdefault(name, _Place())
