"""How fast mail goes out: python -m bench.send [--mails N] [--connections N] [--rounds N] [--message-kb N]

One run hands the same mail, multipart of 43 KB by default, to one smtp-sink in turns by

- smtp-source, Postfix's load generator, over N connections (10);
- smtplib of the standard library, over one connection, with one prebuilt message;
- our two kinds of session, each in a fresh process: N mails (3,000) of one edition to N subscribers, queued in a
  durable SQLite ledger, built, signed with RSA-2048 and handed over by the service that always sends.

Figures are the best of the rounds. CPU is that of all threads of the sending process, from the first claim to the last
outcome; memory is the peak of its whole life. The last lines say what no sender on this machine goes below: what the
sink takes for a mail of smtp-source, and a bare RSA signature and SHA-256. Needs Linux and Postfix's test programs.
"""

import argparse
import asyncio
import hashlib
import json
import os
import random
import resource
import smtplib
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, insert

from bench.sink import SmtpSink, program
from digest.mail.dkim import Key, new_key
from digest.mail.pool import SmtpMailer
from digest.model import REASON_MARK, UNSUBSCRIBE_MARK, Message
from digest.ports import Envelope
from digest.services import deliveries, envelopes, leaving, subscribers
from digest.services.envelopes import Envelopes
from digest.settings import Settings, SiteSettings, SmtpSettings
from digest.storage.engine import open_engine
from digest.storage.migrate import migrate
from digest.storage.schema import newsletters
from digest.tokens import Signer

SLUG, NAME = "kazakhstan", "Kazakhstan News"
SUBJECT = f"edition:{SLUG}/2026-03-20"
SENDER, RECIPIENT = "news@digest.example.org", "reader@example.net"
SIGNER = Signer(b"k" * 32)
CORES = len(os.sched_getaffinity(0))
SAMPLE = 400  # mails for the costs of single parts
PART = 0.4  # of smtp-source's pace, what the pipelining session aims at
KINDS = {"pipelining": True, "aiosmtplib": False}


class WallClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Sending:
    """One of our runs. CPU in milliseconds a mail: all, and what single parts of it cost when done alone."""

    sent: int
    per_second: float
    cpu: float
    message: float
    signature: float
    session: float
    peak_mb: float

    @property
    def rest(self) -> float:
        """The ledger, and the run round it."""
        return self.cpu - self.message - self.signature - self.session


@dataclass(frozen=True, slots=True)
class Floor:
    """CPU milliseconds of a mail that nobody saves: the receiving side's, and the bare signature and hash."""

    sink: float
    signature: float
    hash: float

    @property
    def total(self) -> float:
        return self.sink + self.signature + self.hash

    def left_at(self, per_second: float) -> float:
        """CPU milliseconds of a mail that this pace leaves on all cores for everything else."""
        return 1000 * CORES / per_second - self.total


def edition(kilobytes: int) -> Message:
    """A message whose mail has about so many KB: the same at every call."""
    chance = random.Random(20260320)
    words = ["".join(chance.choices("abcdefghiklmnoprstuvw", k=chance.randint(2, 9))) for _ in range(800)]
    texts, size = [], 0
    while size < kilobytes * 1024 * 0.352:
        texts.append(" ".join(chance.choices(words, k=36)).capitalize() + ".")
        size += len(texts[-1])
    leave = f'<p>{REASON_MARK} <a href="{UNSUBSCRIBE_MARK}">Unsubscribe</a></p>'
    html = "".join(f'<h3 style="margin:0"><a href="https://example.org/{n}">{text[:60]}</a></h3>\n<p>{text}</p>\n'
                   for n, text in enumerate(texts))
    text = "\n\n".join(texts)
    return Message(f"{NAME}: 20 March", f'<html lang="en"><body>{html}{leave}</body></html>',
                   f"{text}\n\n{REASON_MARK}\n{UNSUBSCRIBE_MARK}\n")


def queue(conn: Connection, message: Message, count: int) -> None:
    """An edition in the ledger, to so many subscribers."""
    now = WallClock().now()
    conn.execute(insert(newsletters).values(slug=SLUG, name=NAME))
    for number in range(count):
        reader = subscribers.subscribe(conn, SLUG, f"reader{number}@example.net", "bench", now).subscription
        deliveries.queue(conn, subject=SUBJECT, channel=envelopes.MAIL, target=reader.subscriber.email,
                         message=message, unsubscribe=leaving.subscription_mark(reader.id), due_at=now, now=now)


