"""The one place that sends: queues rows in the ledger, and hands what is due to the mailer.

A row goes queued → sending (phase claimed → data) → sent | deferred | failed | uncertain. Each step is durable before
the next begins, and each is made by one conditional UPDATE. The SMTP protocol cannot tell a lost answer to the final
dot from a lost mail (RFC 1047): such a row is called uncertain, is never re-sent by itself, and is listed.
"""

import hashlib
import ipaddress
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine

from digest.errors import SendRefused
from digest.mail.dkim import Key
from digest.model import Delivery, DeliveryState, Message
from digest.notify.channels import Channels
from digest.ports import Clock, Mailer, Notifier
from digest.services import sending
from digest.services.envelopes import Envelopes
from digest.services.holders import Holders
from digest.services.sending import SendReport as SendReport
from digest.settings import Settings
from digest.storage import claims, ledger_rows
from digest.storage import deliveries as storage
from digest.storage.ledger_rows import LedgerRow
from digest.tokens import Signer

LONG_SENDING, LONG_OVERDUE = timedelta(minutes=15), timedelta(hours=1)  # after that a row is called stuck
RETRIED = (DeliveryState.FAILED, DeliveryState.DEFERRED)


def queue(conn: Connection, *, subject: str, channel: str, target: str, message: Message, unsubscribe: str,
          due_at: datetime, now: datetime, view_sha256: str | None = None) -> bool:
    """Puts one mail into the ledger; True where it is new. Sends nothing.

    Idempotent: (subject, channel, target) stands there once, and a second message for it is dropped. `target` is a
    normal address (`subscribers.normalise_address`), `unsubscribe` a mark of `services.leaving`. The message's header
    "From" overrides the sender; `view_sha256` is the approved hash of an edition.
    """
    name = mail_name(subject, channel, target)
    message_id = storage.store_message(conn, message)
    return storage.insert(conn, subject=subject, channel=channel, target=target, message_id=message_id, mail_id=name,
                          unsubscribe=unsubscribe, due_at=due_at, now=now, view_sha256=view_sha256)


def mail_name(subject: str, channel: str, target: str) -> str:
    """What stands before the @ of a row's Message-ID: the same for a message to a recipient whenever it is queued."""
    return hashlib.sha256("\n".join((subject, channel, target)).encode()).hexdigest()[:32]


def check_may_send(settings: Settings) -> None:
    """Raises SendRefused where mail would leave this machine without what the law asks of it."""
    away = [server.host for server in settings.smtp.by_name.values() if not _is_loopback(server.host)]
    if not away:
        return
    missing = [name for name, value in (("site.url", settings.site.url),
                                        ("site.postal_address", settings.site.postal_address)) if not value.strip()]
    if missing:
        raise SendRefused(f"{' and '.join(missing)} {'are' if len(missing) > 1 else 'is'} not set",
                          f"mail through {away[0]} needs a page to unsubscribe and a postal address; "
                          "set both in config/digest.toml under [site]")
    if not settings.site.url.startswith("https://"):
        raise SendRefused(f"site.url {settings.site.url} is not https",
                          "one-click unsubscribing needs an https address (RFC 8058); set it in config/digest.toml")


async def send_due(engine: Engine, mailer: Mailer, clock: Clock, *, settings: Settings, signer: Signer, holder: str,
                   holders: Holders | None = None, keys: Sequence[Key] = (), limit: int | None = None,
                   subject: str | None = None, on_sent: Callable[[Delivery], None] | None = None,
                   on_beat: Callable[[SendReport], None] | None = None, notifier: Notifier | None = None) -> SendReport:
    """Sends what is due, up to `limit` mails (None: all), of one ledger subject (None: of all).

    `holder` names this process in the ledger, and `holders` knows who else is alive: what an ended process held is
    settled at once where that is known, else once its lease of a minute is over. Running it twice, late or in two
    processes sends nothing twice. Cancelled (SIGTERM), it finishes the mails that may be written already, gives the
    others back and raises CancelledError; a second cancellation does not wait. `on_beat` is called every two seconds
    with what was done so far. `keys` sign each mail; `notifier` takes what is for other channels. Raises SendRefused.
    """
    check_may_send(settings)
    return await sending.run(
        sending.Work(engine, mailer, clock, settings, Envelopes(settings, signer, keys), holders or Holders(), limit,
                     subject, on_sent, on_beat, notifier or Channels({})), holder)


@dataclass(frozen=True, slots=True)
class Stuck:
    """A row that does not go on by itself, or not soon: why, and what to do."""

    row: LedgerRow
    why: str
    advice: str


def stuck(conn: Connection, holders: Holders, now: datetime, *, limit: int) -> list[Stuck]:
    """Rows that wait for a person or have waited too long, of each kind up to `limit`."""
    ended, _ = holders.judged(claims.holders(conn))
    uncertain = ledger_rows.rows(conn, states=(DeliveryState.UNCERTAIN,), limit=limit)
    sending = ledger_rows.sending_since(conn, now - LONG_SENDING, ended, now)[:limit]
    waiting = ledger_rows.overdue(conn, now - LONG_OVERDUE, limit)
    return [
        *(Stuck(row, row.last_error or "", "digest deliveries resolve: nobody can know whether it arrived")
          for row in uncertain),
        *(Stuck(row, "its process ended", "settled by the next run: digest serve, or digest send")
          if row.holder in ended else
          Stuck(row, f"held by {row.holder} for long", "is that process at work? its answer is still awaited")
          for row in sending),
        *(Stuck(row, row.last_error or "never tried", "nothing sends: is digest serve running?") for row in waiting)]


def resolve(conn: Connection, ids: Collection[int], *, arrived: bool, by: str, now: datetime) -> set[int]:
    """Settles uncertain rows as a person says: they arrived, or are to be sent again. Returns those that it changed.

    Idempotent. A row sent again may come twice to its reader, with one Message-ID.
    """
    if arrived:
        return ledger_rows.settle_arrived(conn, ids, f"{by}: it arrived", now)
    return ledger_rows.queue_again(conn, ids, (DeliveryState.UNCERTAIN,), f"{by}: send it again", now)


def retry(conn: Connection, ids: Collection[int], *, by: str, now: datetime) -> set[int]:
    """Has failed and deferred rows tried again now, for three days more; returns those that it changed.

    Uncertain rows are `resolve`'s. What its reader does not want any more is found out when it comes up.
    """
    return ledger_rows.queue_again(conn, ids, RETRIED, f"{by}: try it again", now)


def _is_loopback(host: str) -> bool:
    if host.lower() in {"localhost", "localhost.localdomain"}:
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
