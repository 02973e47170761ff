"""Reports of mail servers, as they write them, and what each says of its reader."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.mail.bounces import MAX_BYTES, read
from digest.mail.failures import Failure
from digest.model import BounceKind

RETURNED = """Return-Path: <b+token@bounce.example.org>
From: News <news@example.org>
To: aigul@reader.example
Subject: Kazakhstan News: mailbox full of stories, no such user is blocked as spam
List-Unsubscribe: <https://example.org/u/TOKEN>,
 <mailto:unsubscribe@example.org?subject=unsubscribe%20TOKEN>

Text.
"""


def a_report(status: str, human: str = "Your message could not be delivered.", *, last: str = RETURNED) -> bytes:
    """A multipart/report (RFC 3462) with these fields of a recipient."""
    return f"""From: MAILER-DAEMON@mx.reader.example
To: b+token@bounce.example.org
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="x"

--x
Content-Type: text/plain; charset=utf-8

{human}
--x
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.reader.example

{status}

--x
Content-Type: message/rfc822

{last}
--x--
""".encode()


def fields(status: str, diagnostic: str = "", action: str = "failed") -> str:
    lines = [f"Final-Recipient: rfc822; aigul@reader.example\nAction: {action}\nStatus: {status}"]
    return "\n".join([*lines, f"Diagnostic-Code: smtp; {diagnostic}"] if diagnostic else lines)


def a_text(body: str, *, sender: str = "MAILER-DAEMON@mx.example", subject: str = "failure notice",
           extra: str = "") -> bytes:
    return f"From: {sender}\nTo: b+token@bounce.example.org\nSubject: {subject}\n{extra}\n{body}\n".encode()


def only(raw: bytes) -> Failure:
    found = read(raw)
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize("status,kind,reason", [
    (fields("5.1.1", "550 5.1.1 <aigul@reader.example>: User unknown"), "hard", "user-unknown"),
    (fields("5.1.2"), "hard", "host-unknown"),
    (fields("5.1.10", "556 5.1.10 reader.example accepts no mail (Null MX)"), "hard", "host-unknown"),
    (fields("5.0.0", "550 no such user here"), "hard", "user-unknown"),  # the words where the status says nothing
    (fields("5.2.1", "550 5.2.1 <aigul@reader.example>... User unknown"), "hard", "user-unknown"),
    (fields("5.4.1", "550 5.4.1 Recipient address rejected: Access denied. AS(201806281)"), "hard", "user-unknown"),
    (fields("5.2.2", "552 5.2.2 Mailbox full"), "soft", "mailbox-full"),
    (fields("5.1.1", "552 mailbox is over quota"), "soft", "mailbox-full"),  # a full mailbox exists
    (fields("5.2.1", "550 5.2.1 mailbox disabled"), "soft", "mailbox-disabled"),
    (fields("4.2.2", "452 4.2.2 over quota", "delayed"), "soft", "mailbox-full"),
    (fields("5.7.1", "550 5.7.1 user unknown"), "policy", "policy"),  # X.7 is our problem, whatever the words
    (fields("5.1.1", "550 5.7.26 unauthenticated mail"), "policy", "policy"),  # in either of the two
    (fields("5.1.1", "550 5.1.1 rejected, listed at a DNSBL"), "policy", "policy"),
    (fields("5.1.8", "550 5.1.8 sender domain not found"), "policy", "sender-refused"),
    (fields("4.4.7", "", "delayed"), "temporary", "delayed"),
    (fields("4.4.1", "connection timed out"), "temporary", "temporary"),  # failed, as their time was over
    (fields("5.4.4", "Name service error for name=reader.example: Host not found, try again"), "temporary", "network"),
    (fields("5.4.4", "Name service error for name=reader.example: Host not found"), "hard", "host-unknown"),
    (fields("5.0.0"), "unclear", "unclear"),
    (fields("5.3.0", "554 5.3.0 transaction failed"), "unclear", "unclear"),
    (fields("5.1.1", "550 5.1.1 User unknown (in reply to end of DATA command)"), "unclear", "refused-after-data"),
    (fields("2.0.0", "250 ok", "delivered"), "none", "delivered"),
])
def test_a_delivery_status_is_judged_by_code_and_words(status: str, kind: str, reason: str) -> None:
    found = only(a_report(status))
    assert (found.kind, found.reason) == (kind, reason)
    assert found.recipient == "aigul@reader.example"


def test_what_our_own_mail_says_is_never_held_against_its_reader() -> None:
    """RETURNED speaks of unknown users, full mailboxes and spam."""
    assert only(a_report(fields("5.0.0"))).kind is BounceKind.UNCLEAR
    text = f"Hi. This is the qmail-send program.\n\n<aigul@reader.example>:\nSorry.\n\n{RETURNED}"
    assert only(a_text(text)).kind is BounceKind.UNCLEAR


def test_an_address_or_link_in_the_words_says_nothing() -> None:
    raw = a_report(fields("5.0.0", "550 <spam.blocked@reader.example> see https://mx.example/user-unknown/no such"))
    assert only(raw).kind is BounceKind.UNCLEAR


def test_words_for_people_count_for_the_one_recipient_alone() -> None:
    human = "<aigul@reader.example>: no such user"
    assert only(a_report(fields("5.0.0"), human)).because == "no such user"
    two = read(a_report(fields("5.0.0") + "\n\n" + fields("5.0.0"), human))
    assert [failure.kind for failure in two] == [BounceKind.UNCLEAR] * 2


@pytest.mark.parametrize("raw,kind,recipient", [
    (a_text("Hi. This is the qmail-send program at mx.example.\nI'm afraid I wasn't able to deliver your message to "
            "the following addresses.\nThis is a permanent error; I've given up. Sorry it didn't work out.\n\n"
            "<aigul@reader.example>:\nSorry, no mailbox here by that name. (#5.1.1)\n\n"
            "--- Below this line is a copy of the message.\n\n" + RETURNED), "hard", "aigul@reader.example"),
    (a_text("The following address(es) failed:\n\n  aigul@reader.example\n    mailbox is full: retry timeout "
            "exceeded\n", extra="X-Failed-Recipients: aigul@reader.example\n"), "soft", "aigul@reader.example"),
    (a_text("550 We do not take mail from you: listed as spam source."), "policy", None),
    (a_text("It did not work. Permanent failure."), "unclear", None),
])
def test_plain_words_of_a_server_are_read(raw: bytes, kind: str, recipient: str | None) -> None:
    found = only(raw)
    assert (found.kind, found.recipient) == (kind, recipient)


@pytest.mark.parametrize("raw", [
    a_text("I am away until Monday; my mailbox is full.", sender="Aigul <aigul@reader.example>", subject="Re: News",
           extra="Auto-Submitted: auto-replied (vacation)\n"),
    a_text("No such user? I left this company: unknown address.", sender="aigul@reader.example",
           subject="Automatic reply: Kazakhstan News"),
    a_text("away", sender="aigul@reader.example", subject="=?utf-8?q?Out_of_office?="),
    a_text("away", sender="aigul@reader.example", subject="Re: x", extra="X-Autoreply: yes\n"),
])
def test_a_vacation_notice_is_one(raw: bytes) -> None:
    assert only(raw).kind is BounceKind.AUTO_REPLY


def test_a_letter_of_a_person_is_no_report() -> None:
    assert read(a_text("No such user, spam!", sender="aigul@reader.example", subject="Re: News")) == ()


def a_complaint(kind: str, recipient: str = "") -> bytes:
    return a_report("", last=RETURNED).replace(b"report-type=delivery-status", b"report-type=feedback-report").replace(
        b"Content-Type: message/delivery-status\n\nReporting-MTA: dns; mx.reader.example\n\n",
        f"Content-Type: message/feedback-report\n\nFeedback-Type: {kind}\nVersion: 1\n{recipient}".encode())


@pytest.mark.parametrize("kind,expected", [
    ("abuse", BounceKind.COMPLAINT), ("fraud", BounceKind.COMPLAINT), ("opt-out", BounceKind.COMPLAINT),
    ("auth-failure", BounceKind.NONE), ("not-spam", BounceKind.NONE),
])
def test_a_feedback_report_is_a_complaint_where_a_reader_complains(kind: str, expected: BounceKind) -> None:
    assert only(a_complaint(kind)).kind is expected
    assert only(a_complaint(kind, "Original-Rcpt-To: <aigul@reader.example>\n")).recipient == "aigul@reader.example"


def test_a_report_larger_than_is_read_is_still_understood() -> None:
    assert only(a_report(fields("5.1.1"), last=RETURNED + "x" * MAX_BYTES)).kind is BounceKind.HARD


@pytest.mark.parametrize("raw", [
    b"", b"\x00\xff", b"Content-Type: multipart/report", b"Content-Type: text/plain; charset=nonsense\n\n\xff",
    b"Content-Type: message/delivery-status\n\n", b"Content-Type: message/feedback-report\n\n",
    b"".join(b"Content-Type: multipart/mixed; boundary=%d\n\n--%d\n" % (n, n) for n in range(3000)),
    b"".join(b"Content-Type: message/rfc822\n\n" for _ in range(3000)),
])
def test_a_broken_report_is_none(raw: bytes) -> None:
    assert read(raw) == ()


@given(st.binary(max_size=300), st.integers(0, 900), st.integers(0, 200))
def test_no_bytes_make_it_raise(noise: bytes, start: int, length: int) -> None:
    raw = a_report(fields("5.1.1", "550 5.1.1 User unknown"))
    found = read(raw[:start] + noise + raw[start + length:])
    assert len(found) <= 1  # the report is of one recipient
