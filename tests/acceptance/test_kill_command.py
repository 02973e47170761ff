"""kill -9 during `digest send` and a second run: nobody gets the edition twice, and who is left is listed."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from digest.demo import NEWSLETTER, demo_app, run
from digest.services import subscribers
from digest.settings import SmtpSettings
from tests.smtp_sink import Sink

READERS = [f"reader{number:03}@readers.example" for number in range(60)]
KILLS = 3


@pytest.fixture
def instance(tmp_path: Path) -> Path:
    """The demo's instance with its edition approved and READERS who have not got it."""
    root = tmp_path / "demo"
    with demo_app(root) as app:
        asyncio.run(run(app))
        with app.engine.begin() as conn:
            for reader in READERS:
                subscribers.subscribe(conn, NEWSLETTER, reader, "operator", datetime.now(UTC))
    return root


def send(root: Path, sink: Sink) -> subprocess.Popen[str]:
    environment = {**os.environ, "DIGEST_SMTP__HOST": "127.0.0.1", "DIGEST_SMTP__PORT": str(sink.port),
                   "DIGEST_SMTP__TLS": "none"}
    return subprocess.Popen([sys.executable, "-m", "digest", "--instance", str(root), "send", NEWSLETTER],
                            env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def uncertain(root: Path) -> set[str]:
    engine = create_engine(f"sqlite:///{root / 'var' / 'digest.sqlite3'}")
    with engine.begin() as conn:
        rows = conn.execute(text("SELECT target FROM deliveries WHERE state = 'uncertain'")).scalars().all()
    engine.dispose()
    return set(rows)


def test_nobody_gets_the_edition_twice(instance: Path, sink: Sink) -> None:
    for number in range(1, KILLS + 1):
        process = send(instance, sink)
        while len(sink.recipients) < number * 12 and process.poll() is None:
            time.sleep(0.001)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    last = send(instance, sink)
    output, _ = last.communicate(timeout=90)
    assert last.returncode == 0, output
    taken = Counter(sink.recipients)
    assert [reader for reader, times in taken.items() if times > 1] == []
    assert set(READERS) - set(taken) <= uncertain(instance)
    assert len(uncertain(instance)) <= KILLS * SmtpSettings().connections
    again = send(instance, sink)
    output, _ = again.communicate(timeout=90)
    assert "Nothing sent twice" in output
    assert Counter(sink.recipients) == taken
