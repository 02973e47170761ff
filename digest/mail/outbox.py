"""Mail as files: what an instance without an SMTP server sends to."""

import asyncio
import hashlib
import os
import re
from collections.abc import Awaitable, Callable
from pathlib import Path

from digest.errors import DeliveryError
from digest.ports import Envelope

_SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,180}\Z")


class OutboxMailer:
    """Writes each mail to `folder` as one .eml file, named by its Message-ID.

    A file appears whole or not at all and a second writing gives the same file, so that nothing is ever uncertain:
    `before_data` is not called, and what a crash interrupted is simply written again.
    """

    capacity = 4  # files written at a time

    def __init__(self, folder: Path):
        self.folder = folder

    async def send(self, envelope: Envelope, before_data: Callable[[], Awaitable[None]]) -> None:
        """Writes the mail durably. Raises DeliveryError where the folder cannot be written."""
        try:
            await asyncio.to_thread(self._write, envelope)
        except OSError as error:
            raise DeliveryError(envelope.recipient, f"cannot write to {self.folder}: {error}", server=True) from error

    async def close(self) -> None:
        """Does nothing: no file stays open."""

    def path(self, message_id: str) -> Path:
        """Where the mail with this Message-ID stands, or would stand."""
        name = message_id if _SAFE_NAME.match(message_id) else hashlib.sha256(message_id.encode()).hexdigest()[:32]
        return self.folder / f"{name}.eml"

    def _write(self, envelope: Envelope) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        final = self.path(envelope.message_id)
        partial = final.with_suffix(f".{os.getpid()}.tmp")
        try:
            with partial.open("wb") as file:
                file.write(envelope.data)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(final)
        finally:
            partial.unlink(missing_ok=True)
        _sync_folder(self.folder)


def _sync_folder(folder: Path) -> None:
    """Makes a rename durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
