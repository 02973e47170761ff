"""The channel of a bundle by its kind."""

from collections.abc import Awaitable, Callable, Mapping

from digest.errors import DeliveryError
from digest.ports import Notifier, Parcel


class Channels:
    """Hands each bundle to the notifier of its kind."""

    def __init__(self, kinds: Mapping[str, Notifier]):
        self._kinds = kinds

    async def send(self, parcel: Parcel, before_data: Callable[[], Awaitable[None]]) -> None:
        notifier = self._kinds.get(parcel.channel)
        if notifier is None:
            raise DeliveryError(parcel.shown, f"there is no channel of the kind {parcel.channel}", permanent=True)
        await notifier.send(parcel, before_data)

    async def close(self) -> None:
        for notifier in self._kinds.values():
            await notifier.close()
