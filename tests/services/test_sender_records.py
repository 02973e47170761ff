"""The DNS records of a sender: what is said of each, and what is to be set."""

from dataclasses import replace
from typing import Any

import pytest

from digest.mail.dkim import Key, new_key
from digest.mail.dns import Dns
from digest.services.dkim import zone_line
from digest.services.sender_records import Record, Sending, check, domain_of, relay_of
from tools.dns_stub import Zone, name_server, reverse

US = "203.0.113.5"
KEY, NEXT = new_key("rd1", "ed25519"), new_key("rd2", "ed25519")
SENDING = Sending(("news.example.org",), "bounce.news.example.org", (US,), "", "mail.example.org", (KEY,))
RIGHT = {
    "bounce.news.example.org": [f"TXT v=spf1 ip4:{US} -all", "MX mail.example.org"],
    "rd1._domainkey.news.example.org": [f"TXT {KEY.record()}"],
    "_dmarc.news.example.org": ["TXT v=DMARC1; p=reject; adkim=s"],
    "mail.example.org": [f"A {US}"],
    reverse(US): ["PTR mail.example.org"],
}


def states(zone: Zone, sending: Sending = SENDING) -> dict[str, str]:
    return {record.kind: record.state for record in checked(zone, sending)}


def checked(zone: Zone, sending: Sending = SENDING) -> list[Record]:
    with name_server(zone) as port:
        return list(check(sending, Dns(f"127.0.0.1:{port}")))


def one(kind: str, zone: Zone, sending: Sending = SENDING) -> Record:
    (record,) = [record for record in checked(zone, sending) if record.kind == kind]
    return record


def test_right_records_are_right() -> None:
    assert states(RIGHT) == dict.fromkeys(("SPF", "DKIM", "DMARC", "return path", "PTR"), "ok")
    assert [record.wanted for record in checked(RIGHT)] == [""] * 5


def test_what_is_missing_is_given_as_lines_of_a_zone_file() -> None:
    records = checked({})
    assert [record.state for record in records] == ["missing"] * 5
    assert [record.wanted for record in records] == [
        f'bounce.news.example.org. IN TXT "v=spf1 ip4:{US} -all"',
        f'rd1._domainkey.news.example.org. IN TXT "{KEY.record()}"',
        '_dmarc.news.example.org. IN TXT "v=DMARC1; p=none; rua=mailto:postmaster@example.org"',
        "bounce.news.example.org. IN MX 10 mail.example.org.",
        "5.113.0.203.in-addr.arpa. IN PTR mail.example.org.",
    ]


def test_what_is_to_be_set_is_right_once_it_is_set() -> None:
    records = {record.name: record.wanted.partition(" IN ")[2].replace('"', "") for record in checked({})}
    zone = {**{"mail.example.org": [f"A {US}"], reverse(US): [records[US].rstrip(".")]},
            **{name: [text] for name, text in records.items() if name.startswith(("rd1", "_dmarc"))},
            "bounce.news.example.org": [f"TXT v=spf1 ip4:{US} -all", "MX mail.example.org"]}
    assert set(states(zone).values()) == {"ok"}


WRONG: list[tuple[str, dict[str, list[str]], dict[str, Any], str, str]] = [  # kind, zone, sending, wanted, why
    ("SPF", {"bounce.news.example.org": ["TXT v=spf1 ip4:198.51.100.1 -all"]}, {},
     f'"v=spf1 ip4:{US} ip4:198.51.100.1 -all"', "fail (-all)"),
    ("SPF", {"bounce.news.example.org": ["TXT v=spf1 a -all", "TXT v=spf1 mx ~all"]}, {},
     '"v=spf1 a mx ~all"', "merge"),
    ("SPF", {"bounce.news.example.org": ["TXT v=spf1 mx -all"]}, {"relay": "amazonses.com", "addresses": ()},
     '"v=spf1 include:amazonses.com mx -all"', "not covered"),
    ("DKIM", {"rd1._domainkey.news.example.org": [f"TXT {NEXT.record()}"]}, {}, KEY.record(), "another key"),
    ("DMARC", {"_dmarc.news.example.org": ["TXT v=DMARC1; rua=mailto:a@b.example"]}, {}, "p=none", "policy"),
    ("DMARC", {}, {"bounce_domain": "relay.example", "dkim_domain": "relay.example"}, "", "relay.example do not count"),
    ("DMARC", {"_dmarc.news.example.org": ["TXT v=DMARC1; p=none; aspf=s"]}, {"keys": ()}, "", "the very domain"),
    ("return path", {"mail.example.org": []}, {}, "", "no address"),
    ("PTR", {reverse(US): ["PTR other.example.org"]}, {}, "PTR mail.example.org.", "does not lead back"),
]


@pytest.mark.parametrize(  # names without the keys, which are made anew
    ("kind", "zone", "changes", "wanted", "why"), WRONG, ids=[f"{row[0]}-{row[-1]}" for row in WRONG])
def test_what_is_wrong_is_told(
    kind: str, zone: dict[str, list[str]], changes: dict[str, Any], wanted: str, why: str
) -> None:
    record = one(kind, {**RIGHT, **zone}, replace(SENDING, **changes))
    assert record.state == "wrong"
    assert wanted in record.wanted and why in record.why


def test_dmarc_of_the_organisation_counts_and_one_voucher_is_enough() -> None:
    zone = {**RIGHT, "_dmarc.news.example.org": [], "_dmarc.example.org": ["TXT v=DMARC1; p=none"]}
    assert one("DMARC", zone).state == "ok"
    assert one("DMARC", zone, replace(SENDING, bounce_domain="relay.example")).state == "ok"
    assert one("DMARC", zone, replace(SENDING, keys=())).state == "ok"


def test_a_key_that_does_not_sign_yet_waits() -> None:
    sending = replace(SENDING, waiting=(NEXT,))
    states = {record.name: record for record in checked(RIGHT, sending) if record.kind == "DKIM"}
    waiting = states["rd2._domainkey.news.example.org"]
    assert (waiting.state, NEXT.record() in waiting.wanted) == ("waiting", True)
    published = {**RIGHT, "rd2._domainkey.news.example.org": [f"TXT {NEXT.record()}"]}
    (found,) = [r for r in checked(published, sending) if "rd2" in r.name]
    assert (found.state, found.wanted, 'as "rd2"' in found.why) == ("waiting", "", True)


def test_where_dns_does_not_answer_nothing_is_called_missing() -> None:
    records = checked({name: ["FAIL"] for name in (*RIGHT, "_dmarc.example.org")})
    assert {record.state for record in records} == {"unknown"}
    assert all(record.wanted for record in records)


@pytest.mark.parametrize(("host", "include"), [
    ("email-smtp.eu-west-1.amazonaws.com", "amazonses.com"), ("smtp.postmarkapp.com", "spf.mtasv.net"),
    ("mail.example.org", ""), ("notamazonaws.com", "")])
def test_relays_are_known_by_their_host(host: str, include: str) -> None:
    assert relay_of(host) == include


@pytest.mark.parametrize(("sender", "domain"), [
    ("News <news@Example.org>", "example.org"), ("news@пошта.example", "xn--80a1acn3a.example"), ("", "")])
def test_the_domain_of_a_sender_is_in_ascii(sender: str, domain: str) -> None:
    assert domain_of(sender) == domain


def test_long_records_are_cut_into_strings() -> None:
    key: Key = new_key("rd1", "rsa")
    line = zone_line("rd1._domainkey.example.org", key.record())
    strings = line.partition(" IN TXT ")[2].strip('"').split('" "')
    assert "".join(strings) == key.record() and max(map(len, strings)) <= 255
