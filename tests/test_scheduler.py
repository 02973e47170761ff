"""The scheduler over a real database and outbox; only the feeds' servers are pretended."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, update

from digest.app import App
from digest.documents import Newsletter, Weekly
from digest.mail.outbox import OutboxMailer
from digest.model import Period
from digest.parsing import ParserPool
from digest.ports import FetchRequest, FetchResponse
from digest.resources import template_texts
from digest.scheduler import Lane, Scheduler, running
from digest.services.alerts import AlertEngine
from digest.services.cycle import Cycle
from digest.services.desk import approve
from digest.services.editions import list_editions
from digest.services.slots import list_skipped
from digest.services.stories import StoryClusterer
from digest.services.subscribers import subscribe
from digest.storage.deliveries import count_by_state
from digest.storage.editions import editions_of as all_editions
from digest.storage.engine import read_only
from digest.storage.schema import editions as editions_table
from tests.web.worlds import FixedClock, open_world, put_stories

RELEASE = datetime(2023, 3, 20, 2, 0, tzinfo=UTC)  # of a newsletter with a desk: 08:00 in Almaty
MORNING = datetime(2023, 3, 20, 1, 30, tzinfo=UTC)  # 07:30 in Almaty, half an hour after the send time
RSS = b"""<?xml version="1.0"?><rss version="2.0"><channel><title>Steppe Wire</title>
<item><guid>x1</guid><title>Bridge over the Irtysh reopens to lorries</title><link>https://steppe-wire.example/x1</link>
<pubDate>Mon, 20 Mar 2023 00:10:00 GMT</pubDate><description>Lorries cross again.</description></item>
</channel></rss>"""


@dataclass
class FeedServer:
    """Answers every address with one document, or waits for ever."""

    body: bytes = RSS
    stuck: bool = False
    asked: list[str] = field(default_factory=list)

    async def fetch(self, request: FetchRequest) -> FetchResponse:
        self.asked.append(request.url)
        if self.stuck:
            await asyncio.sleep(3600)
        return FetchResponse(200, request.url, self.body, {"content-type": "application/rss+xml"})

    async def close(self) -> None:
        return None


@dataclass
class Instance(App):
    """The small world, whose adapters are a pretended feed server and a real outbox."""

    feed_server: FeedServer = field(default_factory=FeedServer)

    def fetcher(self) -> FeedServer:
        return self.feed_server

    def refresh_configuration(self):  # type: ignore[no-untyped-def]
        return self.configuration


@pytest.fixture
def world(tmp_path: Path, sqlite_engine: Engine) -> Instance:
    """No edition for "quiet" yet, one reader, and 07:00 as its hour in Almaty."""
    made = open_world(tmp_path, sqlite_engine)
    quiet = made.configuration.newsletters["quiet"].model_copy(update={"zone": "Asia/Almaty"})
    configuration = replace(made.configuration, newsletters={"quiet": quiet})
    with sqlite_engine.begin() as connection:
        subscribe(connection, "quiet", "anna@example.org", "operator", MORNING)
    return Instance(made.instance, made.settings, sqlite_engine, FixedClock(MORNING), configuration)


def scheduler(world: Instance) -> Scheduler:
    turn = Cycle(world.engine, world.feed_server, ParserPool(1, 5.0), StoryClusterer(world.engine), world.clock,
                 world.settings, template_texts, world.holder, AlertEngine(world.engine))
    return Scheduler(world, turn, OutboxMailer(world.instance.outbox), world.notifier())


def editions_of(world: Instance) -> list[str]:
    with read_only(world.engine) as connection:
        return [f"{row.date} {row.state}" for row in list_editions(connection, "quiet")]


def test_wakeups_during_a_run_lead_to_one_more_run() -> None:
    async def story() -> int:
        runs = 0
        gate = asyncio.Event()

        async def run() -> None:
            nonlocal runs
            runs += 1
            await gate.wait()

        lane = Lane("test", run)
        task = asyncio.create_task(lane.loop())
        for _ in range(3):
            lane.wake()
            await asyncio.sleep(0)
        gate.set()
        for _ in range(5):
            await asyncio.sleep(0)
        lane.stop()
        await task
        return runs

    assert asyncio.run(story()) == 2


def test_a_due_edition_is_built_and_queued_once(world: Instance) -> None:
    put_stories(world)
    one = scheduler(world)
    assert one.release(world.configuration.newsletters["quiet"])
    assert editions_of(world) == ["2023-03-20 sending"]
    assert not one.release(world.configuration.newsletters["quiet"])
    assert not scheduler(world).release(world.configuration.newsletters["quiet"])


def test_an_edition_that_is_too_late_is_left_out(world: Instance) -> None:
    put_stories(world)
    late = replace(world, clock=FixedClock(MORNING + timedelta(hours=12)))
    assert not scheduler(late).release(world.configuration.newsletters["quiet"])
    assert editions_of(world) == []


def test_an_empty_edition_is_tried_again_a_quarter_of_an_hour_later(world: Instance) -> None:
    newsletter = world.configuration.newsletters["quiet"]
    one = scheduler(world)
    assert not one.release(newsletter)
    put_stories(world)
    assert not one.release(newsletter)  # too soon
    world.clock = FixedClock(MORNING + timedelta(minutes=16))
    assert one.release(newsletter)


def test_missed_editions_are_caught_up_or_noted(world: Instance) -> None:
    put_stories(world)
    newsletter = world.configuration.newsletters["quiet"].model_copy(update={"max_lateness_hours": 30})
    scheduler(world).release(newsletter)
    world.clock = FixedClock(MORNING + timedelta(days=4))
    scheduler(world).release(newsletter)
    with read_only(world.engine) as connection:
        noted = [slot.date.day for slot in list_skipped(connection, "quiet")]
    assert noted == [22, 21]  # the 23rd and 24th have no story yet, and are tried again
    assert editions_of(world) == ["2023-03-20 sending"]


def test_an_edition_that_is_queued_for_some_of_its_readers_is_queued_for_all(world: Instance) -> None:
    put_stories(world)
    assert scheduler(world).release(world.configuration.newsletters["quiet"])
    with world.engine.begin() as connection:
        connection.execute(update(editions_table).values(queued_at=None))  # as a crash between two parts leaves it
    assert not scheduler(world).release(world.configuration.newsletters["quiet"])
    with read_only(world.engine) as connection:
        (edition,) = list_editions(connection, "quiet")
    assert (edition.state, edition.queued_at is not None) == ("sending", True)


def test_a_weekly_edition_is_published_and_mailed_to_nobody(world: Instance) -> None:
    put_stories(world)
    weekly = Weekly(day="mon", send_time="07:15")
    newsletter = world.configuration.newsletters["quiet"].model_copy(update={"weekly": weekly})
    assert scheduler(world).release(newsletter) and not scheduler(world).release(newsletter)
    with read_only(world.engine) as connection:
        (week,) = list_editions(connection, "quiet", period=Period.WEEKLY)
        assert count_by_state(connection, week.subject) == {}
    assert (week.name, week.state) == ("quiet/2023-03-20/weekly", "sent")
    assert week.view.path == "/quiet/2023-03-20/weekly/" and len(week.view.all_stories) == 2
    assert editions_of(world) == ["2023-03-20 sending"]


def with_desk(world: Instance, on_timeout: str) -> Newsletter:
    """The newsletter with a draft half an hour before its release."""
    quiet = world.configuration.newsletters["quiet"]
    desk = quiet.desk.model_copy(update={"minutes": 30, "on_timeout": on_timeout})
    quiet = quiet.model_copy(update={"desk": desk, "send_time": time(8, 0)})
    world.configuration = replace(world.configuration, newsletters={"quiet": quiet})
    return quiet


@pytest.mark.parametrize(("on_timeout", "state"), [("send", "sending"), ("hold", "draft")])
def test_a_draft_is_built_ahead_and_goes_as_the_policy_says(world: Instance, on_timeout: str, state: str) -> None:
    newsletter = with_desk(world, on_timeout)
    put_stories(world)
    with at_time(world, RELEASE - timedelta(minutes=31)) as early:
        assert not early.release(newsletter) and drafts_of(world) == []
    with at_time(world, RELEASE - timedelta(minutes=5)) as early:
        assert not early.release(newsletter) and drafts_of(world) == ["2023-03-20 draft"]
    with at_time(world, RELEASE) as due:
        assert due.release(newsletter) == (state == "sending")
    assert drafts_of(world) == [f"2023-03-20 {state}"]


def test_a_held_edition_is_sent_once_approved_or_skipped_in_the_end(world: Instance) -> None:
    newsletter = with_desk(world, "hold")
    put_stories(world)
    for hours in (0, 1):
        with at_time(world, RELEASE + timedelta(hours=hours)) as at_work:
            assert not at_work.release(newsletter)
    with at_time(world, RELEASE + timedelta(hours=13)) as at_work:
        assert not at_work.release(newsletter)
    assert drafts_of(world) == ["2023-03-20 skipped"]


def test_an_approved_edition_waits_for_its_release(world: Instance) -> None:
    newsletter = with_desk(world, "hold")
    put_stories(world)
    early = RELEASE - timedelta(minutes=5)
    with at_time(world, early) as at_work:
        at_work.release(newsletter)
        with read_only(world.engine) as connection:
            (draft,) = all_editions(connection, "quiet")
        approve(world.engine, draft, newsletter, world.settings, template_texts(None), actor="anna", now=early)
        assert not at_work.release(newsletter)
    assert drafts_of(world) == ["2023-03-20 approved"] and editions_of(world) == []
    with at_time(world, RELEASE) as at_work:
        assert at_work.release(newsletter)
    assert drafts_of(world) == ["2023-03-20 sending"]


@contextmanager
def at_time(world: Instance, at: datetime) -> Iterator[Scheduler]:
    """A scheduler that was started just now."""
    world.clock = FixedClock(at)
    yield scheduler(world)


def drafts_of(world: Instance) -> list[str]:
    with read_only(world.engine) as connection:
        return [f"{row.date} {row.state}" for row in all_editions(connection, "quiet")]


def test_it_polls_builds_and_mails_by_itself(world: Instance) -> None:
    async def story() -> None:
        async with running(world):
            await until(lambda: any(world.instance.outbox.glob("*.eml")))

    asyncio.run(asyncio.wait_for(story(), 60))
    (mail,) = world.instance.outbox.glob("*.eml")
    assert b"anna@example.org" in mail.read_bytes()
    assert world.feed_server.asked == [f"https://steppe-wire.example/{path}" for path in ("rss", "robots.txt", "x1")]


def test_a_failing_step_does_not_stop_the_others(world: Instance) -> None:
    broken = world.instance.templates / "email" / "edition.txt"
    broken.parent.mkdir(parents=True)
    broken.write_text("{{ view.no_such_value }}")

    async def story() -> datetime | None:
        async with running(world) as at_work:
            await until(lambda: bool(world.feed_server.asked) and at_work.heartbeat() is not None)
            await until(lambda: at_work.mail.last_alive_at is not None)
            return at_work.heartbeat()

    assert asyncio.run(asyncio.wait_for(story(), 60)) == MORNING
    assert editions_of(world) == []


def test_stopping_does_not_wait_for_a_server_that_hangs(world: Instance) -> None:
    world.feed_server.stuck = True

    async def story() -> float:
        loop = asyncio.get_running_loop()
        async with running(world):
            await until(lambda: bool(world.feed_server.asked))
            began = loop.time()
        return loop.time() - began

    assert asyncio.run(asyncio.wait_for(story(), 60)) < 10


async def until(done: Callable[[], bool]) -> None:
    """Waits up to half a minute until something is so."""
    for _ in range(1500):
        if done():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it never came to be")
