"""Kills `digest serve` while it mails: python -m bench.crash [--recipients 20000] [--kills 50] [--database URL]

One process on SQLite; with --database, two on one PostgreSQL. smtp-sink takes the mail and writes down each one whose
final dot came; its dumps are counted, and our tables are asked only for what they list as uncertain. A kill comes at
a random moment, while mail is left; the killed process is started again at once. Prints, as its last line,
`lost L, duplicate D, uncertain U`, and ends with 1 unless nobody is lost, nobody got two, and no kill left more
uncertain than it had connections open. With --signal TERM processes are stopped and not killed: nothing is uncertain.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Engine

from bench.sink import SmtpSink
from digest.model import DeliveryState, Message
from digest.services import leaving
from digest.storage import deliveries as storage
from digest.storage import ledger_rows
from digest.storage.engine import open_engine, read_only
from digest.storage.migrate import migrate

CONNECTIONS = 10  # of each process
STOP_SECONDS = 90  # a stopped process ends within
END_SECONDS = 300  # after the last kill all is settled within
STILL_SECONDS = 20  # without a mail, nothing more is being sent
DOCUMENTS = {
    "newsletters/steppe.toml": 'name = "Steppe News"\nregion = "Kazakhstan"\nsources = ["wire"]\n',
    "sources/wire.toml": ('[[sources]]\nslug = "wire"\nname = "Steppe Wire"\n[[sources.feeds]]\n'
                          'url = "http://127.0.0.1:9/feed"\nregion = "Kazakhstan"\nlanguage = "en"\n'),
}


@dataclass
class Stage:
    """An instance with mail in its ledger, its server and the processes that send."""

    root: Path
    url: str
    sink: SmtpSink
    subject: str
    processes: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    def start(self) -> None:
        environment = {
            **os.environ, "DIGEST_SMTP__HOST": "127.0.0.1", "DIGEST_SMTP__PORT": str(self.sink.port),
            "DIGEST_SMTP__TLS": "none", "DIGEST_SMTP__CONNECTIONS": str(CONNECTIONS), "DIGEST_DATABASE__URL": self.url}
        with (self.root / f"serve-{len(self.processes) % 2}.log").open("ab") as log:
            self.processes.append(subprocess.Popen(
                [sys.executable, "-m", "digest", "--instance", str(self.root), "serve", "--port", "0"],
                env=environment, stdout=log, stderr=log))

    def end(self, process: "subprocess.Popen[bytes]", how: signal.Signals) -> None:
        process.send_signal(how)
        process.wait(STOP_SECONDS)
        self.processes.remove(process)

    def listed(self, state: DeliveryState) -> list[dict[str, str]]:
        """What the command line lists in a state."""
        environment = {**os.environ, "DIGEST_DATABASE__URL": self.url}
        listed = subprocess.run(
            [sys.executable, "-m", "digest", "--instance", str(self.root), "deliveries", "list", "--json", "--state",
             state.value, "--subject", self.subject, "--limit", "1000000"],
            env=environment, check=True, capture_output=True, text=True)
        return [json.loads(line) for line in listed.stdout.splitlines()]


def addresses(count: int) -> list[str]:
    return [f"reader{number:06}@readers.example" for number in range(count)]


def queue(engine: Engine, subject: str, recipients: int, kilobytes: int) -> None:
    """One message for so many readers."""
    now, filler = datetime.now(UTC), "<p>Bridge over the Irtysh reopens to lorries after the flood.</p>\n"
    html = filler * (kilobytes * 1024 // len(filler)) + "%%reason%% <a href='%%unsubscribe%%'>leave</a>"
    message = Message("Steppe News", html, "News.\n%%reason%%\n%%unsubscribe%%")
    with engine.begin() as conn:
        key = storage.store_message(conn, message)
        for target in addresses(recipients):
            storage.insert(conn, subject=subject, channel="mail", target=target, message_id=key,
                           mail_id=f"{subject.rpartition('/')[2]}.{target.partition('@')[0]}",
                           unsubscribe=leaving.TEST, due_at=now, now=now)


@contextmanager
def stage(recipients: int, database: str, kilobytes: int) -> Iterator[Stage]:
    """An instance with queued mail in a throw-away folder, and the server that takes it."""
    with tempfile.TemporaryDirectory(prefix="digest-crash-") as folder:
        root = Path(folder)
        for name, text in DOCUMENTS.items():
            path = root / "config" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        url = database or f"sqlite:///{root / 'var' / 'digest.sqlite3'}"
        subject = f"edition:crash/{datetime.now(UTC):%Y%m%d%H%M%S%f}"
        engine = open_engine(url)
        migrate(engine)
        queue(engine, subject, recipients, kilobytes)
        engine.dispose()
        with SmtpSink(dumps=True) as sink:
            made = Stage(root, url, sink, subject)
            try:
                yield made
            finally:
                for process in made.processes:
                    process.kill()
                    process.wait()


def kill_often(stage: Stage, recipients: int, kills: int, processes: int, how: signal.Signals, seed: int) -> int:
    """Kills at random moments, spread over the mail that is left; returns how many came while mail was left."""
    chance, landed = random.Random(seed), 0
    for _ in range(processes):
        stage.start()
    for number in range(kills):
        accepted = stage.sink.accepted()
        goal = accepted + chance.uniform(0.1, 1.5) * (recipients - accepted) / (kills - number)
        reached = _awaited(stage, min(goal, recipients - 1))
        time.sleep(chance.random() * 0.02)
        landed += reached and stage.sink.accepted() < recipients
        stage.end(chance.choice(stage.processes), how)
        stage.start()
    return landed


def _awaited(stage: Stage, goal: float) -> bool:
    """Whether so many mails came; not where none comes any more, for what is in doubt may never have been written."""
    accepted, since = stage.sink.accepted(), time.monotonic()
    while accepted < goal:
        if all(process.poll() is not None for process in stage.processes):
            raise RuntimeError(f"digest serve ended by itself: {_log(stage)}")
        time.sleep(0.002)
        before, accepted = accepted, stage.sink.accepted()
        if accepted != before:
            since = time.monotonic()
        elif time.monotonic() - since > STILL_SECONDS:
            return False
    return True


def wait_for_end(stage: Stage) -> None:
    """Waits until nothing is due and nothing being sent; then stops the processes."""
    engine, deadline = open_engine(stage.url), time.monotonic() + END_SECONDS
    settled = {DeliveryState.SENT, DeliveryState.UNCERTAIN, DeliveryState.FAILED}
    while time.monotonic() < deadline:
        with read_only(engine) as conn:
            if set(ledger_rows.counts(conn, stage.subject)[stage.subject]) <= settled:
                break
        time.sleep(0.2)
    engine.dispose()
    for process in list(stage.processes):
        stage.end(process, signal.SIGTERM)


def _log(stage: Stage) -> str:
    return "".join(path.read_text()[-2000:] for path in sorted(stage.root.glob("serve-*.log")))


def judge(stage: Stage, recipients: int, most: int) -> tuple[str, bool]:
    """The last line, and whether all is as it must be: at most `most` uncertain of one process."""
    stage.sink.settled()
    taken, wanted = stage.sink.recipients(), set(addresses(recipients))
    uncertain = stage.listed(DeliveryState.UNCERTAIN)
    lost = wanted - set(taken) - {row["target"] for row in uncertain}
    twice = [target for target, count in taken.items() if count > 1]
    by_process = Counter((row["holder"] or "?").partition("/")[0] for row in uncertain)
    worst = max(by_process.values(), default=0)
    arrived = sum(row["target"] in taken for row in uncertain)
    print(f"taken {sum(taken.values())} of {recipients}; of the uncertain {arrived} arrived; "
          f"of one process at most {worst} are uncertain, with {CONNECTIONS} connections")
    for target in [*sorted(lost)[:5], *sorted(twice)[:5]]:
        print(f"  {target}: taken {taken[target]} times")
    good = not lost and not twice and worst <= most and set(taken) <= wanted
    return f"lost {len(lost)}, duplicate {len(twice)}, uncertain {len(uncertain)}", good


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipients", type=int, default=20_000)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--database", default="", metavar="URL", help="an empty PostgreSQL database")
    parser.add_argument("--processes", type=int, help="[1; 2 with --database]")
    parser.add_argument("--signal", choices=("KILL", "TERM"), default="KILL")
    parser.add_argument("--kilobytes", type=int, default=2, help="of each mail's HTML")
    parser.add_argument("--seed", type=int, default=20230320)
    options = parser.parse_args(arguments)
    processes = options.processes or (2 if options.database else 1)
    how = signal.Signals[f"SIG{options.signal}"]
    began = time.monotonic()
    with stage(options.recipients, options.database, options.kilobytes) as made:
        landed = kill_often(made, options.recipients, options.kills, processes, how, options.seed)
        wait_for_end(made)
        print(f"{options.kills} times SIG{options.signal} to one of {processes}, {landed} of them while mail was left, "
              f"in {time.monotonic() - began:.0f} s")
        line, good = judge(made, options.recipients, CONNECTIONS if how is signal.SIGKILL else 0)
    print(line)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
