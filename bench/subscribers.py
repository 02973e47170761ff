"""What many subscribers cost: python -m bench.subscribers [--readers N] [--database URL] [--seed N]

import: see bench/imports.py. Each row is read, checked and stored; beside it what bare inserts of those rows take.

queue: an edition of 15 generated stories is queued for N readers (100,000) of one newsletter, of whom some have an hour
and a zone of their own (12 zones), another interface language, hidden sections, one language read or text alone; some
read on weekdays or weekly, some are paused or just back from a pause: for them the ledger is asked what they got of the
fourteen editions before. Wall and CPU time, memory while it goes on, and beside it what the same rows take that are
inserted with nothing else done. The same readers every time.
"""

import argparse
import os
import random
import resource
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, insert, select, text

from bench import imports
from bench.edition import CUTOFF, generated
from digest.documents import Configuration, Newsletter, read_configuration
from digest.model import Message, Period
from digest.pipeline.compose import compose
from digest.pipeline.render import own_templates
from digest.pipeline.slots import release_of
from digest.pipeline.view import EditionView, sha256, to_json
from digest.resources import packaged_config_dir, template_texts
from digest.services import desk, releases
from digest.services.config import packaged_gazetteer, read_files
from digest.services.deliveries import mail_name
from digest.settings import Instance, Settings
from digest.storage import deliveries as ledger
from digest.storage import editions as storage
from digest.storage.config import mirror
from digest.storage.editions import EditionRow, edition_name
from digest.storage.engine import open_engine
from digest.storage.migrate import migrate
from digest.storage.schema import deliveries, subscribers, subscriptions
from digest.storage.upsert import insert_quietly

NEWSLETTER = "kazakhstan"
DAY = timedelta(days=1)
BEFORE = 14  # editions that were released before the one that is queued
STORIES = 40  # from which the newsletter takes about 15 into its mail
ZONES = ("Asia/Almaty", "Asia/Tashkent", "Asia/Bishkek", "Europe/Moscow", "Europe/Berlin", "Europe/London",
         "Asia/Dubai", "America/New_York", "America/Los_Angeles", "Asia/Kathmandu", "Australia/Lord_Howe", "Asia/Tokyo")
LANGUAGES = ("ru", "kk", "uz", "ky", "tg")
CHUNK = 5000


@dataclass
class Gauge:
    """Megabytes of this process at tenths of the work."""

    at: dict[int, float] = field(default_factory=dict)

    def __call__(self, done: int, total: int) -> None:
        for tenth in (1, 5, 10):
            if done * 10 >= total * tenth:
                self.at.setdefault(tenth, resident_megabytes())


    def __str__(self) -> str:
        return (f"memory {self.at[1]:.0f} MB at a tenth, {self.at[5]:.0f} MB at half, "
                f"{self.at[10]:.0f} MB at the end")


def resident_megabytes() -> float:
    """What this process holds in memory now; where the system does not say, the most it ever held."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def reader(number: int, chance: random.Random, today: Any) -> dict[str, Any]:
    """The columns of one reader's subscription: most want the newsletter as it is."""
    def some(share: float, value: Any, otherwise: Any = None) -> Any:
        return value if chance.random() < share else otherwise

    own_hour = some(0.3, f"{chance.randrange(24):02}:{chance.choice(('00', '30'))}")
    sections = ("latest", "brief", "more", "topic-politics", "topic-economy")
    hidden = sorted(chance.sample(sections, chance.randint(1, 3))) if chance.random() < 0.15 else []
    paused = chance.random()
    until = today + 9 * DAY if paused < 0.03 else today if paused < 0.05 else None
    return {
        "subscriber_id": number, "newsletter": NEWSLETTER, "state": "active", "created_at": CUTOFF - 90 * DAY,
        "changed_at": CUTOFF - 90 * DAY, "hidden_sections": str(hidden).replace("'", '"'),
        "frequency": chance.choices(("daily", "weekdays", "weekly"), (8, 1, 1))[0],
        "paused_until": until.isoformat() if until else None, "hour": own_hour,
        "zone": chance.choice(ZONES) if own_hour else None, "language": some(0.12, chance.choice(LANGUAGES)),
        "read_languages": some(0.1, '["en"]', "[]"), "format": some(0.15, "text", "html"),
    }


def fill(engine: Engine, count: int, seed: int) -> None:
    """Stores so many readers with preferences, as an import and their own visits would."""
    chance, today = random.Random(seed), CUTOFF.date()
    for start in range(0, count, CHUNK):
        numbers = range(start + 1, min(start + CHUNK, count) + 1)
        with engine.begin() as conn:
            conn.execute(insert(subscribers), [
                {"id": n, "email": f"reader{n}@example{n % 500}.org", "consent_source": "operator",
                 "created_at": CUTOFF - 90 * DAY} for n in numbers])
            conn.execute(insert(subscriptions), [reader(n, chance, today) for n in numbers])


def release_earlier(engine: Engine, views: Sequence[EditionView], newsletter: Newsletter) -> None:
    """Stores released editions of the days before; who was not paused got each of them."""
    subjects = []
    for view in views[1:]:
        date = datetime.fromisoformat(view.date).date()
        with engine.begin() as conn:
            id_ = insert_edition(conn, view, newsletter, "sent")
            storage.mark_queued(conn, id_, CUTOFF)
        subjects.append(f"edition:{edition_name(NEWSLETTER, date, Period.DAILY)}")
    with engine.begin() as conn:
        message_id = ledger.store_message(conn, Message("Earlier", "<p>Earlier</p>", "Earlier"))
        rows = conn.execute(select(subscribers.c.email, subscriptions.c.paused_until).join(
            subscriptions, subscriptions.c.subscriber_id == subscribers.c.id)).all()
        last = subjects[0]
        for start in range(0, len(rows), CHUNK):  # yesterday's went to all, but those who were paused got an older one
            conn.execute(insert(deliveries), [
                row_of(last if row.paused_until is None else subjects[-1], row.email, message_id) for row in
                rows[start:start + CHUNK]])


