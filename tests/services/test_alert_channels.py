"""Alerts by webhook, chat service and Atom feed: signed, at most once, retried, paused where they fail long."""

import asyncio
import base64
import hashlib
import hmac
import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from sqlalchemy import Engine

from digest.alert_rules import CHAT, FEED, WEBHOOK, Channel
from digest.errors import ChannelRefused, DeliveryError, NotFound
from digest.mail.outbox import OutboxMailer
from digest.model import DeliveryState
from digest.notify.channels import Channels
from digest.notify.chat import Chats
from digest.notify.targets import shown
from digest.notify.webhook import Webhooks, secret_in_words
from digest.ports import Notifier, Parcel
from digest.resources import template_texts
from digest.services import alert_channels, deliveries
from digest.services.holders import Holders
from digest.storage import alert_channels as storage
from digest.storage import claims, ledger_rows
from digest.storage.engine import read_only
from digest.storage.ledger_rows import LedgerRow
from digest.tokens import Signer
from tests.notify_server import Receiver, free_port, receiving
from tests.services.alert_worlds import DAY, HOUR, MINUTE, SETTINGS, World

SECRET = bytes(range(32))


class Clock:
    def __init__(self, world: World):
        self._world = world

    def now(self) -> datetime:
        return self._world.now


class Desk:
    """A world whose alerts are sent: mail into a folder, all else to loopback."""

    def __init__(self, engine: Engine, folder: Path):
        self.world, self.folder = World(engine), folder

    def channel(self, kind: str, target: str, rule: str = "gas") -> Channel:
        with self.world.engine.begin() as conn:
            return alert_channels.add(conn, rule, kind, target, self.world.now)[0]

    def notifier(self, allow: tuple[str, ...] = ("127.0.0.1",)) -> Notifier:
        return Channels({WEBHOOK: Webhooks(allow, Clock(self.world), lambda _: secret_in_words(SECRET), "Digest/1"),
                         CHAT: Chats(allow)})

    def send(self, notifier: Notifier | None = None, after: timedelta = MINUTE) -> None:
        """Sends what is due after some time."""
        self.world.now += after

        async def run() -> None:
            used = notifier or self.notifier()
            try:
                await deliveries.send_due(
                    self.world.engine, OutboxMailer(self.folder), Clock(self.world), settings=SETTINGS,
                    signer=Signer(b"key"), holder="test", holders=Holders(self.folder / "holders"), notifier=used)
            finally:
                await used.close()

        asyncio.run(run())

    def rows(self, kind: str = WEBHOOK) -> list[LedgerRow]:
        with read_only(self.world.engine) as conn:
            return sorted((row for row in ledger_rows.rows(conn, states=(), limit=100) if row.channel == kind),
                          key=lambda row: row.id)


@pytest.fixture
def each(engine: Engine, tmp_path: Path) -> Desk:
    """On either database."""
    return opened(engine, tmp_path)


@pytest.fixture
def desk(sqlite_engine: Engine, tmp_path: Path) -> Desk:
    return opened(sqlite_engine, tmp_path)


def opened(engine: Engine, folder: Path) -> Desk:
    found = Desk(engine, folder)
    found.world.rule("gas", "gas")
    return found


