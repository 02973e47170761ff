"""The scheduler: wakes work up and nothing more. What is due, and who does it, stands in the tables.

A tick that runs twice, late or in two processes changes nothing: feeds, the clusterer and deliveries are claimed with
leases, an edition is one row a day, and a delivery is one row a reader.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from digest.app import App
from digest.documents import Newsletter
from digest.errors import DigestError
from digest.model import Period
from digest.pipeline.slots import Slot
from digest.ports import Mailer, Notifier
from digest.resources import template_texts
from digest.services import alert_channels, deliveries, editions, feed_health, releases, slots
from digest.services.cycle import Cycle
from digest.storage.editions import edition_name
from digest.storage.engine import read_only

NEWS_SECONDS, MAIL_SECONDS = 30, 10
SAY_EVERY = timedelta(minutes=1)  # how often a long run of mail is told of
QUEUEING_SAID = 20_000  # readers
UNSETTLED = 7  # so many last editions are looked at
CHANNELS_AGAIN = timedelta(hours=1)
EMPTY_AGAIN = timedelta(minutes=15)  # an edition that had no story is tried again
FINISH_NEWS_SECONDS, FINISH_MAIL_SECONDS = 4.0, 60.0  # how long a stop waits for work in flight

log = structlog.get_logger(__name__)


class Lane:
    """One kind of work that is done over and over, one run at a time.

    A wake-up during a run leads to one more run, not to several.
    """

    def __init__(self, name: str, run: Callable[[], Awaitable[None]]):
        self.name = name
        self.last_alive_at: datetime | None = None
        self.stopping = False
        self._run = run
        self._woken = asyncio.Event()

    def wake(self) -> None:
        self._woken.set()

    def stop(self) -> None:
        """Lets the run in progress be the last."""
        self.stopping = True
        self._woken.set()

    async def loop(self) -> None:
        """Runs whenever woken, until stopped."""
        while not self.stopping:
            await self._woken.wait()
            self._woken.clear()
            if not self.stopping:
                await self._run()


class Scheduler:
    """Two lanes over one instance: news (configuration, poll, stories, alerts, editions) and mail.

    Does not decide what is due: services do.
    """

    def __init__(self, app: App, turn: Cycle, mailer: Mailer, notifier: Notifier):
        self._app, self._turn, self._mailer, self._notifier = app, turn, mailer, notifier
        self._empty_until: dict[str, datetime] = {}  # by name of the edition
        self._empty_why: dict[str, str] = {}
        self._said: dict[str, str] = {}
        self._channels_looked_at: datetime | None = None
        self._noted: str | None = None  # the day whose note on feeds was thought of
        self.news = Lane("news", self._news)
        self.mail = Lane("mail", self._mail)

    def heartbeat(self) -> datetime | None:
        """When the lane that is longest without a sign of life gave one; None before both have begun."""
        times = (self.news.last_alive_at, self.mail.last_alive_at)
        return None if None in times else min(t for t in times if t)

    async def _news(self) -> None:
        """One turn of the news lane; each step fails for itself.

        Steps:
        1. configuration: import documents that changed;
        2. cycle: poll due feeds, assign items to stories, queue alerts;
        3. editions: build and queue those that are due;
        4. note: once a day, tell the operator of feeds in trouble;
        5. wake the mail lane.
        """
        steps: tuple[tuple[str, Callable[[], Awaitable[object]]], ...] = (
            ("configuration", lambda: asyncio.to_thread(self._app.refresh_configuration)),
            ("cycle", self._cycle),
            ("editions", self._editions),
            ("note on feeds", lambda: asyncio.to_thread(self._note)),
            ("channels of alerts", lambda: asyncio.to_thread(self._pause_channels)),
        )
        for name, step in steps:
            if self.news.stopping:
                return
            self._alive(self.news)
            await self._attempt(name, step())
        self._alive(self.news)
        self.mail.wake()

    async def _cycle(self) -> None:
        app = self._app
        report = await self._turn.run(
            app.configuration.feeds, configuration=app.configuration, zone=app.zone, prompt=True,
            on_outcome=lambda _outcome: self._alive(self.news), on_page=lambda: self._alive(self.news))
        if report.outcomes or report.alerts:
            log.info("cycle", polled=len(report.outcomes), new=sum(outcome.new for outcome in report.outcomes),
                     assigned=report.tick.assigned, alerts=report.alerts, pages=sum(report.pages.outcomes.values()))

    def _note(self) -> None:
        """Queues the day's note on feeds, the first time in a day that its hour has come."""
        app, now = self._app, self._app.clock.now()
        day = feed_health.note_day(now, app.zone)
        if day is None or day == self._noted:
            return
        if feed_health.queue_note(app.engine, app.configuration.feeds, app.settings,
                                  template_texts(app.instance.templates), now=now, zone=app.zone):
            log.info("note on feeds queued", day=day)
        self._noted = day

    def _pause_channels(self) -> None:
        """Pauses channels of alerts that fail long; looked for once an hour."""
        app, now = self._app, self._app.clock.now()
        if self._channels_looked_at and now - self._channels_looked_at < CHANNELS_AGAIN:
            return
        self._channels_looked_at = now
        for channel in alert_channels.pause_failing(
                app.engine, settings=app.settings, templates=template_texts(app.instance.templates), now=now):
            log.warning("channel of an alert paused", channel=channel.id, kind=channel.kind)

    async def _editions(self) -> None:
        for newsletter in tuple(self._app.configuration.newsletters.values()):
            await self._attempt(f"edition of {newsletter.slug}", asyncio.to_thread(self.release, newsletter))
            await self._attempt(f"editions of {newsletter.slug}", asyncio.to_thread(self._settle, newsletter))

    def release(self, newsletter: Newsletter) -> bool:
        """Builds and queues the newsletter's editions that are due; whether one was. Idempotent.

        Missed slots are caught up, oldest first, or noted as skipped where it is too late. An edition without stories
        is tried again every 15 minutes until then. Where the newsletter has a desk, drafts are built ahead of their
        release, and at it go as the policy says; one that was approved but not queued, or queued for some of its
        readers, as by a crash, is queued.
        """
        engine, now = self._app.engine, self._app.clock.now()
        for edition, queued in releases.finish_queueing(
                engine, newsletter, self._app.settings, now=now, on_progress=self._queueing):
            log.info("edition queued", edition=edition.name, new=queued.new, known=queued.known)
        for slot in releases.drafts_due(engine, newsletter, now):
            self._draft(newsletter, slot, now)
        due = slots.to_make(engine, newsletter, now, lambda slot: self._empty_why.get(_name(newsletter, slot), ""))
        made = [self._make(newsletter, slot, now) for slot in (*releases.waiting(engine, newsletter, now), *due)]
        return any(made)

    def _draft(self, newsletter: Newsletter, slot: Slot, now: datetime) -> None:
        app, name = self._app, _name(newsletter, slot)
        if self._empty_until.get(name, now) > now:
            return
        built = editions.build(app.engine, app.configuration, newsletter, app.settings,
                               template_texts(app.instance.templates), now=now, date=slot.date, period=slot.period)
        if built.edition is None:
            self._empty(name, built.view.empty_reason or "", now)
        elif built.created:
            log.info("draft built", edition=name, stories=len(built.view.all_stories),
                     release=slot.release_at.isoformat())

    def _make(self, newsletter: Newsletter, slot: Slot, now: datetime) -> bool:
        app, name = self._app, _name(newsletter, slot)
        if skipped := releases.skip_late(app.engine, newsletter, slot, now=now):
            log.warning("edition skipped", edition=name, reason=skipped.note)
            return False
        if self._empty_until.get(name, now) > now:
            return False
        made = releases.release(app.engine, app.configuration, newsletter, app.settings,
                                template_texts(app.instance.templates), now=now, date=slot.date, period=slot.period,
                                on_progress=self._queueing)
        if made.outcome == "empty":
            self._empty(name, made.reason, now)
        elif made.outcome in ("held", "closed"):
            if made.news:
                log.warning(f"edition {made.outcome}", edition=name, reason=made.reason)
        else:
            queued = made.queued or releases.Queued(0, 0)
            log.info(f"edition {made.outcome}", edition=name, stories=len(made.built.view.all_stories), new=queued.new,
                     known=queued.known, without=queued.without)
        return made.outcome in ("queued", "published")

    def _queueing(self, done: int, total: int) -> None:
        """Says now and then how far an edition's queueing is: for many readers it takes a while."""
        self._alive(self.news)
        if done % QUEUEING_SAID == 0 and done < total:
            log.info("queueing", readers=done, of=total)

    def _empty(self, name: str, reason: str, now: datetime) -> None:
        self._empty_until[name], self._empty_why[name] = now + EMPTY_AGAIN, reason
        log.warning("edition is empty", edition=name, reason=reason)

    def _settle(self, newsletter: Newsletter) -> None:
        """Marks editions as sent whose last delivery has been settled."""
        with read_only(self._app.engine) as connection:
            recent = [edition for period in Period
                      for edition in editions.list_editions(connection, newsletter.slug, UNSETTLED, period)]
        for edition in recent:
            if edition.state == "sending":
                releases.settle(self._app.engine, edition)

    async def _mail(self) -> None:
        await self._attempt("mail", self._send())

    async def _send(self) -> None:
        """Sends what is due until nothing is. Cancelled by a stop, it leaves no mail in doubt."""
        app, said = self._app, deliveries.SendReport()
        said_at = app.clock.now()

        def beat(report: deliveries.SendReport) -> None:
            nonlocal said, said_at
            self._alive(self.mail)
            if report.done > said.done and app.clock.now() - said_at >= SAY_EVERY:
                said, said_at = report, app.clock.now()
                _say(report)

        self._alive(self.mail)
        report = await deliveries.send_due(
            app.engine, self._mailer, app.clock, settings=app.settings, signer=app.signer(), holder=app.holder,
            holders=app.holders(), keys=app.dkim_keys, on_beat=beat, notifier=self._notifier)
        if report.done:
            _say(report)

    def _alive(self, lane: Lane) -> None:
        lane.last_alive_at = self._app.clock.now()

    async def _attempt(self, name: str, work: Awaitable[object]) -> None:
        """Awaits a piece of work; what it raises is logged, once while it stays the same, and other work goes on."""
        try:
            await work
            self._said.pop(name, None)
        except DigestError as error:
            if self._said.get(name) != str(error):
                log.error("step failed", step=name, error=str(error))
            self._said[name] = str(error)
        except Exception:
            log.exception("step failed", step=name)


