"""SPF as a receiver reads it, and DNS as it really answers."""

import pytest

from digest.errors import DnsFailure
from digest.mail.dns import Dns
from digest.mail.spf import evaluate, records_of
from tools.dns_stub import name_server, reverse

US, V6 = "203.0.113.5", "2001:db8::5"
ZONE = {
    "mail.example.org": [f"A {US}", f"AAAA {V6}"],
    "_spf.relay.example": ["TXT v=spf1 ip4:203.0.113.0/24 -all"],
    "else.example": ["TXT v=spf1 ip4:198.51.100.1 -all"],
    "loop.example": ["TXT v=spf1 include:loop.example -all"],
    "down.example": ["FAIL"],
    reverse(US): ["PTR mail.example.org"],
}
CASES = [  # the record, the address, what a receiver finds
    (None, US, "none"),
    ("v=spf1 ip4:203.0.113.5 -all", US, "pass"),
    ("v=spf1 ip4:203.0.113.6 -all", US, "fail"),
    ("v=spf1 ip4:203.0.113.6 ~all", US, "softfail"),
    ("v=spf1 ip4:203.0.113.6 ?all", US, "neutral"),
    ("v=spf1 ip4:203.0.113.6", US, "neutral"),
    ("v=spf1 ip4:203.0.113.0/24 -all", US, "pass"),
    ("v=spf1 ip6:2001:db8::/32 -all", V6, "pass"),
    ("v=spf1 ip6:2001:db8::/32 -all", US, "fail"),
    ("v=spf1 ip4:203.0.113.5 -all", V6, "fail"),
    ("V=SPF1 +A:mail.example.org -ALL", US, "pass"),
    ("v=spf1 a:mail.example.org/24 -all", "203.0.113.77", "pass"),
    ("v=spf1 a:mail.example.org/24//64 -all", "2001:db8::77", "pass"),
    ("v=spf1 a:mail.example.org/24 -all", "2001:db8::77", "fail"),
    ("v=spf1 mx -all", US, "pass"),
    ("v=spf1 mx:else.example -all", US, "fail"),
    ("v=spf1 include:_spf.relay.example -all", US, "pass"),
    ("v=spf1 include:else.example ip4:203.0.113.5 -all", US, "pass"),
    ("v=spf1 include:nothing.example -all", US, "permerror"),
    ("v=spf1 include:loop.example -all", US, "permerror"),
    ("v=spf1 include:down.example -all", US, "temperror"),
    ("v=spf1 redirect=_spf.relay.example", US, "pass"),
    ("v=spf1 redirect=nothing.example", US, "permerror"),
    ("v=spf1 ip4:203.0.113.5 redirect=else.example", US, "pass"),
    ("v=spf1 exp=why.example -all", US, "fail"),
    ("v=spf1 ipv4:203.0.113.5 -all", US, "permerror"),
    ("v=spf1 ip4:mail.example.org -all", US, "permerror"),
    ("v=spf1 exists:%{i}._spf.example -all", US, "unknown"),
    ("v=spf1 ptr -all", US, "unknown"),
    ("v=spf10 ip4:203.0.113.5 -all", US, "none"),
]


@pytest.mark.parametrize(("record", "address", "result"), CASES)
def test_a_record_is_read_as_a_receiver_reads_it(record: str | None, address: str, result: str) -> None:
    own = ["MX mail.example.org", "TXT other=1", *([f"TXT {record}"] if record else [])]
    with name_server({**ZONE, "example.org": own}) as port:
        verdict = evaluate(Dns(f"127.0.0.1:{port}"), address, "example.org")
    assert verdict.result == result, verdict.why


def test_two_records_are_an_error() -> None:
    with name_server({"example.org": ["TXT v=spf1 -all", "TXT v=spf1 +all"]}) as port:
        dns = Dns(f"127.0.0.1:{port}")
        assert len(records_of(dns, "example.org")) == 2
        assert evaluate(dns, US, "example.org").result == "permerror"


def test_dns_answers_are_read_whole() -> None:
    long = "v=DKIM1; p=" + "A" * 400
    zone = {**ZONE, "s1._domainkey.example.org": [f"TXT {long}"], "example.org": ["MX mail.example.org"]}
    with name_server(zone) as port:
        dns = Dns(f"127.0.0.1:{port}")
        assert dns.txt("s1._domainkey.example.org") == (long,)
        assert dns.txt("nothing.example") == dns.mx("nothing.example") == dns.addresses("example.org") == ()
        assert dns.addresses("mail.example.org") == (V6, US)
        assert dns.mx("example.org") == dns.names(US) == ("mail.example.org",)
        with pytest.raises(DnsFailure):
            dns.txt("down.example")


@pytest.mark.parametrize("server", ["x", "127.0.0.1:x", "[::1", "1.2.3"])
def test_a_name_server_is_an_address(server: str) -> None:
    with pytest.raises(ValueError):
        Dns(server)
