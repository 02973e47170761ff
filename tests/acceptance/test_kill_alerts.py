"""kill -9 anywhere between a story event and the channel's answer: no alert is lost, and none comes twice.

Counted from what the SMTP server and the webhooks' receiver took, not from our tables. The one exception is what was
handed over and whose answer was lost: it is listed as uncertain.
"""

import email
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select

from digest.alert_rules import WEBHOOK, AlertSpec
from digest.model import DeliveryState, Join
from digest.services import alert_channels, alert_rules
from digest.storage import items, stories
from digest.storage.engine import read_only
from digest.storage.schema import alerts, bundles, deliveries, messages
from tests.notify_server import Receiver, receiving
from tests.smtp_sink import Sink
from tests.storage.worlds import a_feed, add_feed, an_item

ROOT = Path(__file__).resolve().parent.parent.parent
SCRIPT = Path(__file__).with_name("alert_process.py")
OWNERS = [f"reader{number:02}@example.org" for number in range(40)]
DESK = [f"desk{number}@example.org" for number in range(5)]
HOOKS = [f"/hook?{number}" for number in range(12)]
KILLS = 10
FEED = a_feed()

pytestmark = pytest.mark.accept


@pytest.fixture
def hooks() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def rules(engine: Engine, hooks: Receiver) -> None:
    """A rule each for forty people, and one of the desk that goes to five of them and to twelve webhooks."""
    now = datetime.now(UTC) - timedelta(hours=1)
    with engine.begin() as conn:
        add_feed(conn, FEED)
        for owner in OWNERS:
            alert_rules.add(conn, f"gas of {owner}", AlertSpec(query="gas", ceiling=0), owner, now)
        alert_rules.add(conn, "desk", AlertSpec(query="gas AND fields", ceiling=0), None, now, to=DESK)
        for path in HOOKS:
            alert_channels.add(conn, "desk", WEBHOOK, f"http://127.0.0.1:{hooks.port}{path}", now)


def happen(engine: Engine, number: int) -> None:
    """A new story, which every rule matches."""
    now = datetime.now(UTC)
    item = an_item(FEED, str(number), title=f"Gas fields number {number:03} opened", first_seen_at=now)
    with engine.begin() as conn:
        items.store(conn, FEED, [item], now)
        stories.record_joins(conn, [Join(item.id, item.id, now, 1.0)])


def start(engine: Engine, sink: Sink, minutes_ahead: int) -> subprocess.Popen[str]:
    url = engine.url.render_as_string(hide_password=False)
    return subprocess.Popen([sys.executable, str(SCRIPT), url, str(sink.port), str(minutes_ahead)],
                            env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True)


def counted(engine: Engine, table: object) -> int:
    with read_only(engine) as conn:
        return int(conn.execute(select(func.count()).select_from(table)).scalar_one())  # type: ignore[call-overload]


def kill_when(process: subprocess.Popen[str], count: Callable[[], int], more: int) -> None:
    """Kills the process once so many more are counted, if it has not ended before."""
    goal = count() + more
    while process.poll() is None and count() < goal:
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)


def told(contents: list[bytes]) -> Counter[tuple[str, str]]:
    """How often each address was told of each story, by the number in its title."""
    found: Counter[tuple[str, str]] = Counter()
    for content in contents:
        mail = email.message_from_bytes(content)
        part = next(part for part in mail.walk() if part.get_content_type() == "text/plain")
        payload = part.get_payload(decode=True)
        assert isinstance(payload, bytes)
        for number in {word for line in payload.decode().splitlines() for word in line.split() if word.isdecimal()
                       and len(word) == 3}:
            found[str(mail["To"]), number] += 1
    return found


def posted(receiver: Receiver) -> Counter[tuple[str, str]]:
    """How often each webhook was told of each story, by the number in its title."""
    return Counter((path, story["headline"].split()[3]) for path, _, body in receiver.got
                   for story in json.loads(body)["stories"])


def name(target: str) -> str:
    """A target as it was counted: an address, or the path of a webhook."""
    return target[target.index("/hook"):] if "/hook" in target else target


def test_kill_9_loses_no_alert_and_doubles_none(engine: Engine, rules: None, sink: Sink, hooks: Receiver) -> None:
    chance = random.Random(20230320)
    watched: list[Callable[[], int]] = [
        lambda: counted(engine, alerts), lambda: counted(engine, bundles), lambda: counted(engine, deliveries),
        lambda: len(sink.recipients), lambda: len(hooks.got)]
    for number in range(KILLS):
        happen(engine, number)
        process = start(engine, sink, number * 10)
        kill_when(process, watched[number % len(watched)], chance.randint(1, 12 if number % len(watched) == 4 else 30))
    for number in (KILLS, KILLS + 1):
        last = start(engine, sink, number * 10)
        _, errors = last.communicate(timeout=120)
        assert last.returncode == 0, errors
    time.sleep(0.2)  # what a killed process had written is taken by now
    found = told(sink.contents) + posted(hooks)
    with read_only(engine) as conn:
        rows = conn.execute(select(deliveries.c.target, messages.c.text, deliveries.c.state).join(
            messages, messages.c.id == deliveries.c.message_id)).all()
    uncertain = {(name(row.target), f"{number:03}") for row in rows if row.state == DeliveryState.UNCERTAIN.value
                 for number in range(KILLS) if f"{number:03} " in row.text.replace("\n", " ")}
    wanted = {(target, f"{number:03}") for target in (*OWNERS, *DESK, *HOOKS) for number in range(KILLS)}
    assert [pair for pair, times in found.items() if times > 1] == []
    assert wanted - set(found) <= uncertain
    assert set(found) <= wanted
    assert {row.state for row in rows} <= {DeliveryState.SENT.value, DeliveryState.UNCERTAIN.value}
