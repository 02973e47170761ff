"""Rebuild: does a stored edition still give, byte for byte, the messages that were frozen with it?"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from digest.model import Message
from digest.pipeline.variants import read_variant
from digest.services import variants
from digest.services.editions import renderer_of
from digest.settings import Settings
from digest.storage import deliveries as ledger
from digest.storage.editions import EditionRow, variants_of


@dataclass(frozen=True, slots=True)
class RebuiltPart:
    """The subject, the HTML or the text of a variant: SHA-256 in hex of what is stored and of what was rendered now."""

    variant: str
    part: str
    stored: str
    rebuilt: str

    @property
    def equal(self) -> bool:
        return self.stored == self.rebuilt


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """The outcome of a rebuild. `view` is the hash of the stored view now, `approved` the one that was approved."""

    view: str
    approved: str
    parts: tuple[RebuiltPart, ...]

    @property
    def equal(self) -> bool:
        return self.view == self.approved and all(part.equal for part in self.parts)


def rebuild(conn: Connection, edition: EditionRow, settings: Settings) -> Rebuilt:
    """Renders every variant that was frozen from the stored view and templates. Stores nothing.

    Links of an edition without a site address begin with the address of this instance's own pages, so one that was
    built under another `server.port` differs.
    """
    renderer, view = renderer_of(edition.templates, settings), edition.view
    parts: list[RebuiltPart] = []
    for variant, (message_id, _) in sorted(variants_of(conn, edition.id).items()):
        stored = ledger.load_message(conn, message_id)
        rendered = variants.message(conn, view, read_variant(variant), renderer)
        old, new = _hashes(stored), _hashes(rendered)
        parts += [RebuiltPart(variant, part, old[part], new[part]) for part in new]
    return Rebuilt(_sha256(edition.view_text), edition.view_sha256, tuple(parts))


def _hashes(message: Message | None) -> Mapping[str, str]:
    """The hash of each part; "" for a message that is gone."""
    parts = {"subject": message.subject, "html": message.html, "text": message.text} if message else {}
    return {name: _sha256(parts[name]) if message else "" for name in ("subject", "html", "text")}


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
