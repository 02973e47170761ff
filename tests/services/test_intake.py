"""Mail that comes back, from the wire to the database: over LMTP, and out of a mailbox on a real Dovecot."""

import asyncio
import smtplib
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from digest.errors import MailboxError
from digest.mail.verp import return_path
from digest.model import BounceKind, Message
from digest.services import bounces, deliveries, leaving, subscribers
from digest.services.intake import Intake
from digest.services.replay import SimulatedClock
from digest.settings import BouncesSettings, ImapSettings, MailSettings, Settings
from digest.storage import deliveries as ledger
from digest.tokens import Signer
from tests.mail.imap_server import DOVECOT, ImapServer, imap_server
from tests.services.readers import with_newsletters

NOW = datetime(2026, 3, 20, 2, 0, tzinfo=UTC)
DAY = timedelta(days=1)
READER = "aigul@reader.example"
SIGNER = Signer(b"k" * 32)
DOMAIN = "bounce.example.org"
REPORT = """From: MAILER-DAEMON@mx.reader.example
To: {to}
Subject: {subject}
Message-ID: <{subject}@mx.reader.example>
Content-Type: multipart/report; report-type=delivery-status; boundary="x"

--x
Content-Type: message/delivery-status

Final-Recipient: rfc822; aigul@reader.example
Action: failed
Status: 5.1.1

--x--
"""


@pytest.fixture
def engine(sqlite_engine: Engine) -> Engine:
    with_newsletters(sqlite_engine)
    with sqlite_engine.begin() as conn:
        subscribers.subscribe(conn, "kazakhstan", READER, "operator", NOW)
    return sqlite_engine


def an_intake(engine: Engine, **settings: object) -> Intake:
    made = Settings(mail=MailSettings(bounce_domain=DOMAIN), **settings)  # type: ignore[arg-type]
    return Intake(engine, made, SIGNER, SimulatedClock(NOW), "a")


def mailed(engine: Engine, subject: str) -> str:
    """Queues a mail to the reader; returns its return path."""
    with engine.begin() as conn:
        deliveries.queue(conn, subject=subject, channel="mail", target=READER, message=Message("s", "h", "t"),
                         unsubscribe="subscription:1", due_at=NOW, now=NOW)
        return return_path(ledger.deliveries_of(conn, subject)[0].message_id, SIGNER.secret, DOMAIN)


def unsubscribing(engine: Engine) -> bytes:
    with engine.begin() as conn:
        [subscription] = subscribers.active_subscriptions(conn, "kazakhstan")
    token = SIGNER.sign("unsubscribe", leaving.subscription_mark(subscription.id))
    return f"From: {READER}\nTo: unsubscribe@example.org\nSubject: unsubscribe {token}\n\n".encode()


def during(intake: Intake, client: Callable[[], object]) -> None:
    async def run() -> None:
        async with intake.running():
            await asyncio.to_thread(client)

    asyncio.run(run())


def test_a_mail_server_hands_bounces_and_unsubscribe_mail_over(engine: Engine, tmp_path: Path) -> None:
    path = mailed(engine, "edition:kazakhstan/2026-03-20")
    socket = tmp_path / "lmtp"
    forged = "b+" + "a" * 40 + "@" + DOMAIN
    report = REPORT.format(to=path, subject="one").encode()
    refused: list[object] = []

    def client() -> None:
        with smtplib.LMTP(str(socket)) as session:
            session.sendmail("", [path], report)
            session.sendmail("", [path], report)  # the same again, as after a lost answer
            session.sendmail(READER, ["unsubscribe@example.org"], unsubscribing(engine))
            for recipient, raw in ((forged, report), ("news@example.org", b"Subject: Dear editors\n\nHello")):
                with pytest.raises((smtplib.SMTPRecipientsRefused, smtplib.SMTPDataError)) as error:
                    session.sendmail(READER, [recipient], raw)
                refused.append(error.value.args)

    during(an_intake(engine, bounces=BouncesSettings(lmtp=f"unix:{socket}")), client)
    assert refused == [({forged: (550, b"5.1.1 no such return path")},),
                       (550, b"5.6.0 takes delivery reports and unsubscribe requests alone")]
    with engine.begin() as conn:
        [stored] = bounces.recent(conn, limit=10)
        assert (stored.target, stored.origin, stored.kind) == (READER, "lmtp", BounceKind.HARD)
        assert subscribers.active_subscriptions(conn, "kazakhstan") == []


BOUND: list[object] = []  # addresses that sockets of this process were bound to
sys.addaudithook(lambda event, args: BOUND.append(args[1]) if event == "socket.bind" else None)


@pytest.mark.parametrize("is_set", [False, True])
def test_nothing_is_listened_on_unless_it_is_set(engine: Engine, tmp_path: Path, is_set: bool) -> None:
    path = str(tmp_path / "lmtp")
    intake = an_intake(engine, **({"bounces": BouncesSettings(lmtp=f"unix:{path}")} if is_set else {}))
    BOUND.clear()
    during(intake, lambda: None)
    assert BOUND == ([path] if is_set else [])


@pytest.mark.parametrize("where", ["0.0.0.0:24", "192.0.2.1:24", "localhost", "127.0.0.1:lmtp"])
def test_the_listener_is_for_this_machine_alone(where: str) -> None:
    with pytest.raises(ValueError):
        BouncesSettings(lmtp=where)


@pytest.fixture(scope="module")
def server() -> Iterator[ImapServer]:
    if DOVECOT is None:
        pytest.skip("no Dovecot: tools/need.sh dovecot")
    with imap_server() as running:
        yield running


def test_a_mailbox_is_read_where_it_was_left(engine: Engine, server: ImapServer) -> None:
    imap = ImapSettings.model_validate({
        "host": "localhost", "port": server.port, "username": "bounces", "password": "secret", "delete": True,
        "tls_ca_file": str(server.certificate)})
    intake = an_intake(engine, imap=imap)
    first = mailed(engine, "edition:kazakhstan/2026-03-20")
    server.deliver(REPORT.format(to=first, subject="first").encode())
    server.deliver(b"From: a@x.example\nSubject: a letter\n\nHello")
    server.deliver(REPORT.format(to="news@example.org", subject="unproven").encode())
    assert intake.look() == {"stored": 1, "no report": 1, "unproven": 1}
    assert set(server.mails()) == {"a letter", "unproven"}  # what is not ours is not touched
    assert intake.look() == {}
    server.deliver(unsubscribing(engine))
    assert intake.look() == {"left": 1}
    with engine.begin() as conn:
        assert bounces.score(conn, READER, NOW) == 1.0
        assert subscribers.active_subscriptions(conn, "kazakhstan") == []


def test_a_mailbox_that_cannot_be_read_is_an_error_and_is_free_again(engine: Engine) -> None:
    intake = an_intake(engine, imap=ImapSettings(host="127.0.0.1", port=1))
    for holder in ("a", "b"):
        with pytest.raises(MailboxError):
            Intake(engine, intake.settings, SIGNER, intake.clock, holder).look()
