"""Mail that comes back: whose it is of, what it counts, and what it ends."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.header import Header

import pytest
from sqlalchemy import Connection, Engine

from digest.mail.verp import return_path
from digest.model import BounceKind, Message
from digest.services import bounces, deliveries, leaving, returns, subscribers
from digest.services.returns import Returned
from digest.settings import MailSettings, Settings, SiteSettings
from digest.storage import deliveries as ledger
from digest.tokens import Signer
from tests.services.readers import with_newsletters

NOW = datetime(2026, 3, 20, 2, 0, tzinfo=UTC)
DAY = timedelta(days=1)
READER = "aigul@reader.example"
SIGNER = Signer(b"k" * 32)
SETTINGS = Settings(site=SiteSettings(url="https://news.example.org"),
                    mail=MailSettings(bounce_domain="bounce.example.org"))


@pytest.fixture
def engine(engine: Engine) -> Engine:
    with_newsletters(engine)
    with engine.begin() as conn:
        subscribers.subscribe(conn, "kazakhstan", READER, "operator", NOW)
    return engine


def mailed(conn: Connection, day: int = 0) -> str:
    """Queues and claims an edition's mail to the reader; returns its return path."""
    now = NOW + day * DAY
    deliveries.queue(conn, subject=f"edition:kazakhstan/{now:%Y-%m-%d}", channel="mail", target=READER,
                     message=Message("s", "h", "t"), unsubscribe="subscription:1", due_at=now, now=now)
    row = ledger.deliveries_of(conn, f"edition:kazakhstan/{now:%Y-%m-%d}")[0]
    return return_path(row.message_id, SIGNER.secret, "bounce.example.org")


def token(conn: Connection, kind: str = "unsubscribe") -> str:
    subscription = subscribers.subscriptions_to(conn, "kazakhstan")[0]
    return SIGNER.sign(kind, leaving.subscription_mark(subscription.id))


def report(to: str = "bounces@example.org", *, status: str = "5.1.1", named: str = READER, returned: str = "",
           number: int = 1) -> bytes:
    return f"""From: MAILER-DAEMON@mx.reader.example
To: {to}
Subject: Undelivered Mail Returned to Sender
Message-ID: <{number}@mx.reader.example>
Content-Type: multipart/report; report-type=delivery-status; boundary="x"

--x
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.reader.example

Final-Recipient: rfc822; {named}
Action: failed
Status: {status}

--x
Content-Type: text/rfc822-headers

Subject: Kazakhstan News
{returned}

--x--
""".encode()


def take_in(conn: Connection, raw: bytes, *, recipient: str | None = None, now: datetime = NOW) -> returns.Taken:
    return returns.take_in(conn, Returned(raw, "lmtp", recipient), settings=SETTINGS, signer=SIGNER, now=now)


def test_a_report_to_a_return_path_of_ours_counts_for_its_reader(engine: Engine) -> None:
    with engine.begin() as conn:
        taken = take_in(conn, report(), recipient=mailed(conn))
        assert taken.outcome == "stored" and taken.bounce is not None
        assert (taken.bounce.target, taken.bounce.subject) == (READER, "edition:kazakhstan/2026-03-20")
        assert (taken.bounce.kind, taken.bounce.enhanced) == (BounceKind.HARD, "5.1.1")
        assert bounces.score(conn, READER, NOW) == 1.0
        take_in(conn, report(number=2), recipient=mailed(conn, 1), now=NOW + DAY)
        assert (bounces.suppressed(conn, READER) or "").startswith("bounced: user-unknown 5.1.1")


def test_the_same_report_counts_once_whatever_servers_wrote_on_top(engine: Engine) -> None:
    with engine.begin() as conn:
        path = mailed(conn)
        assert take_in(conn, report(), recipient=path).outcome == "stored"
        again = b"Received: from elsewhere\r\nX-Spam: no\r\n" + report().replace(b"\n", b"\r\n")
        assert take_in(conn, again, recipient=path, now=NOW + DAY).outcome == "known"
        assert len(bounces.recent(conn, limit=10)) == 1


def test_the_ledger_says_whose_mail_it_was_not_the_report(engine: Engine) -> None:
    """A mail that was forwarded bounces for an address that we do not know."""
    with engine.begin() as conn:
        taken = take_in(conn, report(named="other@elsewhere.example"), recipient=mailed(conn))
        assert taken.bounce is not None and taken.bounce.target == READER
        assert taken.bounce.text.startswith("other@elsewhere.example")
        assert bounces.recent(conn, limit=10, target="other@elsewhere.example") == []


def test_the_return_path_is_found_in_the_header_and_in_what_came_back(engine: Engine) -> None:
    with engine.begin() as conn:
        path = mailed(conn)
        assert take_in(conn, report(to=path)).outcome == "stored"
        upper = f"Return-Path: <{path.upper()}>"  # some servers change the case
        assert take_in(conn, report(returned=upper, number=2)).outcome == "stored"


def test_an_unsubscribe_link_of_ours_proves_whose_mail_it_was(engine: Engine) -> None:
    with engine.begin() as conn:
        link = f"List-Unsubscribe: <https://news.example.org/u/{token(conn)}>,\n <mailto:x@example.org>"
        taken = take_in(conn, report(returned=link, named="somebody@elsewhere.example"))
        assert taken.outcome == "stored" and taken.bounce is not None and taken.bounce.target == READER


