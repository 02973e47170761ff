"""Sending: real SMTP, a real ledger, and nobody twice."""

import asyncio
import email
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.policy import default
from pathlib import Path

import pytest
from sqlalchemy import Engine, insert

from digest.errors import SendRefused
from digest.mail.outbox import OutboxMailer
from digest.mail.pool import SmtpMailer
from digest.model import Delivery, DeliveryState, Message
from digest.ports import Envelope, Mailer
from digest.services import deliveries, envelopes, leaving, subscribers
from digest.services.deliveries import SendReport
from digest.services.ledger import LEASE
from digest.settings import MailSettings, Settings, SiteSettings, SmtpSettings
from digest.storage import claims
from digest.storage import deliveries as ledger
from digest.storage.schema import newsletters
from digest.tokens import Signer
from tests.smtp_sink import Sink

NOW = datetime(2023, 3, 20, 2, 0, tzinfo=UTC)
SIGNER = Signer(b"k" * 32)
MESSAGE = Message("Kazakhstan News", "<p>%%reason%% <a href='%%unsubscribe%%'>leave</a></p>",
                  "%%reason%%\n%%unsubscribe%%")
EDITION = "edition:kazakhstan/2023-03-20"


class StoppedClock:
    def __init__(self, now: datetime = NOW):
        self.time = now

    def now(self) -> datetime:
        return self.time


def settings_for(sink: Sink | None = None, **site: str) -> Settings:
    smtp = SmtpSettings(host="127.0.0.1", port=sink.port, tls="none", timeout_seconds=2) if sink else SmtpSettings()
    return Settings(site=SiteSettings(url="https://digest.example.org", **site), smtp=smtp)


def queue(engine: Engine, *targets: str, subject: str = EDITION, unsubscribe: str = leaving.TEST,
          due_at: datetime = NOW) -> int:
    with engine.begin() as conn:
        return sum(deliveries.queue(conn, subject=subject, channel=envelopes.MAIL, target=target, message=MESSAGE,
                                    unsubscribe=unsubscribe, due_at=due_at, now=NOW) for target in targets)


def send(engine: Engine, mailer: Mailer, *, now: datetime = NOW, settings: Settings | None = None, holder: str = "a",
         limit: int | None = None, on_sent: Callable[[Delivery], None] | None = None) -> SendReport:
    async def run() -> SendReport:
        try:
            return await deliveries.send_due(engine, mailer, StoppedClock(now), settings=settings or settings_for(),
                                             signer=SIGNER, holder=holder, limit=limit, on_sent=on_sent)
        finally:
            await mailer.close()

    return asyncio.run(run())


def send_to(engine: Engine, sink: Sink, **options: object) -> SendReport:
    settings = settings_for(sink)
    return send(engine, SmtpMailer(settings.smtp), settings=settings, **options)  # type: ignore[arg-type]


def rows(engine: Engine, subject: str = EDITION) -> list[Delivery]:
    with engine.begin() as conn:
        return ledger.deliveries_of(conn, subject)


def add_newsletter(engine: Engine, slug: str = "kazakhstan", name: str = "Kazakhstan News") -> None:
    with engine.begin() as conn:
        conn.execute(insert(newsletters).values(slug=slug, name=name))


def test_each_reader_gets_one_mail_however_often_it_runs(engine: Engine, sink: Sink) -> None:
    targets = [f"reader{n}@example.org" for n in range(10)]
    assert queue(engine, *targets) == 10
    assert queue(engine, *targets) == 0
    sent: list[Delivery] = []
    assert send_to(engine, sink, on_sent=sent.append) == SendReport(sent=10)
    assert send_to(engine, sink) == SendReport()
    assert sorted(sink.recipients) == sorted(targets)
    assert sorted(d.target for d in sent) == sorted(targets)
    assert {row.state for row in rows(engine)} == {DeliveryState.SENT}


def test_a_limit_and_a_due_time_hold_mail_back(sqlite_engine: Engine, sink: Sink) -> None:
    queue(sqlite_engine, "a@example.org", "b@example.org", "c@example.org")
    queue(sqlite_engine, "later@example.org", due_at=NOW + timedelta(minutes=1))
    assert send_to(sqlite_engine, sink, limit=2) == SendReport(sent=2, remaining=1)
    assert send_to(sqlite_engine, sink) == SendReport(sent=1)
    assert send_to(sqlite_engine, sink, now=NOW + timedelta(minutes=1)) == SendReport(sent=1)


def test_450_is_tried_again_and_550_is_not(sqlite_engine: Engine, sink: Sink) -> None:
    sink.rcpt = {"busy@example.org": "450 4.2.1 busy", "gone@example.org": "550 5.1.1 no such user"}
    queue(sqlite_engine, "busy@example.org", "gone@example.org", "fine@example.org")
    report = send_to(sqlite_engine, sink)
    assert (report.sent, report.deferred, report.failed, report.uncertain) == (1, 1, 1, 0)
    busy, gone, _ = rows(sqlite_engine)
    assert (busy.state, gone.state) == (DeliveryState.DEFERRED, DeliveryState.FAILED)
    assert "450 4.2.1 busy" in (busy.last_error or "")
    sink.rcpt = {}
    assert send_to(sqlite_engine, sink, now=NOW + timedelta(seconds=59)) == SendReport()
    assert send_to(sqlite_engine, sink, now=NOW + timedelta(seconds=60)).sent == 1
    assert sorted(sink.recipients) == ["busy@example.org", "fine@example.org"]


