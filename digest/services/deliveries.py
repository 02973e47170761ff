"""The one place that sends: queues rows in the ledger, and hands what is due to the mailer.

A row goes queued → sending (phase claimed → data) → sent | deferred | failed | uncertain. Each step is durable before
the next begins, and each is made by one conditional UPDATE. The SMTP protocol cannot tell a lost answer to the final
dot from a lost mail (RFC 1047): such a row is called uncertain, is never re-sent by itself, and is listed.
"""

import asyncio
import hashlib
import ipaddress
import secrets
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Connection, Engine

from digest.errors import DeliveryError, SendRefused
from digest.mail.message import one_line
from digest.model import Delivery, DeliveryState, Message
from digest.ports import Clock, Envelope, Mailer
from digest.services import leaving
from digest.services.envelopes import MAIL as MAIL
from digest.services.envelopes import base_url as base_url
from digest.services.envelopes import default_sender as default_sender
from digest.services.envelopes import draft as draft
from digest.services.envelopes import envelope as envelope
from digest.services.envelopes import host
from digest.services.envelopes import unsubscribe_url as unsubscribe_url
from digest.settings import Settings
from digest.storage import deliveries as storage
from digest.tokens import Signer

SESSIONS = 4  # mails in flight at a time
LEASE = timedelta(minutes=1)  # renewed when the message is written; a lost lease aborts before that
FIRST_RETRY, LAST_RETRY = timedelta(minutes=1), timedelta(hours=4)
GIVE_UP_AFTER = timedelta(days=3)  # after a row was due
DEAD_SERVER = 5  # so many failures of the server in a row end a run; the rest waits

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class SendReport:
    """What one run did. `remaining` counts rows still due or held by another process; `error` is the last one."""

    sent: int = 0
    deferred: int = 0
    failed: int = 0
    uncertain: int = 0
    remaining: int = 0
    error: str | None = None


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
                   limit: int | None = None, subject: str | None = None,
                   on_sent: Callable[[Delivery], None] | None = None) -> SendReport:
    """Sends what is due, up to `limit` mails (None: all), of one ledger subject (None: of all).

    `holder` names this process in the ledger. Running it twice, late or in two processes sends nothing twice; what an
    ended process held is settled once its lease of a minute is over. Cancelled (SIGTERM), it finishes the mails in
    flight and then raises CancelledError; a second cancellation does not wait. Raises SendRefused.
    """
    check_may_send(settings)
    run = _Run(engine, mailer, clock, settings, signer, f"{holder}/{secrets.token_hex(4)}", limit, subject, on_sent)
    return await run.all()


