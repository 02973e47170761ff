"""The one place that sends: queues rows in the ledger, and hands what is due to the mailer.

A row goes queued → sending (phase claimed → data) → sent | deferred | failed | uncertain. Each step is durable before
the next begins, and each is made by one conditional UPDATE. The SMTP protocol cannot tell a lost answer to the final
dot from a lost mail (RFC 1047): such a row is called uncertain, is never re-sent by itself, and is listed.
"""

import hashlib
import ipaddress
from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Connection, Engine

from digest.errors import SendRefused
from digest.model import Delivery, Message
from digest.ports import Clock, Mailer
from digest.services import sending
from digest.services.envelopes import MAIL as MAIL
from digest.services.envelopes import base_url as base_url
from digest.services.envelopes import default_sender as default_sender
from digest.services.envelopes import draft as draft
from digest.services.envelopes import envelope as envelope
from digest.services.envelopes import unsubscribe_url as unsubscribe_url
from digest.services.holders import Holders
from digest.services.sending import SendReport as SendReport
from digest.settings import Settings
from digest.storage import deliveries as storage
from digest.tokens import Signer


def queue(conn: Connection, *, subject: str, channel: str, target: str, message: Message, unsubscribe: str,
          due_at: datetime, now: datetime, view_sha256: str | None = None) -> bool:
    """Puts one mail into the ledger; True where it is new. Sends nothing.

    Idempotent: (subject, channel, target) stands there once, and a second message for it is dropped. `target` is a
    normal address (`subscribers.normalise_address`), `unsubscribe` a mark of `services.leaving`. The message's header
    "From" overrides the sender; `view_sha256` is the approved hash of an edition.
    """
    name = hashlib.sha256("\n".join((subject, channel, target)).encode()).hexdigest()[:32]
    message_id = storage.store_message(conn, message)
    return storage.insert(conn, subject=subject, channel=channel, target=target, message_id=message_id, mail_id=name,
                          unsubscribe=unsubscribe, due_at=due_at, now=now, view_sha256=view_sha256)


def check_may_send(settings: Settings) -> None:
    """Raises SendRefused where mail would leave this machine without what the law asks of it."""
    if not settings.smtp.host or _is_loopback(settings.smtp.host):
        return
    missing = [name for name, value in (("site.url", settings.site.url),
                                        ("site.postal_address", settings.site.postal_address)) if not value.strip()]
    if missing:
        raise SendRefused(f"{' and '.join(missing)} {'are' if len(missing) > 1 else 'is'} not set",
                          f"mail through {settings.smtp.host} needs a page to unsubscribe and a postal address; "
                          "set both in config/digest.toml under [site]")
    if not settings.site.url.startswith("https://"):
        raise SendRefused(f"site.url {settings.site.url} is not https",
                          "one-click unsubscribing needs an https address (RFC 8058); set it in config/digest.toml")


async def send_due(engine: Engine, mailer: Mailer, clock: Clock, *, settings: Settings, signer: Signer, holder: str,
                   holders: Holders | None = None, limit: int | None = None, subject: str | None = None,
                   on_sent: Callable[[Delivery], None] | None = None,
                   on_beat: Callable[[SendReport], None] | None = None) -> SendReport:
    """Sends what is due, up to `limit` mails (None: all), of one ledger subject (None: of all).

    `holder` names this process in the ledger, and `holders` knows who else is alive: what an ended process held is
    settled at once where that is known, else once its lease of a minute is over. Running it twice, late or in two
    processes sends nothing twice. Cancelled (SIGTERM), it finishes the mails that may be written already, gives the
    others back and raises CancelledError; a second cancellation does not wait. `on_beat` is called every two seconds
    with what was done so far. Raises SendRefused.
    """
    check_may_send(settings)
    return await sending.run(
        sending.Work(engine, mailer, clock, settings, signer, holders or Holders(), limit, subject, on_sent, on_beat),
        holder)


def _is_loopback(host: str) -> bool:
    if host.lower() in {"localhost", "localhost.localdomain"}:
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