def test_a_disconnect_after_data_is_uncertain_and_never_sent_again(sqlite_engine: Engine, sink: Sink) -> None:
    sink.drop_after_data = True
    queue(sqlite_engine, "a@example.org")
    assert send_to(sqlite_engine, sink).uncertain == 1
    sink.drop_after_data = False
    assert send_to(sqlite_engine, sink, now=NOW + timedelta(days=1)) == SendReport()
    assert rows(sqlite_engine)[0].state is DeliveryState.UNCERTAIN
    assert sink.recipients == ["a@example.org"]


def test_while_the_server_is_down_mail_waits(sqlite_engine: Engine) -> None:
    settings = Settings(smtp=SmtpSettings(host="127.0.0.1", port=9, tls="none", timeout_seconds=1))
    queue(sqlite_engine, *(f"reader{n}@example.org" for n in range(30)))
    report = send(sqlite_engine, SmtpMailer(settings.smtp), settings=settings)
    assert (report.sent, report.failed, report.uncertain) == (0, 0, 0)
    assert 1 <= report.deferred <= 8  # the run ends early; what it did not try stays due
    assert report.deferred + report.remaining == 30
    assert report.error


def test_two_senders_at_one_time_send_nothing_twice(engine: Engine, sink: Sink) -> None:
    targets = [f"reader{n}@example.org" for n in range(40)]
    queue(engine, *targets)
    settings = settings_for(sink)

    async def both() -> list[SendReport]:
        mailers = [SmtpMailer(settings.smtp), SmtpMailer(settings.smtp)]
        reports = await asyncio.gather(*(
            deliveries.send_due(engine, mailer, StoppedClock(), settings=settings, signer=SIGNER, holder=f"p{number}")
            for number, mailer in enumerate(mailers)))
        await asyncio.gather(*(mailer.close() for mailer in mailers))
        return reports

    reports = asyncio.run(both())
    assert sum(report.sent for report in reports) == 40
    assert sorted(sink.recipients) == sorted(targets)


def test_cancelling_finishes_the_mails_in_flight(sqlite_engine: Engine, sink: Sink) -> None:
    sink.data_delay_seconds = 0.2
    queue(sqlite_engine, *(f"reader{n}@example.org" for n in range(40)))
    settings = settings_for(sink)

    async def run() -> None:
        mailer = SmtpMailer(settings.smtp)
        task = asyncio.create_task(deliveries.send_due(
            sqlite_engine, mailer, StoppedClock(), settings=settings, signer=SIGNER, holder="a"))
        await asyncio.to_thread(sink.taken.wait, 10)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await mailer.close()

    asyncio.run(run())
    states = [row.state for row in rows(sqlite_engine)]
    assert set(states) == {DeliveryState.SENT, DeliveryState.QUEUED}
    assert states.count(DeliveryState.SENT) == len(sink.recipients) < 40


def test_what_an_ended_process_held_is_settled(sqlite_engine: Engine, sink: Sink) -> None:
    queue(sqlite_engine, "claimed@example.org", "written@example.org")
    with sqlite_engine.begin() as conn:
        _, written = claims.claim(conn, now=NOW, holder="dead", until=NOW + LEASE, limit=2, domain="x.net")
        claims.mark_data(conn, [written.id], "dead")
    assert send_to(sqlite_engine, sink) == SendReport(remaining=2)
    report = send_to(sqlite_engine, sink, now=NOW + LEASE * 2)
    assert (report.sent, report.uncertain) == (1, 1)
    assert sink.recipients == ["claimed@example.org"]


def test_the_outbox_writes_a_whole_mail_for_each_reader(sqlite_engine: Engine, tmp_path: Path) -> None:
    queue(sqlite_engine, "a@example.org", "b@example.org")
    assert send(sqlite_engine, OutboxMailer(tmp_path / "out")) == SendReport(sent=2)
    mails = [email.message_from_bytes(path.read_bytes(), policy=default) for path in (tmp_path / "out").iterdir()]
    assert sorted(mail["To"] for mail in mails) == ["a@example.org", "b@example.org"]
    assert {f"<{row.message_id}>" for row in rows(sqlite_engine)} == {mail["Message-ID"] for mail in mails}