class _Run:
    """One run of a small pool of workers over the due rows. Does not decide when to run."""

    def __init__(self, engine: Engine, mailer: Mailer, clock: Clock, settings: Settings, signer: Signer, holder: str,
                 limit: int | None, subject: str | None, on_sent: Callable[[Delivery], None] | None):
        self.engine, self.mailer, self.clock = engine, mailer, clock
        self.settings, self.signer, self.holder = settings, signer, holder
        self.subject, self.on_sent = subject, on_sent
        self.left = limit
        self.stopping = False
        self.dead = 0  # failures of the server in a row
        self.counts: Counter[DeliveryState] = Counter()
        self.error: str | None = None

    async def all(self) -> SendReport:
        """Settles what ended processes left, then works until nothing is due."""
        _, uncertain = await asyncio.to_thread(self._recover)
        self.counts[DeliveryState.UNCERTAIN] += uncertain
        workers = asyncio.gather(*(self._work() for _ in range(SESSIONS)), return_exceptions=True)
        try:
            results = await asyncio.shield(workers)
        except asyncio.CancelledError:
            self.stopping = True
            await workers
            raise
        for result in results:
            if isinstance(result, BaseException):
                raise result
        return SendReport(
            self.counts[DeliveryState.SENT], self.counts[DeliveryState.DEFERRED], self.counts[DeliveryState.FAILED],
            self.counts[DeliveryState.UNCERTAIN], await asyncio.to_thread(self._remaining), self.error)

    async def _work(self) -> None:
        try:
            while not self.stopping and self.dead < DEAD_SERVER and self._take():
                claimed = await asyncio.to_thread(self._claim)
                if claimed is None:
                    return
                delivery, standing = claimed
                outcome = await self._attempt(delivery, standing)
                await asyncio.to_thread(self._record, delivery, outcome)
        except Exception:
            self.stopping = True
            raise

    async def _attempt(self, delivery: Delivery, standing: leaving.Standing | None) -> "_Outcome":
        """Hands one mail over; every failure becomes an outcome."""
        if standing is None:
            return _Outcome(DeliveryState.FAILED, "the reader left before it was sent")
        written = False

        async def before_data() -> None:
            nonlocal written
            if not await asyncio.to_thread(self._mark_data, delivery.id):
                raise _LeaseLost
            written = True

        try:
            mail = await asyncio.to_thread(self._envelope, delivery, standing)
            await self.mailer.send(mail, before_data)
        except _LeaseLost:
            return _Outcome(DeliveryState.SENDING)
        except DeliveryError as error:
            self.dead = self.dead + 1 if error.server else 0
            return judge(delivery, error, written=written, now=self.clock.now())
        except Exception as error:
            log.exception("mail attempt broke", delivery=delivery.id, phase="data" if written else "claimed")
            broken = DeliveryError(delivery.target, f"{type(error).__name__}: {error}")
            return judge(delivery, broken, written=written, now=self.clock.now())
        self.dead = 0
        return _Outcome(DeliveryState.SENT)

    def _envelope(self, delivery: Delivery, standing: leaving.Standing) -> Envelope:
        try:
            return envelope(delivery, standing, settings=self.settings, signer=self.signer, now=self.clock.now())
        except ValueError as error:
            raise DeliveryError(delivery.target, f"cannot be written as a mail: {error}", permanent=True) from error

    def _take(self) -> bool:
        if self.left is None:
            return True
        self.left -= 1
        return self.left >= 0

    def _recover(self) -> tuple[int, int]:
        with self.engine.begin() as conn:
            return storage.recover(conn, self.clock.now())

    def _claim(self) -> "tuple[Delivery, leaving.Standing | None] | None":
        """The next due row and why it is wanted; None where nothing is due."""
        now = self.clock.now()
        with self.engine.begin() as conn:
            rows = storage.claim(conn, now=now, holder=self.holder, until=now + LEASE, limit=1,
                                 domain=host(self.settings), subject=self.subject)
            return (rows[0], _standing(conn, rows[0])) if rows else None

    def _mark_data(self, delivery_id: int) -> bool:
        with self.engine.begin() as conn:
            return storage.mark_data(conn, delivery_id, self.holder, self.clock.now() + LEASE)

    def _record(self, delivery: Delivery, outcome: "_Outcome") -> None:
        with self.engine.begin() as conn:
            if outcome.state is DeliveryState.SENT:
                storage.mark_sent(conn, delivery.id, self.holder, self.clock.now())
            elif outcome.state is DeliveryState.DEFERRED and outcome.until:
                storage.mark_deferred(conn, delivery.id, self.holder, until=outcome.until, error=outcome.error)
            elif outcome.state is DeliveryState.FAILED:
                storage.mark_failed(conn, delivery.id, self.holder, outcome.error)
            elif outcome.state is DeliveryState.UNCERTAIN:
                storage.mark_uncertain(conn, delivery.id, self.holder, outcome.error)
        self.counts[outcome.state] += 1
        self.error = outcome.error or self.error
        if outcome.state is DeliveryState.SENT and self.on_sent:
            self.on_sent(replace(delivery, state=DeliveryState.SENT, phase=None))

    def _remaining(self) -> int:
        with self.engine.begin() as conn:
            return storage.count_due(conn, self.clock.now(), self.subject)


class _LeaseLost(Exception):
    """Another process took the row over: nothing may be written."""


@dataclass(frozen=True, slots=True)
class _Outcome:
    state: DeliveryState
    error: str = ""
    until: datetime | None = None


def judge(delivery: Delivery, error: DeliveryError, *, written: bool, now: datetime) -> _Outcome:
    """What a failed attempt means for its row. `written`: the message may have been handed over.

    `delivery.attempts` counts this attempt. Deferred rows wait a minute, doubling to four hours, for three days.
    """
    why = one_line(str(error))[:500]
    if error.permanent:
        return _Outcome(DeliveryState.FAILED, why)
    if error.code is None and written:
        return _Outcome(DeliveryState.UNCERTAIN, why)
    if now - delivery.due_at > GIVE_UP_AFTER:
        return _Outcome(DeliveryState.FAILED, f"given up after {GIVE_UP_AFTER.days} days: {why}")
    wait = min(FIRST_RETRY * 2 ** min(delivery.attempts - 1, 20), LAST_RETRY)
    return _Outcome(DeliveryState.DEFERRED, why, now + wait)


def _standing(conn: Connection, delivery: Delivery) -> leaving.Standing | None:
    """Why the mail is wanted, in its own language."""
    language = delivery.message.headers.get("Content-Language", "en")
    return leaving.standing(conn, delivery.unsubscribe, subject=delivery.subject, language=language)


def _is_loopback(host: str) -> bool:
    if host.lower() in {"localhost", "localhost.localdomain"}:
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
