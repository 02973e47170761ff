"""Signatures: dkimpy, which is not ours, verifies them; whatever is changed or added breaks them."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from digest.mail.dkim import ABSENT, ALGORITHMS, Key, Signatures, new_key, read_key
from digest.mail.message import MailingList, Personal, Prepared, Shared
from digest.model import Message
from tests.mail.dkimpy import dkim

DOMAIN = "digest.example.org"
NOW = datetime(2023, 3, 20, 2, 0, tzinfo=UTC)
KEYS = tuple(new_key(f"rd-{algorithm}", algorithm) for algorithm in ALGORITHMS)


def signed(keys: tuple[Key, ...] = KEYS, *, recipient: str = "reader@example.org",
           text: str = "Қазақстан  \n\n\n") -> bytes:
    message = Message("Алматы: жаңалықтар " * 5, f"<p>{text}</p><a href='%%unsubscribe%%'>leave</a>",
                      f"{text}%%unsubscribe%%\n\n", {"Content-Language": "kk"})
    of = MailingList(f"kz.{DOMAIN}", "Қазақстан жаңалықтары", f"desk@{DOMAIN}", f"https://{DOMAIN}/kz/",
                     f"https://{DOMAIN}/sign-up/kz", "a:b:c:defgh")
    lines = Prepared(message, Shared(f"Қазақстан жаңалықтары <news@{DOMAIN}>", "Why", of)).write(Personal(
        recipient, f"{'0' * 32}@{DOMAIN}", NOW, f"https://{DOMAIN}/u/{'x' * 90}",
        f"mailto:unsubscribe@{DOMAIN}?subject=unsubscribe%20{'x' * 90}"), Signatures(DOMAIN, keys))
    return b"".join(piece.raw for piece in lines)


def verdicts(mail: bytes, keys: tuple[Key, ...] = KEYS) -> list[bool]:
    """What dkimpy says of each signature, in their order."""
    records = {f"{key.selector}._domainkey.{DOMAIN}.".encode(): key.record().encode() for key in keys}
    verifier = dkim.DKIM(mail)
    return [bool(_verified(verifier, number, records)) for number in range(len(keys))]


def _verified(verifier: dkim.DKIM, number: int, records: dict[bytes, bytes]) -> object:
    try:
        return verifier.verify(number, dnsfunc=lambda name, timeout=5: records.get(name))
    except dkim.DKIMException:
        return False


def fields(mail: bytes) -> Iterator[tuple[str, bytes]]:
    for raw in re.split(rb"\r\n(?![ \t])", mail.partition(b"\r\n\r\n")[0]):
        yield raw.partition(b":")[0].decode().lower(), raw


@pytest.mark.parametrize("keys", [KEYS, KEYS[:1], KEYS[1:]], ids=["both", *ALGORITHMS])
@pytest.mark.parametrize("text", ["", "news\n", "=\t \n. \n", "x" * 500, "жаңалықтар " * 200])
def test_both_algorithms_verify(keys: tuple[Key, ...], text: str) -> None:
    assert verdicts(signed(keys, text=text), keys) == [True] * len(keys)


def test_so_does_a_mail_to_an_address_outside_ascii() -> None:
    assert verdicts(signed(recipient="иван@xn--80a1acny.xn--p1ai")) == [True, True]


def test_without_keys_nothing_is_signed() -> None:
    assert b"DKIM-Signature" not in signed(())


@pytest.mark.parametrize("name", sorted({
    name for name, _ in fields(signed()) if name != "dkim-signature"} | set(ABSENT)))
def test_a_field_that_is_changed_removed_or_added_breaks_it(name: str) -> None:
    mail = signed()
    head, _, body = mail.partition(b"\r\n\r\n")
    raw = dict(fields(mail)).get(name)
    added = name.encode() + b": x"
    forged = [b"%s\r\n%s\r\n\r\n%s" % parts for parts in ((added, head, body), (head, added, body))]
    if raw:
        forged += [mail.replace(raw + b"\r\n", b""), mail.replace(raw, raw + b"x")]
    assert [verdicts(mail) for mail in forged] == [[False, False]] * len(forged)


def test_the_unsubscribe_fields_are_signed_and_no_length_is_given() -> None:
    for raw in (raw for name, raw in fields(signed()) if name == "dkim-signature"):
        tags = dict(tag.split("=", 1) for tag in re.sub(r"\s", "", raw.partition(b":")[2].decode()).split(";"))
        names = tags["h"].split(":")
        assert [names.count(name) for name in ("list-unsubscribe", "list-unsubscribe-post", "from")] == [2, 2, 2]
        assert [names.count(name) for name in ABSENT] == [1] * len(ABSENT)
        assert (tags["c"], tags["d"], tags.get("l")) == ("relaxed/simple", DOMAIN, None)


def test_a_changed_body_breaks_it() -> None:
    assert verdicts(signed().replace(b"--\r\n", b"--\r\nmore\r\n")) == [False, False]


def test_equal_mails_have_equal_lines_of_78_columns() -> None:
    assert signed() == signed()
    lines = [line for name, raw in fields(signed()) if name == "dkim-signature" for line in raw.split(b"\r\n")]
    assert max(map(len, lines)) <= 78


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_key_is_read_back_from_its_file(tmp_path: Path, algorithm: str) -> None:
    key = new_key("s1", algorithm)
    (tmp_path / "s1.pem").write_bytes(key.pem())
    again = read_key(tmp_path / "s1.pem")
    assert (again.selector, again.algorithm, again.record()) == ("s1", algorithm, key.record())


@pytest.mark.parametrize("content", [b"", b"no key", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"])
def test_what_is_no_key_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "s1.pem").write_bytes(content)
    with pytest.raises(ValueError):
        read_key(tmp_path / "s1.pem")


@pytest.mark.parametrize(("selector", "algorithm"), [
    ("", "rsa"), ("a.b", "rsa"), ("-a", "rsa"), ("é", "rsa"), ("a" * 64, "rsa"), ("a", "dsa")])
def test_a_key_that_dns_could_not_hold_is_not_made(selector: str, algorithm: str) -> None:
    with pytest.raises(ValueError):
        new_key(selector, algorithm)
