"""What the bytes of a mail say to a parser."""

import email
from dataclasses import replace
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest

from digest.mail.message import MailingList, Personal, Prepared, Shared, one_line
from digest.model import Message

NOW = datetime(2023, 3, 20, 2, 0, tzinfo=UTC)
TOKEN = "WyJzdWJzY3JpcHRpb246MTIzIiwwXQ." + "x" * 60
MESSAGE = Message(
    subject="Алматы: жаңалықтар",
    html='<p>Қазақстан &amp; Орта Азия</p><a href="%%unsubscribe%%">leave</a><p>%%reason%%</p>',
    text="Қазақстан\n\n%%reason%%\nLeave: %%unsubscribe%%\n",
)


LIST = MailingList(
    id="kazakhstan.digest.example.org", name="Kazakhstan News", owner="desk@digest.example.org",
    archive_url="https://digest.example.org/kazakhstan/", sign_up_url="https://digest.example.org/sign-up/kazakhstan",
    feedback_id="2023-03-20:kazakhstan:edition:digestexampleor")


def written(message: Message = MESSAGE, *, sender: str = "Kazakhstan News <news@digest.example.org>",
            reason: str = "You signed up to A & B.", of: MailingList = LIST, **changes: str) -> bytes:
    values = {
        "recipient": "reader@example.org", "message_id": "0123456789abcdef0123456789abcdef@digest.example.org",
        "unsubscribe_url": f"https://digest.example.org/u/{TOKEN}",
        "unsubscribe_mailto": f"mailto:unsubscribe@digest.example.org?subject=unsubscribe%20{TOKEN}",
    }
    lines = Prepared(message, Shared(sender, reason, of)).write(Personal(date=NOW, **{**values, **changes}))
    return b"".join(piece.raw for piece in lines)


def parsed(message: Message = MESSAGE, **changes: Any) -> EmailMessage:
    mail = email.message_from_bytes(written(message, **changes), policy=default)
    assert isinstance(mail, EmailMessage)
    return mail


def part(mail: EmailMessage, kind: str) -> str:
    body = mail.get_body((kind,))
    assert body is not None
    return str(body.get_content())


def test_it_is_complete_for_a_parser() -> None:
    mail = parsed()
    assert mail["From"] == "Kazakhstan News <news@digest.example.org>"
    assert mail["To"] == "reader@example.org"
    assert mail["Subject"] == "Алматы: жаңалықтар"
    assert mail["Date"].datetime == NOW
    assert mail["Message-ID"] == "<0123456789abcdef0123456789abcdef@digest.example.org>"
    assert mail.get_content_type() == "multipart/alternative"
    assert [p.get_content_type() for p in mail.iter_parts()] == ["text/plain", "text/html"]
    assert mail.defects == []


def test_it_carries_what_a_list_mail_owes_its_reader() -> None:
    mail = parsed()
    assert mail["List-Unsubscribe"] == (
        f"<https://digest.example.org/u/{TOKEN}>, "
        f"<mailto:unsubscribe@digest.example.org?subject=unsubscribe%20{TOKEN}>")
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail["List-Id"] == '"Kazakhstan News" <kazakhstan.digest.example.org>'
    assert mail["List-Help"] == "<mailto:desk@digest.example.org?subject=help>"
    assert mail["List-Owner"] == "<mailto:desk@digest.example.org>"
    assert mail["List-Archive"] == "<https://digest.example.org/kazakhstan/>"
    assert mail["List-Subscribe"] == "<https://digest.example.org/sign-up/kazakhstan>"
    assert mail["Feedback-ID"] == "2023-03-20:kazakhstan:edition:digestexampleor"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Precedence"] == "bulk"
    assert mail["X-Auto-Response-Suppress"] == "All"


def test_each_header_stands_once() -> None:
    forged = {"From": "x@y.example", "To": "x@y.example", "List-ID": "forged", "X-Kind": "edition"}
    message = Message("s", "<p>h</p>", "t", forged)
    names = [name.lower() for name in parsed(message).keys()]
    assert len(names) == len(set(names))
    assert parsed(message)["X-Kind"] == "edition"
    assert parsed(message)["From"].addresses[0].addr_spec == "news@digest.example.org"


def test_without_a_web_address_only_mailto_remains() -> None:
    mail = parsed(unsubscribe_url="")
    assert mail["List-Unsubscribe"].startswith("<mailto:")
    assert mail["List-Unsubscribe-Post"] is None


