"""Spliced mails equal, byte for byte, those that the email package makes whole for one reader."""

from datetime import UTC, datetime

from hypothesis import example, given
from hypothesis import strategies as st

from digest.mail.bodies import Part, encoding_of
from digest.mail.lines import Lines, only_crlf
from digest.mail.message import Personal, Prepared, Shared
from digest.mail.transaction import written as on_the_wire
from digest.model import REASON_MARK, UNSUBSCRIBE_MARK, Message
from digest.ports import Envelope
from tests.mail import slow_path

NOW = datetime(2023, 3, 20, 2, 0, tzinfo=UTC)
WORDS = st.sampled_from([
    UNSUBSCRIBE_MARK, UNSUBSCRIBE_MARK, REASON_MARK, "\n", "\r\n", " ", "\t", "=", "=_", ".", "Almaty", "Қазақстан",
    "x" * 75, "%%", "<p>", "&amp;", "жаңалықтар " * 20, "news " * 40, "🚆", "\x0c", "\u2028", "\x85", "\x00"])
TEXTS = st.one_of(st.lists(WORDS, max_size=40).map("".join), st.text(st.characters(exclude_categories=["Cs"])))
URLS = st.text("abcXYZ012-_.&=%", max_size=200).map("https://digest.example.org/u/".__add__)
FIELDS = frozenset({
    "from", "to", "date", "subject", "content-language", "mime-version", "content-type", "content-transfer-encoding"})


def personal(url: str, recipient: str = "reader@example.org") -> Personal:
    return Personal(recipient=recipient, message_id="0123@digest.example.org", date=NOW, unsubscribe_url=url,
                    unsubscribe_mailto="mailto:unsubscribe@digest.example.org?subject=unsubscribe%20x")


def whole(mail: list[Lines]) -> bytes:
    return b"".join(piece.raw for piece in mail)


def split(mail: bytes) -> tuple[list[bytes], bytes]:
    """The fields that both ways write, unfolded no further than their lines; and the body."""
    head, _, body = mail.partition(b"\r\n\r\n")
    fields = (head + b"\r\n").replace(b"\r\n ", b"\0").split(b"\r\n")
    return sorted(f for f in fields if f.partition(b":")[0].decode().lower() in FIELDS), body


@given(subject=TEXTS, html=TEXTS, text=TEXTS, reason=TEXTS, urls=st.lists(URLS, min_size=1, max_size=3))
@example("s", "", "", "", ["https://digest.example.org/u/a"])
@example("s", UNSUBSCRIBE_MARK * 2 + "қ" * 60, UNSUBSCRIBE_MARK, "", ["https://digest.example.org/u/a"])
def test_they_equal_the_slow_path(subject: str, html: str, text: str, reason: str, urls: list[str]) -> None:
    message = Message(subject, html, text, {"Content-Language": "kk"})
    shared = Shared(sender="Қазақстан жаңалықтары <news@digest.example.org>", reason=reason)
    prepared = Prepared(message, shared)
    for url in urls:
        assert split(whole(prepared.write(personal(url)))) == split(slow_path.write(message, shared, personal(url)))


@given(html=TEXTS, text=TEXTS, url=URLS)
@example("h", ".", "https://digest.example.org/u/a")
@example("", "x" * 75 + "." * 9 + UNSUBSCRIBE_MARK + "\n.\n..", "https://digest.example.org/u/" + "." * 200)
def test_what_smtp_says_of_them_is_what_it_says_of_any_mail(html: str, text: str, url: str) -> None:
    mail = Prepared(Message("s", html, text), Shared("news@digest.example.org", "")).write(personal(url))
    assert only_crlf(whole(mail))
    assert b"".join(piece.said for piece in mail) == on_the_wire(
        Envelope("news@digest.example.org", "reader@example.org", "id@x", (whole(mail),)))


@given(local=st.from_regex(r"[a-z0-9!#$%&'*+/=?^_`{|}~-]{1,40}(\.[a-z0-9]{1,20}){0,2}", fullmatch=True),
       domain=st.from_regex(r"[a-z0-9]([a-z0-9-]{0,40}[a-z0-9])?(\.[a-z0-9]{1,20}){1,3}", fullmatch=True))
def test_so_do_their_recipients(local: str, domain: str) -> None:
    message, shared = Message("s", "h", "t"), Shared("news@digest.example.org", "")
    to = personal("https://digest.example.org/u/a", f"{local}@{domain}")
    assert split(whole(Prepared(message, shared).write(to))) == split(slow_path.write(message, shared, to))


@given(text=TEXTS, values=st.lists(st.text("a&=ж", max_size=300), min_size=1, max_size=30))
def test_a_part_is_the_same_however_many_were_filled_before(text: str, values: list[str]) -> None:
    part = Part(text, UNSUBSCRIBE_MARK)
    assert [part.filled(value) for value in values] == [Part(text, UNSUBSCRIBE_MARK).filled(value) for value in values]
    assert part.encoding == encoding_of(text)