def row_of(subject: str, target: str, message_id: str) -> dict[str, Any]:
    """A row of the ledger that was sent."""
    return {"subject": subject, "channel": "mail", "target": target, "message_id": message_id,
            "mail_id": mail_name(subject, "mail", target), "unsubscribe": "test", "state": "sent", "due_at": CUTOFF,
            "next_attempt_at": CUTOFF, "attempts": 1, "queued_at": CUTOFF, "sent_at": CUTOFF}


def insert_edition(conn: Any, view: EditionView, newsletter: Newsletter, state: str) -> int:
    """Stores a view as an edition of its day."""
    date = datetime.fromisoformat(view.date).date()
    id_ = storage.insert_edition(
        conn, newsletter=NEWSLETTER, date=date, cutoff_at=CUTOFF, built_at=CUTOFF, config_version=1,
        view_text=to_json(view), view_sha256=sha256(view), templates=own_templates(template_texts(None), NEWSLETTER),
        stories=(), state=state, release_at=release_of(newsletter, date))
    assert id_ is not None
    return id_


def views_of(configuration: Configuration) -> list[EditionView]:
    """The edition of today and those of the days before it, newest first, each with stories of its own."""
    inputs = generated(configuration, STORIES * (BEFORE + 1))
    found = []
    for number in range(BEFORE + 1):
        stories = inputs.stories[number * STORIES:(number + 1) * STORIES]
        day = replace(inputs, stories=stories, date=inputs.date - number * DAY)
        found.append(replace(compose(day).view, site_url="https://news.example.org"))
    return found


def prepared(engine: Engine, configuration: Configuration, count: int, seed: int) -> EditionRow:
    """The approved edition of today in a database with readers and earlier editions."""
    newsletter = configuration.newsletters[NEWSLETTER]
    views = views_of(configuration)
    with engine.begin() as conn:
        mirror(conn, configuration, CUTOFF - 90 * DAY)
    fill(engine, count, seed)
    release_earlier(engine, views, newsletter)
    with engine.begin() as conn:
        insert_edition(conn, views[0], newsletter, "draft")
        draft = storage.edition_of(conn, NEWSLETTER, CUTOFF.date())
        if conn.dialect.name == "postgresql":
            conn.execute(text("ANALYZE"))  # which a server does by itself within a minute of so many rows
    assert draft is not None
    return desk.approve(engine, draft, newsletter, Settings(), template_texts(None), actor="bench", now=CUTOFF,
                        despite_errors=True).edition


def queue(engine: Engine, configuration: Configuration, count: int, seed: int) -> None:
    """Queues the edition for everybody and prints what that took."""
    edition = prepared(engine, configuration, count, seed)
    gauge, wall, cpu = Gauge(), time.perf_counter(), time.process_time()
    queued = releases.queue_deliveries(engine, edition, configuration.newsletters[NEWSLETTER], Settings(),
                                       now=CUTOFF, on_progress=gauge)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    floor = bare_insert(engine, edition.subject)
    with engine.connect() as conn:
        variants = storage.variants_of(conn, edition.id)
        hours = conn.execute(text("SELECT count(DISTINCT due_at) FROM deliveries WHERE subject = :subject"),
                             {"subject": edition.subject}).scalar_one()
    since = sum("since" in name for name in variants)
    print(f"queue: {count:,} readers in {wall:.1f} s ({cpu:.1f} s CPU): {queued.new:,} mails at {hours} instants, "
          f"{len(variants)} variants, {since} with missed editions")
    print(f"queue: {wall / floor:.1f} times what bare inserts of those rows take ({floor:.1f} s); {gauge}")


def bare_insert(engine: Engine, subject: str) -> float:
    """Seconds that the rows of a subject take to be inserted again under another, with nothing else done."""
    with engine.connect() as conn:
        found = [dict(row) for row in conn.execute(
            select(deliveries).where(deliveries.c.subject == subject)).mappings()]
    rows = [{name: value for name, value in row.items() if name != "id"} for row in found]
    rows = [{**row, "subject": f"{subject}/again", "mail_id": f"{row['mail_id']}/again"} for row in rows]
    start = time.perf_counter()
    for number in range(0, len(rows), CHUNK):
        with engine.begin() as conn:
            insert_quietly(conn, deliveries, rows[number:number + CHUNK])
    return time.perf_counter() - start


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.subscribers", description=__doc__.splitlines()[0])
    parser.add_argument("--readers", type=int, default=100_000)
    parser.add_argument("--database", metavar="URL", help="an empty PostgreSQL database [a SQLite file]")
    parser.add_argument("--seed", type=int, default=20260320)
    options = parser.parse_args(arguments)
    configuration = read_configuration(read_files(Instance(packaged_config_dir().parent)), packaged_gazetteer())
    with tempfile.TemporaryDirectory(prefix="bench-subscribers-") as folder:
        engine = open_engine(options.database or f"sqlite:///{folder}/bench.sqlite3")
        try:
            migrate(engine)
            gauge = Gauge()
            imports.measure(engine, configuration, Path(folder), options.readers, options.seed, NEWSLETTER, gauge)
            print(gauge)
            queue(engine, configuration, options.readers, options.seed)
        finally:
            engine.dispose()


if __name__ == "__main__":
    main()