def ours(port: int, *, pipelining: bool, mails: int, connections: int, kilobytes: int) -> Sending:
    """Sends an edition with the product's own service, in this process."""
    settings = Settings(
        site=SiteSettings(url="https://digest.example.org", postal_address="1 Abay Avenue, Almaty"),
        smtp=SmtpSettings(host="127.0.0.1", port=port, tls="none", connections=connections, pipelining=pipelining))
    message, keys = edition(kilobytes), [new_key("s1", "rsa")]
    with tempfile.TemporaryDirectory(prefix="digest-bench-") as folder:
        engine = open_engine(f"sqlite:///{folder}/bench.sqlite3")
        migrate(engine)
        with engine.begin() as conn:
            queue(conn, message, mails)

        async def send() -> deliveries.SendReport:
            mailer = SmtpMailer(settings.smtp)
            try:
                return await deliveries.send_due(engine, mailer, WallClock(), settings=settings, signer=SIGNER,
                                                 holder="bench", keys=keys)
            finally:
                await mailer.close()

        wall, cpu = time.perf_counter(), time.process_time()
        report = asyncio.run(send())
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        engine.dispose()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Sending(report.sent, report.sent / wall, 1000 * cpu / max(report.sent, 1), *_parts(settings, message, keys),
                   peak)


def _parts(settings: Settings, message: Message, keys: list[Key]) -> tuple[float, float, float]:
    """CPU milliseconds a mail of building it, of signing it, and of its session."""
    delivery = envelopes.draft(message, target=RECIPIENT, settings=settings, now=WallClock().now())
    standing = leaving.Standing("You get this because you signed up.", SLUG, NAME)
    plain, signed = (Envelopes(settings, SIGNER, signing) for signing in ((), keys))
    mail = signed.write(delivery, standing, delivery.due_at)
    built = _alone(lambda: plain.write(delivery, standing, delivery.due_at))
    whole = _alone(lambda: signed.write(delivery, standing, delivery.due_at))
    return built, whole - built, asyncio.run(_session_cpu(settings.smtp, mail))


async def _session_cpu(settings: SmtpSettings, mail: Envelope) -> float:
    """CPU milliseconds of a mail handed over again and again through all open connections, with no ledger to tell."""
    mailer = SmtpMailer(settings)

    async def nothing() -> None: ...

    async def work(mails: Iterator[int]) -> None:
        for _ in mails:
            await mailer.send(mail, nothing)

    for count in (settings.connections * 3, SAMPLE):  # the first ones open the sessions
        began, mails = time.process_time(), iter(range(count))
        await asyncio.gather(*(work(mails) for _ in range(settings.connections)))
    cost = 1000 * (time.process_time() - began) / SAMPLE
    await mailer.close()
    return cost


def floor(sink: SmtpSink, data: bytes, *, mails: int, connections: int) -> Floor:
    """What a mail with these bytes costs the sink when smtp-source sends it, and cryptography and hashlib alone."""
    key, before = new_key("s1", "rsa"), _cpu_seconds(sink.pid)
    smtp_source(sink.port, mails=mails, connections=connections, size=len(data))
    taken = _cpu_seconds(sink.pid) - before
    return Floor(1000 * taken / mails, _alone(lambda: key.sign(data[:1000])),
                 _alone(lambda: hashlib.sha256(data).digest()))


def _alone(work: Callable[[], object]) -> float:
    """CPU milliseconds of one call."""
    began = time.process_time()
    for _ in range(SAMPLE):
        work()
    return 1000 * (time.process_time() - began) / SAMPLE


def _cpu_seconds(pid: int) -> float:
    """CPU seconds of a process so far."""
    user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def smtp_source(port: int, *, mails: int, connections: int, size: int) -> float:
    """Mails a second of Postfix's own generator."""
    began = time.perf_counter()
    subprocess.run([program("smtp-source"), "-d", "-s", str(connections), "-m", str(mails), "-l", str(size),
                    "-f", SENDER, "-t", RECIPIENT, f"127.0.0.1:{port}"], check=True)
    return mails / (time.perf_counter() - began)