def verified(receiver: Receiver, number: int = 0) -> dict[str, Any]:
    """A body whose signature was checked as the Standard Webhooks' specification says, apart from our own code."""
    _, headers, body = receiver.got[number]
    signed = b".".join([headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), body])
    mac = base64.b64encode(hmac.new(SECRET, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{mac}" and headers["content-type"] == "application/json"
    found: dict[str, Any] = json.loads(body)
    return found


def test_a_webhook_gets_a_bundle_once_and_signed(each: Desk) -> None:
    with receiving() as receiver:
        each.channel(WEBHOOK, receiver.url)
        item = each.world.arrive("Gas price rises to 40 tenge")
        assert each.world.fire().alerts == 1
        for _ in range(3):
            each.send()
            each.world.fire()
        (row,) = each.rows()
        assert row.state is DeliveryState.SENT and len(receiver.got) == 1
        body = verified(receiver)
        (story,) = body["stories"]
        assert body["rules"] == ["gas"] and story["headline"] == item.title and story["url"] == item.url
        assert story["quotes"][0]["words"] == ["Gas"] and story["quotes"][0]["rules"] == ["gas (v1)"]
        assert receiver.got[0][1]["webhook-id"] == row.message_id.partition("@")[0]
    assert len(each.rows("mail")) == 1  # beside the mail to the rule's owner


@pytest.mark.parametrize("status", [500, 503, 429, 408, 404, 410, 301])
def test_an_answer_decides_whether_it_is_tried_again(desk: Desk, status: int) -> None:
    with receiving(status) as receiver:
        desk.channel(WEBHOOK, receiver.url)
        desk.world.arrive("Gas price rises")
        desk.world.fire()
        desk.send()
        again = status in (500, 503, 429, 408)
        (row,) = desk.rows()
        assert row.state is (DeliveryState.DEFERRED if again else DeliveryState.FAILED)
        assert str(status) in (row.last_error or "") and receiver.url not in (row.last_error or "")
        desk.send(after=5 * MINUTE)
        (row,) = desk.rows()
        assert (row.state is DeliveryState.SENT) == again and len(receiver.got) == 1 + again
        assert len({headers["webhook-id"] for _, headers, _ in receiver.got}) == 1


def test_a_server_says_when_to_come_again(desk: Desk) -> None:
    with receiving(503, Retry_After="7200") as receiver:
        desk.channel(WEBHOOK, receiver.url)
        desk.world.arrive("Gas price rises")
        desk.world.fire()
        desk.send()
        asked = desk.world.now
        assert desk.rows()[0].next_attempt_at == asked + 2 * HOUR
        desk.send(after=HOUR)
        assert len(receiver.got) == 1
        desk.send(after=HOUR)
        assert len(receiver.got) == 2


def test_nobody_at_home_is_tried_again_and_a_lost_answer_never(desk: Desk) -> None:
    with receiving("close") as receiver:
        desk.channel(WEBHOOK, receiver.url)
        desk.channel(WEBHOOK, f"http://127.0.0.1:{free_port()}/hook")
        desk.world.arrive("Gas price rises")
        desk.world.fire()
        for _ in range(3):
            desk.send(after=5 * MINUTE)
        assert {row.state for row in desk.rows()} == {DeliveryState.UNCERTAIN, DeliveryState.DEFERRED}
        assert len(receiver.got) == 1


@pytest.mark.parametrize("phase", ["claimed", "data"])
def test_a_process_that_ends_loses_nothing_and_tells_nothing_twice(each: Desk, phase: str) -> None:
    with receiving() as receiver:
        each.channel(WEBHOOK, receiver.url)
        each.world.arrive("Gas price rises")
        each.world.fire()
        with each.world.engine.begin() as conn:
            rows = claims.claim(conn, now=each.world.now, holder="ended", until=each.world.now + MINUTE, limit=9,
                                domain="desk.example")
            if phase == "data":
                claims.mark_data(conn, [row.id for row in rows], "ended")
        each.send(after=5 * MINUTE)
        each.send()
        told = phase == "claimed"
        assert each.rows()[0].state is (DeliveryState.SENT if told else DeliveryState.UNCERTAIN)
        assert len(receiver.got) == told


def test_the_guard_lets_no_webhook_into_our_own_network(desk: Desk) -> None:
    with receiving() as receiver:
        desk.channel(WEBHOOK, receiver.url)
        desk.world.arrive("Gas price rises")
        desk.world.fire()
        desk.send(desk.notifier(allow=()))
        (row,) = desk.rows()
        assert row.state is DeliveryState.DEFERRED and "address guard" in (row.last_error or "") and not receiver.got


def test_a_chat_service_is_told_through_apprise(desk: Desk) -> None:
    with receiving(200) as receiver:
        desk.channel(CHAT, f"ntfy://127.0.0.1:{receiver.port}/gas-alerts")
        item = desk.world.arrive("Gas price rises")
        desk.world.fire()
        desk.send()
        assert desk.rows(CHAT)[0].state is DeliveryState.SENT
        told = json.loads(receiver.got[0][2])
    assert told["title"] == f"gas: {item.title}" and item.url in told["message"] and told["topic"] == "gas-alerts"


@pytest.mark.parametrize(("status", "state"), [
    (500, DeliveryState.DEFERRED), ("close", DeliveryState.UNCERTAIN), (None, DeliveryState.DEFERRED)])
def test_a_chat_service_that_fails(desk: Desk, status: int | str | None, state: DeliveryState) -> None:
    with receiving(*([status] if status else [])) as receiver:
        desk.channel(CHAT, f"ntfy://127.0.0.1:{receiver.port if status else free_port()}/secret-topic")
        desk.world.arrive("Gas price rises")
        desk.world.fire()
        desk.send()
    (row,) = desk.rows(CHAT)
    assert row.state is state and "secret-topic" not in (row.last_error or "")


def test_a_chat_service_at_home_is_refused_by_the_guard(desk: Desk) -> None:
    with receiving() as receiver:
        desk.channel(CHAT, f"ntfy://127.0.0.1:{receiver.port}/topic")
        desk.world.arrive("Gas price rises")
        desk.world.fire()
        desk.send(desk.notifier(allow=()))
        assert desk.rows(CHAT)[0].state is DeliveryState.DEFERRED and not receiver.got


@pytest.mark.parametrize(("kind", "target"), [
    (WEBHOOK, ""), (WEBHOOK, "ftp://example.org/"), (WEBHOOK, "example.org/hook"), (WEBHOOK, "https://"),
    (WEBHOOK, "https://user:pass@example.org/"), (WEBHOOK, "https://example.org/" + "x" * 3000),
    (CHAT, ""), (CHAT, "json://127.0.0.1/"), (CHAT, "tgram://nonsense"), (CHAT, "mailto://a:b@example.org"),
])
def test_a_bad_address_is_refused(desk: Desk, kind: str, target: str) -> None:
    with pytest.raises(ChannelRefused, match=f"the {kind} address"):
        desk.channel(kind, target)


def test_secrets_are_not_shown() -> None:
    assert shown(WEBHOOK, "https://hooks.example:8443/T0/secret?key=1") == "https://hooks.example:8443/…"
    assert shown(CHAT, "tgram://123:secret/55") == "tgram://…" and shown(FEED, "abcdefgh") == "feed …efgh"


def test_adding_twice_changes_nothing_and_a_removed_channel_is_told_nothing(desk: Desk) -> None:
    with receiving() as receiver:
        first, again = desk.channel(WEBHOOK, receiver.url), desk.channel(WEBHOOK, receiver.url)
        assert first == again
        desk.world.arrive("Gas price rises")
        desk.world.fire()
        with desk.world.engine.begin() as conn:
            storage.remove(conn, first.id)
        desk.send()
        assert not receiver.got and desk.rows()[0].state is DeliveryState.FAILED


def test_rules_that_share_a_target_tell_it_together(desk: Desk) -> None:
    desk.world.rule("price", "price")
    with receiving() as receiver:
        desk.channel(WEBHOOK, receiver.url)
        desk.channel(WEBHOOK, receiver.url, "price")
        desk.world.arrive("Gas price rises")
        desk.world.fire()
        desk.send()
        assert sorted(verified(receiver)["rules"]) == ["gas", "price"] and len(receiver.got) == 1


def test_a_channel_that_fails_for_a_day_is_paused_and_its_owner_told_once(each: Desk) -> None:
    channel = each.channel(WEBHOOK, f"http://127.0.0.1:{free_port()}/hook")

    def look() -> list[Channel]:
        return alert_channels.pause_failing(each.world.engine, settings=SETTINGS, templates=template_texts(None),
                                            now=each.world.now)

    each.world.arrive("Gas price rises")
    each.world.fire()
    each.send()
    assert look() == []
    each.send(after=DAY)
    assert [one.id for one in look()] == [channel.id] and look() == []
    (note,) = [row for row in each.rows("mail") if row.subject.startswith("notice:channel:")]
    assert note.target == "ana@example.org"
    each.world.arrive("Gas pipeline bursts")
    each.world.fire()
    assert len(each.rows()) == 1  # it is told nothing more


def test_a_channel_that_answers_again_is_not_paused(desk: Desk) -> None:
    with receiving(500, 404) as receiver:
        desk.channel(WEBHOOK, receiver.url)
        for title in ("Gas price rises", "Gas pipeline bursts"):
            desk.world.arrive(title)
            desk.world.fire()
            desk.send()
        desk.send(after=DAY)
        assert not alert_channels.pause_failing(desk.world.engine, settings=SETTINGS, templates=template_texts(None),
                                                now=desk.world.now + DAY)


ATOM = "{http://www.w3.org/2005/Atom}"


def test_a_feed_shows_what_its_rule_told_to_who_knows_the_address(each: Desk) -> None:
    channel = each.channel(FEED, "")
    assert len(channel.target) >= 32
    first = each.world.arrive("Gas price rises & falls")
    each.world.fire()
    second = each.world.arrive("Gas pipeline bursts")
    each.world.fire()

    def read() -> str:
        with read_only(each.world.engine) as conn:
            return alert_channels.feed(conn, channel.target, SETTINGS, each.world.now)

    root = ElementTree.fromstring(read())
    entries = root.findall(f"{ATOM}entry")
    assert [one.findtext(f"{ATOM}title") for one in entries] == [second.title, first.title]
    assert len({one.findtext(f"{ATOM}id") for one in entries}) == 2 and read() == read()
    link = entries[0].find(f"{ATOM}link")
    assert link is not None and link.get("href") == second.url
    assert "the first item of the story" in (entries[0].findtext(f"{ATOM}summary") or "")
    assert not each.rows(FEED)
    with each.world.engine.begin() as conn:
        storage.set_state(conn, channel.id, "paused")
    for key in (channel.target, "nonsense", channel.target + "x"):
        with read_only(each.world.engine) as conn, pytest.raises(NotFound):
            alert_channels.feed(conn, key, SETTINGS, each.world.now)


def test_what_is_held_back_is_not_in_the_feed_before_its_time(desk: Desk) -> None:
    desk.world.rule("daily", "oil", cadence="daily", hour="07:00")
    channel = desk.channel(FEED, "", "daily")
    desk.world.arrive("Oil price rises")
    desk.world.fire()
    with read_only(desk.world.engine) as conn:
        assert "Oil price" not in alert_channels.feed(conn, channel.target, SETTINGS, desk.world.now)
        assert "Oil price" in alert_channels.feed(conn, channel.target, SETTINGS, desk.world.now + DAY)


def test_a_kind_that_nobody_knows_fails_with_its_name() -> None:
    parcel = Parcel("pigeon", "loft", "loft", "1", "News", "News")

    async def ready() -> None:
        raise AssertionError("nothing may be written")

    with pytest.raises(DeliveryError, match="pigeon"):
        asyncio.run(Channels({}).send(parcel, ready))