def test_the_personal_places_are_filled_and_escaped_in_html() -> None:
    mail = parsed(unsubscribe_url="https://digest.example.org/u/a?b=1&c=2")
    assert "You signed up to A & B." in part(mail, "plain")
    assert "https://digest.example.org/u/a?b=1&c=2" in part(mail, "plain")
    assert "You signed up to A &amp; B." in part(mail, "html")
    assert 'href="https://digest.example.org/u/a?b=1&amp;c=2"' in part(mail, "html")


@pytest.mark.parametrize("text", [
    "Almaty", "Қазақстан " * 400, "x" * 5000, "line\r\n.\r\n.dot\r\n", "=_" * 700, "\u2028end\x0c"])
def test_lines_are_short_ascii_and_end_with_crlf(text: str) -> None:
    data = written(Message(text, f"<p>{text}</p>", text), of=replace(LIST, name=text))
    assert data.isascii()
    assert b"\n" not in data.replace(b"\r\n", b"")
    assert b"\r" not in data.replace(b"\r\n", b"")
    assert max(len(line) for line in data.split(b"\r\n")) <= 998


@pytest.mark.parametrize("words", [8, 9, 10, 11, 12, 13, 14, 30])
def test_a_subject_begins_on_the_line_of_its_name(words: int) -> None:
    text = " ".join(f"word{number}" for number in range(words))
    data = written(Message(text, "<p>h</p>", "t"))
    assert b"\r\nSubject: word0 word1" in data
    assert email.message_from_bytes(data, policy=default)["Subject"] == text


@pytest.mark.parametrize("text", [
    "Title\r\nBcc: victim@example.org", "Title\nX-Evil: 1", "Title\rX", "a\x00b", "a\u2028Bcc: x", "a\x85b"])
def test_no_text_makes_a_header_of_its_own(text: str) -> None:
    message = Message(text, "<p>h</p>", "t", {"X-Kind": text})
    mail = parsed(message, sender=f'"{text}" <news@digest.example.org>', of=replace(LIST, name=text))
    assert mail["Bcc"] is None and mail["X-Evil"] is None
    assert mail["Subject"] == one_line(text)


@pytest.mark.parametrize("changes", [
    {"recipient": "no address"},
    {"sender": ""},
    {"message_id": "a@b>\r\nBcc: <x@y.example"},
    {"of": MailingList("kz.example>\r\nBcc: <x@y.example")},
    {"of": MailingList(owner="x@y.example>\r\nBcc: <x@y.example")},
    {"of": MailingList(archive_url="https://x.example/ю")},
    {"of": MailingList(feedback_id="a" * 999)},
    {"recipient": "иван@почта.рф\r\nBcc: x@y.example"},
    {"recipient": "Иван иван@почта.рф"},
    {"unsubscribe_url": "https://digest.example.org/\r\nBcc: x@y.example"},
])
def test_what_cannot_stand_in_a_mail_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        written(**changes)


def test_names_outside_ascii_are_encoded_words() -> None:
    mail = parsed(sender="Қазақстан жаңалықтары <news@digest.example.org>",
                  of=replace(LIST, name="Қазақстан жаңалықтары " * 3))
    assert mail["From"].addresses[0].display_name == "Қазақстан жаңалықтары"
    assert "<kazakhstan.digest.example.org>" in mail["List-Id"]
    assert "Қазақстан жаңалықтары" in mail["List-Id"]


def test_equal_arguments_give_equal_bytes() -> None:
    assert written() == written()


def test_a_mail_of_no_list_names_none() -> None:
    mail = parsed(of=MailingList())
    assert [name for name in mail.keys() if name.startswith("List-")] == ["List-Unsubscribe", "List-Unsubscribe-Post"]


def test_without_html_it_is_plain_text() -> None:
    mail = parsed(replace(MESSAGE, html=""))
    assert mail.get_content_type() == "text/plain"
    assert f"Leave: https://digest.example.org/u/{TOKEN}" in str(mail.get_content())
    assert mail.defects == []


def test_an_address_outside_ascii_stands_in_utf_8_and_nothing_else_does() -> None:
    lines = written(recipient="иван@xn--80a1acny.xn--p1ai").split(b"\r\n")
    assert [line.decode() for line in lines if not line.isascii()] == ["To: иван@xn--80a1acny.xn--p1ai"]


@pytest.mark.parametrize(("text", "encoding"), [
    ("Kazakhstan — News\n" + "=" * 70 + "\n" + "The cabinet has approved the railway. " * 30, "quoted-printable"),
    ("Қазақстан жаңалықтары бүгін " * 30, "base64"),
])
def test_each_script_has_its_encoding(text: str, encoding: str) -> None:
    mail = parsed(Message("s", f"<p>{text}</p>", text))
    assert {p["Content-Transfer-Encoding"] for p in mail.iter_parts()} == {encoding}
    assert part(mail, "plain").strip().splitlines() == text.strip().splitlines()