def test_a_report_that_proves_nothing_counts_for_nobody(engine: Engine) -> None:
    """Or anybody could stop anybody's mail."""
    with engine.begin() as conn:
        for number in range(5):
            assert take_in(conn, report(number=number), now=NOW + number * DAY).outcome == "unproven"
        assert bounces.suppressed(conn, READER) is None
        stored = bounces.recent(conn, limit=10)
        assert len(stored) == 5
        assert {(b.target, b.kind, b.points) for b in stored} == {(None, BounceKind.HARD, 0.0)}


@pytest.mark.parametrize("change", [
    lambda path: path.replace("b+", "b+a", 1),  # too long
    lambda path: "b+" + "a" * 40 + "@bounce.example.org",  # another name with a guessed HMAC
    lambda path: "b+@bounce.example.org",
    lambda path: "B+nothing@BOUNCE.example.org",
])
def test_a_forged_return_path_is_refused_and_nothing_is_stored(
    engine: Engine, change: Callable[[str], str]
) -> None:
    with engine.begin() as conn:
        path = mailed(conn)
        assert not returns.is_forged(path, SETTINGS, SIGNER)
        forged = change(path)
        assert returns.is_forged(forged, SETTINGS, SIGNER)
        assert take_in(conn, report(), recipient=forged).outcome == "forged"
        assert take_in(conn, report(to=forged)).outcome == "forged"
        assert bounces.recent(conn, limit=10) == []


def test_a_return_path_of_another_instance_is_forged(engine: Engine) -> None:
    foreign = return_path("0" * 32, b"other key", "bounce.example.org")
    with engine.begin() as conn:
        assert take_in(conn, report(), recipient=foreign).outcome == "forged"


def test_a_complaint_that_brings_our_mail_back_suppresses_at_once(engine: Engine) -> None:
    with engine.begin() as conn:
        link = f"List-Unsubscribe: <https://news.example.org/u/{token(conn)}>"
        raw = report(returned=link).replace(b"Content-Type: message/delivery-status",
                                            b"Content-Type: message/feedback-report\n\nFeedback-Type: abuse")
        assert take_in(conn, raw).outcome == "stored"
        assert (bounces.suppressed(conn, READER) or "").startswith("complaint")


def test_of_several_recipients_the_readers_own_counts_else_the_mildest(engine: Engine) -> None:
    block = "Final-Recipient: rfc822; {}\nAction: failed\nStatus: {}\n\n"
    with engine.begin() as conn:
        path = mailed(conn)
        for number, (blocks, expected) in enumerate((
            (block.format("x@y.example", "5.1.1") + block.format(READER, "5.2.2"), BounceKind.SOFT),
            (block.format("x@y.example", "5.2.2") + block.format(READER, "5.1.1"), BounceKind.HARD),
            (block.format("x@y.example", "5.1.1") + block.format("z@y.example", "5.7.1"), BounceKind.POLICY),
        )):
            raw = report(number=number).replace(f"Final-Recipient: rfc822; {READER}\nAction: failed\nStatus: 5.1.1\n"
                                                .encode(), blocks.encode())
            taken = take_in(conn, raw, recipient=path)
            assert taken.bounce is not None and taken.bounce.kind is expected


@pytest.mark.parametrize("subject", ["unsubscribe {}", "UNSUBSCRIBE  {}", "Re: unsubscribe {}", "Отв: unsubscribe {}"])
def test_a_mail_with_the_signed_token_ends_the_subscription(engine: Engine, subject: str) -> None:
    with engine.begin() as conn:
        written = Header(subject.format(token(conn))).encode()
        raw = f"From: {READER}\nTo: unsubscribe@example.org\nSubject: {written}\n\n".encode()
        taken = take_in(conn, raw)
        assert (taken.outcome, taken.what) == ("left", "Kazakhstan News")
        assert subscribers.active_subscriptions(conn, "kazakhstan") == []
        assert take_in(conn, raw).outcome == "left"  # twice is once


def test_a_folded_token_is_put_together(engine: Engine) -> None:
    with engine.begin() as conn:
        whole = token(conn)
        raw = f"From: x@y.example\nSubject: unsubscribe\n {whole[:30]}\n {whole[30:]}\n\n".encode()
        assert take_in(conn, raw).outcome == "left"


@pytest.mark.parametrize("subject", ["unsubscribe", "unsubscribe me please, you people", "unsubscribe " + "x" * 900])
def test_a_mail_without_a_token_of_ours_ends_nothing(engine: Engine, subject: str) -> None:
    with engine.begin() as conn:
        for said in (subject, f"unsubscribe {token(conn, 'confirm')}"):
            raw = f"From: {READER}\nTo: unsubscribe@example.org\nSubject: {said}\n\nunsubscribe".encode()
            assert take_in(conn, raw).outcome == "no report"
        assert len(subscribers.active_subscriptions(conn, "kazakhstan")) == 1


def test_bytes_that_no_database_takes_are_stored_without_them(engine: Engine) -> None:
    with engine.begin() as conn:
        raw = report().replace(b"Status: 5.1.1", b"Status: 5.1.1\n"
                               b"Diagnostic-Code: smtp; 550 \xd0\x9d\xff\x00 unknown user")
        taken = take_in(conn, raw, recipient=mailed(conn))
        assert taken.outcome == "stored"
        assert "unknown user" in bounces.recent(conn, limit=1)[0].text


@pytest.mark.parametrize("raw", [b"", b"\xff\xfe\x00", b"Subject: =?x?q?=FF?=\n\n", b"\n\n" + b"a" * 9])
def test_noise_is_no_report(engine: Engine, raw: bytes) -> None:
    with engine.begin() as conn:
        assert take_in(conn, raw).outcome == "no report"
