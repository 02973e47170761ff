"""kill -9 while mail is being sent: nobody gets two, and nobody is lost who is not listed as uncertain.

Counted from what the SMTP server accepted, not from our tables.
"""

import random
import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

from digest.model import DeliveryState, Message
from digest.services import deliveries, envelopes, leaving
from digest.settings import SmtpSettings
from digest.storage import deliveries as ledger
from tests.smtp_sink import Sink

SCRIPT = Path(__file__).with_name("send_process.py")
READERS = [f"reader{number:03}@example.org" for number in range(300)]
KILLS = 6
SESSIONS = SmtpSettings().connections
EDITION = "edition:kazakhstan/2023-03-20"


@pytest.fixture
def url(engine: Engine) -> str:
    """A database, on each kind, with one mail queued for each reader."""
    now = datetime.now(UTC)
    message = Message("Kazakhstan News", "<p>%%reason%% %%unsubscribe%%</p>", "%%reason%% %%unsubscribe%%")
    with engine.begin() as conn:
        for target in READERS:
            deliveries.queue(conn, subject=EDITION, channel=envelopes.MAIL, target=target, message=message,
                             unsubscribe=leaving.TEST, due_at=now, now=now)
    return engine.url.render_as_string(hide_password=False)


def start(url: str, sink: Sink, minutes_ahead: int) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, str(SCRIPT), url, str(sink.port), str(minutes_ahead)],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def stop_after(process: subprocess.Popen[str], sink: Sink, more: int, how: signal.Signals) -> str:
    """Waits until the server has taken `more` mails (or the process ended), ends the process, returns its errors."""
    goal = len(sink.recipients) + more
    while len(sink.recipients) < goal and process.poll() is None:
        time.sleep(0.001)
    process.send_signal(how)
    _, errors = process.communicate(timeout=60)
    return errors


def states(engine: Engine) -> dict[DeliveryState, set[str]]:
    with engine.begin() as conn:
        rows = ledger.deliveries_of(conn, EDITION)
    return {state: {row.target for row in rows if row.state is state} for state in DeliveryState}


def test_kill_9_sends_nothing_twice_and_loses_nothing_unlisted(engine: Engine, url: str, sink: Sink) -> None:
    chance = random.Random(20230320)
    for number in range(KILLS):
        stop_after(start(url, sink, number * 10), sink, chance.randint(5, 45), signal.SIGKILL)
    last = start(url, sink, KILLS * 10)
    _, errors = last.communicate(timeout=90)
    assert last.returncode == 0, errors
    time.sleep(0.2)  # what a killed process had written is taken by now
    taken = Counter(sink.recipients)
    assert [reader for reader, times in taken.items() if times > 1] == []
    by_state = states(engine)
    assert set(READERS) - set(taken) <= by_state[DeliveryState.UNCERTAIN]
    assert by_state[DeliveryState.SENT] <= set(taken)
    assert len(by_state[DeliveryState.UNCERTAIN]) <= KILLS * SESSIONS
    assert by_state[DeliveryState.SENT] | by_state[DeliveryState.UNCERTAIN] == set(READERS)


def test_sigterm_leaves_nothing_uncertain(engine: Engine, url: str, sink: Sink) -> None:
    for number in range(2):
        errors = stop_after(start(url, sink, number * 10), sink, 20, signal.SIGTERM)
        assert errors == ""
        assert states(engine)[DeliveryState.SENDING] == set()
    last = start(url, sink, 20)
    _, errors = last.communicate(timeout=90)
    assert last.returncode == 0, errors
    assert sorted(sink.recipients) == READERS
    assert states(engine)[DeliveryState.SENT] == set(READERS)