def standard_library(port: int, *, mails: int, data: bytes) -> float:
    """Mails a second of smtplib with one prebuilt message, over one connection."""
    began = time.perf_counter()
    with smtplib.SMTP("127.0.0.1", port) as session:
        for _ in range(mails):
            session.sendmail(SENDER, [RECIPIENT], data)
    return mails / (time.perf_counter() - began)


def prebuilt(kilobytes: int) -> bytes:
    """A signed mail of the edition."""
    settings, message = Settings(site=SiteSettings(url="https://digest.example.org")), edition(kilobytes)
    draft = envelopes.draft(message, target=RECIPIENT, settings=settings, now=WallClock().now())
    standing = leaving.Standing("You get this because you signed up.", SLUG, NAME)
    return Envelopes(settings, SIGNER, [new_key("s1", "rsa")]).write(draft, standing, draft.due_at).data


def _in_new_process(kind: str, port: int, options: argparse.Namespace) -> Sending:
    command = [sys.executable, "-m", "bench.send", "--only", kind, "--port", str(port), "--mails", str(options.mails),
               "--connections", str(options.connections), "--message-kb", str(options.message_kb)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True,
                          cwd=Path(__file__).resolve().parent.parent)
    return Sending(**json.loads(done.stdout.splitlines()[-1]))


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.send", description=__doc__.splitlines()[0])
    parser.add_argument("--mails", type=int, default=3000)
    parser.add_argument("--connections", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--message-kb", type=int, default=43)
    parser.add_argument("--only", choices=KINDS, help=argparse.SUPPRESS)  # in a process of its own
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> None:
    options = _options(arguments)
    if options.only:
        done = ours(options.port, pipelining=KINDS[options.only], mails=options.mails,
                    connections=options.connections, kilobytes=options.message_kb)
        print(json.dumps(asdict(done)))
        return
    data = prebuilt(options.message_kb)
    print(f"{options.mails} mails of {len(data) / 1024:.1f} KB, {options.connections} connections, "
          f"best of {options.rounds} rounds")
    source, library, best, floors = 0.0, 0.0, dict[str, Sending](), list[Floor]()
    with SmtpSink() as sink:
        port = sink.port
        for _ in range(options.rounds):
            pace = smtp_source(port, mails=options.mails, connections=options.connections, size=len(data))
            source, library = max(source, pace), max(library, standard_library(port, mails=options.mails, data=data))
            for kind in KINDS:
                done = _in_new_process(kind, port, options)
                best[kind] = max(best.get(kind, done), done, key=lambda sending: sending.per_second)
            floors.append(floor(sink, data, mails=options.mails, connections=options.connections))
    _show(source, library, best)
    _show_floor(min(floors, key=lambda floor: floor.total), source, best["pipelining"])


def _show(source: float, library: float, best: dict[str, Sending]) -> None:
    print(f"smtp-source: {source:.0f}/s\nsmtplib, one connection: {library:.0f}/s")
    for kind, done in best.items():
        print(f"{kind}: {done.per_second:.0f}/s ({done.sent} sent), {done.per_second / source:.2f} of smtp-source, "
              f"{done.per_second / library:.2f} of smtplib, {done.cpu:.2f} ms CPU a mail, peak {done.peak_mb:.0f} MB")
        print(f"  of it: message {done.message:.3f}, DKIM {done.signature:.3f}, session {done.session:.3f}, "
              f"ledger and run {done.rest:.3f} ms")


def _show_floor(floor: Floor, source: float, done: Sending) -> None:
    ceiling, aim = 1000 * CORES / floor.total, PART * source
    rest, share = done.cpu - floor.signature - floor.hash, done.per_second / ceiling
    print(f"floor: sink {floor.sink:.3f}, RSA signature {floor.signature:.3f}, SHA-256 {floor.hash:.3f} ms CPU a mail: "
          f"{ceiling:.0f}/s on {CORES} cores if nothing else cost anything; pipelining: {share:.2f} of it")
    print(f"{PART} of smtp-source, {aim:.0f}/s, leaves {floor.left_at(aim):.3f} ms on all cores for everything else; "
          f"pipelining takes {rest:.3f}")


if __name__ == "__main__":
    main()