def _say(report: deliveries.SendReport) -> None:
    log.info("mail", sent=report.sent, deferred=report.deferred, failed=report.failed, uncertain=report.uncertain,
             remaining=report.remaining, error=report.error)


def _name(newsletter: Newsletter, slot: Slot) -> str:
    return edition_name(newsletter.slug, slot.date, slot.period)


@asynccontextmanager
async def running(app: App) -> AsyncIterator[Scheduler]:
    """A scheduler at work in this event loop while the context is open.

    Leaving lets the work in flight finish, polls for a few seconds only: their leases run out by themselves.
    """
    mailer, notifier = app.mailer(), app.notifier()
    async with app.cycle() as turn:
        try:
            async with _working(Scheduler(app, turn, mailer, notifier)) as scheduler:
                yield scheduler
        finally:
            await mailer.close()
            await notifier.close()


@asynccontextmanager
async def _working(scheduler: Scheduler) -> AsyncIterator[Scheduler]:
    """Wakes the scheduler's lanes while the context is open, then lets them end."""
    lanes = {scheduler.news: NEWS_SECONDS, scheduler.mail: MAIL_SECONDS}
    ticks = AsyncIOScheduler(timezone=UTC)
    for lane, seconds in lanes.items():
        ticks.add_job(lane.wake, "interval", seconds=seconds, id=lane.name, max_instances=1, coalesce=True,
                      misfire_grace_time=None)
        lane.wake()
    tasks = [asyncio.create_task(lane.loop(), name=lane.name) for lane in lanes]
    ticks.start()
    try:
        yield scheduler
    finally:
        ticks.shutdown(wait=False)
        for lane in lanes:
            lane.stop()
        tasks[1].cancel()  # it finishes the mails in flight, and is cancelled once more when they take long
        await asyncio.gather(_end(tasks[0], FINISH_NEWS_SECONDS), _end(tasks[1], FINISH_MAIL_SECONDS))


async def _end(task: asyncio.Task[None], seconds: float) -> None:
    """Waits for a stopped lane, and cancels it when it takes longer."""
    _, late = await asyncio.wait({task}, timeout=seconds)
    for one in late:
        one.cancel()
    await asyncio.gather(task, return_exceptions=True)