def test_the_mail_says_of_which_list_it_is_and_how_to_leave(sqlite_engine: Engine, tmp_path: Path) -> None:
    add_newsletter(sqlite_engine)
    with sqlite_engine.begin() as conn:
        reader = subscribers.subscribe(conn, "kazakhstan", "reader@example.org", "operator", NOW).subscription
    mark = leaving.subscription_mark(reader.id)
    queue(sqlite_engine, "reader@example.org", unsubscribe=mark)
    assert send(sqlite_engine, OutboxMailer(tmp_path / "out")).sent == 1
    [path] = (tmp_path / "out").iterdir()
    mail = email.message_from_bytes(path.read_bytes(), policy=default)
    assert mail["From"] == "Kazakhstan News <news@digest.example.org>"
    assert mail["List-Id"] == '"Kazakhstan News" <kazakhstan.digest.example.org>'
    link = mail["List-Unsubscribe"].split(">")[0].lstrip("<")
    assert link.startswith("https://digest.example.org/u/")
    assert SIGNER.read("unsubscribe", link.rpartition("/")[2], NOW) == mark
    text = mail.get_body(("plain",)).get_content()  # type: ignore[attr-defined]
    assert "added to the readers of Kazakhstan News" in text and link in text


def test_mail_for_a_reader_who_left_is_withdrawn(sqlite_engine: Engine, sink: Sink) -> None:
    add_newsletter(sqlite_engine)
    with sqlite_engine.begin() as conn:
        reader = subscribers.subscribe(conn, "kazakhstan", "reader@example.org", "operator", NOW).subscription
    queue(sqlite_engine, "reader@example.org", unsubscribe=leaving.subscription_mark(reader.id))
    with sqlite_engine.begin() as conn:
        leaving.leave(conn, leaving.subscription_mark(reader.id), NOW)
    report = send_to(sqlite_engine, sink)
    assert (report.sent, report.failed, report.error) == (0, 1, "the reader left before it was sent")
    assert sink.recipients == []


@pytest.mark.parametrize(("target", "mark"), [("no address", leaving.TEST), ("a@example.org", "nonsense")])
def test_one_bad_row_does_not_stop_the_others(sqlite_engine: Engine, sink: Sink, target: str, mark: str) -> None:
    queue(sqlite_engine, target, unsubscribe=mark, subject="edition:bad")
    queue(sqlite_engine, "fine@example.org")
    report = send_to(sqlite_engine, sink)
    assert (report.sent, report.failed) == (1, 1)
    assert sink.recipients == ["fine@example.org"]


def test_a_mailer_that_breaks_is_an_outcome(sqlite_engine: Engine) -> None:
    class Broken:
        capacity = 1

        async def send(self, envelope: Envelope, before_data: Callable[[], object]) -> None:
            raise RuntimeError("bug")

        async def close(self) -> None:
            return None

    queue(sqlite_engine, "a@example.org")
    report = send(sqlite_engine, Broken())  # type: ignore[arg-type]
    assert report == SendReport(deferred=1, error="a@example.org: RuntimeError: bug")


@pytest.mark.parametrize(("host", "site", "missing"), [
    ("smtp.example.org", {}, "site.url and site.postal_address are not set"),
    ("smtp.example.org", {"url": "https://digest.example.org"}, "site.postal_address is not set"),
    ("smtp.example.org", {"postal_address": "Street 1"}, "site.url is not set"),
    ("smtp.example.org", {"url": "http://digest.example.org", "postal_address": "Street 1"}, "is not https"),
    ("10.0.0.5", {}, "site.url and site.postal_address are not set"),
])
def test_a_remote_server_needs_a_site_and_an_address(host: str, site: dict[str, str], missing: str) -> None:
    settings = Settings(smtp=SmtpSettings(host=host), site=SiteSettings(**site))
    with pytest.raises(SendRefused, match=missing):
        deliveries.check_may_send(settings)


@pytest.mark.parametrize("settings", [
    Settings(), Settings(smtp=SmtpSettings(host="localhost")), Settings(smtp=SmtpSettings(host="127.0.0.1")),
    Settings(smtp=SmtpSettings(host="::1")),
    Settings(smtp=SmtpSettings(host="smtp.example.org"), site=SiteSettings(url="https://x.net", postal_address="A")),
])
def test_mail_that_stays_here_or_is_complete_may_go(settings: Settings) -> None:
    assert deliveries.check_may_send(settings) is None  # it raises where mail may not leave


def test_a_draft_has_the_same_bytes_twice() -> None:
    settings = Settings(mail=MailSettings(sender="Desk <desk@example.org>"))
    drafts = [envelopes.draft(MESSAGE, target="me@example.org", settings=settings, now=NOW) for _ in range(2)]
    standing = leaving.Standing("Only a look.")
    first, second = (envelopes.envelope(d, standing, settings=settings, signer=SIGNER, now=NOW) for d in drafts)
    assert first.data == second.data
    assert first.sender == "desk@example.org"


def test_a_mail_says_in_its_own_language_why_it_comes(engine: Engine, sink: Sink) -> None:
    russian = Message(MESSAGE.subject, MESSAGE.html, MESSAGE.text, {"Content-Language": "ru"})
    with engine.begin() as conn:
        deliveries.queue(conn, subject=EDITION, channel=envelopes.MAIL, target="reader@example.org", message=russian,
                         unsubscribe=leaving.TEST, due_at=NOW, now=NOW)
    assert send_to(engine, sink).sent == 1
    mail = email.message_from_bytes(sink.contents[0], policy=default)
    body = mail.get_body(("plain",))
    assert mail["Content-Language"] == "ru"
    assert body is not None and "кто-то отправил на этот адрес пробное письмо" in body.get_content()
